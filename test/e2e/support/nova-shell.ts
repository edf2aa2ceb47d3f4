import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { projectRoot } from "./cloud.js";
import { onceLoggedIn } from "./identity.js";
import { programOf } from "./program.js";

/** What a run of the client has left. */
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * The unmodified `nova` client: one process for many commands, so that Python and the client's modules are
 * loaded once. Each command logs in by itself, as `nova` does. Commands run one after the other.
 */
export class NovaShell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #said = "";
  #queue: Promise<unknown> = Promise.resolve();

  /** @param credentials  the `OS_*` variables that `source …-openrc.sh` would set */
  constructor(credentials: Readonly<Record<string, string>>) {
    const env = {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      LANG: "C.UTF-8",
      // It would warn with each command that it is deprecated.
      NOVACLIENT_ISHOULDNTBEDOINGTHIS: "1",
      ...credentials,
    };
    const script = join(projectRoot, "test", "e2e", "support", "nova-shell.py");
    const { python, path } = pythonOf("nova");
    // Without a terminal of its own it reads passwords from what is typed.
    this.#child = spawn(python, [script], {
      env: { ...env, ...(path === undefined ? {} : { PYTHONPATH: path }) },
      stdio: "pipe",
      detached: true,
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * Runs a command.
   * @param typed  what it reads as if it were typed
   */
  run(argv: readonly string[], typed = ""): Promise<Ran> {
    const result = this.#queue.then(() =>
      onceLoggedIn(
        () => this.#execute(argv, typed),
        ({ err }) => err,
      ),
    );
    this.#queue = result.catch(() => {});
    return result;
  }

  async #execute(argv: readonly string[], typed: string): Promise<Ran> {
    this.#child.stdin.write(`${JSON.stringify({ argv, typed })}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`nova ended at ${argv.join(" ")}: ${this.#said}`);
    return JSON.parse(value) as Ran;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin.end();
    await ended;
  }
}

/** The Python that a program runs in: Debian's own, or that of the tree into which packages were unpacked. */
function pythonOf(name: string): { readonly python: string; readonly path: string | undefined } {
  const program = programOf(name);
  if (program === undefined) throw new Error(`${name} is not installed`);
  const text = readFileSync(program, "utf8");
  return {
    python: /^exec '?([^' ]*python3)/m.exec(text)?.[1] ?? "/usr/bin/python3",
    path: /PYTHONPATH='([^']*)'/.exec(text)?.[1],
  };
}
