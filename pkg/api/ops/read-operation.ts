import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { KilonovaError } from "../../kernel/index.js";
import { catalogue } from "../../model/operation-catalogue.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { RuleName } from "../../policy/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { About, Subject } from "../rights/guarded.js";
import { own } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { isMoving, presentOperation } from "../../model/operation-view.js";

/** An operation as its owner sees it. */
export interface TheOperation extends Subject {
  readonly operation: Operation;
}

/** What calls are about that name an operation. @throws OPERATION_NOT_FOUND */
export const theOperation =
  (parts: Parts): About<{ readonly name: string }, TheOperation> =>
  async (ctx, { name }) => {
    const stored = await findOperation(parts, ctx, name);
    if (stored.serverId === "")
      return { ...own(ctx), operation: presentOperation(stored), decides: toBegin(stored) };
    return {
      operation: presentOperation(stored),
      owner: { project_id: stored.projectId, user_id: stored.actor?.userId ?? "" },
    };
  };

/** Whoever may begin an operation on a host or on the cloud may see it. @throws OPERATION_NOT_FOUND */
function toBegin({ kind, name }: StoredOperation): RuleName {
  const declaration = catalogue.find(kind);
  if (declaration === undefined) throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  return declaration.rule;
}

/**
 * Finds an operation of a server that the caller may see, also of one that is gone; or one of a host or of
 * the cloud.
 */
async function findOperation(parts: Parts, ctx: Call, name: string): Promise<StoredOperation> {
  const ids = parseOperationName(name);
  if (ids === undefined) throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  const found = await load(parts, ctx, name);
  if (ids.subject.kind !== "server") {
    if (found === undefined) throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
    return found;
  }
  const stored =
    found === undefined || isMoving(found)
      ? ((await loadMoving(parts, ctx, name, ids.serverId)) ?? found)
      : found;
  const scope = parts.servers.scope(ctx);
  if (stored === undefined || (scope !== "" && stored.projectId !== scope))
    throw ApiErrors.OPERATION_NOT_FOUND({ operation: name });
  return stored;
}

/**
 * In the middle of a hand-over neither database shows the operation: reading the server completes it, whoever
 * began it.
 */
async function loadMoving(
  parts: Parts,
  ctx: Call,
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

async function load(parts: Parts, ctx: Call, name: string): Promise<StoredOperation | undefined> {
  try {
    const { operation } = await parts.operations.getStoredOperation(ctx, { database: "", name });
    // It is found by its own id: a name that says another subject is none of its.
    return operation?.name === name ? operation : undefined;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}
