import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { endChild, spawnDetached } from "../host/linux-process.js";
import type { SpawnedProcess } from "../host/linux-process.js";
import type { Isolation } from "../host/isolation.js";
import { buildArgv, processMarks } from "./argv.js";
import type { QemuConfig } from "./config.js";
import { fileTail } from "./console-log.js";
import type { Definition } from "./definition.js";
import type { GuestFiles } from "./guest-files.js";
import { guestRoom } from "./guest-room.js";
import type { GuestPaths } from "./guest-paths.js";
import { QmpClient } from "./qmp-client.js";
import { writeRunRecord } from "./run-record.js";
import { RunningGuest } from "./running-guest.js";

export interface LaunchTools {
  readonly config: Pick<QemuConfig, "qemu" | "virtType" | "launchTimeoutMs">;
  readonly isolation: Isolation;
  readonly files: Pick<GuestFiles, "sealSockets">;
}

export interface LaunchedWith {
  /** Its command line when that is not what its definition says now. */
  readonly argv?: readonly string[];
  /** Where it waits for its memory; it has none of its own then. */
  readonly incoming?: string;
}

/**
 * Starts a defined guest's process, paused before its first instruction, and makes sure that it is shut in as
 * it should be. Its files must be ready.
 * @throws HYPERVISOR_FAILED or HYPERVISOR_SILENT, with the end of QEMU's own output as cause; no process is
 *   left then
 */
export async function launch(
  ctx: Ctx,
  definition: Definition,
  paths: GuestPaths,
  tools: LaunchTools,
  { argv = buildArgv(definition, paths, tools.config), incoming }: LaunchedWith = {},
): Promise<RunningGuest> {
  const { config, isolation, files } = tools;
  const room = guestRoom(definition, paths, { virtType: config.virtType, cgroups: isolation.cgroups });
  const marks = processMarks(definition.spec.instanceUuid, paths);
  let process: SpawnedProcess | undefined;
  try {
    const whole = incoming === undefined ? argv : [...argv, "-incoming", incoming];
    process = await spawnDetached(isolation.enter(whole, room), paths.qemuLog);
    await writeRunRecord(paths.runRecord, {
      version: 1,
      phase: "running",
      process: process.identity,
      argv: [...argv],
    });
    const qmp = await monitorOf(ctx, paths.qmpSocket, process, config.launchTimeoutMs);
    isolation.assertHolds(process.identity.pid, room);
    await files.sealSockets(paths, room.user);
    return await RunningGuest.adopt(
      definition.spec.instanceUuid,
      { identity: process.identity, marks, exited: process.exited },
      qmp,
    );
  } catch (error) {
    if (process) {
      endChild(process);
      await process.exited;
    }
    const output = fileTail(paths.qemuLog, 2_000).toString("utf8");
    throw DriverErrors.HYPERVISOR_FAILED(
      { step: "start the guest" },
      { cause: new AggregateError([error], output) },
    );
  }
}

/** Connects as soon as the new process listens; gives up when it ends first. */
export async function monitorOf(
  ctx: Ctx,
  path: string,
  spawned: SpawnedProcess,
  timeoutMs: number,
): Promise<QmpClient> {
  let ended = false;
  void spawned.exited.then(() => {
    ended = true;
  });
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = 5; performance.now() < deadline; waitMs = Math.min(waitMs * 1.5, 50)) {
    if (ended) throw DriverErrors.MONITOR_CLOSED({ step: "start" });
    try {
      return await QmpClient.connect(path, { greetingTimeoutMs: deadline - performance.now() });
    } catch (error) {
      if (!["ENOENT", "ECONNREFUSED"].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
    await delay(waitMs, undefined, { signal: ctx.signal });
  }
  throw DriverErrors.HYPERVISOR_SILENT({ step: "open the monitor" });
}
