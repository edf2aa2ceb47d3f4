// Written by scripts/gen-sdk.mjs from proto/kilonova/api/v1. Do not edit.
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AddAggregateHostRequestSchema, AddAggregateHostResponse, Aggregate, CacheAggregateImagesRequestSchema, CacheAggregateImagesResponse, CreateAggregateRequestSchema, CreateAggregateResponse, DeleteAggregateRequestSchema, DeleteAggregateResponse, GetAggregateRequestSchema, GetAggregateResponse, ListAggregatesRequestSchema, ListAggregatesResponse, RemoveAggregateHostRequestSchema, RemoveAggregateHostResponse, SetAggregateMetadataRequestSchema, SetAggregateMetadataResponse, UpdateAggregateRequestSchema, UpdateAggregateResponse } from "./gen/kilonova/api/v1/aggregates_service_pb.js";
import { AggregatesService } from "./gen/kilonova/api/v1/aggregates_service_pb.js";
import type { CreateRemoteConsoleRequestSchema, CreateRemoteConsoleResponse, GetConsoleConnectionRequestSchema, GetConsoleConnectionResponse } from "./gen/kilonova/api/v1/consoles_service_pb.js";
import { RemoteConsolesService } from "./gen/kilonova/api/v1/consoles_service_pb.js";
import type { CreateExternalEventsRequestSchema, CreateExternalEventsResponse } from "./gen/kilonova/api/v1/external_events_service_pb.js";
import { ExternalEventsService } from "./gen/kilonova/api/v1/external_events_service_pb.js";
import type { AddFlavorAccessRequestSchema, AddFlavorAccessResponse, CreateFlavorRequestSchema, CreateFlavorResponse, DeleteFlavorExtraSpecRequestSchema, DeleteFlavorExtraSpecResponse, DeleteFlavorRequestSchema, DeleteFlavorResponse, GetFlavorRequestSchema, GetFlavorResponse, ListFlavorsRequestSchema, ListFlavorsResponse, RemoveFlavorAccessRequestSchema, RemoveFlavorAccessResponse, SetFlavorExtraSpecsRequestSchema, SetFlavorExtraSpecsResponse, UpdateFlavorRequestSchema, UpdateFlavorResponse } from "./gen/kilonova/api/v1/flavors_service_pb.js";
import { FlavorsService } from "./gen/kilonova/api/v1/flavors_service_pb.js";
import type { ComputeService, DeleteComputeServiceRequestSchema, DeleteComputeServiceResponse, GetHypervisorRequestSchema, GetHypervisorResponse, Hypervisor, ListAvailabilityZonesRequestSchema, ListAvailabilityZonesResponse, ListComputeServicesRequestSchema, ListComputeServicesResponse, ListHypervisorsRequestSchema, ListHypervisorsResponse, UpdateComputeServiceRequestSchema, UpdateComputeServiceResponse } from "./gen/kilonova/api/v1/hosts_service_pb.js";
import { AvailabilityZonesService, ComputeServicesService, HypervisorsService } from "./gen/kilonova/api/v1/hosts_service_pb.js";
import type { AttachInterfaceRequestSchema, AttachInterfaceResponse, DetachInterfaceRequestSchema, DetachInterfaceResponse, GetInterfaceRequestSchema, GetInterfaceResponse, Interface, ListInterfacesRequestSchema, ListInterfacesResponse } from "./gen/kilonova/api/v1/interfaces_service_pb.js";
import { InterfacesService } from "./gen/kilonova/api/v1/interfaces_service_pb.js";
import type { CreateKeyPairRequestSchema, CreateKeyPairResponse, DeleteKeyPairRequestSchema, DeleteKeyPairResponse, GetKeyPairRequestSchema, GetKeyPairResponse, ListKeyPairsRequestSchema, ListKeyPairsResponse } from "./gen/kilonova/api/v1/key_pairs_service_pb.js";
import { KeyPairsService } from "./gen/kilonova/api/v1/key_pairs_service_pb.js";
import type { GetInstanceActionRequestSchema, GetInstanceActionResponse, GetLimitsRequestSchema, GetLimitsResponse, InstanceAction, ListInstanceActionsRequestSchema, ListInstanceActionsResponse } from "./gen/kilonova/api/v1/limits_service_pb.js";
import { InstanceActionsService, LimitsService } from "./gen/kilonova/api/v1/limits_service_pb.js";
import type { AbortMigrationRequestSchema, AbortMigrationResponse, ForceCompleteMigrationRequestSchema, ForceCompleteMigrationResponse, GetMigrationRequestSchema, GetMigrationResponse, ListMigrationsRequestSchema, ListMigrationsResponse, Migration } from "./gen/kilonova/api/v1/migrations_service_pb.js";
import { MigrationsService } from "./gen/kilonova/api/v1/migrations_service_pb.js";
import type { CancelOperationRequestSchema, CancelOperationResponse, GetOperationRequestSchema, GetOperationResponse, ListOperationsRequestSchema, ListOperationsResponse, WaitOperationRequestSchema, WaitOperationResponse, WatchEventsRequestSchema, WatchEventsResponse } from "./gen/kilonova/api/v1/operations_service_pb.js";
import { EventsService, OperationsService } from "./gen/kilonova/api/v1/operations_service_pb.js";
import type { DeleteQuotaSetRequestSchema, DeleteQuotaSetResponse, GetQuotaClassSetRequestSchema, GetQuotaClassSetResponse, GetQuotaDefaultsRequestSchema, GetQuotaDefaultsResponse, GetQuotaSetRequestSchema, GetQuotaSetResponse, UpdateQuotaClassSetRequestSchema, UpdateQuotaClassSetResponse, UpdateQuotaSetRequestSchema, UpdateQuotaSetResponse } from "./gen/kilonova/api/v1/quota_sets_service_pb.js";
import { QuotaSetsService } from "./gen/kilonova/api/v1/quota_sets_service_pb.js";
import type { ExplainServerRequestSchema, ExplainServerResponse, WhatIfRequestSchema, WhatIfResponse } from "./gen/kilonova/api/v1/scheduling_service_pb.js";
import { SchedulingService } from "./gen/kilonova/api/v1/scheduling_service_pb.js";
import type { AddServerSecurityGroupRequestSchema, AddServerSecurityGroupResponse, ChangeServerPasswordRequestSchema, ChangeServerPasswordResponse, CreateServerBackupRequestSchema, CreateServerBackupResponse, CreateServerImageRequestSchema, CreateServerImageResponse, ForceDeleteServerRequestSchema, ForceDeleteServerResponse, LockServerRequestSchema, LockServerResponse, PauseServerRequestSchema, PauseServerResponse, RebuildServerRequestSchema, RebuildServerResponse, RemoveServerSecurityGroupRequestSchema, RemoveServerSecurityGroupResponse, RescueServerRequestSchema, RescueServerResponse, ResetServerStateRequestSchema, ResetServerStateResponse, RestoreServerRequestSchema, RestoreServerResponse, ResumeServerRequestSchema, ResumeServerResponse, SuspendServerRequestSchema, SuspendServerResponse, TriggerCrashDumpRequestSchema, TriggerCrashDumpResponse, UnlockServerRequestSchema, UnlockServerResponse, UnpauseServerRequestSchema, UnpauseServerResponse, UnrescueServerRequestSchema, UnrescueServerResponse } from "./gen/kilonova/api/v1/server_actions_pb.js";
import type { ClearServerPasswordRequestSchema, ClearServerPasswordResponse, GetServerAddressesRequestSchema, GetServerAddressesResponse, GetServerDiagnosticsRequestSchema, GetServerDiagnosticsResponse, GetServerPasswordRequestSchema, GetServerPasswordResponse, GetServerTopologyRequestSchema, GetServerTopologyResponse, ListServerSecurityGroupsRequestSchema, ListServerSecurityGroupsResponse, ServerSecurityGroup } from "./gen/kilonova/api/v1/server_details_pb.js";
import type { CreateServerGroupRequestSchema, CreateServerGroupResponse, DeleteServerGroupRequestSchema, DeleteServerGroupResponse, GetServerGroupRequestSchema, GetServerGroupResponse, ListServerGroupsRequestSchema, ListServerGroupsResponse, ServerGroup } from "./gen/kilonova/api/v1/server_groups_service_pb.js";
import { ServerGroupsService } from "./gen/kilonova/api/v1/server_groups_service_pb.js";
import type { DeleteServerMetadataRequestSchema, DeleteServerMetadataResponse, GetServerMetadataRequestSchema, GetServerMetadataResponse, UpdateServerMetadataRequestSchema, UpdateServerMetadataResponse } from "./gen/kilonova/api/v1/server_metadata_service_pb.js";
import { ServerMetadataService } from "./gen/kilonova/api/v1/server_metadata_service_pb.js";
import type { ConfirmServerResizeRequestSchema, ConfirmServerResizeResponse, EvacuateServerRequestSchema, EvacuateServerResponse, LiveMigrateServerRequestSchema, LiveMigrateServerResponse, MigrateServerRequestSchema, MigrateServerResponse, OffloadServerRequestSchema, OffloadServerResponse, ResizeServerRequestSchema, ResizeServerResponse, RevertServerResizeRequestSchema, RevertServerResizeResponse, ShelveServerRequestSchema, ShelveServerResponse, UnshelveServerRequestSchema, UnshelveServerResponse } from "./gen/kilonova/api/v1/server_moves_pb.js";
import type { Server } from "./gen/kilonova/api/v1/server_pb.js";
import type { AttachShareRequestSchema, AttachShareResponse, DetachShareRequestSchema, DetachShareResponse, GetServerShareRequestSchema, GetServerShareResponse, ListServerSharesRequestSchema, ListServerSharesResponse, ServerShare } from "./gen/kilonova/api/v1/server_shares_service_pb.js";
import { ServerSharesService } from "./gen/kilonova/api/v1/server_shares_service_pb.js";
import type { AddServerTagRequestSchema, AddServerTagResponse, ClearServerTagsRequestSchema, ClearServerTagsResponse, GetServerTagRequestSchema, GetServerTagResponse, ListServerTagsRequestSchema, ListServerTagsResponse, RemoveServerTagRequestSchema, RemoveServerTagResponse, ReplaceServerTagsRequestSchema, ReplaceServerTagsResponse } from "./gen/kilonova/api/v1/server_tags_service_pb.js";
import { ServerTagsService } from "./gen/kilonova/api/v1/server_tags_service_pb.js";
import type { CreateServersRequestSchema, CreateServersResponse, DeleteServerRequestSchema, DeleteServerResponse, GetConsoleOutputRequestSchema, GetConsoleOutputResponse, GetServerRequestSchema, GetServerResponse, ListServersRequestSchema, ListServersResponse, RebootServerRequestSchema, RebootServerResponse, StartServerRequestSchema, StartServerResponse, StopServerRequestSchema, StopServerResponse, UpdateServerRequestSchema, UpdateServerResponse } from "./gen/kilonova/api/v1/servers_service_pb.js";
import { ServersService } from "./gen/kilonova/api/v1/servers_service_pb.js";
import type { GetProjectUsageRequestSchema, GetProjectUsageResponse, GetUsageAuditRequestSchema, GetUsageAuditResponse, ListProjectUsagesRequestSchema, ListProjectUsagesResponse, ProjectUsage } from "./gen/kilonova/api/v1/usage_service_pb.js";
import { UsageService } from "./gen/kilonova/api/v1/usage_service_pb.js";
import type { AttachVolumeRequestSchema, AttachVolumeResponse, CreateAssistedVolumeSnapshotRequestSchema, CreateAssistedVolumeSnapshotResponse, DeleteAssistedVolumeSnapshotRequestSchema, DeleteAssistedVolumeSnapshotResponse, DetachVolumeRequestSchema, DetachVolumeResponse, GetVolumeAttachmentRequestSchema, GetVolumeAttachmentResponse, ListVolumeAttachmentsRequestSchema, ListVolumeAttachmentsResponse, UpdateVolumeAttachmentRequestSchema, UpdateVolumeAttachmentResponse, VolumeAttachment } from "./gen/kilonova/api/v1/volume_attachments_service_pb.js";
import { AssistedVolumeSnapshotsService, VolumeAttachmentsService } from "./gen/kilonova/api/v1/volume_attachments_service_pb.js";
import type { Flavor } from "./gen/kilonova/type/v1/flavor_pb.js";
import type { KeyPair } from "./gen/kilonova/type/v1/key_pair_pb.js";
import type { Operation } from "./gen/kilonova/type/v1/operation_pb.js";
import type { Item, Started } from "./answers.js";
import type { CallOptions, Caller } from "./calls.js";
import type { Pages } from "./pages.js";
import { Resource, ask, begin, follow, pages } from "./resource.js";
import type { Watch, WatchOptions } from "./watch.js";

