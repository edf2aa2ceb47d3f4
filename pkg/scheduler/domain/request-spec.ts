import type { CandidateRequest, RequestGroup } from "../../placement/index/index.js";

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

/** Why a server needs a host. */
export type Purpose =
  "boot" | "resize" | "cold-migration" | "live-migration" | "evacuation" | "unshelve" | "rebuild-check";

/** Moves in which a migration keeps the source while the server claims the destination. */
export const keepsSource = (purpose: Purpose): boolean =>
  purpose === "resize" || purpose === "cold-migration" || purpose === "live-migration";

/** Where a server is that shall move. */
export interface SourceSpec {
  readonly cell: string;
  readonly host: string;
  /** Root of its provider tree. */
  readonly computeNodeId: string;
  /** Whether it may be chosen again. */
  readonly allowed: boolean;
  /** What runs there, where the views know the host. */
  readonly hypervisor: { readonly type: string; readonly version: number } | undefined;
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
  readonly purpose: Purpose;
  /** Undefined for servers that are nowhere. */
  readonly source: SourceSpec | undefined;
  /** Empty for all. */
  readonly onlyCells: ReadonlySet<string>;
  readonly exceptCells: ReadonlySet<string>;
  /** Of ports and devices; each with a suffix of its own. */
  readonly groups: readonly RequestGroup[];
  /** "" for the flavor's. */
  readonly groupPolicy: CandidateRequest["groupPolicy"];
  readonly sameSubtree: CandidateRequest["sameSubtree"];
  /** Names of the PCI requests of ports and aliases. */
  readonly pciRequests: readonly string[];
}
