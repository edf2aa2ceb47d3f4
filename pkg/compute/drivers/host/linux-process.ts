import { closeSync, openSync, readFileSync, readdirSync } from "node:fs";
import { ifAliveSync } from "../../../platform/files/index.js";
import { realPid, start } from "./command.js";
import type { Command } from "./command.js";

/** Enough to know a process again, even after its number went to another one or the host was booted anew. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks between boot and the process's start. */
  readonly startTicks: string;
  readonly bootId: string;
}

export interface SpawnedProcess {
  readonly identity: ProcessIdentity;
  /** Resolves when the process ended; never while another agent's child. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/**
 * Starts a process that outlives the agent: own session, output to a file, no inherited descriptors or
 * environment.
 * @throws when it could not even be started
 */
export function spawnDetached(command: Command, logPath: string): Promise<SpawnedProcess> {
  const log = openSync(logPath, "a", 0o600);
  return new Promise((resolve, reject) => {
    const child = start(command, { detached: true, stdio: ["ignore", log, log] });
    closeSync(log);
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((done) => {
      child.on("exit", (code, signal) => done({ code, signal }));
    });
    child.on("error", reject);
    child.on("spawn", () => {
      child.unref();
      realPid(child, command)
        .then((pid) => {
          // The child is not reaped before `exited` is told, so its number cannot have gone to another
          // process yet.
          const seen = look(pid);
          if (seen) resolve({ identity: seen.identity, exited });
          else reject(new Error(`${command.argv[0]} was not seen in /proc`));
        })
        .catch(reject);
    });
  });
}

/** Our own child, not yet reaped: its number is still its own, whatever its command line shows already. */
export function endChild({ identity }: SpawnedProcess): void {
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** The identity of whatever has this number now; zombies count as gone. */
export function identify(pid: number): ProcessIdentity | undefined {
  const seen = look(pid);
  return seen === undefined || seen.ended ? undefined : seen.identity;
}

function look(pid: number): { readonly identity: ProcessIdentity; readonly ended: boolean } | undefined {
  const stat = readProc(pid, "stat");
  if (stat === undefined) return undefined;
  // The name (field 2) may hold spaces and brackets; the fields after its last bracket are plain.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  if (startTicks === undefined) return undefined;
  return { identity: { pid, startTicks, bootId: bootId() }, ended: state === "Z" || state === "X" };
}

/**
 * Whether this very process still runs, and its command line holds all of `marks` as arguments.
 * @throws when /proc cannot be read: then nobody may act as if it had ended
 */
export function isSameProcess(identity: ProcessIdentity, marks: readonly string[]): boolean {
  const now = identify(identity.pid);
  return (
    now !== undefined &&
    now.startTicks === identity.startTicks &&
    now.bootId === identity.bootId &&
    hasMarks(identity.pid, marks)
  );
}

/**
 * Signals the process if it is still the same; never another one with its number. @returns whether it was
 * signalled
 */
export function signalProcess(
  identity: ProcessIdentity,
  marks: readonly string[],
  signal: NodeJS.Signals,
): boolean {
  if (!isSameProcess(identity, marks)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** A process and its arguments, as one pass over /proc saw them. */
export interface SeenProcess {
  readonly pid: number;
  readonly args: ReadonlySet<string>;
}

/** @cost one pass over /proc, some milliseconds */
export function listProcesses(): readonly SeenProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), args: argsOf(Number(name)) }));
}

export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function hasMarks(pid: number, marks: readonly string[]): boolean {
  const args = argsOf(pid);
  return marks.every((mark) => args.has(mark));
}

function argsOf(pid: number): ReadonlySet<string> {
  return new Set(readProc(pid, "cmdline")?.split("\0"));
}

/** @throws when it cannot be known whether there is such a process: no file descriptor is left, say */
const readProc = (pid: number, file: string): string | undefined =>
  ifAliveSync(() => readFileSync(`/proc/${pid}/${file}`, "utf8"));
