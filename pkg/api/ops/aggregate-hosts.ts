import type {
  AddAggregateHostRequest,
  AddAggregateHostResponse,
  RemoveAggregateHostRequest,
  RemoveAggregateHostResponse,
} from "../../../gen/kilonova/api/v1/aggregates_service.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import { changeAggregate, haveServers, readAggregate } from "../cells/aggregates.js";
import { ApiErrors } from "../errors.js";
import { hostName, id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";

/** Puts a host into an aggregate. */
export const addAggregateHost = (parts: Parts): Guarded<AddAggregateHostRequest, AddAggregateHostResponse> =>
  guarded({ aggregateId: id, host: id }, own, async (ctx, { aggregateId, host }) => {
    const { availabilityZone, hosts } = await readAggregate(parts, ctx, aggregateId);
    const zone = await zoneOfHost(parts, ctx, host);
    const moves = availabilityZone !== undefined && availabilityZone !== zone && !hosts.includes(host);
    if (moves && (await haveServers(parts, ctx, [host]))) throw ApiErrors.HOST_ZONE_IN_USE({ host });
    return { aggregate: await changeAggregate(parts, ctx, aggregateId, { addHost: host }) };
  });

/** Takes a host out of an aggregate; also one that is no longer there. */
export const removeAggregateHost = (
  parts: Parts,
): Guarded<RemoveAggregateHostRequest, RemoveAggregateHostResponse> =>
  guarded({ aggregateId: id, host: hostName }, own, async (ctx, { aggregateId, host }) => {
    const { availabilityZone, hosts, number } = await readAggregate(parts, ctx, aggregateId);
    if (!hosts.includes(host)) throw ApiErrors.HOST_NOT_IN_AGGREGATE({ host, aggregate: number.toString() });
    if (
      availabilityZone !== undefined &&
      !(await keepsZone(parts, ctx, host, availabilityZone, aggregateId)) &&
      (await haveServers(parts, ctx, [host]))
    )
      throw ApiErrors.HOST_ZONE_IN_USE({ host });
    return { aggregate: await changeAggregate(parts, ctx, aggregateId, { removeHost: host }) };
  });

/** @throws COMPUTE_HOST_NOT_FOUND */
async function zoneOfHost(parts: Parts, ctx: Ctx, host: string): Promise<string> {
  const { cells, unreachable } = await parts.directory.all(ctx);
  const service = cells.map(({ byHost }) => byHost.get(host)).find((one) => one !== undefined);
  if (service === undefined && unreachable.length > 0) throw CommonErrors.UNAVAILABLE({ what: "A cell" });
  if (service === undefined) throw ApiErrors.COMPUTE_HOST_NOT_FOUND({ host });
  return service.availabilityZone;
}

/** Whether another aggregate gives the host the same zone. */
async function keepsZone(
  parts: Parts,
  ctx: Ctx,
  host: string,
  zone: string,
  aggregateId: string,
): Promise<boolean> {
  const { aggregates } = await parts.aggregates.listStoredAggregates(ctx, { host });
  return aggregates.some(
    ({ id: other, number, availabilityZone }) =>
      other !== aggregateId && number.toString() !== aggregateId && availabilityZone === zone,
  );
}
