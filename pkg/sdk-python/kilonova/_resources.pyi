# Written by scripts/gen-sdk.mjs from proto/kilonova. Do not edit.
from collections.abc import Iterable, Mapping, MutableMapping, MutableSequence
from typing import Any

from . import types
from ._caller import Caller
from ._operations import PendingOperation, Started
from ._pages import Pages
from ._resource import Resource
from ._watch import Watch

class _StartedCacheAggregateImagesResponse(Started[types.CacheAggregateImagesResponse]):
    operation: PendingOperation | None

class _StartedCreateAssistedVolumeSnapshotResponse(Started[types.CreateAssistedVolumeSnapshotResponse]):
    operation: PendingOperation | None

class _StartedDeleteAssistedVolumeSnapshotResponse(Started[types.DeleteAssistedVolumeSnapshotResponse]):
    operation: PendingOperation | None

class _StartedAttachInterfaceResponse(Started[types.AttachInterfaceResponse]):
    operation: PendingOperation | None
    interface: types.Interface

class _StartedDetachInterfaceResponse(Started[types.DetachInterfaceResponse]):
    operation: PendingOperation | None

class _StartedAbortMigrationResponse(Started[types.AbortMigrationResponse]):
    operation: PendingOperation | None

class _StartedForceCompleteMigrationResponse(Started[types.ForceCompleteMigrationResponse]):
    operation: PendingOperation | None

class _StartedGetOperationResponse(Started[types.GetOperationResponse]):
    operation: PendingOperation | None

class _StartedWaitOperationResponse(Started[types.WaitOperationResponse]):
    operation: PendingOperation | None

class _StartedCancelOperationResponse(Started[types.CancelOperationResponse]):
    operation: PendingOperation | None

class _StartedAttachShareResponse(Started[types.AttachShareResponse]):
    operation: PendingOperation | None
    share: types.ServerShare
    hidden_fields: MutableSequence[str]

class _StartedDetachShareResponse(Started[types.DetachShareResponse]):
    operation: PendingOperation | None

class _StartedCreateServersResponse(Started[types.CreateServersResponse]):
    servers: MutableSequence[types.Server]
    operations: list[PendingOperation]
    reservation_id: str
    admin_password: str
    replayed: bool

class _StartedDeleteServerResponse(Started[types.DeleteServerResponse]):
    operation: PendingOperation | None

class _StartedStartServerResponse(Started[types.StartServerResponse]):
    operation: PendingOperation | None

class _StartedStopServerResponse(Started[types.StopServerResponse]):
    operation: PendingOperation | None

class _StartedRebootServerResponse(Started[types.RebootServerResponse]):
    operation: PendingOperation | None

class _StartedPauseServerResponse(Started[types.PauseServerResponse]):
    operation: PendingOperation | None

class _StartedUnpauseServerResponse(Started[types.UnpauseServerResponse]):
    operation: PendingOperation | None

class _StartedSuspendServerResponse(Started[types.SuspendServerResponse]):
    operation: PendingOperation | None

class _StartedResumeServerResponse(Started[types.ResumeServerResponse]):
    operation: PendingOperation | None

class _StartedRescueServerResponse(Started[types.RescueServerResponse]):
    operation: PendingOperation | None
    admin_password: str

class _StartedUnrescueServerResponse(Started[types.UnrescueServerResponse]):
    operation: PendingOperation | None

class _StartedLockServerResponse(Started[types.LockServerResponse]):
    operation: PendingOperation | None

class _StartedUnlockServerResponse(Started[types.UnlockServerResponse]):
    operation: PendingOperation | None

class _StartedRebuildServerResponse(Started[types.RebuildServerResponse]):
    operation: PendingOperation | None
    server: types.Server
    admin_password: str
    hidden_fields: MutableSequence[str]

class _StartedResizeServerResponse(Started[types.ResizeServerResponse]):
    operation: PendingOperation | None

class _StartedConfirmServerResizeResponse(Started[types.ConfirmServerResizeResponse]):
    operation: PendingOperation | None

class _StartedRevertServerResizeResponse(Started[types.RevertServerResizeResponse]):
    operation: PendingOperation | None

class _StartedMigrateServerResponse(Started[types.MigrateServerResponse]):
    operation: PendingOperation | None

class _StartedLiveMigrateServerResponse(Started[types.LiveMigrateServerResponse]):
    operation: PendingOperation | None

