/** An instance as far as scheduling cares. */
export interface InstanceView {
  readonly id: string;
  readonly host: string;
  readonly projectId: string;
  /** Whether it makes its host's disks and network busy right now: building, or moving, or being copied. */
  readonly busy: boolean;
}

/** Room of one kind on a host. `capacity` includes overcommit and excludes what is reserved. */
export interface Room {
  readonly capacity: number;
  readonly used: number;
}

/** A host aggregate's metadata, as rules read it. */
export interface AggregateView {
  readonly id: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** What a service and its hypervisor say about themselves; changes rarely. */
export interface HostFacts {
  readonly host: string;
  readonly node: string;
  /** Also the root of its provider tree. */
  readonly computeNodeId: string;
  readonly cell: string;
  readonly availabilityZone: string;
  /** Where its agent is reached; "" in one process. */
  readonly address: string;
  readonly disabled: boolean;
  readonly disabledReason: string;
  readonly forcedDown: boolean;
  readonly hostIp: string;
  readonly hypervisorType: string;
  readonly hypervisorVersion: number;
  /** [architecture, hypervisor type, vm mode] */
  readonly supported: readonly (readonly string[])[];
  /** What capability filters may ask for, by Nova's names. */
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** A host at the moment of a decision. */
export interface HostView extends HostFacts {
  /** Whether its lease is alive. */
  readonly up: boolean;
  readonly vcpus: Room;
  readonly memoryMib: Room;
  readonly diskGib: Room;
  readonly instances: ReadonlyMap<string, InstanceView>;
  readonly ioOps: number;
  /** Builds that failed since the last one that did not. */
  readonly failedBuilds: number;
  readonly aggregates: readonly AggregateView[];
}

/** The values that a host's aggregates give to a metadata key. */
export const aggregateValues = (host: HostView, key: string): string[] =>
  host.aggregates.flatMap(({ metadata }) => {
    const value = metadata.get(key);
    return value === undefined ? [] : [value];
  });

/**
 * A number that host aggregates may override; of several the smallest counts.
 * @source scheduler.md §5, §6: conflicting overrides take the minimum
 */
export function overridden(host: HostView, key: string, configured: number): number {
  if (host.aggregates.length === 0) return configured;
  const values = aggregateValues(host, key).map(Number).filter(Number.isFinite);
  return values.length === 0 ? configured : Math.min(...values);
}
