import { KilonovaError } from "../../kernel/index.js";
import { anyOperation } from "../../model/operation-declaration.js";
import extendKind from "../../model/operations/extend-volume.js";
import type { Asked } from "../ops/begin-operation.js";
import { acceptOn } from "../ops/begin-operation.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A server that is going, gone or nowhere, or on a host that sees new sizes at starts only. */
const DROPPED: ReadonlySet<string> = new Set([
  "SERVER_NOT_FOUND",
  "NOT_READY",
  "OPERATION_IN_PROGRESS",
  "CAPABILITY_MISSING",
]);

/** Has a server's host see that a volume has grown. */
export async function extendVolume(
  parts: Parts,
  ctx: Call,
  on: { readonly serverId: string; readonly volumeId: string; readonly clientToken: string },
  asked: Pick<Asked, "method" | "body">,
): Promise<void> {
  const { serverId, volumeId } = on;
  try {
    await acceptOn(parts, ctx, anyOperation(extendKind), on, { ...asked, input: { volumeId } });
  } catch (error) {
    if (!(error instanceof KilonovaError) || !DROPPED.has(error.reason)) throw error;
    ctx.log.info("api.volume.not-extended", { instanceUuid: serverId, volumeId, reason: error.reason });
  }
}
