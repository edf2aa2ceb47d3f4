import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../kernel/index.js";
import { DriverErrors } from "../errors.js";
import { spawnDetached } from "../host/linux-process.js";
import type { SpawnedProcess } from "../host/linux-process.js";
import { asUser } from "../host/run-as.js";
import type { RunAs } from "../host/run-as.js";
import { buildArgv, processMarks } from "./argv.js";
import type { QemuConfig } from "./config.js";
import { fileTail } from "./console-log.js";
import type { Definition } from "./definition.js";
import type { GuestPaths } from "./guest-paths.js";
import { QmpClient } from "./qmp-client.js";
import { writeRunRecord } from "./run-record.js";
import { RunningGuest } from "./running-guest.js";

export interface LaunchTools {
  readonly config: Pick<QemuConfig, "qemu" | "virtType" | "launchTimeoutMs">;
  readonly runAs: RunAs | undefined;
}

/**
 * Starts a defined guest's process, paused before its first instruction. Its files must be ready.
 * @throws HYPERVISOR_FAILED or HYPERVISOR_SILENT, with the end of QEMU's own output as cause; no process is
 *   left then
 */
export async function launch(
  ctx: Ctx,
  definition: Definition,
  paths: GuestPaths,
  tools: LaunchTools,
): Promise<RunningGuest> {
  const { config, runAs } = tools;
  const marks = processMarks(definition.spec.instanceUuid, paths);
  const process = await spawnDetached(asUser(runAs, buildArgv(definition, paths, config)), paths.qemuLog);
  try {
    await writeRunRecord(paths.runRecord, { version: 1, phase: "running", process: process.identity });
    const qmp = await monitorOf(ctx, paths.qmpSocket, process, config.launchTimeoutMs);
    return await RunningGuest.adopt(
      definition.spec.instanceUuid,
      { identity: process.identity, marks, exited: process.exited },
      qmp,
    );
  } catch (error) {
    endChild(process);
    await process.exited;
    const output = fileTail(paths.qemuLog, 2_000).toString("utf8");
    throw DriverErrors.HYPERVISOR_FAILED(
      { step: "start the guest" },
      { cause: new AggregateError([error], output) },
    );
  }
}

/** Our own child, not yet reaped: its number is still its own, whatever its command line shows already. */
function endChild({ identity }: SpawnedProcess): void {
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** Connects as soon as the new process listens; gives up when it ends first. */
async function monitorOf(
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
