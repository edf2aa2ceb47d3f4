import { chmod } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Ctx } from "../../kernel/ctx.js";
import type { Logger } from "../../kernel/logger.js";
import { systemClock } from "../process/clock.js";
import { lockFile } from "../process/lock-file.js";
import { serverAccount } from "./account.js";
import { npmBinaries } from "./binaries.js";
import { ROLE, ensureDatabase } from "./initialise.js";
import { choosePlaces, knownBase } from "./places.js";
import { isServing, readPidFile, stopPostmaster } from "./postmaster.js";
import { PORT, adopt, launch } from "./server.js";

export interface EmbeddedPostgres {
  /** For `openPool`. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Whether a server that had outlived an earlier process was kept. */
  readonly adopted: boolean;
  readonly pid: () => number;
  /** Stops the server (its sessions end, a checkpoint is written) and gives the state directory free. */
  stop(): Promise<void>;
}

const WATCH_EVERY_MS = 500;

/**
 * Stops the server that a killed owner left running on `stateDir`, if there is one; before the directory is
 * deleted.
 */
export async function stopLeftBehind(stateDir: string): Promise<void> {
  const base = await knownBase(resolve(stateDir));
  const survivor = base === undefined ? undefined : await readPidFile(join(base, "data"));
  if (base !== undefined && survivor !== undefined) await stopPostmaster(survivor.pid, join(base, "data"));
}

/**
 * Runs the PostgreSQL that npm carries over `stateDir`, on a unix socket that nobody else may use. Creates
 * the database on the first start, adopts or replaces a server that survived a kill, and starts it again
 * should it die.
 *
 * @throws ALREADY_RUNNING (process) when another living process runs on this directory; START_FAILED,
 *         OTHER_VERSION, UNSAFE_DIRECTORY, NO_ACCOUNT
 * @cost   about 60 ms; 0.8 s on the first start
 */
export async function startPostgres(
  ctx: Ctx,
  options: { readonly stateDir: string; readonly log: Logger },
): Promise<EmbeddedPostgres> {
  const { log } = options;
  const stateDir = resolve(options.stateDir);
  const startedMs = performance.now();
  const account = serverAccount();
  const places = await choosePlaces(stateDir, account);
  const lock = await lockFile(`${stateDir}/postgres.lock`);
  try {
    const binaries = await npmBinaries(places.base, account);
    const created = await ensureDatabase(places, binaries, account);
    await chmod(places.socketDir, 0o700);
    const survivor = created ? undefined : await adopt(places, binaries);
    let pid = survivor ?? (await launch(ctx, places, binaries, account));
    log.info("postgres.start.done", {
      pid,
      created,
      adopted: survivor !== undefined,
      data: places.data,
      durationMs: Math.round(performance.now() - startedMs),
    });

    const stopping = new AbortController();
    const watching = watch();
    async function watch(): Promise<void> {
      while (!stopping.signal.aborted) {
        await systemClock.sleep(WATCH_EVERY_MS, stopping.signal).catch(() => {});
        if (stopping.signal.aborted || (await isServing(pid, places.data))) continue;
        log.error("postgres.died", { pid });
        try {
          pid =
            (await adopt(places, binaries)) ??
            (await launch({ ...ctx, signal: stopping.signal }, places, binaries, account));
          log.warn("postgres.restart.done", { pid });
        } catch (error) {
          if (!stopping.signal.aborted) log.error("postgres.restart.failed", { error });
        }
      }
    }
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      stopping.abort();
      await watching;
      await stopPostmaster(pid, places.data);
      await lock.release();
      log.info("postgres.stop.done", { pid });
    };
    return {
      connection: { host: places.socketDir, port: PORT, user: ROLE, database: "postgres" },
      adopted: survivor !== undefined,
      pid: () => pid,
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
