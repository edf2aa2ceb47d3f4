import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../kernel/index.js";
import type { Tell, VolumePhase } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { qmp, unlessRefused } from "./hot-device.js";
import type { HotGuest } from "./hot-device.js";
import { asArray, asObject } from "./qmp-client.js";

const JOB = "swap";
const POLL_MS = 100;
const CANCEL_MS = 30_000;

/** Copies one block node of a running guest to another, and has the guest go on with that one. */
export async function copyVolume(
  ctx: Ctx,
  guest: HotGuest,
  from: string,
  to: string,
  tell: Tell<VolumePhase>,
): Promise<void> {
  await qmp(ctx, guest, "blockdev-mirror", {
    "job-id": JOB,
    device: from,
    target: to,
    sync: "full",
    // However fast the guest writes, the copy becomes whole.
    "copy-mode": "write-blocking",
    "auto-dismiss": false,
  });
  for (let isTold = false; ;) {
    ctx.signal.throwIfAborted();
    const job = await jobOf(guest);
    const [done, total] = [Number(job?.["current-progress"]), Number(job?.["total-progress"])];
    tell({ phase: "volume_copy", done, total });
    if (job === undefined || job["status"] === "concluded") {
      await unlessRefused(guest.execute("job-dismiss", { id: JOB }));
      if (isTold && job !== undefined && job["error"] === undefined) return;
      throw DriverErrors.HYPERVISOR_FAILED({ step: "copy the volume" });
    }
    if (job["status"] === "ready" && !isTold) {
      await qmp(ctx, guest, "job-complete", { id: JOB });
      isTold = true;
    } else await delay(POLL_MS);
  }
}

/**
 * Ends a copy that an attempt before has left: while it is there, what the guest writes waits for its target.
 * @throws HYPERVISOR_SILENT
 */
export async function endCopy(guest: HotGuest): Promise<void> {
  for (const deadline = performance.now() + CANCEL_MS; performance.now() < deadline; await delay(POLL_MS)) {
    const job = await jobOf(guest);
    if (job === undefined) return;
    const [command, args] =
      job["status"] === "concluded"
        ? ["job-dismiss", { id: JOB }]
        : ["block-job-cancel", { device: JOB, force: true }];
    await unlessRefused(guest.execute(String(command), args as Readonly<Record<string, unknown>>));
  }
  throw DriverErrors.HYPERVISOR_SILENT({ step: "end the copy of a volume" });
}

const jobOf = async (guest: HotGuest): Promise<Readonly<Record<string, unknown>> | undefined> =>
  asArray(await guest.execute("query-jobs"))
    .map(asObject)
    .find(({ id }) => id === JOB);