class _StartedEvacuateServerResponse(Started[types.EvacuateServerResponse]):
    operation: PendingOperation | None

class _StartedShelveServerResponse(Started[types.ShelveServerResponse]):
    operation: PendingOperation | None

class _StartedOffloadServerResponse(Started[types.OffloadServerResponse]):
    operation: PendingOperation | None

class _StartedUnshelveServerResponse(Started[types.UnshelveServerResponse]):
    operation: PendingOperation | None

class _StartedCreateServerImageResponse(Started[types.CreateServerImageResponse]):
    operation: PendingOperation | None
    image_id: str

class _StartedCreateServerBackupResponse(Started[types.CreateServerBackupResponse]):
    operation: PendingOperation | None
    image_id: str

class _StartedRestoreServerResponse(Started[types.RestoreServerResponse]):
    operation: PendingOperation | None

class _StartedForceDeleteServerResponse(Started[types.ForceDeleteServerResponse]):
    operation: PendingOperation | None

class _StartedChangeServerPasswordResponse(Started[types.ChangeServerPasswordResponse]):
    operation: PendingOperation | None

class _StartedTriggerCrashDumpResponse(Started[types.TriggerCrashDumpResponse]):
    operation: PendingOperation | None

class _StartedAttachVolumeResponse(Started[types.AttachVolumeResponse]):
    operation: PendingOperation | None
    volume_attachment: types.VolumeAttachment

class _StartedUpdateVolumeAttachmentResponse(Started[types.UpdateVolumeAttachmentResponse]):
    operation: PendingOperation | None
    volume_attachment: types.VolumeAttachment

class _StartedDetachVolumeResponse(Started[types.DetachVolumeResponse]):
    operation: PendingOperation | None

class Aggregates(Resource):
    """Aggregates: sets of hosts with metadata that scheduling rules read. One with a zone makes its hosts part of
    that zone.
    """

    def create(self, *, timeout: float | None = ..., client_token: str | None = ..., name: str | None = ..., availability_zone: str | None = ...) -> types.CreateAggregateResponse: ...
    def get(self, *, timeout: float | None = ..., aggregate_id: str | None = ...) -> types.GetAggregateResponse: ...
    def list(self, *, timeout: float | None = ..., host: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.Aggregate, types.ListAggregatesResponse]: ...
    def update(self, *, timeout: float | None = ..., aggregate_id: str | None = ..., name: str | None = ..., availability_zone: str | None = ...) -> types.UpdateAggregateResponse: ...
    def delete(self, *, timeout: float | None = ..., aggregate_id: str | None = ...) -> types.DeleteAggregateResponse: ...
    def add_host(self, *, timeout: float | None = ..., aggregate_id: str | None = ..., host: str | None = ...) -> types.AddAggregateHostResponse: ...
    def remove_host(self, *, timeout: float | None = ..., aggregate_id: str | None = ..., host: str | None = ...) -> types.RemoveAggregateHostResponse: ...
    def set_metadata(self, *, timeout: float | None = ..., aggregate_id: str | None = ..., metadata: Mapping[str, str] = ..., remove_keys: Iterable[str] = ...) -> types.SetAggregateMetadataResponse: ...
    def cache_images(self, *, timeout: float | None = ..., aggregate_id: str | None = ..., image_ids: Iterable[str] = ..., client_token: str | None = ...) -> _StartedCacheAggregateImagesResponse: ...

class AssistedVolumeSnapshots(Resource):
    """Snapshots of volumes that the Block Storage service cannot take without the hypervisor: called by that
    service.
    """

    def create(self, *, timeout: float | None = ..., client_token: str | None = ..., volume_id: str | None = ..., snapshot_id: str | None = ..., new_file: str | None = ..., format: str | None = ...) -> _StartedCreateAssistedVolumeSnapshotResponse: ...
    def delete(self, *, timeout: float | None = ..., client_token: str | None = ..., volume_id: str | None = ..., snapshot_id: str | None = ..., file_to_merge: str | None = ..., merge_target_file: str | None = ...) -> _StartedDeleteAssistedVolumeSnapshotResponse: ...

class AvailabilityZones(Resource):
    """Zones that servers can ask for."""

    def list(self, *, timeout: float | None = ..., detail: bool | None = ...) -> types.ListAvailabilityZonesResponse: ...

