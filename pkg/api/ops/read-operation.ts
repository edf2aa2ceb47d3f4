import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { RuleName } from "../../policy/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import { isMoving, presentOperation } from "../view/operation-view.js";

/**
 * Reads an operation of a server that the caller may see; also of one that is gone. @throws
 * OPERATION_NOT_FOUND, FORBIDDEN
 */
export async function readOperation(
  parts: Parts,
  ctx: Ctx,
  name: string,
  rule: RuleName = "os_compute_api:os-instance-actions:show",
): Promise<Operation> {
  const ids = parseOperationName(name);
  if (ids === undefined) throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  const found = await load(parts, ctx, name);
  const stored =
    found === undefined || isMoving(found)
      ? ((await loadMoving(parts, ctx, name, ids.serverId)) ?? found)
      : found;
  const scope = parts.servers.scope(ctx);
  if (stored === undefined || (scope !== "" && stored.projectId !== scope))
    throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  parts.policy.enforce(ctx.actor, rule, {
    project_id: stored.projectId,
    user_id: stored.actor?.userId ?? "",
  });
  return presentOperation(stored);
}

/**
 * In the middle of a hand-over neither database shows the operation: reading the server completes it, whoever
 * began it.
 */
async function loadMoving(
  parts: Parts,
  ctx: Ctx,
  name: string,
  serverId: string,
): Promise<StoredOperation | undefined> {
  try {
    await parts.servers.load(ctx, serverId, { withDeleted: true });
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
  return load(parts, ctx, name);
}

async function load(parts: Parts, ctx: Ctx, name: string): Promise<StoredOperation | undefined> {
  try {
    return (await parts.operations.getStoredOperation(ctx, { database: "", name })).operation;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}
