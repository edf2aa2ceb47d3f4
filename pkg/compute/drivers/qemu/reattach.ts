import { stat } from "node:fs/promises";
import { asKilonovaError } from "../../../kernel/index.js";
import type { Ctx } from "../../../kernel/index.js";
import { ifThere } from "../../../platform/files/index.js";
import type { GuestEvent } from "../../driver.js";
import { bootId, identify, isSameProcess, listProcesses } from "../host/linux-process.js";
import type { ProcessIdentity, SeenProcess } from "../host/linux-process.js";
import { processMarks } from "./argv.js";
import type { QemuConfig } from "./config.js";
import type { Definition } from "./definition.js";
import { endProcess } from "./end-guest.js";
import type { GuestPaths } from "./guest-paths.js";
import { QmpClient } from "./qmp-client.js";
import { judgeVanished, readRunRecord, stoppedRecord, writeRunRecord } from "./run-record.js";
import { RunningGuest } from "./running-guest.js";
import { dropMemory, readSaved } from "./saved-memory.js";
import type { SavedMemory } from "./saved-memory.js";
import { letGoOn } from "./suspend-guest.js";

const GREETING_TIMEOUT_MS = 5_000;

export interface Reattached {
  readonly running?: RunningGuest;
  readonly last: "stopped" | "crashed";
  readonly saved?: SavedMemory;
  readonly tell?: Pick<GuestEvent, "type" | "byGuest">;
}

/**
 * Prepares to look for the guests of a former agent; /proc is read once, at the first guest whose record
 * names none.
 */
export function reattach(
  ctx: Ctx,
  config: Pick<QemuConfig, "quitTimeoutMs">,
  end: typeof endProcess = endProcess,
): (definition: Definition, paths: GuestPaths) => Promise<Reattached> {
  let processes: readonly SeenProcess[] | undefined;
  return async (definition, paths) => {
    const { instanceUuid } = definition.spec;
    const marks = processMarks(instanceUuid, paths);
    const record = await readRunRecord(paths.runRecord, ctx.log);
    const recorded = record.process && isSameProcess(record.process, marks) ? record.process : undefined;
    // An agent killed between spawning and writing down left a process that no record names.
    const identity = recorded ?? find((processes ??= listProcesses()), marks);
    const saved = await readSaved(paths, ctx.log);
    if (saved !== undefined) {
      // Whatever process there is, it has not run since; how far it came is of no use to anybody.
      const stuck =
        identity &&
        (await ended(ctx, await adopt(ctx, instanceUuid, identity, marks, paths), (it) =>
          end(it, paths, config),
        ));
      if (identity === undefined && record.phase !== "stopped")
        await writeRunRecord(paths.runRecord, stoppedRecord);
      return { ...(stuck ? { running: stuck } : {}), last: "stopped", saved };
    }
    if (identity === undefined) {
      await dropMemory(paths);
      const { now, tell } = judgeVanished(record, bootId());
      if (now !== record.phase) await writeRunRecord(paths.runRecord, { version: 1, phase: now });
      return { last: now, ...(tell ? { tell: { type: tell, byGuest: false } } : {}) };
    }
    const running = await adopt(ctx, instanceUuid, identity, marks, paths);
    if (running.runState === "shutdown" || running.runState === "prelaunch" || record.phase === "stopping") {
      // It shut itself down, or was never told to run, or was about to be ended: finish that.
      const tell = running.runState === "shutdown" && record.phase === "running";
      const stuck = await ended(ctx, running, (it) => end(it, paths, config));
      if (stuck !== undefined) {
        // When it has ended at last, that is the end that somebody wanted.
        stuck.toldToExit = true;
        stuck.endExpected = false;
        return { running: stuck, last: "stopped" };
      }
      return { last: "stopped", ...(tell ? { tell: { type: "STOPPED", byGuest: true } } : {}) };
    }
    if (recorded === undefined)
      await writeRunRecord(paths.runRecord, { version: 1, phase: "running", process: identity });
    if (await ifThere(stat(paths.memoryBeingSaved))) await goOn(ctx, running, paths);
    return { running, last: "stopped" };
  };
}

/**
 * Ends a process. @returns it when even SIGKILL does not end it: it waits for its storage, and that is no
 * reason to do without all other guests
 */
async function ended(
  ctx: Ctx,
  running: RunningGuest,
  end: (running: RunningGuest) => Promise<void>,
): Promise<RunningGuest | undefined> {
  try {
    await end(running);
    return undefined;
  } catch (error) {
    if (asKilonovaError(error).reason !== "HYPERVISOR_SILENT") throw error;
    const { instanceUuid, identity } = running;
    ctx.log.error("compute.qemu.guest.stuck", { instanceUuid, pid: identity.pid, error });
    return running;
  }
}

/** An agent died while it suspended the guest: that was not done yet, so the guest goes on. */
async function goOn(ctx: Ctx, running: RunningGuest, paths: GuestPaths): Promise<void> {
  const { instanceUuid } = running;
  try {
    await letGoOn(running, paths);
    ctx.log.warn("compute.qemu.guest.suspension-dropped", { instanceUuid });
  } catch (error) {
    ctx.log.error("compute.qemu.guest.stands-still", { instanceUuid, error });
  }
}

function find(processes: readonly SeenProcess[], marks: readonly string[]): ProcessIdentity | undefined {
  const seen = processes.find(({ args }) => marks.every((mark) => args.has(mark)));
  return seen && identify(seen.pid);
}

async function adopt(
  ctx: Ctx,
  instanceUuid: string,
  identity: ProcessIdentity,
  marks: readonly string[],
  paths: GuestPaths,
): Promise<RunningGuest> {
  try {
    const qmp = await QmpClient.connect(paths.qmpSocket, { greetingTimeoutMs: GREETING_TIMEOUT_MS });
    return await RunningGuest.adopt(instanceUuid, { identity, marks }, qmp);
  } catch (error) {
    ctx.log.error("compute.qemu.guest.monitor-lost", { instanceUuid, pid: identity.pid, error });
    return RunningGuest.adopt(instanceUuid, { identity, marks }, undefined);
  }
}