class ComputeServices(Resource):
    """Kilonova's own services, as operators see them."""

    def list(self, *, timeout: float | None = ..., host: str | None = ..., binary: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.ComputeService, types.ListComputeServicesResponse]: ...
    def update(self, *, timeout: float | None = ..., service_id: str | None = ..., host: str | None = ..., binary: str | None = ..., disabled: bool | None = ..., disabled_reason: str | None = ..., forced_down: bool | None = ...) -> types.UpdateComputeServiceResponse: ...
    def delete(self, *, timeout: float | None = ..., service_id: str | None = ...) -> types.DeleteComputeServiceResponse: ...

class Events(Resource):
    """What happens to the caller's servers."""

    def watch(self, *, resume_token: str | None = ..., server_ids: Iterable[str] = ..., all_projects: bool | None = ..., with_operations: bool | None = ...) -> Watch[types.WatchEventsResponse]: ...

class ExternalEvents(Resource):
    """What other services have to say about servers: called by Network, Block Storage and Bare Metal."""

    def create(self, *, timeout: float | None = ..., events: Iterable[types.ExternalEvent | Mapping[str, Any]] = ..., client_token: str | None = ...) -> types.CreateExternalEventsResponse: ...

class Flavors(Resource):
    """Flavors, their extra specs, and who may use them."""

    def create(self, *, timeout: float | None = ..., flavor: types.Flavor | Mapping[str, Any] | None = ...) -> types.CreateFlavorResponse: ...
    def get(self, *, timeout: float | None = ..., flavor_id: str | None = ..., with_access: bool | None = ..., with_extra_specs: bool | None = ..., extra_spec_key: str | None = ...) -> types.GetFlavorResponse: ...
    def list(self, *, timeout: float | None = ..., visibility: int | str | None = ..., min_memory_mib: int | None = ..., min_root_gib: int | None = ..., name: str | None = ..., sort: Iterable[types.FlavorSort | Mapping[str, Any]] = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.Flavor, types.ListFlavorsResponse]: ...
    def update(self, *, timeout: float | None = ..., flavor: types.Flavor | Mapping[str, Any] | None = ..., update_mask: types.FieldMask | Mapping[str, Any] | None = ...) -> types.UpdateFlavorResponse: ...
    def delete(self, *, timeout: float | None = ..., flavor_id: str | None = ...) -> types.DeleteFlavorResponse: ...
    def set_extra_specs(self, *, timeout: float | None = ..., flavor_id: str | None = ..., extra_specs: Mapping[str, str] = ..., single_item: bool | None = ...) -> types.SetFlavorExtraSpecsResponse: ...
    def delete_extra_spec(self, *, timeout: float | None = ..., flavor_id: str | None = ..., key: str | None = ...) -> types.DeleteFlavorExtraSpecResponse: ...
    def add_access(self, *, timeout: float | None = ..., flavor_id: str | None = ..., project_id: str | None = ...) -> types.AddFlavorAccessResponse: ...
    def remove_access(self, *, timeout: float | None = ..., flavor_id: str | None = ..., project_id: str | None = ...) -> types.RemoveFlavorAccessResponse: ...

class Hypervisors(Resource):
    """Hypervisors, as operators see them."""

    def list(self, *, timeout: float | None = ..., hostname_pattern: str | None = ..., with_servers: bool | None = ..., page_size: int | None = ..., page_token: str | None = ..., view: int | str | None = ...) -> Pages[types.Hypervisor, types.ListHypervisorsResponse]: ...
    def get(self, *, timeout: float | None = ..., hypervisor_id: str | None = ..., with_servers: bool | None = ..., view: int | str | None = ...) -> types.GetHypervisorResponse: ...

class InstanceActions(Resource):
    """What was done to a server, and how each step went."""

    def list(self, *, timeout: float | None = ..., server_id: str | None = ..., changes_since: types.Timestamp | Mapping[str, Any] | None = ..., changes_before: types.Timestamp | Mapping[str, Any] | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.InstanceAction, types.ListInstanceActionsResponse]: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., request_id: str | None = ...) -> types.GetInstanceActionResponse: ...

