import type { AggregateStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import {
  createAggregate,
  deleteAggregate,
  getAggregate,
  listAggregates,
  updateAggregate,
} from "../store/aggregates.js";
import type { StoreDeps } from "../../store/deps.js";
import type { Store } from "../../store/tables.js";

/** Serves aggregates from the global database. */
export const aggregateHandlers = (
  global: Store,
  deps: StoreDeps,
): Handlers<AggregateStoreServiceDefinition> => ({
  createStoredAggregate: (ctx, request) => createAggregate(global, deps, ctx, request),
  getStoredAggregate: async (ctx, { aggregateId }) => ({
    aggregate: await getAggregate(global, ctx, aggregateId),
  }),
  listStoredAggregates: (ctx, request) => listAggregates(global, ctx, request),
  updateStoredAggregate: async (ctx, request) => ({
    aggregate: await updateAggregate(global, deps, ctx, request),
  }),
  deleteStoredAggregate: async (ctx, { aggregateId }) => {
    await deleteAggregate(global, deps, ctx, aggregateId);
    return {};
  },
});
