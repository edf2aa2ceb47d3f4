import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface EntryOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Runs it under another account; only root can. */
  readonly account?: { readonly uid: number; readonly gid: number };
  /** The line of standard output that says it is ready; any first line by default. */
  readonly ready?: RegExp;
  /** 60,000 by default. */
  readonly timeoutMs?: number;
}

/** A real process running one of our TypeScript files. */
export interface EntryProcess {
  readonly pid: number;
  /** The line that matched `ready`. */
  readonly readyLine: string;
  /** All lines so far, standard output and error together. */
  readonly lines: readonly string[];
  send(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
}

/** Found by `require`: mocha runs these files as CommonJS, where import.meta has no `resolve`. */
const TSX = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Starts a TypeScript file as a process of its own and waits for its ready line. It is killed at the latest
 * when the tests end.
 * @throws Error with its output when it ends or stays silent before it is ready
 */
export async function startEntry(file: string | URL, options: EntryOptions = {}): Promise<EntryProcess> {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  const child = spawn(process.execPath, ["--import", TSX, path, ...(options.args ?? [])], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.account,
  });
  running.add(child);
  const lines: string[] = [];
  const ended = once(child, "close").then(([code, signal]) => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const readyLine = await readyOf(child, ended, lines, options);
  return {
    pid: child.pid ?? 0,
    readyLine,
    lines,
    ended,
    send: (signal) => {
      child.kill(signal);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

function readyOf(
  child: ChildProcess,
  ended: Promise<unknown>,
  lines: string[],
  { ready = /./, timeoutMs = 60_000 }: EntryOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      child.kill("SIGKILL");
      reject(new Error(`${what}:\n${lines.join("\n")}`));
    };
    const timer = setTimeout(() => fail("not ready in time"), timeoutMs);
    for (const [stream, matters] of [
      [child.stdout, true],
      [child.stderr, false],
    ] as const) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (matters && ready.test(line)) {
          clearTimeout(timer);
          resolve(line);
        }
      });
    }
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    ended.then(() => {
      clearTimeout(timer);
      fail("ended before it was ready");
    }, reject);
  });
}
