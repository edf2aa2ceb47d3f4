import { z } from "zod";
import type { DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { KilonovaError } from "../../kernel/errors.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { devicesOf, isMissing } from "./volume-devices.js";

/** Any operation that lets go of a volume. */
type Going = Pick<DetachVolumeInput, "volumeId">;
type DetachCall = StepCall<Going>;

/** The block device that is to go. */
export const goingDevice = outputOf(
  "begin-detaching",
  z.object({ deviceId: z.string(), attachmentId: z.string() }),
);

/**
 * Tells the Block Storage service that the server lets go of the volume.
 * @param also  whether it may be the root disk: not unless another one takes its place
 */
export const beginDetaching = <I extends Going = DetachVolumeInput>(
  ports: Pick<Ports, "cinder" | "records">,
  also: { readonly root: boolean } = { root: false },
): Step<I> => ({
  name: goingDevice.step,
  unfenced: true,
  event: "",
  timeoutMs: 120_000,

  async run(call) {
    const found = await goingFrom(call, ports, also.root);
    const problem = found.kind === "done" ? await begun(call, ports) : undefined;
    return problem === undefined ? found : fail(ConductorErrors.VOLUME_NOT_DETACHABLE({ problem }));
  },

  async undo(call) {
    if (!hasRefused(call)) await rolledBack(call, ports);
    return undefined;
  },
});

/** As `beginDetaching`, of a volume that is only reserved: nobody has to be told before it goes. */
export const goingVolume = <I extends Going>(ports: Pick<Ports, "records">): Step<I> => ({
  name: goingDevice.step,
  event: "",
  timeoutMs: 120_000,
  run: (call) => goingFrom(call, ports, false),
});

/** The block device; the step's failure when the server does not have it, or must not lose it. */
async function goingFrom(
  call: DetachCall,
  ports: Pick<Ports, "records">,
  root: boolean,
): Promise<StepResult> {
  const { volumeId: volume } = call.input;
  // It may have gone while the operation waited for its turn.
  const device = (await devicesOf(call, ports)).find(({ volumeId }) => volumeId === volume);
  if (device === undefined)
    return fail(ConductorErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: call.server.id, volume }));
  if (device.bootIndex === 0 && !root) return fail(ConductorErrors.ROOT_VOLUME({}));
  return done({ deviceId: device.id, attachmentId: device.attachmentId });
}

/** @returns why the service refuses it; undefined once the volume is being detached by us */
async function begun(call: DetachCall, { cinder }: Pick<Ports, "cinder">): Promise<string | undefined> {
  const { ctx, input, firstStart } = call;
  try {
    await cinder.beginDetaching(ctx, input.volumeId);
    return undefined;
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.reason !== "VOLUME_INVALID") throw error;
    // A start that was cut short may have brought it there.
    if (!firstStart && (await cinder.getVolume(ctx, input.volumeId)).status === "detaching") return undefined;
    return error.message;
  }
}

/** After which the volume is not being detached by us, if it is at all. */
const REFUSALS: ReadonlySet<string> = new Set([
  "VOLUME_ATTACHMENT_NOT_FOUND",
  "ROOT_VOLUME",
  "VOLUME_NOT_DETACHABLE",
]);

/**
 * A volume that it was refused is another's to roll back. After any other failure, such as a deadline, the
 * service may have begun all the same.
 */
function hasRefused({ operation }: DetachCall): boolean {
  const last = operation.steps.findLast(({ name }) => name === goingDevice.step);
  return last?.state === "failed" && REFUSALS.has(last.errorReason);
}

async function rolledBack({ ctx, input }: DetachCall, { cinder }: Pick<Ports, "cinder">): Promise<void> {
  try {
    await cinder.rollDetaching(ctx, input.volumeId);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
