import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { KilonovaError, isRetryable } from "../../kernel/errors.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * Deletes the image that a shelving has left. One that somebody has protected, or that is in use, is left to
 * him, as in Nova.
 * @throws UNAVAILABLE and its kin
 */
export async function dropShelvedImage(
  { ctx, server }: Pick<StepCall, "ctx" | "server">,
  { images }: { readonly images: Pick<Ports["images"], "deleteImage"> },
): Promise<void> {
  const imageId = server.shelving?.imageId ?? "";
  if (imageId === "") return;
  try {
    await images.deleteImage(ctx, imageId);
  } catch (error) {
    if (!(error instanceof KilonovaError) || isRetryable(error)) throw error;
    ctx.log.info("shelved-image.left", { instanceUuid: server.id, image: imageId, reason: error.reason });
  }
}

/**
 * A step after which the server runs from its own disk: the image of its shelving goes. Nobody waits for an
 * Image service that is away: then the image stays in the record, and goes with the server.
 */
export const endsShelving = <I>(ports: Pick<Ports, "images">, step: Step<I>): Step<I> => ({
  ...step,
  async run(call) {
    const result = await step.run(call);
    if (result.kind !== "done" || call.server.shelving === undefined) return result;
    try {
      await dropShelvedImage(call, ports);
    } catch (error) {
      call.ctx.signal.throwIfAborted();
      call.ctx.log.warn("shelved-image.kept", { instanceUuid: call.server.id, error });
      return result;
    }
    return { ...result, change: { ...result.change, set: { ...result.change?.set, shelving: undefined } } };
  },
});

/**
 * The end of what builds the guest anew from the image of its shelving: the server is active. Only now, when
 * it is stored that the guest is there, may the image go. Once it may be gone, the guest is the only copy: no
 * request to cancel takes it back.
 */
export const endShelving = <I>(ports: Pick<Ports, "images">): Step<I> =>
  endsShelving<I>(ports, {
    name: "end-shelving",
    event: "",
    timeoutMs: 24 * 3_600_000,
    finishes: true,
    run: async () => done({}, { set: { vmState: VmState.VM_STATE_ACTIVE }, dropFault: true }),
  });
