import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { newestVersion } from "../../../model/operation-declaration.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import { declarationOf } from "./asked-operation.js";
import type { Kinds } from "./asked-operation.js";

/** What is accepted: as it was asked for, or what takes its place. */
export interface Accepting {
  readonly request: AcceptOperationRequest;
  readonly declaration: OperationDeclaration;
}

/** By what it is decided. */
interface Keeping {
  readonly operations: Kinds;
  /** How long deleted servers are kept, in seconds; 0 or absent: not at all. */
  readonly reclaimIntervalS?: number;
}

/**
 * The operation that is accepted for a request. Where deleted servers are kept for a while, a deletion that
 * may be deferred becomes the kind that its declaration names: for servers that were active once, as in Nova,
 * and that have a host where their guest can be powered off.
 * @throws UNKNOWN_KIND
 */
export function deferredOr(
  { operations, reclaimIntervalS = 0 }: Keeping,
  request: AcceptOperationRequest,
  { launchedAt, hostInfo }: Server,
): Accepting {
  const declaration = declarationOf(operations, request, "server");
  const kind = declaration.deferral;
  const keeps = request.deferrable && reclaimIntervalS > 0;
  if (!keeps || kind === undefined || launchedAt === undefined || (hostInfo?.host ?? "") === "")
    return { request, declaration };
  const deferral = operations.find(kind);
  if (deferral === undefined) throw new Error(`${declaration.kind} is deferred by ${kind}, which is unknown`);
  return {
    request: { ...request, kind, kindVersion: newestVersion(deferral), input: Buffer.alloc(0) },
    declaration: deferral,
  };
}