class Interfaces(Resource):
    """Network interfaces of servers."""

    def list(self, *, timeout: float | None = ..., server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.Interface, types.ListInterfacesResponse]: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., port_id: str | None = ...) -> types.GetInterfaceResponse: ...
    def attach(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., network_id: str | None = ..., port_id: str | None = ..., fixed_ip: str | None = ..., tag: str | None = ..., wait: types.Duration | Mapping[str, Any] | None = ...) -> _StartedAttachInterfaceResponse: ...
    def detach(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., port_id: str | None = ...) -> _StartedDetachInterfaceResponse: ...

class KeyPairs(Resource):
    """Key pairs of a user."""

    def create(self, *, timeout: float | None = ..., name: str | None = ..., type: int | str | None = ..., public_key: str | None = ..., user_id: str | None = ...) -> types.CreateKeyPairResponse: ...
    def get(self, *, timeout: float | None = ..., name: str | None = ..., user_id: str | None = ...) -> types.GetKeyPairResponse: ...
    def list(self, *, timeout: float | None = ..., user_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.KeyPair, types.ListKeyPairsResponse]: ...
    def delete(self, *, timeout: float | None = ..., name: str | None = ..., user_id: str | None = ...) -> types.DeleteKeyPairResponse: ...

class Limits(Resource):
    """Quota limits and what is used of them."""

    def get(self, *, timeout: float | None = ..., project_id: str | None = ...) -> types.GetLimitsResponse: ...

class Migrations(Resource):
    """Moves of servers between hosts. Each belongs to an operation; this is what operators and REST see of it."""

    def list(self, *, timeout: float | None = ..., server_ids: Iterable[str] = ..., host: str | None = ..., source_compute: str | None = ..., status: str | None = ..., type: int | str | None = ..., project_id: str | None = ..., user_id: str | None = ..., all_projects: bool | None = ..., hidden: bool | None = ..., changes_since: types.Timestamp | Mapping[str, Any] | None = ..., changes_before: types.Timestamp | Mapping[str, Any] | None = ..., in_progress_only: bool | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.Migration, types.ListMigrationsResponse]: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., migration_id: str | None = ..., in_progress_only: bool | None = ...) -> types.GetMigrationResponse: ...
    def abort(self, *, timeout: float | None = ..., server_id: str | None = ..., migration_id: str | None = ..., queued_too: bool | None = ...) -> _StartedAbortMigrationResponse: ...
    def force_complete(self, *, timeout: float | None = ..., server_id: str | None = ..., migration_id: str | None = ...) -> _StartedForceCompleteMigrationResponse: ...

class Operations(Resource):
    """Operations on the caller's servers; for operators, also those of hosts and of the cloud. Reading or
    cancelling one of those needs the rule that starting one of its kind needs.
    """

    def get(self, *, timeout: float | None = ..., name: str | None = ...) -> _StartedGetOperationResponse: ...
    def list(self, *, timeout: float | None = ..., server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ..., all_projects: bool | None = ..., states: Iterable[int | str] = ..., kinds: Iterable[str] = ..., created_since: types.Timestamp | Mapping[str, Any] | None = ..., with_resume_token: bool | None = ..., host: str | None = ..., cloud: bool | None = ...) -> Pages[PendingOperation, types.ListOperationsResponse]: ...
    def wait(self, *, timeout: float | None = ..., name: str | None = ...) -> _StartedWaitOperationResponse: ...
    def cancel(self, *, timeout: float | None = ..., name: str | None = ...) -> _StartedCancelOperationResponse: ...

class QuotaSets(Resource):
    """Limits of projects, and of users within them. Changes are repeatable."""

    def get(self, *, timeout: float | None = ..., project_id: str | None = ..., user_id: str | None = ..., with_usage: bool | None = ...) -> types.GetQuotaSetResponse: ...
    def get_quota_defaults(self, *, timeout: float | None = ..., project_id: str | None = ...) -> types.GetQuotaDefaultsResponse: ...
    def update(self, *, timeout: float | None = ..., project_id: str | None = ..., user_id: str | None = ..., limits: Mapping[str, int] = ..., force: bool | None = ...) -> types.UpdateQuotaSetResponse: ...
    def delete(self, *, timeout: float | None = ..., project_id: str | None = ..., user_id: str | None = ...) -> types.DeleteQuotaSetResponse: ...
    def get_quota_class_set(self, *, timeout: float | None = ..., class_name: str | None = ...) -> types.GetQuotaClassSetResponse: ...
    def update_quota_class_set(self, *, timeout: float | None = ..., class_name: str | None = ..., limits: Mapping[str, int] = ...) -> types.UpdateQuotaClassSetResponse: ...

