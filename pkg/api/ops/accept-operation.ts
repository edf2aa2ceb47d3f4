import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { OperationKind } from "../domain/operation-rules.js";
import { bodyHash } from "../crypto/hashes.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { OperationInput } from "./operation-input.js";
import type { Call } from "../rights/rights.js";

/** What an action on a server needs of its state, in the words of Nova's table of states. */
export interface ActionRules {
  /** RPC that the client token belongs to. */
  readonly method: string;
  readonly kind: OperationKind;
  /** Instance action, and the word in refusals. */
  readonly action: string;
  /** Empty for any. */
  readonly vmStates: readonly VmState[];
  /** "" is none; empty for any. */
  readonly taskStates: readonly string[];
  readonly taskState: string;
  readonly mustHaveHost?: boolean;
  readonly mustHaveLaunched?: boolean;
  readonly preempt?: boolean;
  readonly idempotentKind?: boolean;
}

/** One call of an action. */
export interface ActionCall {
  readonly serverId: string;
  readonly clientToken: string;
  /** The encoded request without its token: what the token protects. */
  readonly body: Uint8Array;
  /** What the operation works with; its secrets apart. */
  readonly input?: OperationInput;
}

/**
 * Accepts an operation on a server, wherever its record is. States and locks are judged where the record is
 * written; rights were judged before.
 * @throws SERVER_NOT_FOUND; INVALID_STATE, INSTANCE_LOCKED, NOT_READY, OPERATION_IN_PROGRESS,
 *   TOKEN_REUSED of cells
 */
export async function acceptAction(
  parts: Parts,
  ctx: Call,
  rules: ActionRules,
  call: ActionCall,
): Promise<Operation> {
  const operation = await parts.servers.at(ctx, call.serverId, async (inner, database, serverId) => {
    const request: Partial<AcceptOperationRequest> = {
      database,
      serverId,
      projectId: parts.servers.scope(ctx),
      clientToken: call.clientToken,
      bodyHash: Buffer.from(bodyHash(call.body)),
      method: rules.method,
      actor: { ...ctx.actor, roles: [...ctx.actor.roles] },
      kind: rules.kind,
      kindVersion: 1,
      input: Buffer.from(call.input?.input ?? []),
      secrets: Buffer.from(call.input?.secrets ?? []),
      action: rules.action,
      verb: rules.action,
      allowedVmStates: [...rules.vmStates],
      allowedTaskStates: [...rules.taskStates],
      mustHaveHost: rules.mustHaveHost ?? false,
      mustHaveLaunched: rules.mustHaveLaunched ?? false,
      checkLock: true,
      bypassLock: ctx.rights.isAdmin,
      taskState: rules.taskState,
      preempt: rules.preempt ?? false,
      idempotentKind: rules.idempotentKind ?? false,
      traceparent: ctx.span.traceparent,
    };
    return (await parts.instances.acceptOperation(inner, request)).operation;
  });
  if (operation === undefined) throw ApiErrors.SERVER_NOT_FOUND({ server: call.serverId });
  return operation;
}
