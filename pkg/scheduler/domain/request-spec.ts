/** The server group a server belongs to. */
export interface GroupSpec {
  readonly id: string;
  readonly policy: "affinity" | "anti-affinity" | "soft-affinity" | "soft-anti-affinity";
  /** Rule of anti-affinity: how many members one host may have. */
  readonly maxServerPerHost: number;
  readonly members: ReadonlySet<string>;
  /** Hosts that have members now. */
  readonly hosts: ReadonlySet<string>;
}

export interface ImageSpec {
  readonly id: string;
  readonly diskFormat: string;
  readonly properties: ReadonlyMap<string, string>;
}

/** What is to be placed. */
export interface RequestSpec {
  readonly serverId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly flavorName: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly rootGib: number;
  readonly ephemeralGib: number;
  readonly swapMib: number;
  readonly extraSpecs: ReadonlyMap<string, string>;
  /** Absent: boots from a volume, and needs no root disk on the host. */
  readonly image: ImageSpec | undefined;
  /** "" for any. */
  readonly availabilityZone: string;
  /** Skip filters; "" for none. */
  readonly forcedHost: string;
  readonly forcedNode: string;
  /** Keep filters; "" for none. */
  readonly requestedHost: string;
  readonly requestedNode: string;
  readonly excludedHosts: ReadonlySet<string>;
  /** Scheduler hints; single values are lists of one. */
  readonly hints: ReadonlyMap<string, readonly string[]>;
  readonly group: GroupSpec | undefined;
  /** The server stays where it is: only rules about its new image run. */
  readonly isRebuild: boolean;
}
