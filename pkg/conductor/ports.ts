import type { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import type { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import type { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import type { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import type { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import type { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import type { SchedulerServiceDefinition } from "../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Cinder } from "../clients/cinder/ports.js";
import type { Glance } from "../clients/glance/ports.js";
import type { Neutron } from "../clients/neutron/ports.js";
import type { Ctx } from "../kernel/ctx.js";
import type { Clock } from "../kernel/time.js";
import type { Client } from "../platform/rpc/index.js";

/** A compute host: names are unique per cell. */
export interface HostRef {
  readonly cell: string;
  readonly host: string;
}

/** Ways to hosts' agents. */
export interface Agents {
  /** @throws HOST_NOT_REGISTERED (unavailable) when the cell knows no such host */
  at(ctx: Ctx, host: HostRef): Promise<Client<typeof AgentServiceDefinition>>;
  /** Whether the host's lease is alive and nobody forced it down; false for one that is not registered. */
  isUp(ctx: Ctx, host: HostRef): Promise<boolean>;
}

/** Where agents are reached by each other. */
export interface AgentAddresses {
  /** @throws HOST_NOT_REGISTERED (unavailable) when the cell knows no such host */
  of(ctx: Ctx, host: HostRef): Promise<string>;
}

/** Everything that steps reach. Nothing else of the world exists for them. */
export interface Ports {
  readonly scheduler: Pick<Client<SchedulerServiceDefinition>, "selectDestinations">;
  readonly placement: Pick<Client<PlacementServiceDefinition>, "claimAllocations" | "releaseAllocations">;
  /** What a server and its migration hold while it moves. */
  readonly moves: Pick<
    Client<PlacementServiceDefinition>,
    "claimAllocations" | "revertAllocations" | "releaseAllocations" | "getAllocations"
  >;
  readonly groups: Pick<
    Client<ServerGroupStoreServiceDefinition>,
    "getStoredServerGroup" | "placeGroupMember"
  >;
  /** Block devices of servers, with how volumes are reached. */
  readonly records: Pick<Client<ServerRecordsServiceDefinition>, "listBlockDevices">;
  /** Where servers have moved and where they move. */
  readonly migrations: Pick<Client<ServerRecordsServiceDefinition>, "getMigration" | "listMigrations">;
  readonly instances: Pick<Client<InstancesServiceDefinition>, "listInstances">;
  readonly clock: Pick<Clock, "now" | "sleep">;
  readonly holdings: Pick<Client<GlobalServiceDefinition>, "releaseHoldings">;
  /** Whether a pre-empted operation has come to rest. */
  readonly operations: Pick<Client<typeof OperationStoreServiceDefinition>, "settleOperation">;
  /** What runs in the lanes of a server. */
  readonly lanes: Pick<Client<typeof OperationStoreServiceDefinition>, "listStoredOperations">;
  /** Operations that another one begins and waits for. */
  readonly children: Pick<
    Client<typeof OperationStoreServiceDefinition>,
    "acceptSubjectOperation" | "getStoredOperation"
  >;
  readonly neutron: Neutron;
  /** Volumes, with the service's own rights. */
  readonly cinder: Cinder;
  /** Images of servers, with the service's own rights. */
  readonly images: Pick<
    Glance,
    "getImage" | "listImages" | "createImage" | "upload" | "updateImage" | "deleteImage" | "addMember"
  >;
  readonly agents: Agents;
  readonly addresses: AgentAddresses;
  /** How long a step waits for an agent before it parks, ms. */
  readonly agentWaitMs: number;
  /** Time a guest gets to power itself off, ms. */
  readonly softTimeoutMs: number;
}