class RemoteConsoles(Resource):
    """Graphical and serial consoles of servers, reached through proxies."""

    def create(self, *, timeout: float | None = ..., server_id: str | None = ..., protocol: int | str | None = ..., type: int | str | None = ...) -> types.CreateRemoteConsoleResponse: ...
    def get_console_connection(self, *, timeout: float | None = ..., token: str | None = ...) -> types.GetConsoleConnectionResponse: ...

class Scheduling(Resource):
    """Why servers are where they are, and where they could be. Nothing here claims, stores or changes anything.

    Hosts are named to administrators only. How many there are, and how near the nearest one was, is told to
    administrators, and to the owner of a server that found no host: it is what its fault says. To others
    has_host and the rules that refuse are told; the size of a cloud is not to be measured by asking.
    """

    def explain_server(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.ExplainServerResponse: ...
    def what_if(self, *, timeout: float | None = ..., request: types.CreateServersRequest | Mapping[str, Any] | None = ...) -> types.WhatIfResponse: ...

class ServerGroups(Resource):
    """Groups of servers that shall be together or apart."""

    def create(self, *, timeout: float | None = ..., client_token: str | None = ..., name: str | None = ..., policy: int | str | None = ..., max_server_per_host: int | None = ...) -> types.CreateServerGroupResponse: ...
    def get(self, *, timeout: float | None = ..., server_group_id: str | None = ...) -> types.GetServerGroupResponse: ...
    def list(self, *, timeout: float | None = ..., all_projects: bool | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.ServerGroup, types.ListServerGroupsResponse]: ...
    def delete(self, *, timeout: float | None = ..., server_group_id: str | None = ...) -> types.DeleteServerGroupResponse: ...

class ServerMetadata(Resource):
    """User metadata of servers. Changes need a server that is ACTIVE, PAUSED, SUSPENDED or STOPPED, and are
    repeatable: the same call again changes nothing.
    """

    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., key: str | None = ...) -> types.GetServerMetadataResponse: ...
    def update(self, *, timeout: float | None = ..., server_id: str | None = ..., metadata: Mapping[str, str] = ..., replace_all: bool | None = ..., expected_generation: int | None = ..., single_item: bool | None = ...) -> types.UpdateServerMetadataResponse: ...
    def delete(self, *, timeout: float | None = ..., server_id: str | None = ..., key: str | None = ...) -> types.DeleteServerMetadataResponse: ...

class ServerShares(Resource):
    """File shares of servers (virtiofs)."""

    def list(self, *, timeout: float | None = ..., server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.ServerShare, types.ListServerSharesResponse]: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., share_id: str | None = ...) -> types.GetServerShareResponse: ...
    def attach_share(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., share_id: str | None = ..., tag: str | None = ...) -> _StartedAttachShareResponse: ...
    def detach_share(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., share_id: str | None = ...) -> _StartedDetachShareResponse: ...