/**
 * Aggregates: sets of hosts with metadata that scheduling rules read. One with a zone makes its hosts part of
 * that zone.
 */
export class Aggregates extends Resource {
  /**
   * Makes an aggregate without hosts.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST; ALREADY_EXISTS / AGGREGATE_EXISTS; ABORTED / TOKEN_REUSED.
   */
  create(request: MessageInitShape<typeof CreateAggregateRequestSchema>, options: CallOptions = {}): Promise<CreateAggregateResponse> {
    return ask(this.caller, AggregatesService.method.createAggregate, request, options);
  }

  /**
   * Reads one aggregate.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetAggregateRequestSchema>, options: CallOptions = {}): Promise<GetAggregateResponse> {
    return ask(this.caller, AggregatesService.method.getAggregate, request, options);
  }

  /**
   * Lists aggregates by number. Pages.
   *
   * Errors: INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListAggregatesRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Aggregate>, ListAggregatesResponse> {
    return pages(this.caller, AggregatesService.method.listAggregates, "aggregates", request, options);
  }

  /**
   * Changes name or zone. Repeatable.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; ALREADY_EXISTS /
   * AGGREGATE_EXISTS; FAILED_PRECONDITION / ZONE_CONFLICT (a host would be in two zones), ZONE_IN_USE
   * (another zone for hosts with servers).
   */
  update(request: MessageInitShape<typeof UpdateAggregateRequestSchema>, options: CallOptions = {}): Promise<UpdateAggregateResponse> {
    return ask(this.caller, AggregatesService.method.updateAggregate, request, options);
  }

  /**
   * Deletes an aggregate without hosts.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND; FAILED_PRECONDITION / AGGREGATE_HAS_HOSTS.
   */
  delete(request: MessageInitShape<typeof DeleteAggregateRequestSchema>, options: CallOptions = {}): Promise<DeleteAggregateResponse> {
    return ask(this.caller, AggregatesService.method.deleteAggregate, request, options);
  }

  /**
   * Puts a host in. A host is in one zone at most.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND, COMPUTE_HOST_NOT_FOUND; ALREADY_EXISTS / HOST_IN_AGGREGATE;
   * FAILED_PRECONDITION / HOST_IN_OTHER_ZONE, HOST_ZONE_IN_USE (the host's zone would change under them).
   */
  addHost(request: MessageInitShape<typeof AddAggregateHostRequestSchema>, options: CallOptions = {}): Promise<AddAggregateHostResponse> {
    return ask(this.caller, AggregatesService.method.addAggregateHost, request, options);
  }

  /**
   * Takes a host out.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND, HOST_NOT_IN_AGGREGATE; FAILED_PRECONDITION / HOST_ZONE_IN_USE
   * (the host's zone would change under them).
   */
  removeHost(request: MessageInitShape<typeof RemoveAggregateHostRequestSchema>, options: CallOptions = {}): Promise<RemoveAggregateHostResponse> {
    return ask(this.caller, AggregatesService.method.removeAggregateHost, request, options);
  }

  /**
   * Adds, replaces or removes metadata; the key `availability_zone` is the zone. Repeatable.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; FAILED_PRECONDITION /
   * ZONE_CONFLICT, ZONE_IN_USE.
   */
  setMetadata(request: MessageInitShape<typeof SetAggregateMetadataRequestSchema>, options: CallOptions = {}): Promise<SetAggregateMetadataResponse> {
    return ask(this.caller, AggregatesService.method.setAggregateMetadata, request, options);
  }

  /**
   * Has the hosts of an aggregate fetch images before servers need them, a few hosts at a time. The operation
   * is the cloud's; it fails when a host or an image did, once all others have been seen to.
   *
   * Errors: NOT_FOUND / AGGREGATE_NOT_FOUND, IMAGE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST,
   * IMAGE_NOT_ACTIVE; UNAVAILABLE: the Image service, or a cell that may have some of the hosts, is silent;
   * ABORTED / TOKEN_REUSED.
   */
  cacheImages(request: MessageInitShape<typeof CacheAggregateImagesRequestSchema>, options: CallOptions = {}): Started<CacheAggregateImagesResponse> {
    return begin(this.caller, AggregatesService.method.cacheAggregateImages, request, options);
  }
}

/**
 * Snapshots of volumes that the Block Storage service cannot take without the hypervisor: called by that
 * service.
 */
export class AssistedVolumeSnapshots extends Resource {
  /**
   * Makes the guests write to a new file from now on, so that the old one is the snapshot.
   *
   * Errors: INVALID_ARGUMENT / VOLUME_NOT_ATTACHED, BAD_SNAPSHOT; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED
   * / TOKEN_REUSED.
   */
  create(request: MessageInitShape<typeof CreateAssistedVolumeSnapshotRequestSchema>, options: CallOptions = {}): Started<CreateAssistedVolumeSnapshotResponse> {
    return begin(this.caller, AssistedVolumeSnapshotsService.method.createAssistedVolumeSnapshot, request, options);
  }

  /**
   * Merges such a snapshot back into the chain.
   *
   * Errors: NOT_FOUND / VOLUME_NOT_FOUND; INVALID_ARGUMENT / VOLUME_NOT_ATTACHED, BAD_SNAPSHOT; UNIMPLEMENTED
   * / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.
   */
  delete(request: MessageInitShape<typeof DeleteAssistedVolumeSnapshotRequestSchema>, options: CallOptions = {}): Started<DeleteAssistedVolumeSnapshotResponse> {
    return begin(this.caller, AssistedVolumeSnapshotsService.method.deleteAssistedVolumeSnapshot, request, options);
  }
}

/**
 * Zones that servers can ask for.
 */
export class AvailabilityZones extends Resource {
  /**
   * Lists zones with enabled compute hosts; with the second rule also hosts and services. A deployment has
   * few: there is one page.
   *
   * Errors: none of its own.
   */
  list(request: MessageInitShape<typeof ListAvailabilityZonesRequestSchema>, options: CallOptions = {}): Promise<ListAvailabilityZonesResponse> {
    return ask(this.caller, AvailabilityZonesService.method.listAvailabilityZones, request, options);
  }
}

/**
 * Kilonova's own services, as operators see them.
 */
export class ComputeServices extends Resource {
  /**
   * Lists conductors, schedulers and compute agents with their state. Pages.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST, BAD_PAGE_TOKEN. Silent cells are named.
   */
  list(request: MessageInitShape<typeof ListComputeServicesRequestSchema> = {}, options: CallOptions = {}): Pages<Item<ComputeService>, ListComputeServicesResponse> {
    return pages(this.caller, ComputeServicesService.method.listComputeServices, "services", request, options);
  }

  /**
   * Enables, disables or forces down a compute agent's host. Repeatable.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST, NOT_A_COMPUTE_SERVICE, SERVICE_AMBIGUOUS; NOT_FOUND /
   * SERVICE_NOT_FOUND, HOST_BINARY_NOT_FOUND.
   */
  update(request: MessageInitShape<typeof UpdateComputeServiceRequestSchema>, options: CallOptions = {}): Promise<UpdateComputeServiceResponse> {
    return ask(this.caller, ComputeServicesService.method.updateComputeService, request, options);
  }

