import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { packageRoot } from "../../../../pkg/platform/service/index.js";

/** The configuration file of a program: options by section. */
export type Options = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One service's process. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  /** Base of /healthz, /readyz and /metrics. */
  readonly statusUrl: string;
  /** All lines of standard output and error. */
  readonly lines: readonly string[];
  /** A field of the newest log line with the event. */
  logged(event: string, field: string): string | undefined;
  send(signal: NodeJS.Signals): void;
  readonly ended: Promise<number | null>;
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The programs, bundled as they are shipped, into a folder of their own. */
export class Programs {
  readonly #dir: string;
  readonly #configs: string;
  readonly #started: Program[] = [];

  private constructor(dir: string, configs: string) {
    this.#dir = dir;
    this.#configs = configs;
  }

  /**
   * @param configs  folder for configuration files
   * @param root     of the project whose programs they are
   */
  static async bundle(configs: string, root = packageRoot()): Promise<Programs> {
    const dir = join(".cache", `cluster-${process.pid}`);
    await promisify(execFile)(process.execPath, ["scripts/build.mjs", dir], { cwd: root });
    return new Programs(join(root, dir), configs);
  }

  /**
   * Starts a program and waits until it says that it is ready. @param as  distinguishes several of one kind
   */
  async start(name: string, as: string, options: Options): Promise<Program> {
    const config = await this.config(as, options);
    const child = spawn(process.execPath, [join(this.#dir, `${name}.js`), "--config", config], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] },
    });
    running.add(child);
    const lines: string[] = [];
    const ended = once(child, "close").then(([code]) => {
      running.delete(child);
      return code as number | null;
    });
    const statusUrl = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        createInterface({ input: stream }).on("line", (line) => {
          lines.push(line);
          const ready = /^kilonova \S+ is ready: (\S+)$/.exec(line);
          if (ready?.[1]) resolve(ready[1]);
        });
      void ended.then((code) =>
        reject(new Error(`${as} ended with ${code} before it was ready:\n${lines.join("\n")}`)),
      );
    });
    const program: Program = {
      name: as,
      pid: child.pid ?? 0,
      statusUrl,
      lines,
      ended,
      logged: (event, field) => lines.toReversed().flatMap((line) => fieldOf(line, event, field))[0],
      send: (signal) => {
        child.kill(signal);
      },
      kill: async () => {
        child.kill("SIGKILL");
        await ended;
      },
    };
    this.#started.push(program);
    return program;
  }

  /**
   * Runs the operator's tool to its end. @param config the operator's own configuration. @throws with its
   * output when it fails
   */
  async kilonova(args: readonly string[], config?: string): Promise<string> {
    const env = { PATH: process.env["PATH"], ...(config === undefined ? {} : { KILONOVA_CONFIG: config }) };
    return (await promisify(execFile)(process.execPath, [join(this.#dir, "kilonova.js"), ...args], { env }))
      .stdout;
  }

  /** Writes a configuration file. JSON is YAML. */
  async config(as: string, options: Options): Promise<string> {
    const path = join(this.#configs, `${as}.yaml`);
    await writeFile(path, JSON.stringify(options), { mode: 0o600 });
    return path;
  }

  /** All log lines of all programs, for a failed test. */
  tail(count: number): string {
    return this.#started
      .map(({ name, lines }) => `--- ${name}\n${lines.slice(-count).join("\n")}`)
      .join("\n");
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.map((program) => program.kill()));
    await rm(this.#dir, { recursive: true, force: true });
  }
}

function fieldOf(line: string, event: string, field: string): string[] {
  if (!line.startsWith("{")) return [];
  const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
  return entry["event"] === event && entry[field] !== undefined ? [String(entry[field])] : [];
}
