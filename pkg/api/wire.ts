import { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { RemoteConsolesServiceDefinition } from "../../gen/kilonova/api/v1/consoles_service.js";
import { ExternalEventsServiceDefinition } from "../../gen/kilonova/api/v1/external_events_service.js";
import { FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../gen/kilonova/api/v1/hosts_service.js";
import { InterfacesServiceDefinition } from "../../gen/kilonova/api/v1/interfaces_service.js";
import { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../gen/kilonova/api/v1/limits_service.js";
import { MigrationsServiceDefinition } from "../../gen/kilonova/api/v1/migrations_service.js";
import {
  EventsServiceDefinition,
  OperationsServiceDefinition,
} from "../../gen/kilonova/api/v1/operations_service.js";
import { SchedulingServiceDefinition } from "../../gen/kilonova/api/v1/scheduling_service.js";
import { ServerGroupsServiceDefinition } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import { ServersServiceDefinition } from "../../gen/kilonova/api/v1/servers_service.js";
import { NovaAddressesServiceDefinition } from "../../gen/kilonova/compat/v1/nova_addresses_service.js";
import { NovaSecurityGroupsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import { updateVolumeAttachment } from "./ops/update-volume-attachment.js";
import { VolumeAttachmentsServiceDefinition } from "../../gen/kilonova/api/v1/volume_attachments_service.js";
import { NovaListsServiceDefinition } from "../../gen/kilonova/compat/v1/nova_lists_service.js";
import type { Ctx } from "../kernel/index.js";
import type { ServiceBinding } from "../platform/rpc/index.js";
import { bindContract } from "../platform/rpc/index.js";
import { publicContract } from "./contract.gen.js";
import { addAggregateHost, removeAggregateHost } from "./ops/aggregate-hosts.js";
import {
  createAggregate,
  deleteAggregate,
  getAggregate,
  listAggregates,
  setAggregateMetadata,
  updateAggregate,
} from "./ops/aggregates.js";
import { beginnings } from "./ops/begin-operation.js";
import { addFlavorAccess } from "./ops/add-flavor-access.js";
import { cacheAggregateImages } from "./ops/cache-aggregate-images.js";
import { cancelOperation } from "./ops/cancel-operation.js";
import { clearServerPassword } from "./ops/clear-server-password.js";
import { createExternalEvents } from "./ops/create-external-events.js";
import { createFlavor } from "./ops/create-flavor.js";
import { createKeyPair } from "./ops/create-key-pair.js";
import { createRemoteConsole } from "./ops/create-remote-console.js";
import { createServers } from "./ops/create-servers.js";
import { deleteComputeService } from "./ops/delete-compute-service.js";
import { deleteFlavorExtraSpec } from "./ops/delete-flavor-extra-spec.js";
import { deleteFlavor } from "./ops/delete-flavor.js";
import { deleteKeyPair } from "./ops/delete-key-pair.js";
import { deleteServerMetadata } from "./ops/delete-server-metadata.js";
import { getConsoleConnection } from "./ops/get-console-connection.js";
import { getConsoleOutput } from "./ops/get-console-output.js";
import { getFlavor } from "./ops/get-flavor.js";
import { getHypervisor } from "./ops/get-hypervisor.js";
import { getInstanceAction } from "./ops/get-instance-action.js";
import { getKeyPair } from "./ops/get-key-pair.js";
import { getLimits } from "./ops/get-limits.js";
import { getMigration } from "./ops/get-migration.js";
import { getOperation } from "./ops/get-operation.js";
import { getServerMetadata } from "./ops/get-server-metadata.js";
import { getServerAddresses } from "./ops/get-server-addresses.js";
import { getServerDiagnostics } from "./ops/get-server-diagnostics.js";
import { getServerPassword } from "./ops/get-server-password.js";
import { getServerTopology } from "./ops/get-server-topology.js";
import { getServer } from "./ops/get-server.js";
import { attachInterface, detachInterface, getInterface, listInterfaces } from "./ops/interfaces.js";
import { listAvailabilityZones } from "./ops/list-availability-zones.js";
import { listComputeServices } from "./ops/list-compute-services.js";
import { listFlavors } from "./ops/list-flavors.js";
import { listHypervisors } from "./ops/list-hypervisors.js";
import { listInstanceActions } from "./ops/list-instance-actions.js";
import { listKeyPairs } from "./ops/list-key-pairs.js";
import { listMigrations } from "./ops/list-migrations.js";
import { listOperations } from "./ops/list-operations.js";
import { listServers } from "./ops/list-servers.js";
import { rebuildServer } from "./ops/rebuild-server.js";
import { removeFlavorAccess } from "./ops/remove-flavor-access.js";
import { resetServerState } from "./ops/reset-server-state.js";
import { explainServer, whatIf } from "./ops/scheduling.js";
import {
  createServerGroup,
  deleteServerGroup,
  getServerGroup,
  listServerGroups,
} from "./ops/server-groups.js";
import {
  addServerSecurityGroup,
  listServerSecurityGroups,
  removeServerSecurityGroup,
} from "./ops/server-security-groups.js";
import {
  addServerTag,
  clearServerTags,
  getServerTag,
  listServerTags,
  removeServerTag,
  replaceServerTags,
} from "./ops/server-tags.js";
import { addFixedIp, addFloatingIp, removeFixedIp, removeFloatingIp } from "./ops/nova-addresses.js";
import { getSecurityGroup, listSecurityGroups } from "./ops/nova-security-groups.js";
import { setFlavorExtraSpecs } from "./ops/set-flavor-extra-specs.js";
import { updateComputeService } from "./ops/update-compute-service.js";
import { updateFlavor } from "./ops/update-flavor.js";
import { updateServerMetadata } from "./ops/update-server-metadata.js";
import { updateServer } from "./ops/update-server.js";
import {
  attachVolume,
  detachVolume,
  getVolumeAttachment,
  listVolumeAttachments,
} from "./ops/volume-attachments.js";
import { waitOperation } from "./ops/wait-operation.js";
import { watchEvents } from "./ops/watch-events.js";
import type { Parts } from "./parts.js";
import { makeParts } from "./parts.js";
import type { ApiDeps } from "./ports.js";
import type { Binder } from "./rights/behind-policy.js";
import { behindPolicy } from "./rights/behind-policy.js";

/** The api service, ready to be served. */
export interface ApiService {
  /**
   * All of `kilonova.api.v1`; methods that nothing implements yet answer NOT_SERVED. Last,
   * `kilonova.compat.v1` for the gateway.
   */
  readonly bindings: readonly ServiceBinding[];
  /** Begins to follow the feeds; waits work without it, but only until their timeout. */
  start(ctx: Ctx): void;
  close(): Promise<void>;
}

export function buildApi(deps: ApiDeps): ApiService {
  const parts = makeParts(deps);
  const bind = behindPolicy(deps.policy);
  return {
    bindings: [
      ...bindContract(publicContract, [
        ...serverBindings(parts, bind),
        ...catalogueBindings(parts, bind),
        ...operatorBindings(parts, bind),
      ]),
      bind.nova(NovaListsServiceDefinition, {
        listServers: listServers(parts),
        listFlavors: listFlavors(parts),
        listKeyPairs: listKeyPairs(parts),
        listHypervisors: listHypervisors(parts),
        listInstanceActions: listInstanceActions(parts),
        listMigrations: listMigrations(parts),
        listServerGroups: listServerGroups(parts),
      }),
      bind.whole(NovaAddressesServiceDefinition, {
        addFixedIp: addFixedIp(parts),
        removeFixedIp: removeFixedIp(parts),
        addFloatingIp: addFloatingIp(parts),
        removeFloatingIp: removeFloatingIp(parts),
      }),
      bind.whole(NovaSecurityGroupsServiceDefinition, {
        listSecurityGroups: listSecurityGroups(parts),
        getSecurityGroup: getSecurityGroup(parts),
      }),
    ],
    start: (ctx) => {
      parts.signals.start(ctx);
    },
    close: () => parts.signals.close(),
  };
}

const serverBindings = (parts: Parts, bind: Binder): ServiceBinding[] => [
  bind.part(ServersServiceDefinition, {
    createServers: createServers(parts),
    getServer: getServer(parts),
    listServers: listServers(parts),
    updateServer: updateServer(parts),
    ...beginnings(parts),
    rebuildServer: rebuildServer(parts),
    resetServerState: resetServerState(parts),
    getConsoleOutput: getConsoleOutput(parts),
    getServerAddresses: getServerAddresses(parts),
    getServerDiagnostics: getServerDiagnostics(parts),
    getServerTopology: getServerTopology(parts),
    getServerPassword: getServerPassword(parts),
    clearServerPassword: clearServerPassword(parts),
    listServerSecurityGroups: listServerSecurityGroups(parts),
    addServerSecurityGroup: addServerSecurityGroup(parts),
    removeServerSecurityGroup: removeServerSecurityGroup(parts),
  }),
  bind.whole(RemoteConsolesServiceDefinition, {
    createRemoteConsole: createRemoteConsole(parts),
    getConsoleConnection: getConsoleConnection(parts),
  }),
  bind.whole(ServerMetadataServiceDefinition, {
    getServerMetadata: getServerMetadata(parts),
    updateServerMetadata: updateServerMetadata(parts),
    deleteServerMetadata: deleteServerMetadata(parts),
  }),
  bind.whole(ServerTagsServiceDefinition, {
    listServerTags: listServerTags(parts),
    getServerTag: getServerTag(parts),
    addServerTag: addServerTag(parts),
    replaceServerTags: replaceServerTags(parts),
    removeServerTag: removeServerTag(parts),
    clearServerTags: clearServerTags(parts),
  }),
  bind.whole(InterfacesServiceDefinition, {
    listInterfaces: listInterfaces(parts),
    getInterface: getInterface(parts),
    attachInterface: attachInterface(parts),
    detachInterface: detachInterface(parts),
  }),
  bind.part(VolumeAttachmentsServiceDefinition, {
    listVolumeAttachments: listVolumeAttachments(parts),
    getVolumeAttachment: getVolumeAttachment(parts),
    attachVolume: attachVolume(parts),
    detachVolume: detachVolume(parts),
    updateVolumeAttachment: updateVolumeAttachment(parts),
  }),
  bind.whole(ExternalEventsServiceDefinition, { createExternalEvents: createExternalEvents(parts) }),
  bind.whole(InstanceActionsServiceDefinition, {
    listInstanceActions: listInstanceActions(parts),
    getInstanceAction: getInstanceAction(parts),
  }),
  bind.part(MigrationsServiceDefinition, {
    listMigrations: listMigrations(parts),
    getMigration: getMigration(parts),
  }),
  bind.whole(OperationsServiceDefinition, {
    getOperation: getOperation(parts),
    listOperations: listOperations(parts),
    waitOperation: waitOperation(parts),
    cancelOperation: cancelOperation(parts),
  }),
  bind.whole(SchedulingServiceDefinition, { explainServer: explainServer(parts), whatIf: whatIf(parts) }),
  bind.whole(EventsServiceDefinition, { watchEvents: watchEvents(parts) }),
];

const catalogueBindings = (parts: Parts, bind: Binder): ServiceBinding[] => [
  bind.whole(FlavorsServiceDefinition, {
    createFlavor: createFlavor(parts),
    getFlavor: getFlavor(parts),
    listFlavors: listFlavors(parts),
    updateFlavor: updateFlavor(parts),
    deleteFlavor: deleteFlavor(parts),
    setFlavorExtraSpecs: setFlavorExtraSpecs(parts),
    deleteFlavorExtraSpec: deleteFlavorExtraSpec(parts),
    addFlavorAccess: addFlavorAccess(parts),
    removeFlavorAccess: removeFlavorAccess(parts),
  }),
  bind.whole(ServerGroupsServiceDefinition, {
    createServerGroup: createServerGroup(parts),
    getServerGroup: getServerGroup(parts),
    listServerGroups: listServerGroups(parts),
    deleteServerGroup: deleteServerGroup(parts),
  }),
  bind.whole(KeyPairsServiceDefinition, {
    createKeyPair: createKeyPair(parts),
    getKeyPair: getKeyPair(parts),
    listKeyPairs: listKeyPairs(parts),
    deleteKeyPair: deleteKeyPair(parts),
  }),
];

const operatorBindings = (parts: Parts, bind: Binder): ServiceBinding[] => [
  bind.whole(AvailabilityZonesServiceDefinition, { listAvailabilityZones: listAvailabilityZones(parts) }),
  bind.whole(ComputeServicesServiceDefinition, {
    listComputeServices: listComputeServices(parts),
    updateComputeService: updateComputeService(parts),
    deleteComputeService: deleteComputeService(parts),
  }),
  bind.whole(AggregatesServiceDefinition, {
    createAggregate: createAggregate(parts),
    getAggregate: getAggregate(parts),
    listAggregates: listAggregates(parts),
    updateAggregate: updateAggregate(parts),
    deleteAggregate: deleteAggregate(parts),
    addAggregateHost: addAggregateHost(parts),
    removeAggregateHost: removeAggregateHost(parts),
    setAggregateMetadata: setAggregateMetadata(parts),
    cacheAggregateImages: cacheAggregateImages(parts),
  }),
  bind.whole(HypervisorsServiceDefinition, {
    listHypervisors: listHypervisors(parts),
    getHypervisor: getHypervisor(parts),
  }),
  bind.whole(LimitsServiceDefinition, { getLimits: getLimits(parts) }),
];
