import { access, readFile, readlink, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ifAlive, ifThere } from "../files/index.js";
import { startOf } from "../process/lock-file.js";
import { PostgresErrors } from "./errors.js";

/** What postmaster.pid says about the process that wrote it. */
export interface Postmaster {
  readonly pid: number;
  readonly ready: boolean;
}

/** @returns what the file in the data directory says, whether or not that process lives */
export async function readPidFile(data: string): Promise<Postmaster | undefined> {
  const text = (await ifThere(readFile(join(data, "postmaster.pid"), "utf8"))) ?? "";
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  // Line 8 is the state: starting, stopping, ready, standby (miscinit.h, LOCK_FILE_LINE_PM_STATUS).
  return Number.isInteger(pid) && pid > 0 ? { pid, ready: lines[7]?.trim() === "ready" } : undefined;
}

/**
 * Whether the process lives and works in this data directory; PostgreSQL's processes all have it as working
 * directory. Only /proc can say that it does not: when we cannot look, being out of descriptors ourselves,
 * nothing is known against it.
 */
export async function isServing(pid: number, data: string): Promise<boolean> {
  try {
    return (await startOf(pid)) !== undefined && (await workingDirectory(pid)) === data;
  } catch (error) {
    if (cannotLook(error)) return true;
    throw error;
  }
}

const cannotLook = (error: unknown): boolean =>
  ["EMFILE", "ENFILE", "ENOMEM", "EIO"].includes(String((error as NodeJS.ErrnoException).code));

/**
 * Clears up after a postmaster that is gone. Its backends outlive it briefly, and PostgreSQL does not start
 * beside them; and lock files whose number belongs to a zombie or, by now, to an unrelated process pass for
 * those of a running server.
 */
export async function clearRemains({
  data,
  socketDir,
}: {
  readonly data: string;
  readonly socketDir: string;
}): Promise<void> {
  const found = await readPidFile(data);
  if (found !== undefined) {
    if (!(await waitUntil(async () => !(await anyServing(data)), 5_000))) return;
    if (await ifThere(access(`/proc/${found.pid}`).then(() => true)))
      await rm(join(data, "postmaster.pid"), { force: true });
  }
  // Nobody works in the data directory, and the socket's directory is ours alone.
  for (const name of await readdir(socketDir)) await rm(join(socketDir, name), { force: true });
}

async function anyServing(data: string): Promise<boolean> {
  for (const name of await readdir("/proc")) {
    if (/^\d+$/.test(name) && (await isServing(Number(name), data))) return true;
  }
  return false;
}

/** @returns undefined for a process that is gone, or somebody else's: the latter is no server of ours */
async function workingDirectory(pid: number): Promise<string | undefined> {
  try {
    return await ifAlive(readlink(`/proc/${pid}/cwd`));
  } catch (error) {
    if (["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** How long each way of asking may take: fast shutdown, immediate shutdown, none. */
const STOP_STEPS = [
  ["SIGINT", 15_000],
  ["SIGQUIT", 5_000],
  ["SIGKILL", 5_000],
] as const;

/**
 * Stops a postmaster: sessions are closed and a checkpoint written; harder when that takes too long.
 * @throws STOP_FAILED when it outlives even SIGKILL
 */
export async function stopPostmaster(pid: number, data: string): Promise<void> {
  for (const [signal, budgetMs] of STOP_STEPS) {
    if (!(await isServing(pid, data))) return;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
    if (await waitUntil(async () => !(await isServing(pid, data)), budgetMs)) return;
  }
  throw PostgresErrors.STOP_FAILED({ pid });
}

/**
 * Asks every 3 ms: starting and stopping take some 40 ms, and a file in /proc announces nothing. @returns
 * whether it came true in time
 */
export async function waitUntil(condition: () => Promise<boolean>, budgetMs: number): Promise<boolean> {
  const endMs = performance.now() + budgetMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= endMs) return false;
    await sleep(3);
  }
}