  /**
   * Removes the record of a service that is gone for good.
   *
   * Errors: NOT_FOUND / SERVICE_NOT_FOUND; INVALID_ARGUMENT / SERVICE_AMBIGUOUS; FAILED_PRECONDITION /
   * HOST_HAS_SERVERS, HOST_HAS_MIGRATIONS (a move leaves it or leads there, or waits for its confirmation).
   */
  delete(request: MessageInitShape<typeof DeleteComputeServiceRequestSchema>, options: CallOptions = {}): Promise<DeleteComputeServiceResponse> {
    return ask(this.caller, ComputeServicesService.method.deleteComputeService, request, options);
  }
}

/**
 * What happens to the caller's servers.
 */
export class Events extends Resource {
  /**
   * Streams each state once and in order for each server, from now or from a resume token. A token that is
   * too old is no error: RESET and a snapshot follow.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST for what is no token of this request; UNAVAILABLE: begin again
   * with the last token.
   */
  watch(request: MessageInitShape<typeof WatchEventsRequestSchema> = {}, options: WatchOptions = {}): Watch<WatchEventsResponse> {
    return follow(this.caller, EventsService.method.watchEvents, request, options);
  }
}

/**
 * What other services have to say about servers: called by Network, Block Storage and Bare Metal.
 */
export class ExternalEvents extends Resource {
  /**
   * Hands events to the operations that wait for them, or that will. Each event has its own result; the call
   * succeeds if any was taken. Two events that say the same are two events: a volume may grow twice.
   * Repeatable with a client token.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST; NOT_FOUND / SERVER_NOT_FOUND: no server of any event is
   * known; ABORTED / TOKEN_REUSED.
   */
  create(request: MessageInitShape<typeof CreateExternalEventsRequestSchema>, options: CallOptions = {}): Promise<CreateExternalEventsResponse> {
    return ask(this.caller, ExternalEventsService.method.createExternalEvents, request, options);
  }
}

/**
 * Flavors, their extra specs, and who may use them.
 */
export class Flavors extends Resource {
  /**
   * Makes a flavor; one with extra specs needs the second rule too.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST; ALREADY_EXISTS / FLAVOR_EXISTS for a taken id,
   * FLAVOR_NAME_EXISTS for a taken name.
   */
  create(request: MessageInitShape<typeof CreateFlavorRequestSchema>, options: CallOptions = {}): Promise<CreateFlavorResponse> {
    return ask(this.caller, FlavorsService.method.createFlavor, request, options);
  }

