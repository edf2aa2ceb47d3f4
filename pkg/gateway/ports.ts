import type {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../gen/kilonova/api/v1/hosts_service.js";
import type { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import type { RemoteConsolesServiceDefinition } from "../../gen/kilonova/api/v1/consoles_service.js";
import type { FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import type { ExternalEventsServiceDefinition } from "../../gen/kilonova/api/v1/external_events_service.js";
import type { VolumeAttachmentsServiceDefinition } from "../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { InterfacesServiceDefinition } from "../../gen/kilonova/api/v1/interfaces_service.js";
import type { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import type {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../gen/kilonova/api/v1/limits_service.js";
import type { MigrationsServiceDefinition } from "../../gen/kilonova/api/v1/migrations_service.js";
import {
  EventsServiceDefinition,
  WatchEventsResponse,
} from "../../gen/kilonova/api/v1/operations_service.js";
import type { ServerGroupsServiceDefinition } from "../../gen/kilonova/api/v1/server_groups_service.js";
import type { ServerMetadataServiceDefinition } from "../../gen/kilonova/api/v1/server_metadata_service.js";
import type { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import {
  GetServerResponse,
  ListServersResponse,
  ServersServiceDefinition,
} from "../../gen/kilonova/api/v1/servers_service.js";
import type { NovaAddressesServiceDefinition } from "../../gen/kilonova/compat/v1/nova_addresses_service.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import type { NovaSecurityGroupsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import type { Policy } from "../policy/index.js";
import type { Client } from "../platform/rpc/index.js";
import { rawField } from "../platform/rpc/index.js";

/** The service of servers; one that is read stays encoded, for it was most likely shown before. */
export const serversOfGateway = {
  ...ServersServiceDefinition,
  methods: {
    ...ServersServiceDefinition.methods,
    getServer: {
      ...ServersServiceDefinition.methods.getServer,
      responseType: rawField(GetServerResponse, "server"),
    },
  },
} as const;
/** The service of events; servers stay encoded, for most watchers see the same. */
export const eventsOfGateway = {
  ...EventsServiceDefinition,
  methods: {
    ...EventsServiceDefinition.methods,
    watchEvents: {
      ...EventsServiceDefinition.methods.watchEvents,
      responseType: rawField(WatchEventsResponse, "server"),
    },
  },
} as const;
export type EventsClient = Client<typeof eventsOfGateway>;
export type ServersClient = Client<typeof serversOfGateway>;

/** Lists with Nova's paging; servers stay encoded here too. */
export const listsOfGateway = {
  ...NovaListsServiceDefinition,
  methods: {
    ...NovaListsServiceDefinition.methods,
    listServers: {
      ...NovaListsServiceDefinition.methods.listServers,
      responseType: rawField(ListServersResponse, "servers"),
    },
  },
} as const;
export type ListsClient = Client<typeof listsOfGateway>;

/** The services of `kilonova.api.v1`, which do what the gateway only translates. */
export interface ApiClients {
  readonly servers: ServersClient;
  /** `kilonova.compat.v1`: lists as REST pages them. */
  readonly lists: ListsClient;
  /** `kilonova.compat.v1`: addresses as REST changed them until 2.43. */
  readonly addresses: Client<NovaAddressesServiceDefinition>;
  /** `kilonova.compat.v1`: security groups as REST showed them until 2.35. */
  readonly securityGroups: Client<NovaSecurityGroupsServiceDefinition>;
  readonly remoteConsoles: Client<RemoteConsolesServiceDefinition>;
  readonly aggregates: Client<AggregatesServiceDefinition>;
  readonly serverGroups: Client<ServerGroupsServiceDefinition>;
  readonly serverMetadata: Client<ServerMetadataServiceDefinition>;
  readonly serverTags: Client<ServerTagsServiceDefinition>;
  readonly interfaces: Client<InterfacesServiceDefinition>;
  readonly volumeAttachments: Client<VolumeAttachmentsServiceDefinition>;
  readonly externalEvents: Client<ExternalEventsServiceDefinition>;
  readonly flavors: Client<FlavorsServiceDefinition>;
  readonly keyPairs: Client<KeyPairsServiceDefinition>;
  readonly limits: Client<LimitsServiceDefinition>;
  readonly instanceActions: Client<InstanceActionsServiceDefinition>;
  readonly migrations: Client<MigrationsServiceDefinition>;
  readonly availabilityZones: Client<AvailabilityZonesServiceDefinition>;
  readonly computeServices: Client<ComputeServicesServiceDefinition>;
  readonly hypervisors: Client<HypervisorsServiceDefinition>;
}

/**
 * Policy as the edge needs it: which filters count and which fields are shown. Whether a call is allowed at
 * all is decided by `api`, for every client alike.
 */
export type GatewayPolicy = Pick<Policy, "allows">;
