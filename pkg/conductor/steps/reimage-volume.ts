import { z } from "zod";
import type { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { KilonovaError } from "../../kernel/errors.js";
import { VOLUME_REIMAGED } from "../../model/signals.js";
import { done, fail, park } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { readNote } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";

type Call = StepCall<RebuildInput>;

const GIB = 1024n ** 3n;
const MS_IN_US = 1_000n;
/** However small the image. */
const LEAST_MS = 60_000;
/** Its event may be lost. */
const LOOK_AGAIN_MS = 2_000;

const asked = z.object({ untilMs: z.number() });

/**
 * Has Block Storage write the image over the volume, and waits for its event, or until it is seen to be done.
 * The event is a signal of the operation: it may come before anybody waits. Who takes over asks once more
 * unless the volume is being written: the image is the same, and no guest runs.
 * @param msPerGib  how long it may take for a GiB of the image
 */
export const reimageVolume = (ports: Pick<Ports, "cinder">, msPerGib: number): Step<RebuildInput> => ({
  name: "reimage-volume",
  unfenced: true,
  event: "compute_reimage_volume",
  timeoutMs: 24 * 3_600_000,
  finishes: true,
  async run(call) {
    try {
      return await reimaged(call, ports, msPerGib);
    } catch (error) {
      if (!(error instanceof KilonovaError) || !HOPELESS.has(error.kind)) throw error;
      return fail(ConductorErrors.VOLUME_NOT_REIMAGED({ problem: error.message }));
    }
  },
});

/** What another attempt would not cure. */
const HOPELESS: ReadonlySet<string> = new Set(["invalid", "missing", "forbidden", "refused", "unsupported"]);

async function reimaged(
  call: Call,
  { cinder }: Pick<Ports, "cinder">,
  msPerGib: number,
): Promise<StepResult> {
  const { volumeId = "", imageId = "", imageSizeBytes = 0n } = call.input.reimage ?? {};
  const events = call.signals.filter(({ kind }) => kind === VOLUME_REIMAGED);
  const extra = { consumed: events.map(({ id }) => id) };
  const { status } = await cinder.getVolume(call.ctx, volumeId);
  const nowMs = Number(call.now / MS_IN_US);
  const note = readNote(asked, call.note);
  if (note === undefined) {
    if (status !== "downloading") await cinder.reimage(call.ctx, volumeId, imageId, true);
    const gib = Number((imageSizeBytes + GIB - 1n) / GIB);
    const untilMs = nowMs + Math.max(LEAST_MS, gib * msPerGib);
    return park(VOLUME_REIMAGED, LOOK_AGAIN_MS, { ...extra, note: { untilMs } });
  }
  const isRefused = events.some(({ payload }) => Buffer.from(payload).toString() === "failed");
  if (status === "reserved" && !isRefused) return done({}, undefined, extra);
  if (status !== "downloading" || isRefused)
    return fail(
      ConductorErrors.VOLUME_NOT_REIMAGED({
        problem: `Volume ${volumeId} could not be written anew, its status is ${status}.`,
      }),
      extra,
    );
  if (nowMs > note.untilMs)
    return fail(
      ConductorErrors.VOLUME_NOT_REIMAGED({
        problem: `Volume ${volumeId} was not written anew in time.`,
      }),
      extra,
    );
  return park(VOLUME_REIMAGED, LOOK_AGAIN_MS, extra);
}
