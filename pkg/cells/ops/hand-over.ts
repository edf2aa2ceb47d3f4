import type { ActivateHandoverRequest, ActivateHandoverResponse, StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../kernel/ctx.js";
import { parseOperationName } from "../../model/operation-name.js";
import { durationMs } from "../../model/wire-time.js";
import { openSecrets } from "../adapters/sql/acquire.js";
import type { StoreDeps } from "../adapters/sql/deps.js";
import { activateHandover, dropDormant, dropLeft, findDormant } from "../adapters/sql/handover.js";
import { toStored } from "../adapters/sql/operation-rows.js";
import { getOperation } from "../adapters/sql/read-operations.js";
import type { Store } from "../adapters/sql/tables.js";
import { loadRecord } from "../domain/records.js";
import { CellsErrors } from "../errors.js";
import type { Stores } from "../stores.js";

/**
 * Wakes a dormant copy if its source says that the operation was handed over to this database, then lets the source
 * forget its record. Whoever comes again finishes what is left.
 * @throws FENCE_LOST when the source has not handed over
 */
export async function activate(stores: Stores, deps: StoreDeps, ctx: Ctx, request: ActivateHandoverRequest): Promise<ActivateHandoverResponse> {
  const target = stores.cell(request.database);
  const operationId = parseOperationName(request.name)?.operationId ?? "";
  const dormant = await findDormant(target, ctx, { operationId });
  if (dormant === undefined) return { operation: undefined, instance: undefined };
  const source = stores.get(dormant.sourceDatabase);
  const original = await sourceOf(source, ctx, request.name);
  if (original?.handedOverTo !== target.name) throw CellsErrors.FENCE_LOST({ operation: request.name });
  const news = { cancelRequested: original.cancelRequested };
  const activated = await activateHandover(target, deps, ctx, operationId, news, request.owner, durationMs(request.ownership));
  await dropLeft(source, ctx, dormant.serverId, operationId, target.name);
  await dropDormant(target, ctx, operationId);
  if (activated === undefined) return { operation: undefined, instance: undefined };
  const operation = toStored(activated.operation, { secrets: openSecrets(deps, activated.operation) });
  return { operation: request.owner === "" ? { ...operation, secrets: Buffer.alloc(0) } : operation, instance: loadRecord(activated.instance) };
}

async function sourceOf(source: Store, ctx: Ctx, name: string): Promise<StoredOperation | undefined> {
  try {
    return await getOperation(source, ctx, name);
  } catch (error) {
    if (error instanceof Error && "reason" in error && error.reason === "OPERATION_NOT_FOUND") return undefined;
    throw error;
  }
}

/** A hand-over takes milliseconds; one that takes this long was cut short. */
const CUT_SHORT_MS = 300;
const LOOK_AGAIN_MS = 5;

/**
 * A server that its mapping places here may still be dormant: its conductor is about to wake it, or died. Waits for the
 * first, and does it itself after the second.
 * @returns whether the server is awake now and may be read again
 */
export async function wakeServer(stores: Stores, deps: StoreDeps, ctx: Ctx, target: Store, serverId: string): Promise<boolean> {
  if (target.name === stores.global.name) return false;
  const startMs = deps.clock.monotonicMs();
  let dormant = await findDormant(target, ctx, { serverId });
  if (dormant === undefined) return false;
  const name = `operations/${dormant.serverId}/${dormant.operationId}`;
  const source = await sourceOf(stores.get(dormant.sourceDatabase), ctx, name);
  if (source?.handedOverTo !== target.name) return false;
  while (dormant !== undefined && !dormant.activated && deps.clock.monotonicMs() - startMs < CUT_SHORT_MS) {
    await deps.clock.sleep(LOOK_AGAIN_MS, ctx.signal);
    dormant = await findDormant(target, ctx, { serverId });
  }
  if (dormant !== undefined && !dormant.activated) await activate(stores, deps, ctx, { database: target.name, name, owner: "", ownership: undefined });
  return true;
}
