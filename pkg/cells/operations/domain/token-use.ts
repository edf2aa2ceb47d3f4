import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";

/** What makes a call repeatable: a token of the caller's, and a hash of what it asked for. */
export interface TokenUse {
  readonly projectId: string;
  readonly userId: string;
  readonly method: string;
  readonly token: string;
  readonly bodyHash: Buffer;
}

/** The caller's token for an operation. */
export const tokenUse = (
  request: Pick<AcceptOperationRequest, "actor" | "method" | "clientToken" | "bodyHash">,
): TokenUse => ({
  projectId: request.actor?.projectId ?? "",
  userId: request.actor?.userId ?? "",
  method: request.method,
  token: request.clientToken,
  bodyHash: request.bodyHash,
});
