/** The metadata key under which an aggregate's zone is stored, as in Nova. */
export const ZONE_KEY = "availability_zone";

/** What zones need to know of an aggregate. */
interface Zoned {
  readonly hosts: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Zones that aggregates give to hosts; a host that is in none keeps its service's own. */
export const zonesOf = (aggregates: readonly Zoned[]): Map<string, string> =>
  new Map(
    aggregates.flatMap(({ hosts, metadata }) => {
      const zone = metadata.get(ZONE_KEY);
      return zone === undefined ? [] : hosts.map((host) => [host, zone] as const);
    }),
  );
