import { spawn } from "node:child_process";
import { open, readFile, readlink, stat } from "node:fs/promises";
import type { Ctx } from "../../kernel/ctx.js";
import { ifAlive, ifThere } from "../files/index.js";
import { spawnAs } from "./account.js";
import type { Account } from "./account.js";
import type { Binaries } from "./binaries.js";
import { PostgresErrors } from "./errors.js";
import { serverEnv } from "./initialise.js";
import type { Places } from "./places.js";
import { isServing, readPidFile, clearRemains, stopPostmaster, waitUntil } from "./postmaster.js";
import { answers } from "./probe.js";

export const PORT = 5432;
const LOG_MAX_BYTES = 10 * 1024 * 1024;
const START_BUDGET_MS = 60_000;

/**
 * Settings of a small server for one machine, measured at 36 MB (PSS) with ten sessions. No wal senders,
 * logical workers or parallel query: nobody uses them, and each costs a process.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  port: String(PORT),
  shared_buffers: "32MB",
  io_method: "sync",
  max_connections: "60",
  fsync: "on",
  synchronous_commit: "on",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_wal_size: "256MB",
  max_logical_replication_workers: "0",
  max_worker_processes: "2",
  max_parallel_workers_per_gather: "0",
  jit: "off",
  huge_pages: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] ",
  log_checkpoints: "off",
};

const argumentsOf = (places: Places): string[] => [
  "-D",
  places.data,
  ...Object.entries({ ...SETTINGS, unix_socket_directories: places.socketDir }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]),
];

/**
 * Finds a server that outlived us (kill -9) and may be kept: same program, same settings, and it answers.
 * Any other server in the directory is stopped.
 * @returns its pid, or undefined when one has to be started
 */
export async function adopt(places: Places, binaries: Binaries): Promise<number | undefined> {
  const found = await readPidFile(places.data);
  if (found === undefined || !(await isServing(found.pid, places.data))) {
    await clearRemains(places);
    return undefined;
  }
  const same = await isSame(found.pid, places, binaries);
  if (same && (await waitUntil(() => answers(places.socketDir, PORT), 2_000))) return found.pid;
  await stopPostmaster(found.pid, places.data);
  return undefined;
}

async function isSame(pid: number, places: Places, binaries: Binaries): Promise<boolean> {
  const program = await ifAlive(readlink(`/proc/${pid}/exe`));
  const commandLine = await ifAlive(readFile(`/proc/${pid}/cmdline`, "utf8"));
  return (
    program === binaries.postgres &&
    commandLine === `${[binaries.postgres, ...argumentsOf(places)].join("\0")}\0`
  );
}

/**
 * Starts a server and waits until it takes connections (some 40 ms on a warm machine). It runs in a session
 * of its own: Ctrl-C in our terminal must reach it through our shutdown, not before.
 * @throws START_FAILED
 */
export async function launch(
  ctx: Ctx,
  places: Places,
  binaries: Binaries,
  account: Account,
): Promise<number> {
  const large = ((await ifThere(stat(places.log)))?.size ?? 0) > LOG_MAX_BYTES;
  const log = await open(places.log, large ? "w" : "a", 0o600);
  try {
    const child = spawn(binaries.postgres, argumentsOf(places), {
      ...spawnAs(account),
      cwd: places.base,
      env: serverEnv(binaries),
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    let failure: Error | undefined;
    child.once("error", (error) => {
      failure = error;
    });
    child.once("exit", (code, signal) => {
      failure ??= new Error(`postgres ended with ${signal ?? code}`);
    });
    child.unref();
    const { pid } = child;
    const isReady = async (): Promise<boolean> => {
      const file = await readPidFile(places.data);
      return file?.pid === pid && file?.ready === true;
    };
    const started = await waitUntil(
      async () => failure !== undefined || ctx.signal.aborted || (await isReady()),
      START_BUDGET_MS,
    );
    if (pid === undefined || !started || failure !== undefined || ctx.signal.aborted) {
      if (pid !== undefined && failure === undefined) {
        // It is recognised by its working directory, into which it moves in its first milliseconds.
        await waitUntil(async () => failure !== undefined || (await isServing(pid, places.data)), 2_000);
        await stopPostmaster(pid, places.data);
      }
      ctx.signal.throwIfAborted();
      throw PostgresErrors.START_FAILED(
        { log: places.log },
        { cause: new Error(await tailOf(places.log), { cause: failure }) },
      );
    }
    return pid;
  } finally {
    await log.close();
  }
}

/** The last words of the server, for our own log. */
const tailOf = async (path: string): Promise<string> =>
  (await readFile(path, "utf8").catch(() => "")).trimEnd().split("\n").slice(-4).join("\n");
