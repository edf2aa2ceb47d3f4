import { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import type {
  AggregateStoreServiceDefinition,
  CreateStoredAggregateRequest,
  CreateStoredAggregateResponse,
  UpdateStoredAggregateRequest,
} from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { changedAggregate, newAggregate, zoneConflict } from "../../hosts/domain/aggregate-change.js";
import { aggregateChanged } from "../../hosts/store/aggregates.js";
import { tokenUseOf } from "../../operations/store/once.js";
import { pageOf } from "../../store/page.js";
import { pageSize } from "./order.js";
import type { TwinState } from "./state.js";
import { remember, replayed } from "./tokens.js";

/** Host aggregates. */
export const aggregateHandlers = (twin: TwinState): Handlers<AggregateStoreServiceDefinition> => ({
  createStoredAggregate: async (ctx, request) => create(twin, ctx, request),
  getStoredAggregate: async (_ctx, { aggregateId }) => ({ aggregate: find(twin, aggregateId) }),
  listStoredAggregates: async (_ctx, { host, pageSize: asked, pageToken }) => {
    const all = [...twin.aggregates.values()]
      .filter(({ hosts, number }) => number > BigInt(pageToken || 0) && (host === "" || hosts.includes(host)))
      .sort((a, b) => Number(a.number - b.number));
    const { page, more } = pageOf(all, pageSize(asked), (one) => Aggregate.encode(one).finish().length);
    return {
      aggregates: [...page],
      nextPageToken: more ? (page.at(-1)?.number.toString() ?? "") : "",
    };
  },
  updateStoredAggregate: async (_ctx, request) => ({ aggregate: update(twin, request) }),
  deleteStoredAggregate: async (_ctx, { aggregateId }) => {
    const aggregate = find(twin, aggregateId);
    if (aggregate.hosts.length > 0)
      throw CellsErrors.AGGREGATE_HAS_HOSTS({ aggregate: aggregate.number.toString() });
    twin.aggregates.delete(aggregate.id);
    tell(twin, aggregate, "deleted");
    return {};
  },
});

function find({ aggregates }: TwinState, asked: string): Aggregate {
  const found = [...aggregates.values()].find(
    ({ id, number }) => id === asked || number.toString() === asked,
  );
  if (found === undefined) throw CellsErrors.AGGREGATE_NOT_FOUND({ aggregate: asked });
  return found;
}

const tell = (twin: TwinState, aggregate: Aggregate, type: "changed" | "deleted"): void =>
  twin.global.tell([aggregateChanged(aggregate, twin.nextGeneration(`aggregate/${aggregate.id}`), type)]);

function create(
  twin: TwinState,
  ctx: Ctx,
  { aggregate: asked = Aggregate.fromPartial({}), once }: CreateStoredAggregateRequest,
): CreateStoredAggregateResponse {
  const use = tokenUseOf(ctx, once);
  const [made] = replayed(twin.global, use) ?? [];
  if (made !== undefined) return { aggregate: find(twin, made), replayed: true };
  requireFreeName(twin, asked.name, "");
  const others = [...twin.aggregates.values()].map(({ number }) => Number(number));
  twin.global.used("aggregate", Math.max(0, ...others));
  const aggregate = newAggregate(asked, BigInt(twin.global.next("aggregate")), twin.deps.clock.now());
  twin.aggregates.set(aggregate.id, aggregate);
  twin.global.tell([aggregateChanged(aggregate, 1, "created")]);
  remember(twin.global, use, [aggregate.id]);
  return { aggregate, replayed: false };
}

function update(twin: TwinState, request: UpdateStoredAggregateRequest): Aggregate {
  const before = find(twin, request.aggregateId);
  const after = changedAggregate(before, request, twin.deps.clock.now());
  if (after === before) return before;
  const conflict = zoneConflict(
    after,
    [...twin.aggregates.values()].filter(({ id }) => id !== before.id),
  );
  if (conflict !== undefined) throw CellsErrors.HOST_IN_OTHER_ZONE(conflict);
  requireFreeName(twin, after.name, before.id);
  twin.aggregates.set(after.id, after);
  tell(twin, after, "changed");
  return after;
}

function requireFreeName({ aggregates }: TwinState, name: string, except: string): void {
  if ([...aggregates.values()].some((one) => one.name === name && one.id !== except))
    throw CellsErrors.AGGREGATE_EXISTS({ name });
}
