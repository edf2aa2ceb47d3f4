import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { OperationDeclaration } from "../../model/operation-declaration.js";
import { newestVersion } from "../../model/operation-declaration.js";
import { CommonErrors } from "../../kernel/index.js";
import { bodyHash } from "../crypto/hashes.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { encodedAs } from "./begin-operation.js";

/** What begins an operation on a host or on the cloud. */
export interface SubjectAsked {
  /** UUID of the host's compute node; "" for the cloud. */
  readonly hostId: string;
  /** In the fields of the declaration's message. */
  readonly input: object;
  readonly method: string;
  readonly clientToken: string;
  /** The encoded request without its token: what the token protects. */
  readonly body: Uint8Array;
}

/**
 * Accepts an operation on a host or on the cloud. Rights were judged before.
 * @throws what AcceptSubjectOperation of cells refuses
 */
export async function beginSubjectOperation(
  parts: Parts,
  ctx: Call,
  declaration: OperationDeclaration,
  { hostId, input, method, clientToken, body }: SubjectAsked,
): Promise<Operation> {
  const { operation } = await parts.operations.acceptSubjectOperation(ctx, {
    database: "",
    hostId,
    clientToken,
    bodyHash: Buffer.from(bodyHash(body)),
    method,
    actor: { ...ctx.actor, roles: [...ctx.actor.roles] },
    kind: declaration.kind,
    kindVersion: newestVersion(declaration),
    input: encodedAs(declaration.input, input),
    traceparent: ctx.span.traceparent,
  });
  if (operation === undefined) throw CommonErrors.UNAVAILABLE({ what: "The operation store" });
  return operation;
}
