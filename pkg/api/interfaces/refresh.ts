import { KilonovaError } from "../../kernel/index.js";
import { anyOperation } from "../../model/operation-declaration.js";
import refreshKind from "../../model/operations/refresh-interfaces.js";
import type { Asked } from "../ops/begin-operation.js";
import { acceptOn } from "../ops/begin-operation.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A server that is going, gone or nowhere: there is no record and no host that could follow. */
const DROPPED: ReadonlySet<string> = new Set(["SERVER_NOT_FOUND", "NOT_READY", "OPERATION_IN_PROGRESS"]);

/** Has a server's record and host follow what the Network service says of its ports. */
export async function refreshInterfaces(
  parts: Parts,
  ctx: Call,
  on: { readonly serverId: string; readonly clientToken: string },
  asked: Pick<Asked, "method" | "body">,
): Promise<void> {
  try {
    await acceptOn(parts, ctx, anyOperation(refreshKind), on, { ...asked, input: {} });
  } catch (error) {
    if (!(error instanceof KilonovaError) || !DROPPED.has(error.reason)) throw error;
    ctx.log.info("api.interfaces.not-refreshed", { instanceUuid: on.serverId, reason: error.reason });
  }
}
