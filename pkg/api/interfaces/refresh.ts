import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { KilonovaError } from "../../kernel/index.js";
import { anyOperation } from "../../model/operation-declaration.js";
import refreshKind from "../../model/operations/refresh-interfaces.js";
import type { Asked } from "../ops/begin-operation.js";
import { acceptOn } from "../ops/begin-operation.js";
import { endOfWait, untilDone } from "../ops/wait-operation.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A server that is going, gone or nowhere: there is no record and no host that could follow. */
const DROPPED: ReadonlySet<string> = new Set(["SERVER_NOT_FOUND", "NOT_READY", "OPERATION_IN_PROGRESS"]);

/** Whose ports changed, and by which call. */
type On = { readonly serverId: string; readonly clientToken: string };
type By = Pick<Asked, "method" | "body">;

/**
 * Has a server's record and host follow what the Network service says of its ports.
 * @returns what does it; undefined where nothing is there to follow
 */
export async function refreshInterfaces(
  parts: Parts,
  ctx: Call,
  on: On,
  by: By,
): Promise<Operation | undefined> {
  try {
    return (await acceptOn(parts, ctx, anyOperation(refreshKind), on, { ...by, input: {} })).operation;
  } catch (error) {
    if (!(error instanceof KilonovaError) || !DROPPED.has(error.reason)) throw error;
    ctx.log.info("api.interfaces.not-refreshed", { instanceUuid: on.serverId, reason: error.reason });
    return undefined;
  }
}

/**
 * The same for callers who look at the server next: Nova's answers follow the Network service at once, so
 * this waits until the record does, `portsWaitMs` at most. It is no failure when it takes longer.
 */
export async function followPorts(parts: Parts, ctx: Call, serverId: string, by: By): Promise<void> {
  const operation = await refreshInterfaces(parts, ctx, { serverId, clientToken: "" }, by);
  if (operation === undefined || operation.done) return;
  await untilDone(parts, ctx, operation, endOfWait(parts, ctx, parts.config.portsWaitMs));
}
