import type { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import type { UpdateStoredAggregateRequest } from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import type { Instant } from "../../../kernel/time.js";
import { ZONE_KEY } from "../../../model/aggregate-zone.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";

/** An aggregate as it is stored first: without hosts. */
export const newAggregate = (asked: Aggregate, number: bigint, now: Instant): Aggregate => ({
  ...asked,
  number,
  hosts: [],
  createdAt: toTimestamp(now),
  updatedAt: undefined,
});

/**
 * An aggregate after a change.
 * @returns `before` itself when nothing is different
 * @throws HOST_IN_AGGREGATE, HOST_NOT_IN_AGGREGATE
 */
export function changedAggregate(
  before: Aggregate,
  change: UpdateStoredAggregateRequest,
  now: Instant,
): Aggregate {
  const metadata = new Map([
    ...[...before.metadata].filter(([key]) => !change.removeMetadata.includes(key)),
    ...change.setMetadata,
  ]);
  const sameMetadata =
    metadata.size === before.metadata.size &&
    [...metadata].every(([key, value]) => before.metadata.get(key) === value);
  const hosts = changedHosts(before, change);
  const name = change.name ?? before.name;
  if (sameMetadata && hosts === before.hosts && name === before.name) return before;
  // As in Nova, only a new name or zone counts as an update of the aggregate itself.
  const updated = name !== before.name || metadata.get(ZONE_KEY) !== before.metadata.get(ZONE_KEY);
  return {
    ...before,
    name,
    hosts,
    metadata,
    availabilityZone: metadata.get(ZONE_KEY),
    updatedAt: updated ? toTimestamp(now) : before.updatedAt,
  };
}

function changedHosts(
  { id, number, hosts }: Aggregate,
  { addHost, removeHost }: UpdateStoredAggregateRequest,
): string[] {
  if (addHost !== "" && hosts.includes(addHost))
    throw CellsErrors.HOST_IN_AGGREGATE({ host: addHost, aggregate: number.toString() });
  if (removeHost !== "" && !hosts.includes(removeHost))
    throw CellsErrors.HOST_NOT_IN_AGGREGATE({ host: removeHost, aggregate: number.toString() || id });
  if (addHost === "" && removeHost === "") return hosts;
  return [...hosts.filter((host) => host !== removeHost), ...(addHost === "" ? [] : [addHost])].sort();
}

/** A host of `aggregate` that another aggregate has in another zone, and that zone. */
export function zoneConflict(
  aggregate: Aggregate,
  others: readonly Aggregate[],
): { readonly host: string; readonly zone: string } | undefined {
  if (aggregate.availabilityZone === undefined) return undefined;
  for (const { hosts, availabilityZone: zone } of others) {
    const host =
      zone === undefined || zone === aggregate.availabilityZone
        ? undefined
        : hosts.find((one) => aggregate.hosts.includes(one));
    if (host !== undefined && zone !== undefined) return { host, zone };
  }
  return undefined;
}