class ServerTags(Resource):
    """Tags of servers: at most 50 texts of 1 to 60 characters without comma and slash. Changes need a server that
    is ACTIVE, PAUSED, SUSPENDED or STOPPED; no lock stops them; they are repeatable: the same call again
    changes nothing.
    """

    def list(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.ListServerTagsResponse: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., tag: str | None = ...) -> types.GetServerTagResponse: ...
    def add(self, *, timeout: float | None = ..., server_id: str | None = ..., tag: str | None = ...) -> types.AddServerTagResponse: ...
    def replace(self, *, timeout: float | None = ..., server_id: str | None = ..., tags: Iterable[str] = ...) -> types.ReplaceServerTagsResponse: ...
    def remove(self, *, timeout: float | None = ..., server_id: str | None = ..., tag: str | None = ...) -> types.RemoveServerTagResponse: ...
    def clear(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.ClearServerTagsResponse: ...

class Servers(Resource):
    """Servers: virtual machines of a project."""

    def create(self, *, timeout: float | None = ..., client_token: str | None = ..., name: str | None = ..., flavor_id: str | None = ..., image_id: str | None = ..., networks: Iterable[types.RequestedNetwork | Mapping[str, Any]] = ..., network_mode: int | str | None = ..., security_groups: Iterable[str] = ..., key_name: str | None = ..., metadata: Mapping[str, str] = ..., tags: Iterable[str] = ..., config_drive: bool | None = ..., availability_zone: str | None = ..., description: str | None = ..., access_ip_v4: str | None = ..., access_ip_v6: str | None = ..., disk_config: int | str | None = ..., admin_password: str | None = ..., min_count: int | None = ..., max_count: int | None = ..., hostname: str | None = ..., trusted_image_certificates: Iterable[str] = ..., files: Iterable[types.InjectedFile | Mapping[str, Any]] = ..., host: str | None = ..., hypervisor_hostname: str | None = ..., scheduler_hints: types.SchedulerHints | Mapping[str, Any] | None = ..., block_devices: Iterable[types.BlockDevice | Mapping[str, Any]] = ..., without_multiattach: bool | None = ..., user_data: bytes | None = ...) -> _StartedCreateServersResponse: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., with_user_data: bool | None = ..., with_host_info: bool | None = ...) -> types.GetServerResponse: ...
    def list(self, *, timeout: float | None = ..., filter: types.ServerFilter | Mapping[str, Any] | None = ..., all_projects: bool | None = ..., sort: Iterable[types.ServerSort | Mapping[str, Any]] = ..., page_size: int | None = ..., page_token: str | None = ..., with_host_info: bool | None = ..., brief: bool | None = ..., with_resume_token: bool | None = ...) -> Pages[types.Server, types.ListServersResponse]: ...
    def update(self, *, timeout: float | None = ..., server_id: str | None = ..., server: types.Server | Mapping[str, Any] | None = ..., update_mask: types.FieldMask | Mapping[str, Any] | None = ..., expected_generation: int | None = ...) -> types.UpdateServerResponse: ...
    def delete(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedDeleteServerResponse: ...
    def start(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedStartServerResponse: ...
    def stop(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedStopServerResponse: ...
    def reboot(self, *, timeout: float | None = ..., server_id: str | None = ..., type: int | str | None = ..., client_token: str | None = ...) -> _StartedRebootServerResponse: ...
    def get_console_output(self, *, timeout: float | None = ..., server_id: str | None = ..., lines: int | None = ...) -> types.GetConsoleOutputResponse: ...
    def pause(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedPauseServerResponse: ...
    def unpause(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedUnpauseServerResponse: ...
    def suspend(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedSuspendServerResponse: ...
    def resume(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedResumeServerResponse: ...
    def rescue(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., image_id: str | None = ..., admin_password: str | None = ..., volume_backed: bool | None = ...) -> _StartedRescueServerResponse: ...
    def unrescue(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedUnrescueServerResponse: ...
    def lock(self, *, timeout: float | None = ..., server_id: str | None = ..., reason: str | None = ..., client_token: str | None = ...) -> _StartedLockServerResponse: ...
    def unlock(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedUnlockServerResponse: ...
    def rebuild(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., image_id: str | None = ..., admin_password: str | None = ..., preserve_ephemeral: bool | None = ..., files: Iterable[types.InjectedFile | Mapping[str, Any]] = ..., server: types.Server | Mapping[str, Any] | None = ..., update_mask: types.FieldMask | Mapping[str, Any] | None = ..., reimage_root_volume: bool | None = ...) -> _StartedRebuildServerResponse: ...
    def resize(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., flavor_id: str | None = ..., disk_config: int | str | None = ...) -> _StartedResizeServerResponse: ...
    def confirm_resize(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedConfirmServerResizeResponse: ...
    def revert_resize(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedRevertServerResizeResponse: ...
    def migrate(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., host: str | None = ...) -> _StartedMigrateServerResponse: ...
    def live_migrate(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., host: str | None = ..., block_migration: int | str | None = ...) -> _StartedLiveMigrateServerResponse: ...
    def evacuate(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., host: str | None = ..., admin_password: str | None = ...) -> _StartedEvacuateServerResponse: ...
    def shelve(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedShelveServerResponse: ...
    def offload(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedOffloadServerResponse: ...
    def unshelve(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., availability_zone: str | None = ..., host: str | None = ...) -> _StartedUnshelveServerResponse: ...
    def create_image(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., name: str | None = ..., metadata: Mapping[str, str] = ...) -> _StartedCreateServerImageResponse: ...
    def create_backup(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., name: str | None = ..., backup_type: str | None = ..., rotation: int | None = ..., metadata: Mapping[str, str] = ...) -> _StartedCreateServerBackupResponse: ...
    def restore(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedRestoreServerResponse: ...
    def force_delete(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedForceDeleteServerResponse: ...
    def reset_state(self, *, timeout: float | None = ..., server_id: str | None = ..., vm_state: int | str | None = ...) -> types.ResetServerStateResponse: ...
    def change_password(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., admin_password: str | None = ...) -> _StartedChangeServerPasswordResponse: ...
    def trigger_crash_dump(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ...) -> _StartedTriggerCrashDumpResponse: ...
    def add_security_group(self, *, timeout: float | None = ..., server_id: str | None = ..., security_group: str | None = ...) -> types.AddServerSecurityGroupResponse: ...
    def remove_security_group(self, *, timeout: float | None = ..., server_id: str | None = ..., security_group: str | None = ...) -> types.RemoveServerSecurityGroupResponse: ...
    def list_security_groups(self, *, timeout: float | None = ..., server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.ServerSecurityGroup, types.ListServerSecurityGroupsResponse]: ...
    def get_diagnostics(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.GetServerDiagnosticsResponse: ...
    def get_topology(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.GetServerTopologyResponse: ...
    def get_addresses(self, *, timeout: float | None = ..., server_id: str | None = ..., network_label: str | None = ...) -> types.GetServerAddressesResponse: ...
    def get_password(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.GetServerPasswordResponse: ...
    def clear_password(self, *, timeout: float | None = ..., server_id: str | None = ...) -> types.ClearServerPasswordResponse: ...

class Usage(Resource):
    """What projects have used over time."""

    def list_project_usages(self, *, timeout: float | None = ..., start: types.Timestamp | Mapping[str, Any] | None = ..., end: types.Timestamp | Mapping[str, Any] | None = ..., with_servers: bool | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.ProjectUsage, types.ListProjectUsagesResponse]: ...
    def get_project(self, *, timeout: float | None = ..., project_id: str | None = ..., start: types.Timestamp | Mapping[str, Any] | None = ..., end: types.Timestamp | Mapping[str, Any] | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> types.GetProjectUsageResponse: ...
    def get_audit(self, *, timeout: float | None = ..., before: types.Timestamp | Mapping[str, Any] | None = ...) -> types.GetUsageAuditResponse: ...

class VolumeAttachments(Resource):
    """Volumes of servers. Within a server the volume's id names the attachment."""

    def list(self, *, timeout: float | None = ..., server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> Pages[types.VolumeAttachment, types.ListVolumeAttachmentsResponse]: ...
    def get(self, *, timeout: float | None = ..., server_id: str | None = ..., volume_id: str | None = ...) -> types.GetVolumeAttachmentResponse: ...
    def attach_volume(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., volume_id: str | None = ..., device: str | None = ..., tag: str | None = ..., delete_on_termination: bool | None = ..., wait: types.Duration | Mapping[str, Any] | None = ..., refuse_multiattach: bool | None = ..., refuse_shelved: bool | None = ...) -> _StartedAttachVolumeResponse: ...
    def update(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., volume_id: str | None = ..., new_volume_id: str | None = ..., delete_on_termination: bool | None = ..., unchanged: types.UnchangedAttachment | Mapping[str, Any] | None = ..., only_swap: bool | None = ...) -> _StartedUpdateVolumeAttachmentResponse: ...
    def detach_volume(self, *, timeout: float | None = ..., server_id: str | None = ..., client_token: str | None = ..., volume_id: str | None = ..., refuse_shelved: bool | None = ...) -> _StartedDetachVolumeResponse: ...

class Resources:
    """One client for each service."""

    aggregates: Aggregates
    assisted_volume_snapshots: AssistedVolumeSnapshots
    availability_zones: AvailabilityZones
    compute_services: ComputeServices
    events: Events
    external_events: ExternalEvents
    flavors: Flavors
    hypervisors: Hypervisors
    instance_actions: InstanceActions
    interfaces: Interfaces
    key_pairs: KeyPairs
    limits: Limits
    migrations: Migrations
    operations: Operations
    quota_sets: QuotaSets
    remote_consoles: RemoteConsoles
    scheduling: Scheduling
    server_groups: ServerGroups
    server_metadata: ServerMetadata
    server_shares: ServerShares
    server_tags: ServerTags
    servers: Servers
    usage: Usage
    volume_attachments: VolumeAttachments
    def __init__(self, caller: Caller) -> None: ...
