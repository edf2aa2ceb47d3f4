import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../kernel/index.js";
import { asKilonovaError, firstOf, traced } from "../../../kernel/index.js";
import type { SnapshotPhase, Tell } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { asArray, asObject } from "./qmp-client.js";
import type { RunningGuest } from "./running-guest.js";

/** The only copy that a guest's process makes at a time, and where it goes to. */
const JOB = "snapshot";
const NODE = "snapshot-target";
const ROOT = "root";

const POLL_MS = 100;
/** A cancelled job has some writes to wait for. */
const CANCEL_MS = 60_000;

interface Job {
  readonly status: string;
  readonly done: number;
  readonly total: number;
  readonly error: string;
}

/** Where a copy goes. */
export interface BackupTarget {
  /** Of an empty image of the disk's size, which the guest's process may write. */
  readonly path: string;
  readonly format: "qcow2" | "raw";
  /** 0 for as many as there can be. */
  readonly bytesPerSecond: number;
}

/**
 * Has a guest's process copy its root disk as it is now. The guest goes on: what it overwrites meanwhile is
 * copied first. Nothing is put between the guest and its disk, so there is nothing to take away after a
 * crash but the copy itself: whoever begins another one calls `endBackUp` before.
 * @param begin  runs what marks the moment of the copy; it may freeze the guest around it
 * @throws HYPERVISOR_FAILED, MONITOR_CLOSED when the process ends; the reason of ctx's abort
 */
export async function backUp(
  ctx: Ctx,
  guest: RunningGuest,
  { path, format, bytesPerSecond }: BackupTarget,
  begin: (start: () => Promise<void>) => Promise<void>,
  tell: Tell<SnapshotPhase>,
): Promise<void> {
  const ask = (name: string, args: Readonly<Record<string, unknown>>): Promise<unknown> =>
    traced(ctx, `qmp ${name}`, {}, () => guest.execute(name, args));
  await ask("blockdev-add", {
    driver: format,
    "node-name": NODE,
    file: { driver: "file", filename: path },
    discard: "unmap",
  });
  try {
    await begin(async () => {
      await ask("blockdev-backup", {
        "job-id": JOB,
        device: ROOT,
        target: NODE,
        sync: "full",
        "auto-dismiss": false,
        ...(bytesPerSecond === 0 ? {} : { speed: bytesPerSecond }),
      });
    });
    await untilDone(ctx, guest, tell);
  } finally {
    // Also closes the target, which writes out what it holds.
    await endBackUp(guest).catch((error: unknown) => {
      if (asKilonovaError(error).reason !== "MONITOR_CLOSED") throw error;
    });
  }
}

/** Ends a copy that the process still makes, and lets go of its target. Neither being there is success. */
export async function endBackUp(guest: RunningGuest): Promise<void> {
  const deadline = performance.now() + CANCEL_MS;
  for (;;) {
    const job = await jobOf(guest);
    if (job === undefined) break;
    if (job.status === "concluded") await guest.execute("job-dismiss", { id: JOB });
    else if (job.status !== "aborting") await guest.execute("block-job-cancel", { device: JOB, force: true });
    if (performance.now() > deadline) throw DriverErrors.HYPERVISOR_SILENT({ step: "end a copy" });
    await delay(POLL_MS / 10);
  }
  const nodes = asArray(await guest.execute("query-named-block-nodes", { flat: true }));
  if (nodes.some((node) => asObject(node)["node-name"] === NODE))
    await guest.execute("blockdev-del", { "node-name": NODE });
}

async function untilDone(ctx: Ctx, guest: RunningGuest, tell: Tell<SnapshotPhase>): Promise<void> {
  const { signal, leave } = firstOf([ctx.signal, guest.hurried]);
  try {
    for (;;) {
      const job = await jobOf(guest);
      if (job === undefined) throw DriverErrors.HYPERVISOR_FAILED({ step: "copy the disk" });
      if (job.status === "concluded") {
        if (job.error !== "")
          throw DriverErrors.HYPERVISOR_FAILED({ step: "copy the disk" }, { cause: new Error(job.error) });
        return;
      }
      tell({ phase: "disk_copy", done: job.done, total: job.total });
      ctx.signal.throwIfAborted();
      if (guest.hurried.aborted) throw DriverErrors.MONITOR_CLOSED({ step: "copy the disk" });
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    leave();
  }
}

async function jobOf(guest: RunningGuest): Promise<Job | undefined> {
  const jobs = asArray(await guest.execute("query-jobs")).map(asObject);
  const job = jobs.find(({ id }) => id === JOB);
  if (job === undefined) return undefined;
  const number = (value: unknown): number => (typeof value === "number" ? value : 0);
  return {
    status: String(job["status"]),
    done: number(job["current-progress"]),
    total: number(job["total-progress"]),
    error: typeof job["error"] === "string" ? job["error"] : "",
  };
}
