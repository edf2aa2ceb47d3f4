import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { onceLoggedIn } from "./identity.js";

/** What its command line takes as one word without quoting. */
const WORD = /^[\w=:,./@*^$-]+$/;
const PATIENCE_MS = 300_000;

/**
 * The unmodified `openstack` client in its interactive mode: one process for many commands, each of which
 * then costs what the services cost rather than a start of Python. Commands run one after the other.
 */
export class OpenStackShell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<number | null>;
  #out = "";
  #err = "";
  #look = (): void => {};
  #count = 0;
  #queue: Promise<unknown> = Promise.resolve();

  /** @param credentials  the `OS_*` variables that `source …-openrc.sh` would set */
  constructor(credentials: Readonly<Record<string, string>>) {
    const env = {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      LANG: "C.UTF-8",
      PYTHONUNBUFFERED: "1",
      COLUMNS: "400",
      ...credentials,
    };
    this.#child = spawn("openstack", [], { env, stdio: "pipe" });
    this.#ended = new Promise((resolve, reject) => this.#child.once("close", resolve).once("error", reject));
    this.#ended.catch(() => {}); // Whoever waits for a command hears of it.
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      this.#look();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#err += text;
      this.#look();
    });
  }

  /** Runs a command. @returns what it printed @throws with the client's own words when it complained */
  async run(...words: readonly string[]): Promise<string> {
    const { out, err } = await this.#next(words);
    if (err !== "") throw new Error(`openstack ${words.join(" ")}: ${err}`);
    return out;
  }

  /** Runs a command with `-f json`. */
  async json<T>(...words: readonly string[]): Promise<T> {
    const out = await this.run(...words, "-f", "json");
    try {
      return JSON.parse(out) as T;
    } catch {
      throw new Error(`openstack ${words.join(" ")}: no JSON: ${out}`);
    }
  }

  /** @returns what the client said when the command failed; fails itself when it did not */
  async fails(...words: readonly string[]): Promise<string> {
    const { out, err } = await this.#next(words);
    if (err === "") throw new Error(`openstack ${words.join(" ")} should have failed, and printed ${out}`);
    return err;
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#ended;
  }

  #next(words: readonly string[]): Promise<{ out: string; err: string }> {
    const odd = words.find((word) => !WORD.test(word));
    if (odd !== undefined)
      throw new Error(`the interactive mode would split or interpret ${JSON.stringify(odd)}`);
    const result = this.#queue.then(() =>
      onceLoggedIn(
        () => this.#execute(words.join(" ")),
        ({ err }) => err,
      ),
    );
    this.#queue = result.catch(() => {});
    return result;
  }

  /** A mark on both streams behind the command tells where its output ends. */
  async #execute(line: string): Promise<{ out: string; err: string }> {
    const mark = `--end-of-command-${++this.#count}--`;
    this.#out = "";
    this.#err = "";
    this.#child.stdin.write(`${line}\n!sh -c 'echo ${mark} >&2; echo ${mark}'\n`);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`openstack ${line}: no end in sight\n${this.#out}\n${this.#err}`)),
        PATIENCE_MS,
      );
      const settle = (end: () => void): void => {
        clearTimeout(timer);
        this.#look = () => {};
        end();
      };
      this.#look = () => {
        if (this.#out.includes(mark) && this.#err.includes(mark)) settle(resolve);
      };
      void this.#ended
        .catch((error: unknown) => error)
        .then((end) =>
          settle(() =>
            reject(new Error(`openstack ended with ${String(end)} at ${line}\n${this.#out}\n${this.#err}`)),
          ),
        );
    });
    const before = (text: string): string => text.slice(0, text.indexOf(mark)).trim();
    return { out: before(this.#out), err: before(this.#err) };
  }
}
