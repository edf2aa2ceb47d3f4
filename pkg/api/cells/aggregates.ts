import type { Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import type { UpdateStoredAggregateRequest } from "../../../gen/kilonova/cells/v1/aggregates_service.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";

/** @throws AGGREGATE_NOT_FOUND */
export async function readAggregate(parts: Parts, ctx: Ctx, aggregateId: string): Promise<Aggregate> {
  const { aggregate } = await parts.aggregates.getStoredAggregate(ctx, { aggregateId });
  if (aggregate === undefined) throw ApiErrors.AGGREGATE_NOT_FOUND({ aggregate: aggregateId });
  return aggregate;
}

/**
 * Changes an aggregate; hosts are shown in their zones from now on. @throws what UpdateStoredAggregate of
 * cells refuses
 */
export async function changeAggregate(
  parts: Parts,
  ctx: Ctx,
  aggregateId: string,
  change: Partial<UpdateStoredAggregateRequest>,
): Promise<Aggregate> {
  const { aggregate } = await parts.aggregates.updateStoredAggregate(ctx, { aggregateId, ...change });
  if (aggregate === undefined) throw ApiErrors.AGGREGATE_NOT_FOUND({ aggregate: aggregateId });
  for (const cell of await parts.databases.hostingCells(ctx)) parts.directory.forget(cell);
  return aggregate;
}

/**
 * As `changeAggregate`; a host that would be in two zones is refused in the words of a change of the
 * aggregate. @throws ZONE_CONFLICT
 */
export async function changeZone(
  parts: Parts,
  ctx: Ctx,
  aggregateId: string,
  change: Partial<UpdateStoredAggregateRequest>,
): Promise<Aggregate> {
  try {
    return await changeAggregate(parts, ctx, aggregateId, change);
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "HOST_IN_OTHER_ZONE") {
      throw ApiErrors.ZONE_CONFLICT(
        { host: error.facts["host"] ?? "", zone: error.facts["zone"] ?? "" },
        { cause: error },
      );
    }
    throw error;
  }
}

/** Whether any of the hosts has servers. Silent cells are given the benefit of the doubt. */
export async function haveServers(parts: Parts, ctx: Ctx, hosts: readonly string[]): Promise<boolean> {
  const { cells } = await parts.directory.all(ctx);
  const there = cells.flatMap(({ cell, byHost }) =>
    hosts.filter((host) => byHost.has(host)).map((host) => ({ cell, host })),
  );
  const counts = await Promise.all(
    there.map(
      async ({ cell, host }) =>
        (await parts.instances.countInstances(ctx, { database: cell, host })).instances,
    ),
  );
  return counts.some((count) => count > 0);
}