  /**
   * Reads one flavor by id. Anybody may; the rules show extra specs and access.
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND, also for private ones of others; FLAVOR_ACCESS_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetFlavorRequestSchema>, options: CallOptions = {}): Promise<GetFlavorResponse> {
    return ask(this.caller, FlavorsService.method.getFlavor, request, options);
  }

  /**
   * Lists flavors that the caller may see. Pages. Anybody may; the rules show extra specs and access.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST, SORT_KEY_INVALID.
   */
  list(request: MessageInitShape<typeof ListFlavorsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Flavor>, ListFlavorsResponse> {
    return pages(this.caller, FlavorsService.method.listFlavors, "flavors", request, options);
  }

  /**
   * Changes the description.
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.
   */
  update(request: MessageInitShape<typeof UpdateFlavorRequestSchema>, options: CallOptions = {}): Promise<UpdateFlavorResponse> {
    return ask(this.caller, FlavorsService.method.updateFlavor, request, options);
  }

  /**
   * Deletes a flavor. Servers keep their copy.
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND.
   */
  delete(request: MessageInitShape<typeof DeleteFlavorRequestSchema>, options: CallOptions = {}): Promise<DeleteFlavorResponse> {
    return ask(this.caller, FlavorsService.method.deleteFlavor, request, options);
  }

  /**
   * Adds extra specs (first rule) or replaces some (second rule).
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.
   */
  setExtraSpecs(request: MessageInitShape<typeof SetFlavorExtraSpecsRequestSchema>, options: CallOptions = {}): Promise<SetFlavorExtraSpecsResponse> {
    return ask(this.caller, FlavorsService.method.setFlavorExtraSpecs, request, options);
  }

  /**
   * Removes one extra spec.
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND, EXTRA_SPEC_NOT_FOUND.
   */
  deleteExtraSpec(request: MessageInitShape<typeof DeleteFlavorExtraSpecRequestSchema>, options: CallOptions = {}): Promise<DeleteFlavorExtraSpecResponse> {
    return ask(this.caller, FlavorsService.method.deleteFlavorExtraSpec, request, options);
  }

  /**
   * Gives a project access to a private flavor.
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND; INVALID_ARGUMENT / PROJECT_NOT_FOUND; FAILED_PRECONDITION /
   * FLAVOR_IS_PUBLIC; ALREADY_EXISTS / FLAVOR_ACCESS_EXISTS.
   */
  addAccess(request: MessageInitShape<typeof AddFlavorAccessRequestSchema>, options: CallOptions = {}): Promise<AddFlavorAccessResponse> {
    return ask(this.caller, FlavorsService.method.addFlavorAccess, request, options);
  }

  /**
   * Takes it away.
   *
   * Errors: NOT_FOUND / FLAVOR_NOT_FOUND, FLAVOR_ACCESS_NOT_FOUND; INVALID_ARGUMENT / PROJECT_NOT_FOUND.
   */
  removeAccess(request: MessageInitShape<typeof RemoveFlavorAccessRequestSchema>, options: CallOptions = {}): Promise<RemoveFlavorAccessResponse> {
    return ask(this.caller, FlavorsService.method.removeFlavorAccess, request, options);
  }
}

/**
 * Hypervisors, as operators see them.
 */
export class Hypervisors extends Resource {
  /**
   * Lists hypervisors, as far as the view asked for shows them; each view has a rule of its own. Pages.
   *
   * Errors: INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListHypervisorsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Hypervisor>, ListHypervisorsResponse> {
    return pages(this.caller, HypervisorsService.method.listHypervisors, "hypervisors", request, options);
  }

  /**
   * Reads one by UUID or number: all of it, or with the second rule its uptime.
   *
   * Errors: NOT_FOUND / HYPERVISOR_NOT_FOUND; UNAVAILABLE when it may be in a cell that does not answer.
   */
  get(request: MessageInitShape<typeof GetHypervisorRequestSchema>, options: CallOptions = {}): Promise<GetHypervisorResponse> {
    return ask(this.caller, HypervisorsService.method.getHypervisor, request, options);
  }
}

/**
 * What was done to a server, and how each step went.
 */
export class InstanceActions extends Resource {
  /**
   * Lists actions, newest first. Works for deleted servers too: they are kept as long as the server's record.
   * Pages.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.
   */
  list(request: MessageInitShape<typeof ListInstanceActionsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<InstanceAction>, ListInstanceActionsResponse> {
    return pages(this.caller, InstanceActionsService.method.listInstanceActions, "actions", request, options);
  }

  /**
   * Reads one action with its newest events, 1000 at most; the other rules show the events' tracebacks and
   * details.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, ACTION_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetInstanceActionRequestSchema>, options: CallOptions = {}): Promise<GetInstanceActionResponse> {
    return ask(this.caller, InstanceActionsService.method.getInstanceAction, request, options);
  }
}

/**
 * Network interfaces of servers.
 */
export class Interfaces extends Resource {
  /**
   * Lists the interfaces of a server in order of their ports. Pages.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListInterfacesRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Interface>, ListInterfacesResponse> {
    return pages(this.caller, InterfacesService.method.listInterfaces, "interfaces", request, options);
  }

  /**
   * Reads one interface.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, PORT_NOT_FOUND, also for ports of other servers.
   */
  get(request: MessageInitShape<typeof GetInterfaceRequestSchema>, options: CallOptions = {}): Promise<GetInterfaceResponse> {
    return ask(this.caller, InterfacesService.method.getInterface, request, options);
  }

  /**
   * Puts an interface into a server. Several of one server follow one another.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, PORT_NOT_FOUND, NETWORK_NOT_FOUND; INVALID_ARGUMENT /
   * INVALID_REQUEST, NETWORK_AMBIGUOUS, NO_NETWORK, NETWORK_WITHOUT_SUBNET, PORT_WITHOUT_ADDRESS,
   * PORT_NOT_USABLE; PERMISSION_DENIED / EXTERNAL_NETWORK, FIXED_IP_FORBIDDEN; ABORTED / PORT_IN_USE,
   * FIXED_IP_IN_USE, TOKEN_REUSED; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, PAUSED or STOPPED),
   * INSTANCE_LOCKED, NOT_READY; RESOURCE_EXHAUSTED / PORT_QUOTA (of calls without a client token, which
   * cannot be repetitions); UNIMPLEMENTED / CAPABILITY_MISSING. What only the Network service finds out, such
   * as NO_MORE_FIXED_IPS or PORT_LIMIT_EXCEEDED, is the operation's error.
   */
  attach(request: MessageInitShape<typeof AttachInterfaceRequestSchema>, options: CallOptions = {}): Started<AttachInterfaceResponse> {
    return begin(this.caller, InterfacesService.method.attachInterface, request, options);
  }

  /**
   * Takes an interface out; a port that was made for the server is deleted.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, PORT_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be
   * ACTIVE, PAUSED or STOPPED), INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED /
   * TOKEN_REUSED. A guest that does not let go of the device in time is the operation's error
   * DEVICE_DETACH_FAILED; the server keeps the interface then.
   */
  detach(request: MessageInitShape<typeof DetachInterfaceRequestSchema>, options: CallOptions = {}): Started<DetachInterfaceResponse> {
    return begin(this.caller, InterfacesService.method.detachInterface, request, options);
  }
}

/**
 * Key pairs of a user.
 */
export class KeyPairs extends Resource {
  /**
   * Imports a public key, or makes a pair when none is given.
   *
   * Errors: ALREADY_EXISTS / KEY_PAIR_EXISTS; INVALID_ARGUMENT / BAD_PUBLIC_KEY; RESOURCE_EXHAUSTED /
   * QUOTA_EXCEEDED.
   */
  create(request: MessageInitShape<typeof CreateKeyPairRequestSchema>, options: CallOptions = {}): Promise<CreateKeyPairResponse> {
    return ask(this.caller, KeyPairsService.method.createKeyPair, request, options);
  }

  /**
   * Reads one key pair.
   *
   * Errors: NOT_FOUND / KEY_PAIR_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetKeyPairRequestSchema>, options: CallOptions = {}): Promise<GetKeyPairResponse> {
    return ask(this.caller, KeyPairsService.method.getKeyPair, request, options);
  }

  /**
   * Lists the key pairs of a user by name. Pages.
   *
   * Errors: INVALID_ARGUMENT / MARKER_NOT_FOUND.
   */
  list(request: MessageInitShape<typeof ListKeyPairsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<KeyPair>, ListKeyPairsResponse> {
    return pages(this.caller, KeyPairsService.method.listKeyPairs, "keyPairs", request, options);
  }

  /**
   * Deletes one. Servers keep their copy.
   *
   * Errors: NOT_FOUND / KEY_PAIR_NOT_FOUND.
   */
  delete(request: MessageInitShape<typeof DeleteKeyPairRequestSchema>, options: CallOptions = {}): Promise<DeleteKeyPairResponse> {
    return ask(this.caller, KeyPairsService.method.deleteKeyPair, request, options);
  }
}

/**
 * Quota limits and what is used of them.
 */
export class Limits extends Resource {
  /**
   * Limits and use of a project; other projects need the second rule.
   *
   * Errors: none of its own.
   */
  get(request: MessageInitShape<typeof GetLimitsRequestSchema>, options: CallOptions = {}): Promise<GetLimitsResponse> {
    return ask(this.caller, LimitsService.method.getLimits, request, options);
  }
}

/**
 * Moves of servers between hosts. Each belongs to an operation; this is what operators and REST see of it.
 */
export class Migrations extends Resource {
  /**
   * Lists migrations of servers that are not deleted, newest first. Pages. Outside the caller's project it
   * needs the second rule; in_progress_only is the fourth one's business; the third and the last show hosts.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND: in_progress_only; INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListMigrationsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Migration>, ListMigrationsResponse> {
    return pages(this.caller, MigrationsService.method.listMigrations, "migrations", request, options);
  }

  /**
   * Reads one migration of a server, with the progress of a live migration. Who may read it sees its hosts,
   * as in Nova.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, MIGRATION_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetMigrationRequestSchema>, options: CallOptions = {}): Promise<GetMigrationResponse> {
    return ask(this.caller, MigrationsService.method.getMigration, request, options);
  }

  /**
   * Gives up a live migration; the guest stays where it runs.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, MIGRATION_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_RUNNING;
   * FAILED_PRECONDITION / INVALID_STATE (must be migrating), INSTANCE_LOCKED.
   */
  abort(request: MessageInitShape<typeof AbortMigrationRequestSchema>, options: CallOptions = {}): Started<AbortMigrationResponse> {
    return begin(this.caller, MigrationsService.method.abortMigration, request, options);
  }

  /**
   * Makes a live migration finish by pausing the guest until its memory is over.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, MIGRATION_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_RUNNING;
   * FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE and migrating), INSTANCE_LOCKED; UNIMPLEMENTED /
   * CAPABILITY_MISSING.
   */
  forceComplete(request: MessageInitShape<typeof ForceCompleteMigrationRequestSchema>, options: CallOptions = {}): Started<ForceCompleteMigrationResponse> {
    return begin(this.caller, MigrationsService.method.forceCompleteMigration, request, options);
  }
}

/**
 * Operations on the caller's servers; for operators, also those of hosts and of the cloud. Reading or
 * cancelling one of those needs the rule that starting one of its kind needs.
 */
export class Operations extends Resource {
  /**
   * Reads one operation.
   *
   * Errors: NOT_FOUND / OPERATION_NOT_FOUND, also for those of other projects.
   */
  get(request: MessageInitShape<typeof GetOperationRequestSchema>, options: CallOptions = {}): Started<GetOperationResponse> {
    return begin(this.caller, OperationsService.method.getOperation, request, options);
  }

  /**
   * Lists operations, newest first: those of one server, also of one that is deleted, or those of the
   * caller's project; for operators, those of a host or of the cloud, of the kinds that they may begin.
   * Pages. A page may be shorter than asked for, even empty, while there are more: only `next_page_token`
   * tells.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, COMPUTE_HOST_NOT_FOUND for a name and HOST_NOT_FOUND for an id;
   * INVALID_ARGUMENT / BAD_PAGE_TOKEN or INVALID_REQUEST; PERMISSION_DENIED / FORBIDDEN; UNAVAILABLE /
   * LIST_UNAVAILABLE when no database answers, UNAVAILABLE when the host's cell does not.
   */
  list(request: MessageInitShape<typeof ListOperationsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Operation>, ListOperationsResponse> {
    return pages(this.caller, OperationsService.method.listOperations, "operations", request, options);
  }

  /**
   * Returns when the operation is done, or after the timeout with what it is then. Succeeds on failure too:
   * look at `error`.
   *
   * Errors: NOT_FOUND / OPERATION_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST.
   */
  wait(request: MessageInitShape<typeof WaitOperationRequestSchema>, options: CallOptions = {}): Started<WaitOperationResponse> {
    return begin(this.caller, OperationsService.method.waitOperation, request, options);
  }

  /**
   * Asks for cancellation; takes effect before the operation's pivot only. Repeatable: cancelling what is
   * done changes nothing. Needs the rule that beginning an operation of this kind needs, whoever began it.
   *
   * Errors: NOT_FOUND / OPERATION_NOT_FOUND; PERMISSION_DENIED / FORBIDDEN.
   */
  cancel(request: MessageInitShape<typeof CancelOperationRequestSchema>, options: CallOptions = {}): Started<CancelOperationResponse> {
    return begin(this.caller, OperationsService.method.cancelOperation, request, options);
  }
}

/**
 * Limits of projects, and of users within them. Changes are repeatable.
 */
export class QuotaSets extends Resource {
  /**
   * Reads the limits in force for a project or a user, with what is used of them.
   *
   * Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetQuotaSetRequestSchema>, options: CallOptions = {}): Promise<GetQuotaSetResponse> {
    return ask(this.caller, QuotaSetsService.method.getQuotaSet, request, options);
  }

  /**
   * Reads the limits of projects that have none of their own.
   *
   * Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND.
   */
  getQuotaDefaults(request: MessageInitShape<typeof GetQuotaDefaultsRequestSchema>, options: CallOptions = {}): Promise<GetQuotaDefaultsResponse> {
    return ask(this.caller, QuotaSetsService.method.getQuotaDefaults, request, options);
  }

  /**
   * Sets limits of a project or a user; those that are not given stay.
   *
   * Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND, UNKNOWN_RESOURCE, LIMIT_BELOW_USE (without force),
   * LIMIT_ABOVE_PROJECT (a user's above the project's), PROJECT_WIDE_RESOURCE (a user has no such limit).
   */
  update(request: MessageInitShape<typeof UpdateQuotaSetRequestSchema>, options: CallOptions = {}): Promise<UpdateQuotaSetResponse> {
    return ask(this.caller, QuotaSetsService.method.updateQuotaSet, request, options);
  }

  /**
   * Takes all limits of a project or a user back to the defaults.
   *
   * Errors: INVALID_ARGUMENT / PROJECT_NOT_FOUND.
   */
  delete(request: MessageInitShape<typeof DeleteQuotaSetRequestSchema>, options: CallOptions = {}): Promise<DeleteQuotaSetResponse> {
    return ask(this.caller, QuotaSetsService.method.deleteQuotaSet, request, options);
  }

  /**
   * Reads the limits of a class. "default" is the only class that has an effect: it overrides the
   * deployment's defaults.
   *
   * Errors: none of its own; classes that nobody has set anything for show the defaults.
   */
  getQuotaClassSet(request: MessageInitShape<typeof GetQuotaClassSetRequestSchema>, options: CallOptions = {}): Promise<GetQuotaClassSetResponse> {
    return ask(this.caller, QuotaSetsService.method.getQuotaClassSet, request, options);
  }

  /**
   * Sets limits of a class; those that are not given stay.
   *
   * Errors: INVALID_ARGUMENT / UNKNOWN_RESOURCE.
   */
  updateQuotaClassSet(request: MessageInitShape<typeof UpdateQuotaClassSetRequestSchema>, options: CallOptions = {}): Promise<UpdateQuotaClassSetResponse> {
    return ask(this.caller, QuotaSetsService.method.updateQuotaClassSet, request, options);
  }
}

/**
 * Graphical and serial consoles of servers, reached through proxies.
 */
export class RemoteConsoles extends Resource {
  /**
   * Makes a token for one console and answers where to use it. Not repeatable on purpose: each call makes a
   * token of its own.
   *
   * The token is good until it ends, while the server stays on its host and its guest runs on as it does now.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / CONSOLE_TYPE_INVALID (not one of the protocol),
   * CONSOLE_TYPE_UNAVAILABLE (not offered here); FAILED_PRECONDITION / CONSOLE_NOT_READY (no host, or the
   * guest does not run), INVALID_STATE (not while it is deleted or migrated).
   */
  create(request: MessageInitShape<typeof CreateRemoteConsoleRequestSchema>, options: CallOptions = {}): Promise<CreateRemoteConsoleResponse> {
    return ask(this.caller, RemoteConsolesService.method.createRemoteConsole, request, options);
  }

  /**
   * Says what a proxy shall connect a token's bearer to. For administrators and proxies.
   *
   * Errors: NOT_FOUND / CONSOLE_TOKEN_NOT_FOUND, also for expired ones.
   */
  getConsoleConnection(request: MessageInitShape<typeof GetConsoleConnectionRequestSchema>, options: CallOptions = {}): Promise<GetConsoleConnectionResponse> {
    return ask(this.caller, RemoteConsolesService.method.getConsoleConnection, request, options);
  }
}

/**
 * Why servers are where they are, and where they could be. Nothing here claims, stores or changes anything.
 *
 * Hosts are named to administrators only. How many there are, and how near the nearest one was, is told to
 * administrators, and to the owner of a server that found no host: it is what its fault says. To others
 * has_host and the rules that refuse are told; the size of a cloud is not to be measured by asking.
 */
export class Scheduling extends Resource {
  /**
   * Says which rules would refuse how many hosts if the server were scheduled again now, elsewhere than on
   * its own host. For a server in ERROR after NO_VALID_HOST: whether it would find one now.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND.
   */
  explainServer(request: MessageInitShape<typeof ExplainServerRequestSchema>, options: CallOptions = {}): Promise<ExplainServerResponse> {
    return ask(this.caller, SchedulingService.method.explainServer, request, options);
  }

  /**
   * Says what CreateServers would do with the same request now: the same rights and checks, then which rules
   * would refuse how many hosts.
   *
   * Errors: as CreateServers, without RESOURCE_EXHAUSTED / QUOTA_EXCEEDED: that is part of the answer.
   */
  whatIf(request: MessageInitShape<typeof WhatIfRequestSchema>, options: CallOptions = {}): Promise<WhatIfResponse> {
    return ask(this.caller, SchedulingService.method.whatIf, request, options);
  }
}

/**
 * Groups of servers that shall be together or apart.
 */
export class ServerGroups extends Resource {
  /**
   * Makes a group without members; servers join it at their creation, by the hint `group`.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST, RULES_NEED_ANTI_AFFINITY; RESOURCE_EXHAUSTED /
   * SERVER_GROUP_QUOTA; ABORTED / TOKEN_REUSED.
   */
  create(request: MessageInitShape<typeof CreateServerGroupRequestSchema>, options: CallOptions = {}): Promise<CreateServerGroupResponse> {
    return ask(this.caller, ServerGroupsService.method.createServerGroup, request, options);
  }

  /**
   * Reads one group with its members that still exist.
   *
   * Errors: NOT_FOUND / SERVER_GROUP_NOT_FOUND, also for groups of other projects.
   */
  get(request: MessageInitShape<typeof GetServerGroupRequestSchema>, options: CallOptions = {}): Promise<GetServerGroupResponse> {
    return ask(this.caller, ServerGroupsService.method.getServerGroup, request, options);
  }

  /**
   * Lists the groups of the caller's project, oldest first, or of all projects with the second rule. Pages.
   *
   * Errors: INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListServerGroupsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<ServerGroup>, ListServerGroupsResponse> {
    return pages(this.caller, ServerGroupsService.method.listServerGroups, "serverGroups", request, options);
  }

  /**
   * Deletes a group; its servers stay.
   *
   * Errors: NOT_FOUND / SERVER_GROUP_NOT_FOUND.
   */
  delete(request: MessageInitShape<typeof DeleteServerGroupRequestSchema>, options: CallOptions = {}): Promise<DeleteServerGroupResponse> {
    return ask(this.caller, ServerGroupsService.method.deleteServerGroup, request, options);
  }
}

/**
 * User metadata of servers. Changes need a server that is ACTIVE, PAUSED, SUSPENDED or STOPPED, and are
 * repeatable: the same call again changes nothing.
 */
export class ServerMetadata extends Resource {
  /**
   * Reads all items, or one.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, METADATA_ITEM_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetServerMetadataRequestSchema>, options: CallOptions = {}): Promise<GetServerMetadataResponse> {
    return ask(this.caller, ServerMetadataService.method.getServerMetadata, request, options);
  }

  /**
   * Adds or replaces items; with `replace_all` those that are not given go away. The rule is the one of the
   * call that REST would have made: create, update for one item, update_all with `replace_all`.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE, INSTANCE_LOCKED;
   * RESOURCE_EXHAUSTED / TOO_MANY_METADATA_ITEMS; ABORTED / GENERATION_CONFLICT.
   */
  update(request: MessageInitShape<typeof UpdateServerMetadataRequestSchema>, options: CallOptions = {}): Promise<UpdateServerMetadataResponse> {
    return ask(this.caller, ServerMetadataService.method.updateServerMetadata, request, options);
  }

  /**
   * Removes one item.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, METADATA_ITEM_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE,
   * INSTANCE_LOCKED.
   */
  delete(request: MessageInitShape<typeof DeleteServerMetadataRequestSchema>, options: CallOptions = {}): Promise<DeleteServerMetadataResponse> {
    return ask(this.caller, ServerMetadataService.method.deleteServerMetadata, request, options);
  }
}

/**
 * File shares of servers (virtiofs).
 */
export class ServerShares extends Resource {
  /**
   * Lists the shares of a server. Pages.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListServerSharesRequestSchema> = {}, options: CallOptions = {}): Pages<Item<ServerShare>, ListServerSharesResponse> {
    return pages(this.caller, ServerSharesService.method.listServerShares, "shares", request, options);
  }

  /**
   * Reads one share.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, SHARE_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetServerShareRequestSchema>, options: CallOptions = {}): Promise<GetServerShareResponse> {
    return ask(this.caller, ServerSharesService.method.getServerShare, request, options);
  }

  /**
   * Gives a stopped server a share; the guest sees it after its next start.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, SHARE_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST,
   * SHARE_PROTOCOL_UNKNOWN; ALREADY_EXISTS / SHARE_ATTACHED, SHARE_TAG_IN_USE; FAILED_PRECONDITION /
   * INVALID_STATE (must be STOPPED), OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED /
   * TOKEN_REUSED.
   */
  attachShare(request: MessageInitShape<typeof AttachShareRequestSchema>, options: CallOptions = {}): Started<AttachShareResponse> {
    return begin(this.caller, ServerSharesService.method.attachShare, request, options);
  }

  /**
   * Takes a share from a stopped server.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, SHARE_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be
   * STOPPED or ERROR), OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.
   */
  detachShare(request: MessageInitShape<typeof DetachShareRequestSchema>, options: CallOptions = {}): Started<DetachShareResponse> {
    return begin(this.caller, ServerSharesService.method.detachShare, request, options);
  }
}

/**
 * Tags of servers: at most 50 texts of 1 to 60 characters without comma and slash. Changes need a server that
 * is ACTIVE, PAUSED, SUSPENDED or STOPPED; no lock stops them; they are repeatable: the same call again
 * changes nothing.
 */
export class ServerTags extends Resource {
  /**
   * Lists the tags, sorted. There are never more than one page.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND.
   */
  list(request: MessageInitShape<typeof ListServerTagsRequestSchema>, options: CallOptions = {}): Promise<ListServerTagsResponse> {
    return ask(this.caller, ServerTagsService.method.listServerTags, request, options);
  }

  /**
   * Says whether the server has the tag, by succeeding.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, TAG_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetServerTagRequestSchema>, options: CallOptions = {}): Promise<GetServerTagResponse> {
    return ask(this.caller, ServerTagsService.method.getServerTag, request, options);
  }

  /**
   * Adds one tag.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST, TOO_MANY_TAGS;
   * FAILED_PRECONDITION / INVALID_STATE.
   */
  add(request: MessageInitShape<typeof AddServerTagRequestSchema>, options: CallOptions = {}): Promise<AddServerTagResponse> {
    return ask(this.caller, ServerTagsService.method.addServerTag, request, options);
  }

  /**
   * Replaces all tags.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; FAILED_PRECONDITION /
   * INVALID_STATE.
   */
  replace(request: MessageInitShape<typeof ReplaceServerTagsRequestSchema>, options: CallOptions = {}): Promise<ReplaceServerTagsResponse> {
    return ask(this.caller, ServerTagsService.method.replaceServerTags, request, options);
  }

  /**
   * Removes one tag.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, TAG_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE.
   */
  remove(request: MessageInitShape<typeof RemoveServerTagRequestSchema>, options: CallOptions = {}): Promise<RemoveServerTagResponse> {
    return ask(this.caller, ServerTagsService.method.removeServerTag, request, options);
  }

  /**
   * Removes all tags.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE.
   */
  clear(request: MessageInitShape<typeof ClearServerTagsRequestSchema>, options: CallOptions = {}): Promise<ClearServerTagsResponse> {
    return ask(this.caller, ServerTagsService.method.clearServerTags, request, options);
  }
}

/**
 * Servers: virtual machines of a project.
 */
export class Servers extends Resource {
  /**
   * Accepts one or more servers, all in one transaction. When it returns, each is durable and will become
   * ACTIVE, ERROR or be deleted.
   *
   * Errors:
   * * INVALID_ARGUMENT: names the field; references that do not exist are invalid too (IMAGE_NOT_FOUND,
   * FLAVOR_NOT_FOUND, …).
   * * RESOURCE_EXHAUSTED / QUOTA_EXCEEDED: names the resources.
   * * ABORTED / TOKEN_REUSED: the client token was used with another body.
   */
  create(request: MessageInitShape<typeof CreateServersRequestSchema>, options: CallOptions = {}): Started<CreateServersResponse> {
    return begin(this.caller, ServersService.method.createServers, request, options);
  }

  /**
   * Reads one server.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, also for servers of other projects.
   */
  get(request: MessageInitShape<typeof GetServerRequestSchema>, options: CallOptions = {}): Promise<GetServerResponse> {
    return ask(this.caller, ServersService.method.getServer, request, options);
  }

  /**
   * Lists servers of the caller's project, or of all with the right to. Pages. With `brief` the index rules
   * decide.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST, BAD_PAGE_TOKEN; UNAVAILABLE /
   * LIST_UNAVAILABLE.
   */
  list(request: MessageInitShape<typeof ListServersRequestSchema> = {}, options: CallOptions = {}): Pages<Item<Server>, ListServersResponse> {
    return pages(this.caller, ServersService.method.listServers, "servers", request, options);
  }

  /**
   * Changes name, description, hostname, access addresses or the pin to a zone. Repeatable. No lock stops it.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST; ABORTED / GENERATION_CONFLICT,
   * PIN_CONFLICT (pinned to another zone, or not in the zone asked for).
   */
  update(request: MessageInitShape<typeof UpdateServerRequestSchema>, options: CallOptions = {}): Promise<UpdateServerResponse> {
    return ask(this.caller, ServersService.method.updateServer, request, options);
  }

  /**
   * Deletes a server, whatever is being done to it. Slow work: answers an operation. Deleting twice is
   * accepted. Where the deployment keeps deleted servers for a while, one that ever was active becomes
   * SOFT_DELETED instead: the operation's kind tells which it is.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INSTANCE_LOCKED; ABORTED / TOKEN_REUSED.
   */
  delete(request: MessageInitShape<typeof DeleteServerRequestSchema>, options: CallOptions = {}): Started<DeleteServerResponse> {
    return begin(this.caller, ServersService.method.deleteServer, request, options);
  }

  /**
   * Powers a stopped server on.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be STOPPED), NOT_READY,
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.
   */
  start(request: MessageInitShape<typeof StartServerRequestSchema>, options: CallOptions = {}): Started<StartServerResponse> {
    return begin(this.caller, ServersService.method.startServer, request, options);
  }

  /**
   * Powers a server off, gracefully first.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE or ERROR),
   * NOT_READY, INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.
   */
  stop(request: MessageInitShape<typeof StopServerRequestSchema>, options: CallOptions = {}): Started<StopServerResponse> {
    return begin(this.caller, ServersService.method.stopServer, request, options);
  }

  /**
   * Restarts a server.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (SOFT: must be ACTIVE; HARD:
   * ACTIVE, STOPPED, PAUSED, SUSPENDED or ERROR), INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED /
   * TOKEN_REUSED.
   */
  reboot(request: MessageInitShape<typeof RebootServerRequestSchema>, options: CallOptions = {}): Started<RebootServerResponse> {
    return begin(this.caller, ServersService.method.rebootServer, request, options);
  }

  /**
   * Reads the end of the serial console's log.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / CONSOLE_NOT_READY; UNAVAILABLE: the host does
   * not answer.
   */
  getConsoleOutput(request: MessageInitShape<typeof GetConsoleOutputRequestSchema>, options: CallOptions = {}): Promise<GetConsoleOutputResponse> {
    return ask(this.caller, ServersService.method.getConsoleOutput, request, options);
  }

  /**
   * Freezes the guest in memory.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING: the hypervisor cannot;
   * ABORTED / TOKEN_REUSED.
   */
  pause(request: MessageInitShape<typeof PauseServerRequestSchema>, options: CallOptions = {}): Started<PauseServerResponse> {
    return begin(this.caller, ServersService.method.pauseServer, request, options);
  }

  /**
   * Lets a paused guest go on.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be PAUSED),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.
   */
  unpause(request: MessageInitShape<typeof UnpauseServerRequestSchema>, options: CallOptions = {}): Started<UnpauseServerResponse> {
    return begin(this.caller, ServersService.method.unpauseServer, request, options);
  }

  /**
   * Saves the guest's memory to disk and frees it.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.
   */
  suspend(request: MessageInitShape<typeof SuspendServerRequestSchema>, options: CallOptions = {}): Started<SuspendServerResponse> {
    return begin(this.caller, ServersService.method.suspendServer, request, options);
  }

  /**
   * Loads the saved memory and goes on.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be SUSPENDED),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.
   */
  resume(request: MessageInitShape<typeof ResumeServerRequestSchema>, options: CallOptions = {}): Started<ResumeServerResponse> {
    return begin(this.caller, ServersService.method.resumeServer, request, options);
  }

  /**
   * Boots a rescue image with the server's own disk as the second one. An image with the property
   * hw_rescue_device or hw_rescue_bus (stable device rescue) leaves all of the server's disks where they are,
   * and is the last one.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST, IMAGE_NOT_FOUND,
   * IMAGE_NOT_ACTIVE, IMAGE_UNACCEPTABLE, BAD_IMAGE_PROPERTIES, VOLUME_BACKED; FAILED_PRECONDITION /
   * INVALID_STATE (must be ACTIVE, STOPPED or ERROR), INSTANCE_LOCKED, OPERATION_IN_PROGRESS,
   * VOLUME_NOT_IN_USE; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.
   */
  rescue(request: MessageInitShape<typeof RescueServerRequestSchema>, options: CallOptions = {}): Started<RescueServerResponse> {
    return begin(this.caller, ServersService.method.rescueServer, request, options);
  }

  /**
   * Goes back from the rescue image to the server's own disk; the server is ACTIVE then, whatever it was
   * before its rescue.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be RESCUED),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.
   */
  unrescue(request: MessageInitShape<typeof UnrescueServerRequestSchema>, options: CallOptions = {}): Started<UnrescueServerResponse> {
    return begin(this.caller, ServersService.method.unrescueServer, request, options);
  }

  /**
   * Keeps tenants from changing the server. Locking a locked server changes nothing, except that an
   * administrator's lock replaces an owner's.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / NOT_READY (while it has no cell yet);
   * INVALID_ARGUMENT / INVALID_REQUEST.
   */
  lock(request: MessageInitShape<typeof LockServerRequestSchema>, options: CallOptions = {}): Started<LockServerResponse> {
    return begin(this.caller, ServersService.method.lockServer, request, options);
  }

  /**
   * Takes the lock away. Unlocking an unlocked server is accepted.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / NOT_READY (while it has no cell yet);
   * PERMISSION_DENIED / FORBIDDEN: the other party's lock needs the second rule.
   */
  unlock(request: MessageInitShape<typeof UnlockServerRequestSchema>, options: CallOptions = {}): Started<UnlockServerResponse> {
    return begin(this.caller, ServersService.method.unlockServer, request, options);
  }

  /**
   * Makes the server anew from an image; id, addresses and host stay. Never touches its allocation. The
   * record changes when the old disk has gone: a rebuild that fails before has changed nothing.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / IMAGE_NOT_FOUND, IMAGE_NOT_ACTIVE,
   * IMAGE_UNACCEPTABLE (also: another image for a root volume that is to stay as it is), VOLUME_NOT_IN_USE,
   * CERTIFICATES_NEED_IMAGE, BAD_BLOCK_DEVICES, BAD_IMAGE_PROPERTIES, FLAVOR_MEMORY_TOO_SMALL,
   * FLAVOR_DISK_SMALLER_THAN_IMAGE, FLAVOR_DISK_SMALLER_THAN_MIN_DISK, DISK_CONFIG_DISABLED,
   * KEY_PAIR_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED or ERROR),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS, ROOT_VOLUME_UNKNOWN (it was never made); RESOURCE_EXHAUSTED /
   * TOO_MANY_METADATA_ITEMS, TOO_MANY_FILES, FILE_PATH_TOO_LONG, FILE_TOO_LONG; UNIMPLEMENTED /
   * CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: NO_VALID_HOST (the host is none for the
   * new image), VOLUME_NOT_REIMAGED.
   */
  rebuild(request: MessageInitShape<typeof RebuildServerRequestSchema>, options: CallOptions = {}): Started<RebuildServerResponse> {
    return begin(this.caller, ServersService.method.rebuildServer, request, options);
  }

  /**
   * Moves the server to another flavor, on another host. Ends in RESIZED: confirm or revert it then.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / FLAVOR_NOT_FOUND, SAME_FLAVOR, ZERO_DISK_FLAVOR,
   * DISK_CANNOT_SHRINK, DISK_CONFIG_DISABLED, FLAVOR_MEMORY_TOO_SMALL, FLAVOR_DISK_SMALLER_THAN_IMAGE,
   * FLAVOR_DISK_SMALLER_THAN_MIN_DISK; PERMISSION_DENIED / ZERO_DISK_FLAVOR; FAILED_PRECONDITION /
   * INVALID_STATE (must be ACTIVE or STOPPED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN;
   * RESOURCE_EXHAUSTED / QUOTA_EXCEEDED; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within
   * the operation: NO_VALID_HOST.
   */
  resize(request: MessageInitShape<typeof ResizeServerRequestSchema>, options: CallOptions = {}): Started<ResizeServerResponse> {
    return begin(this.caller, ServersService.method.resizeServer, request, options);
  }

  /**
   * Keeps the new flavor or host of a RESIZED server and frees the old ones.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_FOUND; FAILED_PRECONDITION /
   * INVALID_STATE (must be RESIZED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN; ABORTED /
   * TOKEN_REUSED.
   */
  confirmResize(request: MessageInitShape<typeof ConfirmServerResizeRequestSchema>, options: CallOptions = {}): Started<ConfirmServerResizeResponse> {
    return begin(this.caller, ServersService.method.confirmServerResize, request, options);
  }

  /**
   * Goes back to the old flavor and host of a RESIZED server.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / MIGRATION_NOT_FOUND; FAILED_PRECONDITION /
   * INVALID_STATE (must be RESIZED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN (of either host);
   * ABORTED / TOKEN_REUSED.
   */
  revertResize(request: MessageInitShape<typeof RevertServerResizeRequestSchema>, options: CallOptions = {}): Started<RevertServerResizeResponse> {
    return begin(this.caller, ServersService.method.revertServerResize, request, options);
  }

  /**
   * Moves the server to another host while it is off. Ends in RESIZED, as a resize does.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / HOST_NOT_FOUND, SAME_HOST; FAILED_PRECONDITION /
   * INVALID_STATE (must be ACTIVE or STOPPED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN;
   * UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: NO_VALID_HOST.
   */
  migrate(request: MessageInitShape<typeof MigrateServerRequestSchema>, options: CallOptions = {}): Started<MigrateServerResponse> {
    return begin(this.caller, ServersService.method.migrateServer, request, options);
  }

  /**
   * Moves the running guest to another host.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / HOST_NOT_FOUND, SAME_HOST; FAILED_PRECONDITION /
   * INVALID_STATE (must be ACTIVE or PAUSED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS, HOST_DOWN;
   * UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: NO_VALID_HOST,
   * MIGRATION_CHECK_FAILED.
   */
  liveMigrate(request: MessageInitShape<typeof LiveMigrateServerRequestSchema>, options: CallOptions = {}): Started<LiveMigrateServerResponse> {
    return begin(this.caller, ServersService.method.liveMigrateServer, request, options);
  }

  /**
   * Makes the server anew on another host because its own is gone. The old host is fenced first. An operation
   * under way is pre-empted, and no lock stops it.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, HOST_NOT_FOUND; INVALID_ARGUMENT / SAME_HOST, HOST_STILL_UP;
   * FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED or ERROR); ABORTED / TOKEN_REUSED. Within
   * the operation: NO_VALID_HOST, HOST_NOT_FENCED.
   */
  evacuate(request: MessageInitShape<typeof EvacuateServerRequestSchema>, options: CallOptions = {}): Started<EvacuateServerResponse> {
    return begin(this.caller, ServersService.method.evacuateServer, request, options);
  }

  /**
   * Stops the server and takes a snapshot of its disk. One whose disk is a volume leaves its host at once.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED,
   * PAUSED or SUSPENDED), INSTANCE_LOCKED, OPERATION_IN_PROGRESS; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED
   * / TOKEN_REUSED. Within the operation: IMAGE_QUOTA.
   */
  shelve(request: MessageInitShape<typeof ShelveServerRequestSchema>, options: CallOptions = {}): Started<ShelveServerResponse> {
    return begin(this.caller, ServersService.method.shelveServer, request, options);
  }

  /**
   * Takes a shelved server off its host now.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be SHELVED),
   * INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED / TOKEN_REUSED.
   */
  offload(request: MessageInitShape<typeof OffloadServerRequestSchema>, options: CallOptions = {}): Started<OffloadServerResponse> {
    return begin(this.caller, ServersService.method.offloadServer, request, options);
  }

  /**
   * Brings a shelved server back.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / ZONE_NOT_AVAILABLE, HOST_NOT_FOUND;
   * FAILED_PRECONDITION / INVALID_STATE (must be SHELVED or SHELVED_OFFLOADED), NOT_OFFLOADED (zone or host
   * of a server that has one), HOST_NOT_IN_ZONE, INSTANCE_LOCKED, OPERATION_IN_PROGRESS; ABORTED /
   * TOKEN_REUSED. Within the operation: NO_VALID_HOST, SHELVED_IMAGE_GONE.
   */
  unshelve(request: MessageInitShape<typeof UnshelveServerRequestSchema>, options: CallOptions = {}): Started<UnshelveServerResponse> {
    return begin(this.caller, ServersService.method.unshelveServer, request, options);
  }

  /**
   * Takes a snapshot of the server's disk into the Image service. No lock stops it. Of a server whose root
   * disk is a volume the image has no data, and names snapshots of all its volumes.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, STOPPED,
   * PAUSED or SUSPENDED), OPERATION_IN_PROGRESS; RESOURCE_EXHAUSTED / IMAGE_QUOTA, SNAPSHOT_QUOTA;
   * UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED. Within the operation: QUIESCE_FAILED,
   * SNAPSHOT_NOT_MADE.
   */
  createImage(request: MessageInitShape<typeof CreateServerImageRequestSchema>, options: CallOptions = {}): Started<CreateServerImageResponse> {
    return begin(this.caller, ServersService.method.createServerImage, request, options);
  }

  /**
   * As CreateServerImage, and deletes the oldest images of the same backup type beyond `rotation`.
   *
   * Errors: as CreateServerImage; INVALID_ARGUMENT / VOLUME_BACKED.
   */
  createBackup(request: MessageInitShape<typeof CreateServerBackupRequestSchema>, options: CallOptions = {}): Started<CreateServerBackupResponse> {
    return begin(this.caller, ServersService.method.createServerBackup, request, options);
  }

  /**
   * Brings a SOFT_DELETED server back.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be SOFT_DELETED),
   * OPERATION_IN_PROGRESS; RESOURCE_EXHAUSTED / QUOTA_EXCEEDED; ABORTED / TOKEN_REUSED.
   */
  restore(request: MessageInitShape<typeof RestoreServerRequestSchema>, options: CallOptions = {}): Started<RestoreServerResponse> {
    return begin(this.caller, ServersService.method.restoreServer, request, options);
  }

  /**
   * Deletes a server at once, also where the deployment would keep it for a while first.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INSTANCE_LOCKED; ABORTED / TOKEN_REUSED.
   */
  forceDelete(request: MessageInitShape<typeof ForceDeleteServerRequestSchema>, options: CallOptions = {}): Started<ForceDeleteServerResponse> {
    return begin(this.caller, ServersService.method.forceDeleteServer, request, options);
  }

  /**
   * Sets the record's state; nothing happens on the host. Operations under way are pre-empted, all but a
   * deletion. No lock stops it.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST (only ACTIVE or ERROR);
   * FAILED_PRECONDITION / NOT_READY (it has no cell yet), OPERATION_IN_PROGRESS (it is being deleted);
   * RESOURCE_EXHAUSTED / QUOTA_EXCEEDED (a SOFT_DELETED one counts again).
   */
  resetState(request: MessageInitShape<typeof ResetServerStateRequestSchema>, options: CallOptions = {}): Promise<ResetServerStateResponse> {
    return ask(this.caller, ServersService.method.resetServerState, request, options);
  }

  /**
   * Sets the administrator's password in the guest through its agent.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE),
   * INSTANCE_LOCKED, GUEST_AGENT_MISSING, OPERATION_IN_PROGRESS; INVALID_ARGUMENT / INVALID_REQUEST;
   * UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED / TOKEN_REUSED.
   */
  changePassword(request: MessageInitShape<typeof ChangeServerPasswordRequestSchema>, options: CallOptions = {}): Started<ChangeServerPasswordResponse> {
    return begin(this.caller, ServersService.method.changeServerPassword, request, options);
  }

  /**
   * Makes the guest's kernel dump its memory (a non-maskable interrupt). The server's state does not change.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / INVALID_STATE (must be ACTIVE, PAUSED,
   * RESCUED, RESIZED or ERROR), NOT_READY, INSTANCE_LOCKED; UNIMPLEMENTED / CAPABILITY_MISSING; ABORTED /
   * TOKEN_REUSED.
   */
  triggerCrashDump(request: MessageInitShape<typeof TriggerCrashDumpRequestSchema>, options: CallOptions = {}): Started<TriggerCrashDumpResponse> {
    return begin(this.caller, ServersService.method.triggerCrashDump, request, options);
  }

  /**
   * Puts a security group on all ports of the server. A repetition changes nothing. No lock stops it.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, SECURITY_GROUP_NOT_FOUND; FAILED_PRECONDITION /
   * SECURITY_GROUP_AMBIGUOUS; INVALID_ARGUMENT / PORT_SECURITY_DISABLED.
   */
  addSecurityGroup(request: MessageInitShape<typeof AddServerSecurityGroupRequestSchema>, options: CallOptions = {}): Promise<AddServerSecurityGroupResponse> {
    return ask(this.caller, ServersService.method.addServerSecurityGroup, request, options);
  }

  /**
   * Takes a security group from all ports of the server. No lock stops it.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, SECURITY_GROUP_NOT_FOUND; FAILED_PRECONDITION /
   * SECURITY_GROUP_AMBIGUOUS.
   */
  removeSecurityGroup(request: MessageInitShape<typeof RemoveServerSecurityGroupRequestSchema>, options: CallOptions = {}): Promise<RemoveServerSecurityGroupResponse> {
    return ask(this.caller, ServersService.method.removeServerSecurityGroup, request, options);
  }

  /**
   * Lists the security groups of the server's ports, with their rules. Pages.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  listSecurityGroups(request: MessageInitShape<typeof ListServerSecurityGroupsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<ServerSecurityGroup>, ListServerSecurityGroupsResponse> {
    return pages(this.caller, ServersService.method.listServerSecurityGroups, "securityGroups", request, options);
  }

  /**
   * Reads counters of the running guest from its hypervisor.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; FAILED_PRECONDITION / NOT_READY, INVALID_STATE; UNIMPLEMENTED /
   * CAPABILITY_MISSING; UNAVAILABLE: the host does not answer.
   */
  getDiagnostics(request: MessageInitShape<typeof GetServerDiagnosticsRequestSchema>, options: CallOptions = {}): Promise<GetServerDiagnosticsResponse> {
    return ask(this.caller, ServersService.method.getServerDiagnostics, request, options);
  }

  /**
   * Reads how the guest's CPUs and memory lie on NUMA nodes. The second rule shows where on the host they
   * are.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND.
   */
  getTopology(request: MessageInitShape<typeof GetServerTopologyRequestSchema>, options: CallOptions = {}): Promise<GetServerTopologyResponse> {
    return ask(this.caller, ServersService.method.getServerTopology, request, options);
  }

  /**
   * Reads the addresses of the server's ports, none before it is built; those of one network with the second
   * rule.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND.
   */
  getAddresses(request: MessageInitShape<typeof GetServerAddressesRequestSchema>, options: CallOptions = {}): Promise<GetServerAddressesResponse> {
    return ask(this.caller, ServersService.method.getServerAddresses, request, options);
  }

  /**
   * Reads the password that the guest has encrypted with the server's key pair and left with the metadata
   * service.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND.
   */
  getPassword(request: MessageInitShape<typeof GetServerPasswordRequestSchema>, options: CallOptions = {}): Promise<GetServerPasswordResponse> {
    return ask(this.caller, ServersService.method.getServerPassword, request, options);
  }

  /**
   * Forgets that password; the guest's own does not change. A repetition changes nothing.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND.
   */
  clearPassword(request: MessageInitShape<typeof ClearServerPasswordRequestSchema>, options: CallOptions = {}): Promise<ClearServerPasswordResponse> {
    return ask(this.caller, ServersService.method.clearServerPassword, request, options);
  }
}

/**
 * What projects have used over time.
 */
export class Usage extends Resource {
  /**
   * Adds up the use of all projects in a period. Pages over servers: a project may be told of on several
   * pages, each with a part of its sum.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST (end not after start), BAD_PAGE_TOKEN.
   */
  listProjectUsages(request: MessageInitShape<typeof ListProjectUsagesRequestSchema> = {}, options: CallOptions = {}): Pages<Item<ProjectUsage>, ListProjectUsagesResponse> {
    return pages(this.caller, UsageService.method.listProjectUsages, "usages", request, options);
  }

  /**
   * Adds up the use of one project in a period. Pages over servers.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST (end not after start), BAD_PAGE_TOKEN.
   */
  getProject(request: MessageInitShape<typeof GetProjectUsageRequestSchema>, options: CallOptions = {}): Promise<GetProjectUsageResponse> {
    return ask(this.caller, UsageService.method.getProjectUsage, request, options);
  }

  /**
   * Reads how far the hosts have come with their usage records of one period.
   *
   * Errors: INVALID_ARGUMENT / INVALID_REQUEST.
   */
  getAudit(request: MessageInitShape<typeof GetUsageAuditRequestSchema>, options: CallOptions = {}): Promise<GetUsageAuditResponse> {
    return ask(this.caller, UsageService.method.getUsageAudit, request, options);
  }
}

/**
 * Volumes of servers. Within a server the volume's id names the attachment.
 */
export class VolumeAttachments extends Resource {
  /**
   * Lists the attached volumes, the root volume first. Pages.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND; INVALID_ARGUMENT / BAD_PAGE_TOKEN.
   */
  list(request: MessageInitShape<typeof ListVolumeAttachmentsRequestSchema> = {}, options: CallOptions = {}): Pages<Item<VolumeAttachment>, ListVolumeAttachmentsResponse> {
    return pages(this.caller, VolumeAttachmentsService.method.listVolumeAttachments, "volumeAttachments", request, options);
  }

  /**
   * Reads one attachment.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_ATTACHMENT_NOT_FOUND.
   */
  get(request: MessageInitShape<typeof GetVolumeAttachmentRequestSchema>, options: CallOptions = {}): Promise<GetVolumeAttachmentResponse> {
    return ask(this.caller, VolumeAttachmentsService.method.getVolumeAttachment, request, options);
  }

  /**
   * Attaches a volume, also while the guest runs. Several of one server follow one another.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_NOT_FOUND; INVALID_ARGUMENT / INVALID_REQUEST,
   * VOLUME_ALREADY_ATTACHED, VOLUME_ENCRYPTED, MULTIATTACH_NOT_SUPPORTED, TAG_WHILE_OFFLOADED,
   * MULTIATTACH_WHILE_OFFLOADED (both of a server that is SHELVED_OFFLOADED); FAILED_PRECONDITION /
   * INVALID_STATE (must be ACTIVE, PAUSED, STOPPED, RESIZED, SOFT_DELETED, SHELVED or SHELVED_OFFLOADED),
   * INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED / CAPABILITY_MISSING; UNAVAILABLE / ENDPOINT_NOT_FOUND,
   * BLOCK_STORAGE_UNAVAILABLE; ABORTED / TOKEN_REUSED. What is found out later is the operation's error:
   * DEVICE_IN_USE, VOLUME_ALREADY_ATTACHED, TOO_MANY_VOLUMES, VOLUME_NOT_AVAILABLE, VOLUME_NOT_REACHABLE and
   * what the host says.
   */
  attachVolume(request: MessageInitShape<typeof AttachVolumeRequestSchema>, options: CallOptions = {}): Started<AttachVolumeResponse> {
    return begin(this.caller, VolumeAttachmentsService.method.attachVolume, request, options);
  }

  /**
   * Changes `delete_on_termination`, or lets another volume of at least the same size take the place of one
   * that is migrating: the latter is for the Block Storage service, and needs the second rule. A lock and the
   * server's state are nothing to the flag. A request for both changes the flag first, whatever becomes of
   * the rest.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_NOT_FOUND, VOLUME_ATTACHMENT_NOT_FOUND; INVALID_ARGUMENT /
   * INVALID_REQUEST (also of a new volume that there is not), NOT_CHANGEABLE, VOLUME_NOT_SWAPPABLE,
   * MULTIATTACH_SWAP, VOLUME_TOO_SMALL, VOLUME_ENCRYPTED; FAILED_PRECONDITION / INVALID_STATE (must be
   * ACTIVE, PAUSED or RESIZED), VOLUME_NOT_MIGRATING, INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED /
   * CAPABILITY_MISSING; UNAVAILABLE / ENDPOINT_NOT_FOUND, BLOCK_STORAGE_UNAVAILABLE; ABORTED / TOKEN_REUSED.
   * What is found out later is the operation's error: VOLUME_NOT_DETACHABLE, VOLUME_NOT_AVAILABLE,
   * VOLUME_NOT_REACHABLE and what the host says; the server keeps its volume then.
   */
  update(request: MessageInitShape<typeof UpdateVolumeAttachmentRequestSchema>, options: CallOptions = {}): Started<UpdateVolumeAttachmentResponse> {
    return begin(this.caller, VolumeAttachmentsService.method.updateVolumeAttachment, request, options);
  }

  /**
   * Detaches a volume; not the root volume.
   *
   * Errors: NOT_FOUND / SERVER_NOT_FOUND, VOLUME_NOT_FOUND, VOLUME_ATTACHMENT_NOT_FOUND; INVALID_ARGUMENT /
   * ROOT_VOLUME, VOLUME_NOT_DETACHABLE; FAILED_PRECONDITION / INVALID_STATE (as AttachVolume), HOST_DOWN,
   * INSTANCE_LOCKED, NOT_READY; UNIMPLEMENTED / CAPABILITY_MISSING; UNAVAILABLE / ENDPOINT_NOT_FOUND,
   * BLOCK_STORAGE_UNAVAILABLE; ABORTED / TOKEN_REUSED. A guest that does not let go of the device in time is
   * the operation's error DEVICE_DETACH_FAILED; the server keeps the volume then.
   */
  detachVolume(request: MessageInitShape<typeof DetachVolumeRequestSchema>, options: CallOptions = {}): Started<DetachVolumeResponse> {
    return begin(this.caller, VolumeAttachmentsService.method.detachVolume, request, options);
  }
}

/** One client for each service. */
export class Resources {
  /**
   * Aggregates: sets of hosts with metadata that scheduling rules read. One with a zone makes its hosts part of
   * that zone.
   */
  readonly aggregates: Aggregates;
  /**
   * Snapshots of volumes that the Block Storage service cannot take without the hypervisor: called by that
   * service.
   */
  readonly assistedVolumeSnapshots: AssistedVolumeSnapshots;
  /**
   * Zones that servers can ask for.
   */
  readonly availabilityZones: AvailabilityZones;
  /**
   * Kilonova's own services, as operators see them.
   */
  readonly computeServices: ComputeServices;
  /**
   * What happens to the caller's servers.
   */
  readonly events: Events;
  /**
   * What other services have to say about servers: called by Network, Block Storage and Bare Metal.
   */
  readonly externalEvents: ExternalEvents;
  /**
   * Flavors, their extra specs, and who may use them.
   */
  readonly flavors: Flavors;
  /**
   * Hypervisors, as operators see them.
   */
  readonly hypervisors: Hypervisors;
  /**
   * What was done to a server, and how each step went.
   */
  readonly instanceActions: InstanceActions;
  /**
   * Network interfaces of servers.
   */
  readonly interfaces: Interfaces;
  /**
   * Key pairs of a user.
   */
  readonly keyPairs: KeyPairs;
  /**
   * Quota limits and what is used of them.
   */
  readonly limits: Limits;
  /**
   * Moves of servers between hosts. Each belongs to an operation; this is what operators and REST see of it.
   */
  readonly migrations: Migrations;
  /**
   * Operations on the caller's servers; for operators, also those of hosts and of the cloud. Reading or
   * cancelling one of those needs the rule that starting one of its kind needs.
   */
  readonly operations: Operations;
  /**
   * Limits of projects, and of users within them. Changes are repeatable.
   */
  readonly quotaSets: QuotaSets;
  /**
   * Graphical and serial consoles of servers, reached through proxies.
   */
  readonly remoteConsoles: RemoteConsoles;
  /**
   * Why servers are where they are, and where they could be. Nothing here claims, stores or changes anything.
   *
   * Hosts are named to administrators only. How many there are, and how near the nearest one was, is told to
   * administrators, and to the owner of a server that found no host: it is what its fault says. To others
   * has_host and the rules that refuse are told; the size of a cloud is not to be measured by asking.
   */
  readonly scheduling: Scheduling;
  /**
   * Groups of servers that shall be together or apart.
   */
  readonly serverGroups: ServerGroups;
  /**
   * User metadata of servers. Changes need a server that is ACTIVE, PAUSED, SUSPENDED or STOPPED, and are
   * repeatable: the same call again changes nothing.
   */
  readonly serverMetadata: ServerMetadata;
  /**
   * File shares of servers (virtiofs).
   */
  readonly serverShares: ServerShares;
  /**
   * Tags of servers: at most 50 texts of 1 to 60 characters without comma and slash. Changes need a server that
   * is ACTIVE, PAUSED, SUSPENDED or STOPPED; no lock stops them; they are repeatable: the same call again
   * changes nothing.
   */
  readonly serverTags: ServerTags;
  /**
   * Servers: virtual machines of a project.
   */
  readonly servers: Servers;
  /**
   * What projects have used over time.
   */
  readonly usage: Usage;
  /**
   * Volumes of servers. Within a server the volume's id names the attachment.
   */
  readonly volumeAttachments: VolumeAttachments;

  constructor(caller: Caller) {
    this.aggregates = new Aggregates(caller);
    this.assistedVolumeSnapshots = new AssistedVolumeSnapshots(caller);
    this.availabilityZones = new AvailabilityZones(caller);
    this.computeServices = new ComputeServices(caller);
    this.events = new Events(caller);
    this.externalEvents = new ExternalEvents(caller);
    this.flavors = new Flavors(caller);
    this.hypervisors = new Hypervisors(caller);
    this.instanceActions = new InstanceActions(caller);
    this.interfaces = new Interfaces(caller);
    this.keyPairs = new KeyPairs(caller);
    this.limits = new Limits(caller);
    this.migrations = new Migrations(caller);
    this.operations = new Operations(caller);
    this.quotaSets = new QuotaSets(caller);
    this.remoteConsoles = new RemoteConsoles(caller);
    this.scheduling = new Scheduling(caller);
    this.serverGroups = new ServerGroups(caller);
    this.serverMetadata = new ServerMetadata(caller);
    this.serverShares = new ServerShares(caller);
    this.serverTags = new ServerTags(caller);
    this.servers = new Servers(caller);
    this.usage = new Usage(caller);
    this.volumeAttachments = new VolumeAttachments(caller);
  }
}
