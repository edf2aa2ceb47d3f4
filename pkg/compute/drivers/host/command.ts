import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import type { Writable } from "node:stream";

/** A command line, and what it wants from descriptors of its own. */
export interface Command {
  readonly argv: readonly string[];
  /** What it reads from descriptors 4 and up, in this order. */
  readonly inputs: readonly (string | Uint8Array)[];
  /** Whether it tells on descriptor 3, in JSON (`child-pid`), which process is the real one. */
  readonly tellsChild: boolean;
}

export const plain = (argv: readonly string[]): Command => ({ argv, inputs: [], tellsChild: false });

export const TOLD_AT = 3;
export const FIRST_INPUT = 4;

/** System tools of the agent's own path first, then where distributions keep mkfs and friends. */
const toolPath = `${process.env["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;

export interface StartOptions {
  readonly stdio: readonly ["pipe" | "ignore", "pipe" | "ignore" | number, "pipe" | "ignore" | number];
  /** In a session of its own, so that it outlives us. */
  readonly detached?: boolean;
}

/** Starts a command with nothing of our environment and hands it its inputs. */
export function start({ argv, inputs, tellsChild }: Command, options: StartOptions): ChildProcess {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    stdio: [
      ...options.stdio,
      ...(tellsChild ? (["pipe"] as const) : []),
      ...inputs.map(() => "pipe" as const),
    ],
    detached: options.detached ?? false,
    cwd: "/",
    env: { PATH: toolPath, LC_ALL: "C" },
  });
  inputs.forEach((bytes, i) => {
    const pipe = child.stdio[FIRST_INPUT + i] as Writable | null | undefined;
    // Who ends early did not want it.
    pipe?.on("error", () => undefined);
    pipe?.end(bytes);
  });
  return child;
}

/**
 * The process that really runs, by its number in our own namespace.
 * @throws when the command ended before it told
 */
export async function realPid(child: ChildProcess, { tellsChild }: Command): Promise<number> {
  if (!tellsChild) return child.pid ?? 0;
  let told = "";
  const pipe = child.stdio[TOLD_AT];
  if (pipe && "setEncoding" in pipe)
    for await (const chunk of pipe.setEncoding("utf8")) told += String(chunk);
  const pid: unknown = (JSON.parse(told || "{}") as Record<string, unknown>)["child-pid"];
  if (typeof pid !== "number") throw new Error(`${child.spawnfile} ended before it told its child`);
  return pid;
}
