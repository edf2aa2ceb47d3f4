import type {
  ActivateHandoverRequest,
  ActivateHandoverResponse,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { durationMs } from "../../../model/wire-time.js";
import { loadRecord } from "../../servers/domain/records.js";
import { CellsErrors } from "../../errors.js";
import type { Store } from "../../store/tables.js";
import { openSecrets } from "../store/acquire.js";
import { awakenLocked, awakenPrepared } from "../store/awaken.js";
import type { Awake, Waking } from "../store/awaken.js";
import { dropDormant, findCopy } from "../store/dormant.js";
import type { FoundCopy } from "../store/dormant.js";
import { toStored } from "../store/operation-rows.js";
import { operationIdOf } from "../store/owned-operation.js";
import { lateNewsOf } from "../store/promise.js";
import type { LateNews } from "../store/promise.js";
import type { Places } from "./protocol.js";
import { handOvers } from "./protocols.js";

/** What a caller of `activate` does not know. */
const NOTHING: ActivateHandoverResponse = { operation: undefined, instance: undefined };

/**
 * Wakes a dormant copy whose source has promised the operation to this database, then lets the source go.
 * Whoever comes again finishes what is left.
 * @throws FENCE_LOST when the source has promised nothing
 */
export async function activate(
  places: Places,
  ctx: Ctx,
  request: ActivateHandoverRequest,
): Promise<ActivateHandoverResponse> {
  const { stores, deps } = places;
  const target = stores.cell(request.database);
  const { committed } = request;
  const waking = (late: LateNews): Waking => ({
    ...late,
    owner: request.owner,
    ownershipMs: durationMs(request.ownership),
  });
  const operationId = operationIdOf(request.name);
  const prepared = target.prepared.get(operationId);
  target.prepared.drop(operationId);
  if (prepared !== undefined && committed !== undefined) {
    const awake = await awakenPrepared(target, deps, ctx, prepared, waking(committed));
    if (awake !== undefined) {
      const copy: FoundCopy = {
        operationId,
        serverId: prepared.server_id,
        sourceDatabase: prepared.source_database,
        sourceFence: prepared.source_fence,
        protocol: prepared.protocol,
        activated: true,
      };
      return woken(places, ctx, target, request, copy, awake);
    }
  }
  const copy = await findCopy(target, ctx, operationId);
  if (copy === undefined) return NOTHING;
  const handOver = handOvers[copy.protocol];
  const late = committed ?? (await askSource(places, ctx, target, request.name, copy));
  if (!copy.activated && !(await handOver.settle(places, ctx, target, copy))) {
    await dropDormant(target, ctx, operationId);
    return NOTHING;
  }
  if (!copy.activated) await handOver.carry(places, ctx, target, stores.get(copy.sourceDatabase), copy);
  const awake = await awakenLocked(
    target,
    deps,
    ctx,
    request.name,
    copy.sourceFence,
    waking(late),
    handOver.alongside(target),
  );
  return woken(places, ctx, target, request, copy, awake);
}

async function woken(
  places: Places,
  ctx: Ctx,
  target: Store,
  request: ActivateHandoverRequest,
  copy: FoundCopy,
  awake: Awake | undefined,
): Promise<ActivateHandoverResponse> {
  target.awoken.tell(copy.serverId);
  const source = places.stores.get(copy.sourceDatabase);
  await handOvers[copy.protocol].leave(places, ctx, target, source, [copy]);
  if (awake === undefined) return NOTHING;
  const operation = toStored(awake.operation, { secrets: openSecrets(places.deps, awake.operation) });
  return {
    operation: request.owner === "" ? { ...operation, secrets: Buffer.alloc(0) } : operation,
    instance: loadRecord(awake.instance),
  };
}

/** @throws FENCE_LOST when the copy's source has promised nothing */
async function askSource(
  { stores }: Places,
  ctx: Ctx,
  target: Store,
  name: string,
  { sourceDatabase, sourceFence }: FoundCopy,
): Promise<LateNews> {
  const source = stores.get(sourceDatabase);
  const late = await lateNewsOf(source, ctx, { name, target: target.name }, sourceFence);
  if (late === undefined) throw CellsErrors.FENCE_LOST({ operation: name });
  return late;
}
