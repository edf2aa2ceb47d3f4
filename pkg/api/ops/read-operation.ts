import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { RuleName } from "../../policy/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import { presentOperation } from "../view/operation-view.js";

/** Reads an operation of a server that the caller may see; also of one that is gone. @throws OPERATION_NOT_FOUND, FORBIDDEN */
export async function readOperation(parts: Parts, ctx: Ctx, name: string, rule: RuleName = "os_compute_api:os-instance-actions:show"): Promise<Operation> {
  if (parseOperationName(name) === undefined) throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  const stored = await load(parts, ctx, name);
  const scope = parts.servers.scope(ctx);
  if (stored === undefined || (scope !== "" && stored.projectId !== scope)) throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  parts.policy.enforce(ctx.actor, rule, { project_id: stored.projectId, user_id: stored.actor?.userId ?? "" });
  return presentOperation(stored);
}

async function load(parts: Parts, ctx: Ctx, name: string): Promise<StoredOperation | undefined> {
  try {
    return (await parts.operations.getStoredOperation(ctx, { database: "", name })).operation;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}
