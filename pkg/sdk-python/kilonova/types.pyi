# Written by scripts/gen-sdk.mjs from proto/kilonova. Do not edit.
"""Messages and enums of the contract. Enum fields read as numbers: `VmState(server.vm_state)`."""

from collections.abc import Iterable, Mapping, MutableMapping, MutableSequence
from enum import IntEnum
from typing import Any, Literal

from google.protobuf.message import Message
from google.protobuf.duration_pb2 import Duration as Duration
from google.protobuf.field_mask_pb2 import FieldMask as FieldMask
from google.protobuf.timestamp_pb2 import Timestamp as Timestamp

class AbortMigrationRequest(Message):
    """Input of AbortMigration."""

    server_id: str
    """UUID."""
    migration_id: str
    """UUID or number."""
    queued_too: bool
    """Also a migration that has not begun to send (REST from 2.65)."""
    def __init__(self, *, server_id: str | None = ..., migration_id: str | None = ..., queued_too: bool | None = ...) -> None: ...

class AbortMigrationResponse(Message):
    """Output of AbortMigration."""

    operation: Operation
    """The migration's operation, which is ending."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class Actor(Message):
    """Who asks, as the edge established it. Travels between services; never taken from a tenant's header."""

    kind: str
    """"user", "service" or "anonymous"."""
    user_id: str
    """Identity's user id; empty for services."""
    project_id: str
    """Project of the token's scope; empty when not project-scoped."""
    domain_id: str
    """Domain of a domain-scoped token."""
    roles: MutableSequence[str]
    """Role names, implied ones written out."""
    system_scope: bool
    """Whether the token is system-scoped."""
    service: str
    """For services: the name, such as "conductor"."""
    host: str
    """For compute agents: the logical host they speak for."""
    def __init__(self, *, kind: str | None = ..., user_id: str | None = ..., project_id: str | None = ..., domain_id: str | None = ..., roles: Iterable[str] = ..., system_scope: bool | None = ..., service: str | None = ..., host: str | None = ...) -> None: ...

class AddAggregateHostRequest(Message):
    """Input of AddAggregateHost."""

    aggregate_id: str
    """UUID or number."""
    host: str
    """Logical host."""
    def __init__(self, *, aggregate_id: str | None = ..., host: str | None = ...) -> None: ...

class AddAggregateHostResponse(Message):
    """Output of AddAggregateHost."""

    aggregate: Aggregate
    """As it is now."""
    def __init__(self, *, aggregate: Aggregate | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["aggregate"]) -> bool: ...

class AddFlavorAccessRequest(Message):
    """Input of AddFlavorAccess."""

    flavor_id: str
    """Flavor's id."""
    project_id: str
    """Project; must exist."""
    def __init__(self, *, flavor_id: str | None = ..., project_id: str | None = ...) -> None: ...

class AddFlavorAccessResponse(Message):
    """Output of AddFlavorAccess."""

    flavor: Flavor
    """As it is now."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class AddServerSecurityGroupRequest(Message):
    """Input of AddServerSecurityGroup."""

    server_id: str
    """UUID."""
    security_group: str
    """Name or id."""
    def __init__(self, *, server_id: str | None = ..., security_group: str | None = ...) -> None: ...

class AddServerSecurityGroupResponse(Message):
    """Output of AddServerSecurityGroup."""

    def __init__(self) -> None: ...

class AddServerTagRequest(Message):
    """Input of AddServerTag."""

    server_id: str
    """UUID."""
    tag: str
    """1 to 60 characters without comma and slash."""
    def __init__(self, *, server_id: str | None = ..., tag: str | None = ...) -> None: ...

class AddServerTagResponse(Message):
    """Output of AddServerTag."""

    added: bool
    """Whether it is new."""
    def __init__(self, *, added: bool | None = ...) -> None: ...

class AgentBinding(Message):
    """Where a request says whom an agent speaks for. Fields are named by their path, such as "service.host"."""

    cell: str
    """The field that must name the agent's own cell."""
    host: MutableSequence[str]
    """The fields that must name the agent's own host. None: the answer holds the host's own records only."""
    operation: str
    """The field that names an operation, which must work on that host."""
    server: MutableSequence[str]
    """The fields that name servers, which must be that host's; the handler's own query sees to it."""
    def __init__(self, *, cell: str | None = ..., host: Iterable[str] = ..., operation: str | None = ..., server: Iterable[str] = ...) -> None: ...

class Aggregate(Message):
    """One aggregate."""

    id: str
    """UUID; also the aggregate of the hosts' resource providers."""
    number: int
    """Number that REST shows and its paths take."""
    name: str
    """Unique name, 1 to 255 characters."""
    availability_zone: str
    """Zone of its hosts; unset when it makes none."""
    hosts: MutableSequence[str]
    """Hosts, sorted."""
    metadata: MutableMapping[str, str]
    """All metadata, `availability_zone` included."""
    created_at: Timestamp
    """When it was made."""
    updated_at: Timestamp
    """Last change of name or zone; unset when never changed."""
    def __init__(self, *, id: str | None = ..., number: int | None = ..., name: str | None = ..., availability_zone: str | None = ..., hosts: Iterable[str] = ..., metadata: Mapping[str, str] = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["availability_zone", "created_at", "updated_at"]) -> bool: ...

class AttachInterfaceMetadata(Message):
    """What was asked for with a new interface. At most one of network_id and port_id."""

    network_id: str
    """Network on which a port was to be made."""
    port_id: str
    """Port made beforehand."""
    fixed_ip: str
    """Address asked for; unset for any."""
    tag: str
    """Device tag; unset for none."""
    def __init__(self, *, network_id: str | None = ..., port_id: str | None = ..., fixed_ip: str | None = ..., tag: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["network_id", "port_id", "fixed_ip", "tag"]) -> bool: ...

class AttachInterfaceRequest(Message):
    """Input of AttachInterface. At most one of network_id and port_id; neither takes the project's only network."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    network_id: str
    """Network on which a port is made."""
    port_id: str
    """Port made beforehand."""
    fixed_ip: str
    """Address asked for; only with network_id."""
    tag: str
    """Device tag, 1 to 60 characters without comma and slash; unset for none."""
    wait: Duration
    """How long the answer may wait for the operation's end: 0 to 10 minutes, never longer than the call's
    deadline; unset does not wait.
    """
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., network_id: str | None = ..., port_id: str | None = ..., fixed_ip: str | None = ..., tag: str | None = ..., wait: Duration | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["network_id", "port_id", "fixed_ip", "tag", "wait"]) -> bool: ...

class AttachInterfaceResponse(Message):
    """Output of AttachInterface."""

    operation: Operation
    """The attachment as it stands."""
    interface: Interface
    """The port that was named, or the one that the operation has made when it has ended. Unset before that; the
    operation's result names it.
    """
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., interface: Interface | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "interface"]) -> bool: ...

class AttachShareRequest(Message):
    """Input of AttachShare."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    share_id: str
    """The share."""
    tag: str
    """Name under which the guest mounts it: 1 to 255 letters, digits and '-'. Default: the share's id."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., share_id: str | None = ..., tag: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["tag"]) -> bool: ...

class AttachShareResponse(Message):
    """Output of AttachShare."""

    operation: Operation
    """The attachment."""
    share: ServerShare
    """As accepted."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that are hidden from this caller: id, export_location."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., share: ServerShare | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "share"]) -> bool: ...

class AttachVolumeMetadata(Message):
    """What was asked for when a volume was to be attached."""

    volume_id: str
    """The volume."""
    device: str
    """Device asked for; unset for any."""
    tag: str
    """Device tag; unset for none."""
    delete_on_termination: bool
    """Whether the volume goes with the server."""
    def __init__(self, *, volume_id: str | None = ..., device: str | None = ..., tag: str | None = ..., delete_on_termination: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["device", "tag"]) -> bool: ...

class AttachVolumeRequest(Message):
    """Input of AttachVolume."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    volume_id: str
    """The volume."""
    device: str
    """Device asked for, such as /dev/vdb; the host may choose another. Unset for any."""
    tag: str
    """Device tag, 1 to 60 characters without comma and slash; unset for none."""
    delete_on_termination: bool
    """Whether the volume goes with the server. Default false."""
    wait: Duration
    """How long the answer may wait until the volume is reserved and its device chosen: 0 to 10 minutes, never
    longer than the call's deadline; unset does not wait.
    """
    refuse_multiattach: bool
    """Whether a volume that may have many servers is refused: REST before 2.60 does not know such."""
    refuse_shelved: bool
    """Whether a shelved server is refused, with INVALID_STATE: REST before 2.20."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., volume_id: str | None = ..., device: str | None = ..., tag: str | None = ..., delete_on_termination: bool | None = ..., wait: Duration | Mapping[str, Any] | None = ..., refuse_multiattach: bool | None = ..., refuse_shelved: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["device", "tag", "wait"]) -> bool: ...

class AttachVolumeResponse(Message):
    """Output of AttachVolume."""

    operation: Operation
    """The attachment as it stands."""
    volume_attachment: VolumeAttachment
    """As it is reserved; before that, as it was asked for."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., volume_attachment: VolumeAttachment | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "volume_attachment"]) -> bool: ...

class AttachedVolume(Message):
    """A volume of a server."""

    id: str
    """Volume id."""
    delete_on_termination: bool
    """Whether it goes with the server."""
    def __init__(self, *, id: str | None = ..., delete_on_termination: bool | None = ...) -> None: ...

class AvailabilityZone(Message):
    """One zone."""

    name: str
    """Name."""
    available: bool
    """Whether any of its hosts is enabled."""
    services: MutableSequence[ZoneService]
    """With detail only."""
    def __init__(self, *, name: str | None = ..., available: bool | None = ..., services: Iterable[ZoneService | Mapping[str, Any]] = ...) -> None: ...

class BlockDevice(Message):
    """One disk asked for at boot."""

    source: int
    """What it is made of."""
    destination: int
    """Where it lies."""
    source_id: str
    """Id of the source; unset for BLANK."""
    boot_index: int
    """Place in the order of booting, from 0. Unset: never booted from."""
    size_gib: int
    """Size. Default: the source's, or the flavor's."""
    guest_format: str
    """"swap", or a file system such as "ext4" for blank disks."""
    delete_on_termination: bool
    """Whether it goes with the server. Default: what is local goes, volumes stay."""
    device_name: str
    """Wish for the name in the guest, such as "/dev/vdb"; hypervisors may choose another."""
    device_type: str
    """"disk", "cdrom", "floppy" or "lun". Default: the hypervisor's."""
    disk_bus: str
    """Such as "virtio" or "scsi". Default: the hypervisor's."""
    tag: str
    """Device tag, 1 to 60 characters without comma and slash."""
    volume_type: str
    """Type of a volume that is made: name or id."""
    size_mib: int
    """Size of local swap, instead of size_gib. Default: the flavor's."""
    def __init__(self, *, source: int | str | None = ..., destination: int | str | None = ..., source_id: str | None = ..., boot_index: int | None = ..., size_gib: int | None = ..., guest_format: str | None = ..., delete_on_termination: bool | None = ..., device_name: str | None = ..., device_type: str | None = ..., disk_bus: str | None = ..., tag: str | None = ..., volume_type: str | None = ..., size_mib: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["source_id", "boot_index", "size_gib", "guest_format", "delete_on_termination", "device_name", "device_type", "disk_bus", "tag", "volume_type", "size_mib"]) -> bool: ...

class BlockDeviceDestination(IntEnum):
    """Where a disk lies."""
    UNSPECIFIED = 0
    LOCAL = 1
    VOLUME = 2

class BlockDeviceSource(IntEnum):
    """What a disk is made of."""
    UNSPECIFIED = 0
    BLANK = 1
    IMAGE = 2
    VOLUME = 3
    SNAPSHOT = 4

class BlockMigration(IntEnum):
    """What is done about disks that are not shared by both hosts."""
    UNSPECIFIED = 0
    AUTO = 1
    COPY = 2
    SHARED = 3

class CacheAggregateImagesRequest(Message):
    """Input of CacheAggregateImages."""

    aggregate_id: str
    """UUID or number."""
    image_ids: MutableSequence[str]
    """Images that the caller may use, with data: 1 to 100, no repetition. What they are now is what is fetched."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, aggregate_id: str | None = ..., image_ids: Iterable[str] = ..., client_token: str | None = ...) -> None: ...

class CacheAggregateImagesResponse(Message):
    """Output of CacheAggregateImages."""

    operation: Operation
    """The operation; it belongs to no server."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class CacheImagesMetadata(Message):
    """What was asked for when images were to be cached."""

    image_ids: MutableSequence[str]
    """Ids of the images."""
    def __init__(self, *, image_ids: Iterable[str] = ...) -> None: ...

class Caller(IntEnum):
    """Who may call an RPC. Checked by the server's interceptor before the handler runs."""
    UNSPECIFIED = 0
    USER = 1
    API = 2
    CONDUCTOR = 3
    CELLS = 4
    SCHEDULER = 5
    PLACEMENT = 6
    COMPUTE = 7
    GATEWAY = 8
    OPERATOR = 9
    METADATA = 10
    ANYONE = 11
    CONSOLE = 85

class CancelOperationRequest(Message):
    """Input of CancelOperation."""

    name: str
    """Operation's name."""
    def __init__(self, *, name: str | None = ...) -> None: ...

class CancelOperationResponse(Message):
    """Output of CancelOperation."""

    operation: Operation
    """As it is now."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class ChangeServerPasswordRequest(Message):
    """Input of ChangeServerPassword."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    admin_password: str
    """New password, at most 255 characters; must be there, and may be empty."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., admin_password: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["admin_password"]) -> bool: ...

class ChangeServerPasswordResponse(Message):
    """Output of ChangeServerPassword."""

    operation: Operation
    """The change."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class ClearServerPasswordRequest(Message):
    """Input of ClearServerPassword."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class ClearServerPasswordResponse(Message):
    """Output of ClearServerPassword."""

    def __init__(self) -> None: ...

class ClearServerTagsRequest(Message):
    """Input of ClearServerTags."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class ClearServerTagsResponse(Message):
    """Output of ClearServerTags."""

    def __init__(self) -> None: ...

class ComputeService(Message):
    """One service process or compute host."""

    id: str
    """UUID."""
    number: int
    """Number that REST below 2.53 shows."""
    binary: str
    """nova-compute, nova-conductor or nova-scheduler."""
    host: str
    """Logical host."""
    zone: str
    """Zone; "internal" for others than compute."""
    disabled: bool
    """Whether an operator disabled it."""
    disabled_reason: str
    """Why; unset when not told."""
    forced_down: bool
    """Whether an operator declared it down."""
    up: bool
    """Whether its lease is alive and it is not forced down."""
    updated_at: Timestamp
    """Last sign of life or change."""
    cell: str
    """Cell it belongs to."""
    def __init__(self, *, id: str | None = ..., number: int | None = ..., binary: str | None = ..., host: str | None = ..., zone: str | None = ..., disabled: bool | None = ..., disabled_reason: str | None = ..., forced_down: bool | None = ..., up: bool | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ..., cell: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["disabled_reason", "updated_at"]) -> bool: ...

class ConfirmServerResizeRequest(Message):
    """Input of ConfirmServerResize."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class ConfirmServerResizeResponse(Message):
    """Output of ConfirmServerResize."""

    operation: Operation
    """The confirmation."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class ConsoleProtocol(IntEnum):
    """What is spoken to a console."""
    UNSPECIFIED = 0
    VNC = 1
    SPICE = 2
    SERIAL = 3
    MKS = 4
    RDP = 5

class ConsoleType(IntEnum):
    """How a console is reached."""
    UNSPECIFIED = 0
    NOVNC = 1
    SPICE_HTML5 = 2
    SERIAL = 3
    SPICE_DIRECT = 4
    WEBMKS = 5
    XVPVNC = 6
    RDP_HTML5 = 7

class CpuDiagnostics(Message):
    """One CPU of a guest. Unset fields are not known to the hypervisor."""

    id: int
    """Its number in the guest."""
    time_ns: int
    """Time that it ran, ns."""
    utilisation_percent: int
    """Use, percent."""
    def __init__(self, *, id: int | None = ..., time_ns: int | None = ..., utilisation_percent: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["id", "time_ns", "utilisation_percent"]) -> bool: ...

class CpuSet(Message):
    """Numbers of CPUs."""

    cpus: MutableSequence[int]
    """In order."""
    def __init__(self, *, cpus: Iterable[int] = ...) -> None: ...

class CreateAggregateRequest(Message):
    """Input of CreateAggregate."""

    client_token: str
    """See CreateServersRequest."""
    name: str
    """1 to 255 characters."""
    availability_zone: str
    """1 to 255 characters without ':'; unset for none."""
    def __init__(self, *, client_token: str | None = ..., name: str | None = ..., availability_zone: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["availability_zone"]) -> bool: ...

class CreateAggregateResponse(Message):
    """Output of CreateAggregate."""

    aggregate: Aggregate
    """As made."""
    replayed: bool
    """Whether this answers an earlier call with the same client token."""
    def __init__(self, *, aggregate: Aggregate | Mapping[str, Any] | None = ..., replayed: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["aggregate"]) -> bool: ...

class CreateAssistedVolumeSnapshotRequest(Message):
    """Input of CreateAssistedVolumeSnapshot."""

    client_token: str
    """See CreateServersRequest."""
    volume_id: str
    """The volume."""
    snapshot_id: str
    """The Block Storage service's snapshot."""
    new_file: str
    """Name of the new file beside the volume's own."""
    format: str
    """The new file's format; qcow2 is the only one."""
    def __init__(self, *, client_token: str | None = ..., volume_id: str | None = ..., snapshot_id: str | None = ..., new_file: str | None = ..., format: str | None = ...) -> None: ...

class CreateAssistedVolumeSnapshotResponse(Message):
    """Output of CreateAssistedVolumeSnapshot."""

    operation: Operation
    """The snapshot."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class CreateExternalEventsRequest(Message):
    """Input of CreateExternalEvents."""

    events: MutableSequence[ExternalEvent]
    """At least one, at most 1000."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, events: Iterable[ExternalEvent | Mapping[str, Any]] = ..., client_token: str | None = ...) -> None: ...

class CreateExternalEventsResponse(Message):
    """Output of CreateExternalEvents."""

    results: MutableSequence[int]
    """One for each event, same order."""
    def __init__(self, *, results: Iterable[int | str] = ...) -> None: ...

class CreateFlavorRequest(Message):
    """Input of CreateFlavor."""

    flavor: Flavor
    """An empty id makes one."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class CreateFlavorResponse(Message):
    """Output of CreateFlavor."""

    flavor: Flavor
    """As made."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: extra_specs, project_ids."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class CreateKeyPairRequest(Message):
    """Input of CreateKeyPair."""

    name: str
    """Unique per user."""
    type: int
    """Default SSH."""
    public_key: str
    """Key to import; unset makes a pair (refused from microversion 2.92 on by the gateway)."""
    user_id: str
    """Whose; default the caller. Others need policy."""
    def __init__(self, *, name: str | None = ..., type: int | str | None = ..., public_key: str | None = ..., user_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["public_key", "user_id"]) -> bool: ...

class CreateKeyPairResponse(Message):
    """Output of CreateKeyPair."""

    key_pair: KeyPair
    """As made."""
    private_key: str
    """PEM; only when a pair was made, and told only here."""
    def __init__(self, *, key_pair: KeyPair | Mapping[str, Any] | None = ..., private_key: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["key_pair", "private_key"]) -> bool: ...

class CreateRemoteConsoleRequest(Message):
    """Input of CreateRemoteConsole."""

    server_id: str
    """UUID."""
    protocol: int
    """Protocol."""
    type: int
    """Type; must fit the protocol."""
    def __init__(self, *, server_id: str | None = ..., protocol: int | str | None = ..., type: int | str | None = ...) -> None: ...

class CreateRemoteConsoleResponse(Message):
    """Output of CreateRemoteConsole."""

    protocol: int
    """As asked."""
    type: int
    """As asked."""
    url: str
    """Where to go, with the token in it."""
    expires_at: Timestamp
    """When the token ends."""
    def __init__(self, *, protocol: int | str | None = ..., type: int | str | None = ..., url: str | None = ..., expires_at: Timestamp | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["expires_at"]) -> bool: ...

class CreateServerBackupMetadata(Message):
    """What was asked for with a backup of a server."""

    name: str
    """The image's name."""
    image_id: str
    """The image's id, from the operation's acceptance on."""
    backup_type: str
    """Such as "daily"."""
    rotation: int
    """How many backups of this type stay."""
    def __init__(self, *, name: str | None = ..., image_id: str | None = ..., backup_type: str | None = ..., rotation: int | None = ...) -> None: ...

class CreateServerBackupRequest(Message):
    """Input of CreateServerBackup."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    name: str
    """The image's name, 1 to 255 characters."""
    backup_type: str
    """Such as "daily" or "weekly": any text of at most 255 characters."""
    rotation: int
    """How many images of this type stay, this one included. 0 keeps none, not even this one."""
    metadata: MutableMapping[str, str]
    """Properties of the image, at most 128; they win over what the image takes from the server's own."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., name: str | None = ..., backup_type: str | None = ..., rotation: int | None = ..., metadata: Mapping[str, str] = ...) -> None: ...

class CreateServerBackupResponse(Message):
    """Output of CreateServerBackup."""

    operation: Operation
    """The backup."""
    image_id: str
    """The image, which exists from now on and becomes active when the operation succeeds. With rotation 0 it is
    deleted at the end.
    """
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., image_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "image_id"]) -> bool: ...

class CreateServerGroupRequest(Message):
    """Input of CreateServerGroup."""

    client_token: str
    """See CreateServersRequest."""
    name: str
    """Name, 1 to 255 characters."""
    policy: int
    """What it wants."""
    max_server_per_host: int
    """Only with ANTI_AFFINITY; at least 1."""
    def __init__(self, *, client_token: str | None = ..., name: str | None = ..., policy: int | str | None = ..., max_server_per_host: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["max_server_per_host"]) -> bool: ...

class CreateServerGroupResponse(Message):
    """Output of CreateServerGroup."""

    server_group: ServerGroup
    """As made."""
    replayed: bool
    """Whether this answers an earlier call with the same client token."""
    def __init__(self, *, server_group: ServerGroup | Mapping[str, Any] | None = ..., replayed: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server_group"]) -> bool: ...

class CreateServerImageMetadata(Message):
    """What was asked for with an image of a server."""

    name: str
    """The image's name."""
    image_id: str
    """The image's id, from the operation's acceptance on."""
    def __init__(self, *, name: str | None = ..., image_id: str | None = ...) -> None: ...

class CreateServerImageRequest(Message):
    """Input of CreateServerImage."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    name: str
    """The image's name, 1 to 255 characters."""
    metadata: MutableMapping[str, str]
    """Properties of the image, at most 128; they win over what the image takes from the server's own."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., name: str | None = ..., metadata: Mapping[str, str] = ...) -> None: ...

class CreateServerImageResponse(Message):
    """Output of CreateServerImage."""

    operation: Operation
    """The snapshot."""
    image_id: str
    """The image, which exists from now on and becomes active when the operation succeeds."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., image_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class CreateServerMetadata(Message):
    """What was asked for with a new server."""

    name: str
    """Its name then."""
    flavor_id: str
    """Flavor's id."""
    image_id: str
    """Image's id; unset for none."""
    def __init__(self, *, name: str | None = ..., flavor_id: str | None = ..., image_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["image_id"]) -> bool: ...

class CreateServersRequest(Message):
    """Input of CreateServers."""

    client_token: str
    """Makes the call repeatable: a second one with the same token and the same content does nothing and answers
    what the first one made, as it is by now, also when that was to delete a server that is gone. A token
    belongs to the caller's project and user and to the method. It is kept for at least 24 h beyond the
    operation's end. With other content: TOKEN_REUSED. Empty: not repeatable.
    """
    name: str
    """Name; with several servers `-1`, `-2`, … are added."""
    flavor_id: str
    """Flavor's id."""
    image_id: str
    """Image's id."""
    networks: MutableSequence[RequestedNetwork]
    """Interfaces in order; see network_mode for empty."""
    network_mode: int
    """What an empty list means. Default AUTO."""
    security_groups: MutableSequence[str]
    """Names or ids. Default: the project's default group."""
    key_name: str
    """Key pair of the caller."""
    metadata: MutableMapping[str, str]
    """At most as many items as the quota says."""
    tags: MutableSequence[str]
    """At most 50."""
    config_drive: bool
    """Whether a config drive is wanted. Default: the deployment's."""
    availability_zone: str
    """`zone`, or with the right to `zone:host[:node]`."""
    description: str
    """Free text, at most 255 characters."""
    access_ip_v4: str
    """IPv4 address for display."""
    access_ip_v6: str
    """IPv6 address for display."""
    disk_config: int
    """Default: the deployment's."""
    admin_password: str
    """Password set in the guest, at most 255 characters. Default: one is made."""
    min_count: int
    """Least number of servers, at least 1. Default 1."""
    max_count: int
    """Most servers, at least min_count. Default min_count."""
    hostname: str
    """Name inside the guest. Default: made from the name."""
    trusted_image_certificates: MutableSequence[str]
    """Certificate ids, at most 50."""
    files: MutableSequence[InjectedFile]
    """Files to put in; limited by quota."""
    host: str
    """Host asked for; filters apply."""
    hypervisor_hostname: str
    """Hypervisor asked for; filters apply."""
    scheduler_hints: SchedulerHints
    """Wishes about the host."""
    block_devices: MutableSequence[BlockDevice]
    """Disks in order, the one that the image becomes among them. Ephemeral disks and swap of the flavor come
    with them unless some are listed. Default: those of image and flavor.
    """
    without_multiattach: bool
    """Refuses volumes that several servers may have at once, as REST below 2.60 does."""
    user_data: bytes
    """For the guest to read at its boot, at most 49,149 bytes."""
    def __init__(self, *, client_token: str | None = ..., name: str | None = ..., flavor_id: str | None = ..., image_id: str | None = ..., networks: Iterable[RequestedNetwork | Mapping[str, Any]] = ..., network_mode: int | str | None = ..., security_groups: Iterable[str] = ..., key_name: str | None = ..., metadata: Mapping[str, str] = ..., tags: Iterable[str] = ..., config_drive: bool | None = ..., availability_zone: str | None = ..., description: str | None = ..., access_ip_v4: str | None = ..., access_ip_v6: str | None = ..., disk_config: int | str | None = ..., admin_password: str | None = ..., min_count: int | None = ..., max_count: int | None = ..., hostname: str | None = ..., trusted_image_certificates: Iterable[str] = ..., files: Iterable[InjectedFile | Mapping[str, Any]] = ..., host: str | None = ..., hypervisor_hostname: str | None = ..., scheduler_hints: SchedulerHints | Mapping[str, Any] | None = ..., block_devices: Iterable[BlockDevice | Mapping[str, Any]] = ..., without_multiattach: bool | None = ..., user_data: bytes | None = ...) -> None: ...
    def HasField(self, field_name: Literal["image_id", "key_name", "config_drive", "availability_zone", "description", "access_ip_v4", "access_ip_v6", "admin_password", "min_count", "max_count", "hostname", "host", "hypervisor_hostname", "scheduler_hints", "user_data"]) -> bool: ...

class CreateServersResponse(Message):
    """Output of CreateServers."""

    servers: MutableSequence[Server]
    """As accepted, in launch order."""
    operations: MutableSequence[Operation]
    """One for each server, same order."""
    reservation_id: str
    """Shared by all of them."""
    admin_password: str
    """The given or made password. Only the first answer has it: with `replayed` it is unset. Whoever may lose
    the answer gives one.
    """
    replayed: bool
    """Whether this answers an earlier call with the same client token."""
    def __init__(self, *, servers: Iterable[Server | Mapping[str, Any]] = ..., operations: Iterable[Operation | Mapping[str, Any]] = ..., reservation_id: str | None = ..., admin_password: str | None = ..., replayed: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["admin_password"]) -> bool: ...

class DeleteAggregateRequest(Message):
    """Input of DeleteAggregate."""

    aggregate_id: str
    """UUID or number."""
    def __init__(self, *, aggregate_id: str | None = ...) -> None: ...

class DeleteAggregateResponse(Message):
    """Output of DeleteAggregate."""

    def __init__(self) -> None: ...

class DeleteAssistedVolumeSnapshotRequest(Message):
    """Input of DeleteAssistedVolumeSnapshot."""

    client_token: str
    """See CreateServersRequest."""
    volume_id: str
    """The volume."""
    snapshot_id: str
    """The Block Storage service's snapshot."""
    file_to_merge: str
    """File that is merged away; unset for the active one."""
    merge_target_file: str
    """File that it is merged into; unset for the base."""
    def __init__(self, *, client_token: str | None = ..., volume_id: str | None = ..., snapshot_id: str | None = ..., file_to_merge: str | None = ..., merge_target_file: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["file_to_merge", "merge_target_file"]) -> bool: ...

class DeleteAssistedVolumeSnapshotResponse(Message):
    """Output of DeleteAssistedVolumeSnapshot."""

    operation: Operation
    """The merge."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class DeleteComputeServiceRequest(Message):
    """Input of DeleteComputeService."""

    service_id: str
    """UUID, or number below microversion 2.53."""
    def __init__(self, *, service_id: str | None = ...) -> None: ...

class DeleteComputeServiceResponse(Message):
    """Output of DeleteComputeService."""

    def __init__(self) -> None: ...

class DeleteFlavorExtraSpecRequest(Message):
    """Input of DeleteFlavorExtraSpec."""

    flavor_id: str
    """Flavor's id."""
    key: str
    """Spec to remove."""
    def __init__(self, *, flavor_id: str | None = ..., key: str | None = ...) -> None: ...

class DeleteFlavorExtraSpecResponse(Message):
    """Output of DeleteFlavorExtraSpec."""

    def __init__(self) -> None: ...

class DeleteFlavorRequest(Message):
    """Input of DeleteFlavor."""

    flavor_id: str
    """Flavor's id."""
    def __init__(self, *, flavor_id: str | None = ...) -> None: ...

class DeleteFlavorResponse(Message):
    """Output of DeleteFlavor."""

    def __init__(self) -> None: ...

class DeleteKeyPairRequest(Message):
    """Input of DeleteKeyPair."""

    name: str
    """Name."""
    user_id: str
    """Whose; default the caller."""
    def __init__(self, *, name: str | None = ..., user_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id"]) -> bool: ...

class DeleteKeyPairResponse(Message):
    """Output of DeleteKeyPair."""

    def __init__(self) -> None: ...

class DeleteQuotaSetRequest(Message):
    """Input of DeleteQuotaSet."""

    project_id: str
    """Project."""
    user_id: str
    """User within the project; unset for the project and all of its users."""
    def __init__(self, *, project_id: str | None = ..., user_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id"]) -> bool: ...

class DeleteQuotaSetResponse(Message):
    """Output of DeleteQuotaSet."""

    def __init__(self) -> None: ...

class DeleteServerGroupRequest(Message):
    """Input of DeleteServerGroup."""

    server_group_id: str
    """UUID."""
    def __init__(self, *, server_group_id: str | None = ...) -> None: ...

class DeleteServerGroupResponse(Message):
    """Output of DeleteServerGroup."""

    def __init__(self) -> None: ...

class DeleteServerMetadataRequest(Message):
    """Input of DeleteServerMetadata."""

    server_id: str
    """UUID."""
    key: str
    """Item to remove."""
    def __init__(self, *, server_id: str | None = ..., key: str | None = ...) -> None: ...

class DeleteServerMetadataResponse(Message):
    """Output of DeleteServerMetadata."""

    generation: int
    """Of the server."""
    def __init__(self, *, generation: int | None = ...) -> None: ...

class DeleteServerRequest(Message):
    """Input of DeleteServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class DeleteServerResponse(Message):
    """Output of DeleteServer."""

    operation: Operation
    """The deletion."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class DetachInterfaceMetadata(Message):
    """What was asked for when an interface was to be taken out."""

    port_id: str
    """The port."""
    def __init__(self, *, port_id: str | None = ...) -> None: ...

class DetachInterfaceRequest(Message):
    """Input of DetachInterface."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    port_id: str
    """The port."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., port_id: str | None = ...) -> None: ...

class DetachInterfaceResponse(Message):
    """Output of DetachInterface."""

    operation: Operation
    """The detachment."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class DetachShareRequest(Message):
    """Input of DetachShare."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    share_id: str
    """The share."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., share_id: str | None = ...) -> None: ...

class DetachShareResponse(Message):
    """Output of DetachShare."""

    operation: Operation
    """The detachment."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class DetachVolumeMetadata(Message):
    """What was asked for when a volume was to be detached."""

    volume_id: str
    """The volume."""
    def __init__(self, *, volume_id: str | None = ...) -> None: ...

class DetachVolumeRequest(Message):
    """Input of DetachVolume."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    volume_id: str
    """The volume."""
    refuse_shelved: bool
    """Whether a shelved server is refused, with INVALID_STATE: REST before 2.20."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., volume_id: str | None = ..., refuse_shelved: bool | None = ...) -> None: ...

class DetachVolumeResponse(Message):
    """Output of DetachVolume."""

    operation: Operation
    """The detachment."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class DiskConfig(IntEnum):
    """How the root partition is treated (REST OS-DCF:diskConfig)."""
    UNSPECIFIED = 0
    AUTO = 1
    MANUAL = 2

class DiskDiagnostics(Message):
    """One disk of a guest. Unset fields are not known to the hypervisor."""

    read_bytes: int
    """Bytes read."""
    read_requests: int
    """Reads."""
    write_bytes: int
    """Bytes written."""
    write_requests: int
    """Writes."""
    errors: int
    """Errors of both."""
    def __init__(self, *, read_bytes: int | None = ..., read_requests: int | None = ..., write_bytes: int | None = ..., write_requests: int | None = ..., errors: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["read_bytes", "read_requests", "write_bytes", "write_requests", "errors"]) -> bool: ...

class ErrorReason(IntEnum):
    """Why a call failed, or an operation: a value's name without `ERROR_REASON_` is the `reason` of the
    google.rpc.ErrorInfo whose `domain` is `kilonova.dev`. The same reason means the same with every code. A
    failure without a reason of its own has its code's name. Values are added; none changes its meaning.
    """
    UNSPECIFIED = 0
    ABORTED = 1
    ACTION_NOT_FOUND = 2
    AGGREGATE_EXISTS = 3
    AGGREGATE_HAS_HOSTS = 4
    AGGREGATE_NOT_FOUND = 5
    ALREADY_EXISTS = 6
    AMBIGUOUS_HOSTNAME = 7
    BAD_AVAILABILITY_ZONE = 8
    BAD_BLOCK_DEVICES = 9
    BAD_IMAGE_PROPERTIES = 10
    BAD_PAGE_TOKEN = 11
    BAD_POLICY = 12
    BAD_PUBLIC_KEY = 13
    BAD_SERVER_GROUP_HINT = 14
    BAD_SNAPSHOT = 15
    CALLER_NOT_ALLOWED = 18
    CANCELLED = 19
    COMMAND_REFUSED = 20
    COMMAND_SUPERSEDED = 21
    COMMAND_UNDONE = 22
    COMMIT_UNKNOWN = 23
    COMPACTED = 24
    COMPUTE_HOST_NOT_FOUND = 25
    CONNECTION_BROKEN = 26
    CONSOLE_NOT_READY = 27
    CONSOLE_TOKEN_NOT_FOUND = 28
    CONSOLE_TYPE_UNAVAILABLE = 29
    CONTENTION = 30
    DB_UNAVAILABLE = 31
    DEADLINE_EXCEEDED = 32
    DEVICE_IN_USE = 33
    DISK_CONFIG_DISABLED = 34
    DISK_LOST = 35
    DISK_SHRINK_REFUSED = 36
    ENDPOINT_NOT_FOUND = 37
    EXTERNAL_NETWORK = 38
    EXTRA_SPEC_NOT_FOUND = 39
    FAILED_PRECONDITION = 40
    FENCE_LOST = 41
    FILE_PATH_TOO_LONG = 42
    FILE_TOO_LONG = 43
    FIXED_IP_AND_MAX_COUNT = 44
    FIXED_IP_FORBIDDEN = 45
    FIXED_IP_IN_USE = 46
    FLAVOR_ACCESS_EXISTS = 47
    FLAVOR_ACCESS_NOT_FOUND = 48
    FLAVOR_DISK_SMALLER_THAN_IMAGE = 49
    FLAVOR_DISK_SMALLER_THAN_MIN_DISK = 50
    FLAVOR_DISK_TOO_SMALL = 51
    FLAVOR_EXISTS = 52
    FLAVOR_IS_PUBLIC = 53
    FLAVOR_MEMORY_TOO_SMALL = 54
    FLAVOR_NAME_EXISTS = 55
    FLAVOR_NOT_FOUND = 56
    FORBIDDEN = 57
    GENERATION_CONFLICT = 58
    GOING_AWAY = 59
    GROUP_POLICY_UNSUPPORTED = 60
    GROUP_POLICY_VIOLATED = 61
    GUEST_AGENT_MISSING = 62
    GUEST_NOT_DEFINED = 63
    GUEST_NOT_FOUND = 64
    GUEST_NOT_ISOLATED = 65
    GUEST_NOT_RUNNING = 66
    HINTED_SERVER_NOT_FOUND = 67
    HOSTS_RETURNING = 68
    HOST_BINARY_NOT_FOUND = 69
    HOST_DOWN = 70
    HOST_HAS_SERVERS = 71
    HOST_IN_AGGREGATE = 72
    HOST_IN_OTHER_ZONE = 73
    HOST_NOT_FOUND = 74
    HOST_NOT_IN_AGGREGATE = 75
    HOST_NOT_IN_ZONE = 76
    HOST_NOT_REGISTERED = 77
    HOST_STILL_UP = 78
    HOST_ZONE_IN_USE = 79
    HYPERVISOR_FAILED = 80
    HYPERVISOR_NOT_FOUND = 81
    HYPERVISOR_SILENT = 82
    IDENTITY_UNAVAILABLE = 83
    ILLEGAL_TRANSITION = 84
    IMAGE_CHANGED = 85
    IMAGE_CONFLICT = 86
    IMAGE_CORRUPT = 87
    IMAGE_DAMAGED = 88
    IMAGE_EXISTS = 89
    IMAGE_FORBIDDEN = 90
    IMAGE_INVALID = 91
    IMAGE_NOT_ACTIVE = 92
    IMAGE_NOT_CONVERTIBLE = 93
    IMAGE_NOT_FOUND = 94
    IMAGE_NO_DATA = 95
    IMAGE_QUOTA = 96
    IMAGE_REFUSED = 97
    IMAGE_REPLACED = 98
    IMAGE_REQUIRED = 99
    IMAGE_UNACCEPTABLE = 100
    IMAGE_UNAVAILABLE = 101
    INSTANCE_LOCKED = 102
    INTERNAL = 103
    INVALID_ARGUMENT = 104
    INVALID_FIXED_IP = 105
    INVALID_REQUEST = 106
    INVALID_STATE = 107
    ISOLATION_INCOMPLETE = 108
    JOURNAL_BROKEN = 109
    KEY_PAIR_EXISTS = 110
    KEY_PAIR_NOT_FOUND = 111
    KEY_PAIR_QUOTA = 112
    LIMIT_ABOVE_PROJECT = 113
    LIMIT_BELOW_USE = 114
    LIST_TOO_EXPENSIVE = 115
    LIST_UNAVAILABLE = 116
    MAC_IN_USE = 117
    MARKER_NOT_FOUND = 118
    MAX_RETRIES_EXCEEDED = 119
    METADATA_ITEM_NOT_FOUND = 120
    MIGRATIONS_DIVERGED = 121
    MIGRATION_CHANGED = 122
    MIGRATION_FAILED = 123
    MIGRATION_NOT_FOUND = 124
    MIGRATION_NOT_RUNNING = 125
    MIN_ABOVE_MAX = 126
    MONITOR_CLOSED = 127
    MULTIATTACH_NOT_SUPPORTED = 128
    NETWORK_AMBIGUOUS = 129
    NETWORK_CONFLICT = 130
    NETWORK_FORBIDDEN = 131
    NETWORK_INVALID = 132
    NETWORK_NOT_FOUND = 133
    NETWORK_UNAVAILABLE = 134
    NETWORK_UNUSABLE = 135
    NETWORK_WITHOUT_SUBNET = 136
    NOT_AUTHORIZED = 137
    NOT_A_COMPUTE_SERVICE = 138
    NOT_CHANGEABLE = 139
    NOT_FAKE = 140
    NOT_FOUND = 141
    NOT_NEEDING_OPERATOR = 142
    NOT_READY = 143
    NOT_SERVED = 144
    NO_CONSOLE = 145
    NO_MORE_FIXED_IPS = 146
    NO_NETWORK = 147
    NO_VALID_HOST = 148
    OPERATION_CANCELLED = 149
    OPERATION_IN_PROGRESS = 150
    OPERATION_NOT_FOUND = 151
    OUTPUT_MISSING = 152
    OVERLOADED = 153
    PERMISSION_DENIED = 154
    PIN_CONFLICT = 155
    PORTS_AND_MAX_COUNT = 156
    PORT_BINDING_EXISTS = 157
    PORT_BINDING_FAILED = 158
    PORT_IN_USE = 159
    PORT_LIMIT_EXCEEDED = 160
    PORT_NOT_FOUND = 161
    PORT_QUOTA = 162
    PORT_SECURITY_DISABLED = 163
    PORT_WITHOUT_ADDRESS = 164
    PREEMPTED = 165
    PROJECT_NOT_FOUND = 166
    PROJECT_WIDE_RESOURCE = 167
    QUOTA_EXCEEDED = 168
    REQUEST_MALFORMED = 169
    REQUEST_TOO_LARGE = 170
    RESOURCE_EXHAUSTED = 171
    ROOT_VOLUME = 172
    RULES_NEED_ANTI_AFFINITY = 173
    SAME_FLAVOR = 174
    SAME_HOST = 175
    SECRET_KEY_UNKNOWN = 176
    SECURITY_GROUP_AMBIGUOUS = 177
    SECURITY_GROUP_NOT_FOUND = 178
    SERVER_GROUP_GONE = 179
    SERVER_GROUP_MEMBER_QUOTA = 180
    SERVER_GROUP_NOT_FOUND = 181
    SERVER_GROUP_QUOTA = 182
    SERVER_MOVED = 183
    SERVER_NOT_FOUND = 184
    SERVER_PASSWORD_EXISTS = 185
    SERVICE_AMBIGUOUS = 186
    SERVICE_HAS_INSTANCES = 187
    SERVICE_LOGIN_FAILED = 188
    SERVICE_NOT_FOUND = 189
    SHARE_ATTACHED = 190
    SHARE_NOT_FOUND = 191
    SHARE_PROTOCOL_UNKNOWN = 192
    SHARE_TAG_IN_USE = 193
    SIGNAL_NOT_YOURS = 194
    SOCKET_PATH_UNUSABLE = 195
    SORT_KEY_INVALID = 196
    STALE_EPOCH = 197
    STEP_DEADLINE = 198
    TAG_NOT_FOUND = 199
    TOKEN_ENDED = 200
    TOKEN_INVALID = 201
    TOKEN_REFUSED = 202
    TOKEN_REUSED = 203
    TOOL_FAILED = 204
    TOO_MANY_FILES = 205
    TOO_MANY_LISTS = 206
    TOO_MANY_METADATA_ITEMS = 207
    TOO_MANY_REQUESTS = 208
    TOO_MANY_SERVERS = 209
    TOO_MANY_SIGNALS = 210
    TOO_MANY_TAGS = 211
    TOO_MANY_VOLUMES = 212
    TOO_MANY_WAITS = 213
    TOO_MANY_WATCHES = 214
    TURN_TIMED_OUT = 215
    TWO_DESTINATIONS = 216
    UIDS_EXHAUSTED = 217
    UIDS_UNUSABLE = 218
    UNAUTHENTICATED = 219
    UNAVAILABLE = 220
    UNEXPECTED_ANSWER = 221
    UNIMPLEMENTED = 222
    UNKNOWN_DATABASE = 223
    UNKNOWN_INCARNATION = 224
    UNKNOWN_KIND = 225
    UNKNOWN_METHOD = 226
    UNKNOWN_RESOURCE = 227
    UNSUPPORTED_HARDWARE = 228
    VENDORDATA_FAILED = 229
    VENDORDATA_FILE_UNUSABLE = 230
    VIEWS_NOT_READY = 231
    VOLUME_ALREADY_ATTACHED = 232
    VOLUME_ATTACHMENT_NOT_FOUND = 233
    VOLUME_BACKED = 234
    VOLUME_NOT_ATTACHED = 235
    VOLUME_NOT_AVAILABLE = 236
    VOLUME_NOT_FOUND = 237
    VOLUME_NOT_MIGRATING = 238
    VOLUME_TOO_SMALL = 239
    WRONG_BINARY = 240
    WRONG_CELL = 241
    WRONG_HOST = 242
    WRONG_OPERATION = 243
    ZERO_DISK_FLAVOR = 244
    ZONE_CONFLICT = 245
    ZONE_IN_USE = 246
    ZONE_NOT_AVAILABLE = 247
    NOTHING_TO_MOVE = 248
    SOURCE_UNKNOWN = 249
    CAPABILITY_MISSING = 250
    COMPRESSED = 251
    DEFINITIONS_UNREADABLE = 252
    DEFINITION_SPOILED = 253
    GUEST_AGENT_REFUSED = 254
    JOURNAL_LOST = 255
    JOURNAL_UNREADABLE = 256
    UNKNOWN_COMMAND = 257
    UNKNOWN_STEP = 258
    HOST_CANNOT = 259
    SUBJECT_BUSY = 260
    HOSTS_FAILED = 261
    IMAGES_NOT_CACHED = 262
    RECORD_NOT_KEPT = 263
    COMMAND_CANCELLED = 264
    DEVICE_NAME_IN_USE = 265
    VOLUME_ATTACHED_TWICE = 266
    NO_ROOM_FOR_MEMORY = 270
    GUEST_NOT_SUSPENDABLE = 271
    SAVED_MEMORY_LOST = 272
    NMI_UNSUPPORTED = 273
    REBUILD_NOT_PREPARED = 285
    NO_ROOT_DISK = 290
    QUIESCE_FAILED = 291
    HOST_DISK_FULL = 292
    GUEST_NOT_REACHABLE = 293
    SNAPSHOT_LOST = 294
    CONSOLE_TYPE_INVALID = 295
    CONSOLE_CLOSED = 296
    TOO_MANY_CONSOLES = 297
    PORT_NOT_USABLE = 300
    DEVICE_DETACH_FAILED = 301
    DEVICE_SLOTS_EXHAUSTED = 302
    VOLUME_NOT_REACHABLE = 310
    SNAPSHOT_NOT_FOUND = 320
    VOLUME_INVALID = 321
    VOLUME_CONFLICT = 322
    VOLUME_QUOTA = 323
    BLOCK_STORAGE_FORBIDDEN = 324
    BLOCK_STORAGE_UNAVAILABLE = 325
    BLOCK_STORAGE_TOO_OLD = 326
    VOLUME_ENCRYPTED = 327
    VOLUME_NOT_DETACHABLE = 328
    CONNECTION_NOT_SUPPORTED = 340
    NOT_OFFLOADED = 350
    FLOATING_IP_NOT_FOUND = 351
    BASE_IMAGE_LOST = 360
    CERTIFICATES_NEED_IMAGE = 380
    VOLUME_NOT_MADE = 381
    SNAPSHOT_NOT_MADE = 390
    SNAPSHOT_QUOTA = 391
    VOLUME_NOT_IN_USE = 392
    VOLUME_NOT_REIMAGED = 393
    USER_TOKEN_ENDED = 400
    VOLUME_NOT_SWAPPABLE = 401
    MULTIATTACH_SWAP = 402
    SECURITY_GROUP_ID_NOT_UUID = 410
    ROOT_VOLUME_UNKNOWN = 411
    SHELVED_IMAGE_GONE = 470
    GUEST_LEAVING = 471
    TRANSFER_UNKNOWN = 472
    TRANSFER_BROKEN = 473
    DISK_CANNOT_SHRINK = 474
    GUEST_HERE_ALREADY = 475
    HOST_HAS_MIGRATIONS = 476
    MULTIATTACH_WHILE_OFFLOADED = 477
    SERVICE_HAS_MIGRATIONS = 478
    TAG_WHILE_OFFLOADED = 479

class EvacuateServerRequest(Message):
    """Input of EvacuateServer. The server ends STOPPED."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    host: str
    """Host asked for, which the scheduler still checks. Default: any."""
    admin_password: str
    """Password set in the guest when its disk is made anew, at most 255 characters. Default: one is made.
    Whether the disk is on shared storage is found out.
    """
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., host: str | None = ..., admin_password: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host", "admin_password"]) -> bool: ...

class EvacuateServerResponse(Message):
    """Output of EvacuateServer."""

    operation: Operation
    """The evacuation."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class EventType(IntEnum):
    """What an event tells."""
    UNSPECIFIED = 0
    SERVER_CHANGED = 1
    SERVER_DELETED = 2
    OPERATION_CHANGED = 3
    SNAPSHOT = 4
    RESET = 5
    SNAPSHOT_END = 6
    CELL_UNREACHABLE = 7
    BOOKMARK = 8

class ExplainServerRequest(Message):
    """Input of ExplainServer."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class ExplainServerResponse(Message):
    """Output of ExplainServer."""

    explanation: SchedulingExplanation
    """The explanation."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that are hidden from this caller: refusals.nearest_host, accepted_hosts;
    hosts_considered, hosts_accepted, refusals.hosts, refusals.nearest_facts.
    """
    def __init__(self, *, explanation: SchedulingExplanation | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["explanation"]) -> bool: ...

class ExtendVolumeMetadata(Message):
    """What was asked for when a volume had grown."""

    volume_id: str
    """The volume."""
    def __init__(self, *, volume_id: str | None = ...) -> None: ...

class ExternalEvent(Message):
    """One event."""

    name: int
    """What happened."""
    server_id: str
    """The server."""
    status: int
    """How it went."""
    tag: str
    """What it is about, at most 255 characters; see the names."""
    def __init__(self, *, name: int | str | None = ..., server_id: str | None = ..., status: int | str | None = ..., tag: str | None = ...) -> None: ...

class ExternalEventName(IntEnum):
    """What happened."""
    UNSPECIFIED = 0
    NETWORK_CHANGED = 1
    NETWORK_VIF_PLUGGED = 2
    NETWORK_VIF_UNPLUGGED = 3
    NETWORK_VIF_DELETED = 4
    VOLUME_EXTENDED = 5
    POWER_UPDATE = 6
    ACCELERATOR_REQUEST_BOUND = 7
    VOLUME_REIMAGED = 8

class ExternalEventResult(IntEnum):
    """What became of one event."""
    UNSPECIFIED = 0
    ACCEPTED = 1
    INVALID = 2
    SERVER_NOT_FOUND = 3
    NO_HOST = 4

class ExternalEventStatus(IntEnum):
    """How it went."""
    UNSPECIFIED = 0
    COMPLETED = 1
    FAILED = 2
    IN_PROGRESS = 3

class Flavor(Message):
    """A size of server. Also embedded in servers as it was when they were built."""

    id: str
    """The id users give (Nova's flavorid): any string."""
    name: str
    """Unique name."""
    description: str
    """Free text."""
    vcpus: int
    """Virtual CPUs."""
    memory_mib: int
    """Memory in MiB."""
    root_gib: int
    """Root disk in GiB; 0 takes the image's size."""
    ephemeral_gib: int
    """Ephemeral disk in GiB."""
    swap_mib: int
    """Swap disk in MiB."""
    rxtx_factor: float
    """Kept for clients; not used. Default 1.0."""
    is_public: bool
    """Whether every project may use it."""
    disabled: bool
    """Whether it is hidden from users. REST: OS-FLV-DISABLED:disabled."""
    extra_specs: MutableMapping[str, str]
    """Extra specs by key."""
    created_at: Timestamp
    """When it was made."""
    updated_at: Timestamp
    """Last change; unset when never changed."""
    project_ids: MutableSequence[str]
    """Projects with access to a private flavor."""
    def __init__(self, *, id: str | None = ..., name: str | None = ..., description: str | None = ..., vcpus: int | None = ..., memory_mib: int | None = ..., root_gib: int | None = ..., ephemeral_gib: int | None = ..., swap_mib: int | None = ..., rxtx_factor: float | None = ..., is_public: bool | None = ..., disabled: bool | None = ..., extra_specs: Mapping[str, str] = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ..., project_ids: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["description", "created_at", "updated_at"]) -> bool: ...

class FlavorSort(Message):
    """One key of a sort."""

    field: int
    """By what."""
    direction: int
    """Default: ASC."""
    def __init__(self, *, field: int | str | None = ..., direction: int | str | None = ...) -> None: ...

class FlavorSortField(IntEnum):
    """What flavors can be sorted by."""
    UNSPECIFIED = 0
    CREATED_AT = 1
    DESCRIPTION = 2
    DISABLED = 3
    EPHEMERAL_GIB = 4
    ID = 5
    IS_PUBLIC = 6
    MEMORY_MIB = 7
    NAME = 8
    ROOT_GIB = 9
    RXTX_FACTOR = 10
    SWAP_MIB = 11
    UPDATED_AT = 12
    VCPUS = 13

class FlavorVisibility(IntEnum):
    """Which flavors to list. Only administrators see more than PUBLIC ones and those of their project."""
    UNSPECIFIED = 0
    PUBLIC = 1
    PRIVATE = 2
    ALL = 3

class ForceCompleteMigrationRequest(Message):
    """Input of ForceCompleteMigration."""

    server_id: str
    """UUID."""
    migration_id: str
    """UUID or number."""
    def __init__(self, *, server_id: str | None = ..., migration_id: str | None = ...) -> None: ...

class ForceCompleteMigrationResponse(Message):
    """Output of ForceCompleteMigration."""

    operation: Operation
    """The migration's operation."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class ForceDeleteServerRequest(Message):
    """Input of ForceDeleteServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class ForceDeleteServerResponse(Message):
    """Output of ForceDeleteServer."""

    operation: Operation
    """The deletion."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class GetAggregateRequest(Message):
    """Input of GetAggregate."""

    aggregate_id: str
    """UUID or number."""
    def __init__(self, *, aggregate_id: str | None = ...) -> None: ...

class GetAggregateResponse(Message):
    """Output of GetAggregate."""

    aggregate: Aggregate
    """The aggregate."""
    def __init__(self, *, aggregate: Aggregate | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["aggregate"]) -> bool: ...

class GetConsoleConnectionRequest(Message):
    """Input of GetConsoleConnection."""

    token: str
    """The token of a console's URL."""
    def __init__(self, *, token: str | None = ...) -> None: ...

class GetConsoleConnectionResponse(Message):
    """Output of GetConsoleConnection."""

    server_id: str
    """The server."""
    host: str
    """Address of the console."""
    port: int
    """Port; 0 when there is only tls_port."""
    tls_port: int
    """Port with TLS; unset when there is none."""
    internal_access_path: str
    """What to ask for at that port; unset when nothing."""
    type: int
    """Type."""
    def __init__(self, *, server_id: str | None = ..., host: str | None = ..., port: int | None = ..., tls_port: int | None = ..., internal_access_path: str | None = ..., type: int | str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["tls_port", "internal_access_path"]) -> bool: ...

class GetConsoleOutputRequest(Message):
    """Input of GetConsoleOutput."""

    server_id: str
    """UUID."""
    lines: int
    """Number of lines from the end; unset means all that is kept (100 KiB)."""
    def __init__(self, *, server_id: str | None = ..., lines: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["lines"]) -> bool: ...

class GetConsoleOutputResponse(Message):
    """Output of GetConsoleOutput."""

    output: str
    """Text without control characters other than tab and newline."""
    def __init__(self, *, output: str | None = ...) -> None: ...

class GetFlavorRequest(Message):
    """Input of GetFlavor."""

    flavor_id: str
    """Flavor's id."""
    with_access: bool
    """The list of projects with access is wanted: needs its policy; NOT_FOUND / FLAVOR_ACCESS_NOT_FOUND for
    public flavors.
    """
    with_extra_specs: bool
    """The extra specs are wanted, not only shown if allowed: needs their policy."""
    extra_spec_key: str
    """Only the extra spec of this key is wanted: needs os-flavor-extra-specs:show and tells no other.
    A key that the flavor does not have is no error.
    """
    def __init__(self, *, flavor_id: str | None = ..., with_access: bool | None = ..., with_extra_specs: bool | None = ..., extra_spec_key: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["extra_spec_key"]) -> bool: ...

class GetFlavorResponse(Message):
    """Output of GetFlavor."""

    flavor: Flavor
    """The flavor."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: extra_specs, project_ids."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class GetHypervisorRequest(Message):
    """Input of GetHypervisor."""

    hypervisor_id: str
    """UUID or number."""
    with_servers: bool
    """Also list servers, in the view FULL."""
    view: int
    """What is told, and which rule decides."""
    def __init__(self, *, hypervisor_id: str | None = ..., with_servers: bool | None = ..., view: int | str | None = ...) -> None: ...

class GetHypervisorResponse(Message):
    """Output of GetHypervisor."""

    hypervisor: Hypervisor
    """The hypervisor."""
    def __init__(self, *, hypervisor: Hypervisor | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["hypervisor"]) -> bool: ...

class GetInstanceActionRequest(Message):
    """Input of GetInstanceAction."""

    server_id: str
    """UUID."""
    request_id: str
    """`req-…`."""
    def __init__(self, *, server_id: str | None = ..., request_id: str | None = ...) -> None: ...

class GetInstanceActionResponse(Message):
    """Output of GetInstanceAction."""

    action: InstanceAction
    """With its events."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: events.traceback, events.host, events.details."""
    def __init__(self, *, action: InstanceAction | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["action"]) -> bool: ...

class GetInterfaceRequest(Message):
    """Input of GetInterface."""

    server_id: str
    """UUID."""
    port_id: str
    """The port."""
    def __init__(self, *, server_id: str | None = ..., port_id: str | None = ...) -> None: ...

class GetInterfaceResponse(Message):
    """Output of GetInterface."""

    interface: Interface
    """The interface."""
    def __init__(self, *, interface: Interface | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["interface"]) -> bool: ...

class GetKeyPairRequest(Message):
    """Input of GetKeyPair."""

    name: str
    """Name."""
    user_id: str
    """Whose; default the caller."""
    def __init__(self, *, name: str | None = ..., user_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id"]) -> bool: ...

class GetKeyPairResponse(Message):
    """Output of GetKeyPair."""

    key_pair: KeyPair
    """The key pair."""
    def __init__(self, *, key_pair: KeyPair | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["key_pair"]) -> bool: ...

class GetLimitsRequest(Message):
    """Input of GetLimits."""

    project_id: str
    """Default: the caller's."""
    def __init__(self, *, project_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["project_id"]) -> bool: ...

class GetLimitsResponse(Message):
    """Output of GetLimits."""

    limits: MutableSequence[ResourceLimit]
    """All resources."""
    def __init__(self, *, limits: Iterable[ResourceLimit | Mapping[str, Any]] = ...) -> None: ...

class GetMigrationRequest(Message):
    """Input of GetMigration."""

    server_id: str
    """UUID."""
    migration_id: str
    """UUID or number."""
    in_progress_only: bool
    """Only a live migration under way; others are MIGRATION_NOT_FOUND (REST)."""
    def __init__(self, *, server_id: str | None = ..., migration_id: str | None = ..., in_progress_only: bool | None = ...) -> None: ...

class GetMigrationResponse(Message):
    """Output of GetMigration."""

    migration: Migration
    """The migration."""
    def __init__(self, *, migration: Migration | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["migration"]) -> bool: ...

class GetOperationRequest(Message):
    """Input of GetOperation."""

    name: str
    """Operation's name."""
    def __init__(self, *, name: str | None = ...) -> None: ...

class GetOperationResponse(Message):
    """Output of GetOperation."""

    operation: Operation
    """The operation."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class GetProjectUsageRequest(Message):
    """Input of GetProjectUsage."""

    project_id: str
    """Project."""
    start: Timestamp
    """Default: four weeks before the end."""
    end: Timestamp
    """Default: now."""
    page_size: int
    """Servers on a page. Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, project_id: str | None = ..., start: Timestamp | Mapping[str, Any] | None = ..., end: Timestamp | Mapping[str, Any] | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["start", "end"]) -> bool: ...

class GetProjectUsageResponse(Message):
    """Output of GetProjectUsage."""

    usage: ProjectUsage
    """The use, with servers; unset when there was none."""
    next_page_token: str
    """Empty on the last page."""
    unreachable_cells: MutableSequence[str]
    """Cells that did not answer: their use is missing."""
    def __init__(self, *, usage: ProjectUsage | Mapping[str, Any] | None = ..., next_page_token: str | None = ..., unreachable_cells: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["usage"]) -> bool: ...

class GetQuotaClassSetRequest(Message):
    """Input of GetQuotaClassSet."""

    class_name: str
    """Class."""
    def __init__(self, *, class_name: str | None = ...) -> None: ...

class GetQuotaClassSetResponse(Message):
    """Output of GetQuotaClassSet."""

    limits: MutableSequence[ResourceLimit]
    """All resources; `used` is not filled."""
    def __init__(self, *, limits: Iterable[ResourceLimit | Mapping[str, Any]] = ...) -> None: ...

class GetQuotaDefaultsRequest(Message):
    """Input of GetQuotaDefaults."""

    project_id: str
    """Project, which decides about the right to ask."""
    def __init__(self, *, project_id: str | None = ...) -> None: ...

class GetQuotaDefaultsResponse(Message):
    """Output of GetQuotaDefaults."""

    limits: MutableSequence[ResourceLimit]
    """All resources; `used` is not filled."""
    def __init__(self, *, limits: Iterable[ResourceLimit | Mapping[str, Any]] = ...) -> None: ...

class GetQuotaSetRequest(Message):
    """Input of GetQuotaSet."""

    project_id: str
    """Project."""
    user_id: str
    """User within the project; unset for the project itself."""
    with_usage: bool
    """Also fill `used`: asks the second rule instead of the first."""
    def __init__(self, *, project_id: str | None = ..., user_id: str | None = ..., with_usage: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id"]) -> bool: ...

class GetQuotaSetResponse(Message):
    """Output of GetQuotaSet."""

    limits: MutableSequence[ResourceLimit]
    """All resources."""
    def __init__(self, *, limits: Iterable[ResourceLimit | Mapping[str, Any]] = ...) -> None: ...

class GetServerAddressesRequest(Message):
    """Input of GetServerAddresses."""

    server_id: str
    """UUID."""
    network_label: str
    """Only those of the network of this name: ips:show decides, otherwise ips:index. A network that the
    server is not on is no error.
    """
    def __init__(self, *, server_id: str | None = ..., network_label: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["network_label"]) -> bool: ...

class GetServerAddressesResponse(Message):
    """Output of GetServerAddresses."""

    addresses: MutableSequence[ServerAddress]
    """In the order of the server's ports."""
    def __init__(self, *, addresses: Iterable[ServerAddress | Mapping[str, Any]] = ...) -> None: ...

class GetServerDiagnosticsRequest(Message):
    """Input of GetServerDiagnostics."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class GetServerDiagnosticsResponse(Message):
    """Output of GetServerDiagnostics."""

    power_state: int
    """What the hypervisor says."""
    driver: str
    """Such as "qemu"."""
    hypervisor: str
    """Such as "qemu" or "kvm"; unset when not known."""
    hypervisor_os: str
    """Such as "linux"; unset when not known."""
    uptime_seconds: int
    """Since the guest was started, seconds."""
    config_drive: bool
    """Whether it has a config drive."""
    cpus: MutableSequence[CpuDiagnostics]
    """Its CPUs."""
    nics: MutableSequence[NicDiagnostics]
    """Its interfaces."""
    disks: MutableSequence[DiskDiagnostics]
    """Its disks."""
    memory_maximum_mib: int
    """Most memory it may have, MiB."""
    memory_used_mib: int
    """Memory in use, MiB."""
    def __init__(self, *, power_state: int | str | None = ..., driver: str | None = ..., hypervisor: str | None = ..., hypervisor_os: str | None = ..., uptime_seconds: int | None = ..., config_drive: bool | None = ..., cpus: Iterable[CpuDiagnostics | Mapping[str, Any]] = ..., nics: Iterable[NicDiagnostics | Mapping[str, Any]] = ..., disks: Iterable[DiskDiagnostics | Mapping[str, Any]] = ..., memory_maximum_mib: int | None = ..., memory_used_mib: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["hypervisor", "hypervisor_os", "uptime_seconds", "memory_maximum_mib", "memory_used_mib"]) -> bool: ...

class GetServerGroupRequest(Message):
    """Input of GetServerGroup."""

    server_group_id: str
    """UUID."""
    def __init__(self, *, server_group_id: str | None = ...) -> None: ...

class GetServerGroupResponse(Message):
    """Output of GetServerGroup."""

    server_group: ServerGroup
    """The group."""
    def __init__(self, *, server_group: ServerGroup | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server_group"]) -> bool: ...

class GetServerMetadataRequest(Message):
    """Input of GetServerMetadata."""

    server_id: str
    """UUID."""
    key: str
    """Only this item; unset for all."""
    def __init__(self, *, server_id: str | None = ..., key: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["key"]) -> bool: ...

class GetServerMetadataResponse(Message):
    """Output of GetServerMetadata."""

    metadata: MutableMapping[str, str]
    """The items."""
    generation: int
    """Of the server; for expected_generation."""
    def __init__(self, *, metadata: Mapping[str, str] = ..., generation: int | None = ...) -> None: ...

class GetServerPasswordRequest(Message):
    """Input of GetServerPassword."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class GetServerPasswordResponse(Message):
    """Output of GetServerPassword."""

    encrypted_password: str
    """Base64 of the encrypted password; unset when the guest has left none."""
    def __init__(self, *, encrypted_password: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["encrypted_password"]) -> bool: ...

class GetServerRequest(Message):
    """Input of GetServer."""

    server_id: str
    """UUID."""
    with_user_data: bool
    """Also fill user_data, if policy allows."""
    with_host_info: bool
    """Also fill host_info and host_status, as far as policy allows."""
    def __init__(self, *, server_id: str | None = ..., with_user_data: bool | None = ..., with_host_info: bool | None = ...) -> None: ...

class GetServerResponse(Message):
    """Output of GetServer."""

    server: Server
    """The server."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: host_info, host_status, flavor.extra_specs,
    fault.details, user_data.
    """
    cell_unreachable: bool
    """Its cell does not answer: only id, project_id and created_at are known."""
    def __init__(self, *, server: Server | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ..., cell_unreachable: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server"]) -> bool: ...

class GetServerShareRequest(Message):
    """Input of GetServerShare."""

    server_id: str
    """UUID."""
    share_id: str
    """The share."""
    def __init__(self, *, server_id: str | None = ..., share_id: str | None = ...) -> None: ...

class GetServerShareResponse(Message):
    """Output of GetServerShare."""

    share: ServerShare
    """The share."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that are hidden from this caller: id, export_location."""
    def __init__(self, *, share: ServerShare | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["share"]) -> bool: ...

class GetServerTagRequest(Message):
    """Input of GetServerTag."""

    server_id: str
    """UUID."""
    tag: str
    """The tag."""
    def __init__(self, *, server_id: str | None = ..., tag: str | None = ...) -> None: ...

class GetServerTagResponse(Message):
    """Output of GetServerTag."""

    def __init__(self) -> None: ...

class GetServerTopologyRequest(Message):
    """Input of GetServerTopology."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class GetServerTopologyResponse(Message):
    """Output of GetServerTopology."""

    nodes: MutableSequence[ServerNumaNode]
    """Nodes in order; empty for guests without a topology."""
    page_size_kib: int
    """Size of memory pages, KiB; unset when not known."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: nodes.host_node, nodes.cpu_pinning."""
    def __init__(self, *, nodes: Iterable[ServerNumaNode | Mapping[str, Any]] = ..., page_size_kib: int | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["page_size_kib"]) -> bool: ...

class GetUsageAuditRequest(Message):
    """Input of GetUsageAudit."""

    before: Timestamp
    """A time within the period after the one that is read; default now."""
    def __init__(self, *, before: Timestamp | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["before"]) -> bool: ...

class GetUsageAuditResponse(Message):
    """Output of GetUsageAudit."""

    period_start: Timestamp
    """Start of the period."""
    period_end: Timestamp
    """End of the period."""
    hosts: MutableSequence[HostUsageAudit]
    """Hosts that have begun."""
    hosts_not_run: MutableSequence[str]
    """Hosts that have not."""
    def __init__(self, *, period_start: Timestamp | Mapping[str, Any] | None = ..., period_end: Timestamp | Mapping[str, Any] | None = ..., hosts: Iterable[HostUsageAudit | Mapping[str, Any]] = ..., hosts_not_run: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["period_start", "period_end"]) -> bool: ...

class GetVolumeAttachmentRequest(Message):
    """Input of GetVolumeAttachment."""

    server_id: str
    """UUID."""
    volume_id: str
    """The volume."""
    def __init__(self, *, server_id: str | None = ..., volume_id: str | None = ...) -> None: ...

class GetVolumeAttachmentResponse(Message):
    """Output of GetVolumeAttachment."""

    volume_attachment: VolumeAttachment
    """The attachment."""
    def __init__(self, *, volume_attachment: VolumeAttachment | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["volume_attachment"]) -> bool: ...

class HintValues(Message):
    """What a hint says."""

    values: MutableSequence[str]
    """One or more."""
    def __init__(self, *, values: Iterable[str] = ...) -> None: ...

class HostRefusals(Message):
    """How one rule refused hosts for one reason."""

    rule: str
    """Filter's name, or "placement"."""
    reason: str
    """UPPER_SNAKE reason code."""
    hosts: int
    """How many hosts it refused."""
    nearest_facts: MutableMapping[str, str]
    """What the nearest of them lacked: what was needed and what was there."""
    def __init__(self, *, rule: str | None = ..., reason: str | None = ..., hosts: int | None = ..., nearest_facts: Mapping[str, str] = ...) -> None: ...

class HostStatus(IntEnum):
    """What REST shows as host_status from 2.16."""
    UNSPECIFIED = 0
    UP = 1
    DOWN = 2
    MAINTENANCE = 3
    UNKNOWN = 4
    NONE = 5

class HostUsageAudit(Message):
    """Usage records of one host."""

    host: str
    """Logical host."""
    done: bool
    """Whether it is done."""
    servers: int
    """Servers looked at."""
    errors: int
    """Servers that could not be looked at."""
    message: str
    """Short text."""
    def __init__(self, *, host: str | None = ..., done: bool | None = ..., servers: int | None = ..., errors: int | None = ..., message: str | None = ...) -> None: ...

class Hypervisor(Message):
    """One hypervisor."""

    id: str
    """UUID; also its resource provider."""
    number: int
    """Number that REST below 2.53 shows."""
    hypervisor_hostname: str
    """Its own name."""
    hypervisor_type: str
    """Such as QEMU."""
    hypervisor_version: int
    """Such as 7002022."""
    host_ip: str
    """Address."""
    cpu_info_json: str
    """CPU description as JSON."""
    vcpus: int
    """Virtual CPUs offered."""
    vcpus_used: int
    """In use."""
    memory_mib: int
    """Memory offered."""
    memory_mib_used: int
    """In use, with what is reserved."""
    disk_gib: int
    """Disk offered."""
    disk_gib_used: int
    """In use."""
    disk_available_least_gib: int
    """Really free now."""
    running_servers: int
    """Servers on it."""
    current_workload: int
    """Servers that something is being done to."""
    service: ComputeService
    """Its compute service."""
    uptime: str
    """As the host tells; unset when unknown."""
    servers: MutableSequence[HypervisorServer]
    """With with_servers only."""
    def __init__(self, *, id: str | None = ..., number: int | None = ..., hypervisor_hostname: str | None = ..., hypervisor_type: str | None = ..., hypervisor_version: int | None = ..., host_ip: str | None = ..., cpu_info_json: str | None = ..., vcpus: int | None = ..., vcpus_used: int | None = ..., memory_mib: int | None = ..., memory_mib_used: int | None = ..., disk_gib: int | None = ..., disk_gib_used: int | None = ..., disk_available_least_gib: int | None = ..., running_servers: int | None = ..., current_workload: int | None = ..., service: ComputeService | Mapping[str, Any] | None = ..., uptime: str | None = ..., servers: Iterable[HypervisorServer | Mapping[str, Any]] = ...) -> None: ...
    def HasField(self, field_name: Literal["service", "uptime"]) -> bool: ...

class HypervisorServer(Message):
    """A server on a hypervisor."""

    id: str
    """UUID."""
    instance_name: str
    """Name at the hypervisor."""
    def __init__(self, *, id: str | None = ..., instance_name: str | None = ...) -> None: ...

class HypervisorView(IntEnum):
    """How much is told of one hypervisor."""
    UNSPECIFIED = 0
    FULL = 1
    UPTIME = 2

class HypervisorsView(IntEnum):
    """How much of hypervisors a list tells. Each view is a question of REST's and has its policy rule."""
    UNSPECIFIED = 0
    DETAIL = 1
    BRIEF = 2
    STATISTICS = 3
    SEARCH = 4
    SERVERS = 5

class ImageRef(Message):
    """What the boot needs to know of its image; read once when the request is accepted."""

    id: str
    """Image id."""
    name: str
    """Image name."""
    disk_format: str
    """Glance's disk_format."""
    container_format: str
    """Glance's container_format."""
    size_bytes: int
    """Size of the data."""
    min_disk_gib: int
    """Smallest root disk."""
    min_memory_mib: int
    """Smallest memory."""
    checksum: str
    """MD5 as hex; may be empty."""
    os_hash_algo: str
    """Such as sha512."""
    os_hash_value: str
    """Hash as hex."""
    properties: MutableMapping[str, str]
    """All other properties as text, those that Nova has a type for under their present names and in canonical
    form (pkg/model/image-properties.ts).
    """
    def __init__(self, *, id: str | None = ..., name: str | None = ..., disk_format: str | None = ..., container_format: str | None = ..., size_bytes: int | None = ..., min_disk_gib: int | None = ..., min_memory_mib: int | None = ..., checksum: str | None = ..., os_hash_algo: str | None = ..., os_hash_value: str | None = ..., properties: Mapping[str, str] = ...) -> None: ...

class ImageResult(Message):
    """An image as an operation has made it."""

    id: str
    """Its id. An image that the rotation of backups does not keep is gone already."""
    def __init__(self, *, id: str | None = ...) -> None: ...

class InitiatorKind(IntEnum):
    """On whose behalf an operation began."""
    UNSPECIFIED = 0
    PROJECT = 1
    OPERATOR = 2
    SYSTEM = 3

class InjectedFile(Message):
    """A file put into the guest (REST below 2.57)."""

    path: str
    """Absolute path in the guest."""
    contents: bytes
    """Decoded contents."""
    def __init__(self, *, path: str | None = ..., contents: bytes | None = ...) -> None: ...

class InstanceAction(Message):
    """One thing done to a server."""

    request_id: str
    """`req-…` of the call."""
    action: str
    """create, delete, start, stop, reboot, …"""
    server_id: str
    """UUID."""
    project_id: str
    """Project of the caller."""
    user_id: str
    """Caller."""
    started_at: Timestamp
    """When it was accepted."""
    updated_at: Timestamp
    """Last change."""
    message: str
    """"Error" after a failure; unset otherwise."""
    events: MutableSequence[InstanceActionEvent]
    """Only when one action is read."""
    def __init__(self, *, request_id: str | None = ..., action: str | None = ..., server_id: str | None = ..., project_id: str | None = ..., user_id: str | None = ..., started_at: Timestamp | Mapping[str, Any] | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ..., message: str | None = ..., events: Iterable[InstanceActionEvent | Mapping[str, Any]] = ...) -> None: ...
    def HasField(self, field_name: Literal["started_at", "updated_at", "message"]) -> bool: ...

class InstanceActionEvent(Message):
    """One step of an action."""

    event: str
    """Step's name."""
    started_at: Timestamp
    """Start."""
    finished_at: Timestamp
    """End; unset while it runs."""
    result: str
    """Success, Error, or unset while it runs."""
    host: str
    """Host where it ran; needs policy."""
    host_id: str
    """Hash of project and host."""
    details: str
    """Error text for tenants."""
    traceback: str
    """For administrators: reason code and facts."""
    def __init__(self, *, event: str | None = ..., started_at: Timestamp | Mapping[str, Any] | None = ..., finished_at: Timestamp | Mapping[str, Any] | None = ..., result: str | None = ..., host: str | None = ..., host_id: str | None = ..., details: str | None = ..., traceback: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["started_at", "finished_at", "result", "host", "host_id", "details", "traceback"]) -> bool: ...

class Interface(Message):
    """One network interface of a server."""

    port_id: str
    """The port; also the interface's id."""
    network_id: str
    """The network."""
    mac_address: str
    """MAC address."""
    port_state: str
    """The port's status in the Network service's words, such as ACTIVE or DOWN."""
    addresses: MutableSequence[InterfaceAddress]
    """Its addresses."""
    tag: str
    """Device tag; unset when none."""
    def __init__(self, *, port_id: str | None = ..., network_id: str | None = ..., mac_address: str | None = ..., port_state: str | None = ..., addresses: Iterable[InterfaceAddress | Mapping[str, Any]] = ..., tag: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["tag"]) -> bool: ...

class InterfaceAddress(Message):
    """One address of an interface."""

    ip_address: str
    """The address."""
    subnet_id: str
    """The subnet."""
    def __init__(self, *, ip_address: str | None = ..., subnet_id: str | None = ...) -> None: ...

class InterfaceResult(Message):
    """An interface as an operation has made it."""

    server_id: str
    """Server's UUID."""
    port_id: str
    """The port; also the interface's id."""
    def __init__(self, *, server_id: str | None = ..., port_id: str | None = ...) -> None: ...

class KeyPair(Message):
    """A public key that can be put into servers."""

    id: int
    """Number that REST shows; unique per installation."""
    name: str
    """Unique per user."""
    user_id: str
    """Owner."""
    type: int
    """Kind of key."""
    public_key: str
    """One line OpenSSH key, or PEM for X509."""
    fingerprint: str
    """MD5 of the key as colon-separated hex; SHA-1 for X509."""
    created_at: Timestamp
    """When it was made."""
    def __init__(self, *, id: int | None = ..., name: str | None = ..., user_id: str | None = ..., type: int | str | None = ..., public_key: str | None = ..., fingerprint: str | None = ..., created_at: Timestamp | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["created_at"]) -> bool: ...

class KeyPairType(IntEnum):
    """Kind of key."""
    UNSPECIFIED = 0
    SSH = 1
    X509 = 2

class ListAggregatesRequest(Message):
    """Input of ListAggregates."""

    host: str
    """Only those with this host."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, host: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host"]) -> bool: ...

class ListAggregatesResponse(Message):
    """Output of ListAggregates."""

    aggregates: MutableSequence[Aggregate]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, aggregates: Iterable[Aggregate | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class ListAvailabilityZonesRequest(Message):
    """Input of ListAvailabilityZones."""

    detail: bool
    """Also hosts, services and the internal zone; needs policy."""
    def __init__(self, *, detail: bool | None = ...) -> None: ...

class ListAvailabilityZonesResponse(Message):
    """Output of ListAvailabilityZones."""

    zones: MutableSequence[AvailabilityZone]
    """All zones."""
    unreachable_cells: MutableSequence[str]
    """Cells that do not answer: their hosts are shown as they were last seen, or are missing when they never
    were.
    """
    def __init__(self, *, zones: Iterable[AvailabilityZone | Mapping[str, Any]] = ..., unreachable_cells: Iterable[str] = ...) -> None: ...

class ListComputeServicesRequest(Message):
    """Input of ListComputeServices."""

    host: str
    """Only this host."""
    binary: str
    """Only this binary."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, host: str | None = ..., binary: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host", "binary"]) -> bool: ...

class ListComputeServicesResponse(Message):
    """Output of ListComputeServices."""

    services: MutableSequence[ComputeService]
    """One page, by number and cell."""
    unreachable_cells: MutableSequence[str]
    """Cells that did not answer."""
    next_page_token: str
    """Empty on the last page."""
    down_cell_services: MutableSequence[ComputeService]
    """With the first page: compute services of those cells as they were last seen; what they do now is not
    known.
    """
    def __init__(self, *, services: Iterable[ComputeService | Mapping[str, Any]] = ..., unreachable_cells: Iterable[str] = ..., next_page_token: str | None = ..., down_cell_services: Iterable[ComputeService | Mapping[str, Any]] = ...) -> None: ...

class ListFlavorsRequest(Message):
    """Input of ListFlavors."""

    visibility: int
    """Default PUBLIC."""
    min_memory_mib: int
    """At least this much memory."""
    min_root_gib: int
    """At least this much root disk."""
    name: str
    """Exactly this name."""
    sort: MutableSequence[FlavorSort]
    """Default: id ascending."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, visibility: int | str | None = ..., min_memory_mib: int | None = ..., min_root_gib: int | None = ..., name: str | None = ..., sort: Iterable[FlavorSort | Mapping[str, Any]] = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["name"]) -> bool: ...

class ListFlavorsResponse(Message):
    """Output of ListFlavors."""

    flavors: MutableSequence[Flavor]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: extra_specs, project_ids."""
    def __init__(self, *, flavors: Iterable[Flavor | Mapping[str, Any]] = ..., next_page_token: str | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...

class ListHypervisorsRequest(Message):
    """Input of ListHypervisors."""

    hostname_pattern: str
    """Part of the hypervisor's host name."""
    with_servers: bool
    """Also list servers, in the views DETAIL and BRIEF."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    view: int
    """What is told, and which rule decides."""
    def __init__(self, *, hostname_pattern: str | None = ..., with_servers: bool | None = ..., page_size: int | None = ..., page_token: str | None = ..., view: int | str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["hostname_pattern"]) -> bool: ...

class ListHypervisorsResponse(Message):
    """Output of ListHypervisors."""

    hypervisors: MutableSequence[Hypervisor]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    unreachable_cells: MutableSequence[str]
    """Cells that do not answer: their hypervisors are shown as they were last seen, as not up and without their
    servers, or are missing when they never were seen.
    """
    def __init__(self, *, hypervisors: Iterable[Hypervisor | Mapping[str, Any]] = ..., next_page_token: str | None = ..., unreachable_cells: Iterable[str] = ...) -> None: ...

class ListInstanceActionsRequest(Message):
    """Input of ListInstanceActions."""

    server_id: str
    """UUID."""
    changes_since: Timestamp
    """Updated at or after."""
    changes_before: Timestamp
    """Updated at or before."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, server_id: str | None = ..., changes_since: Timestamp | Mapping[str, Any] | None = ..., changes_before: Timestamp | Mapping[str, Any] | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["changes_since", "changes_before"]) -> bool: ...

class ListInstanceActionsResponse(Message):
    """Output of ListInstanceActions."""

    actions: MutableSequence[InstanceAction]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, actions: Iterable[InstanceAction | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class ListInterfacesRequest(Message):
    """Input of ListInterfaces."""

    server_id: str
    """UUID."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListInterfacesResponse(Message):
    """Output of ListInterfaces."""

    interfaces: MutableSequence[Interface]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, interfaces: Iterable[Interface | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class ListKeyPairsRequest(Message):
    """Input of ListKeyPairs."""

    user_id: str
    """Whose; default the caller."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, user_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id"]) -> bool: ...

class ListKeyPairsResponse(Message):
    """Output of ListKeyPairs."""

    key_pairs: MutableSequence[KeyPair]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, key_pairs: Iterable[KeyPair | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class ListMigrationsRequest(Message):
    """Input of ListMigrations. Unset fields do not filter; all that are set must hold."""

    server_ids: MutableSequence[str]
    """Of these servers."""
    host: str
    """Leaving or going to this host."""
    source_compute: str
    """Leaving this host."""
    status: str
    """With this status."""
    type: int
    """Of this kind."""
    project_id: str
    """Of this project; default the caller's, unless all_projects."""
    user_id: str
    """Asked for by this user."""
    all_projects: bool
    """Of all projects; needs policy."""
    hidden: bool
    """Only, or not, those of a move that was undone and is shown elsewhere."""
    changes_since: Timestamp
    """Changed at or after."""
    changes_before: Timestamp
    """Changed at or before."""
    in_progress_only: bool
    """Only live migrations under way, with their progress. Names one server in server_ids."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, server_ids: Iterable[str] = ..., host: str | None = ..., source_compute: str | None = ..., status: str | None = ..., type: int | str | None = ..., project_id: str | None = ..., user_id: str | None = ..., all_projects: bool | None = ..., hidden: bool | None = ..., changes_since: Timestamp | Mapping[str, Any] | None = ..., changes_before: Timestamp | Mapping[str, Any] | None = ..., in_progress_only: bool | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host", "source_compute", "status", "project_id", "user_id", "hidden", "changes_since", "changes_before"]) -> bool: ...

class ListMigrationsResponse(Message):
    """Output of ListMigrations."""

    migrations: MutableSequence[Migration]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    unreachable_cells: MutableSequence[str]
    """Cells that did not answer."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: source_compute, source_node, dest_compute, dest_node,
    dest_host.
    """
    def __init__(self, *, migrations: Iterable[Migration | Mapping[str, Any]] = ..., next_page_token: str | None = ..., unreachable_cells: Iterable[str] = ..., hidden_fields: Iterable[str] = ...) -> None: ...

class ListOperationsRequest(Message):
    """Input of ListOperations. Filters narrow each other."""

    server_id: str
    """UUID. Unset lists those of all servers of the project."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer to the same request."""
    all_projects: bool
    """Of all projects; needs policy. Changes nothing with `server_id`, `host` or `cloud`."""
    states: MutableSequence[int]
    """Only in these states; empty means any."""
    kinds: MutableSequence[str]
    """Only of these kinds, such as "server.boot"; empty means any. What is no kind fits nothing."""
    created_since: Timestamp
    """Only those accepted then or later."""
    with_resume_token: bool
    """Also a token for WatchEvents. Only the first page has one. Not with `host` or `cloud`: no watch tells of
    these.
    """
    host: str
    """Only those of this host: its name, or the UUID of its hypervisor, by which also a host is found that is
    deleted. Not together with `server_id` or `cloud`.
    """
    cloud: bool
    """Only those of the cloud as a whole. Not together with `server_id` or `host`."""
    def __init__(self, *, server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ..., all_projects: bool | None = ..., states: Iterable[int | str] = ..., kinds: Iterable[str] = ..., created_since: Timestamp | Mapping[str, Any] | None = ..., with_resume_token: bool | None = ..., host: str | None = ..., cloud: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server_id", "created_since", "host"]) -> bool: ...

class ListOperationsResponse(Message):
    """Output of ListOperations."""

    operations: MutableSequence[Operation]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    unreachable_cells: MutableSequence[str]
    """Cells that did not answer: this page lacks their operations."""
    resume_token: str
    """Where WatchEvents goes on from this list without a gap: what changed since is told, some of it perhaps
    again; an event whose operation's generation is not greater than the one known changes nothing. Good for
    a watch with the same `all_projects`, and with `server_id`, if given, as its only server.
    """
    def __init__(self, *, operations: Iterable[Operation | Mapping[str, Any]] = ..., next_page_token: str | None = ..., unreachable_cells: Iterable[str] = ..., resume_token: str | None = ...) -> None: ...

class ListProjectUsagesRequest(Message):
    """Input of ListProjectUsages."""

    start: Timestamp
    """Default: four weeks before the end."""
    end: Timestamp
    """Default: now."""
    with_servers: bool
    """Also list servers."""
    page_size: int
    """Servers on a page. Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, start: Timestamp | Mapping[str, Any] | None = ..., end: Timestamp | Mapping[str, Any] | None = ..., with_servers: bool | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["start", "end"]) -> bool: ...

class ListProjectUsagesResponse(Message):
    """Output of ListProjectUsages."""

    usages: MutableSequence[ProjectUsage]
    """Projects that used something."""
    next_page_token: str
    """Empty on the last page."""
    unreachable_cells: MutableSequence[str]
    """Cells that did not answer: their use is missing."""
    def __init__(self, *, usages: Iterable[ProjectUsage | Mapping[str, Any]] = ..., next_page_token: str | None = ..., unreachable_cells: Iterable[str] = ...) -> None: ...

class ListServerGroupsRequest(Message):
    """Input of ListServerGroups."""

    all_projects: bool
    """Of all projects; needs policy."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, all_projects: bool | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListServerGroupsResponse(Message):
    """Output of ListServerGroups."""

    server_groups: MutableSequence[ServerGroup]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, server_groups: Iterable[ServerGroup | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class ListServerSecurityGroupsRequest(Message):
    """Input of ListServerSecurityGroups."""

    server_id: str
    """UUID."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListServerSecurityGroupsResponse(Message):
    """Output of ListServerSecurityGroups."""

    security_groups: MutableSequence[ServerSecurityGroup]
    """One page, by name."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, security_groups: Iterable[ServerSecurityGroup | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class ListServerSharesRequest(Message):
    """Input of ListServerShares."""

    server_id: str
    """UUID."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListServerSharesResponse(Message):
    """Output of ListServerShares."""

    shares: MutableSequence[ServerShare]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that are hidden from this caller: id, export_location."""
    def __init__(self, *, shares: Iterable[ServerShare | Mapping[str, Any]] = ..., next_page_token: str | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...

class ListServerTagsRequest(Message):
    """Input of ListServerTags."""

    server_id: str
    """UUID."""
    def __init__(self, *, server_id: str | None = ...) -> None: ...

class ListServerTagsResponse(Message):
    """Output of ListServerTags."""

    tags: MutableSequence[str]
    """Sorted."""
    def __init__(self, *, tags: Iterable[str] = ...) -> None: ...

class ListServersRequest(Message):
    """Input of ListServers."""

    filter: ServerFilter
    """Which ones."""
    all_projects: bool
    """Of all projects; needs policy."""
    sort: MutableSequence[ServerSort]
    """Default: created_at descending. created_at and id are always appended."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer; bound to filter and sort."""
    with_host_info: bool
    """Also fill host_info and host_status, as far as policy allows."""
    brief: bool
    """Only ids and names are wanted (REST's brief list): decides which rule is asked."""
    with_resume_token: bool
    """Also answer a resume_token. With the first page only."""
    def __init__(self, *, filter: ServerFilter | Mapping[str, Any] | None = ..., all_projects: bool | None = ..., sort: Iterable[ServerSort | Mapping[str, Any]] = ..., page_size: int | None = ..., page_token: str | None = ..., with_host_info: bool | None = ..., brief: bool | None = ..., with_resume_token: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["filter"]) -> bool: ...

class ListServersResponse(Message):
    """Output of ListServers."""

    servers: MutableSequence[Server]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    unreachable_cells: MutableSequence[str]
    """Cells that did not answer: the list may lack their servers."""
    down_cell_servers: MutableSequence[Server]
    """What is known (id, created_at, project) of servers in unreachable cells."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: host_info, host_status, flavor.extra_specs,
    fault.details, user_data.
    """
    resume_token: str
    """Where WatchEvents goes on from this list without a gap, for a cache that is filled with it: a change of
    any server is in this or a later page, or will be told. What is told may be in the list already: an event
    whose server's generation is not greater than the one known changes nothing. Good for a WatchEvents of
    the same projects (all_projects) that names no servers.
    """
    def __init__(self, *, servers: Iterable[Server | Mapping[str, Any]] = ..., next_page_token: str | None = ..., unreachable_cells: Iterable[str] = ..., down_cell_servers: Iterable[Server | Mapping[str, Any]] = ..., hidden_fields: Iterable[str] = ..., resume_token: str | None = ...) -> None: ...

class ListVolumeAttachmentsRequest(Message):
    """Input of ListVolumeAttachments."""

    server_id: str
    """UUID."""
    page_size: int
    """Default 100; more than 1000 counts as 1000. A page ends earlier at 3 MiB."""
    page_token: str
    """From an earlier answer."""
    def __init__(self, *, server_id: str | None = ..., page_size: int | None = ..., page_token: str | None = ...) -> None: ...

class ListVolumeAttachmentsResponse(Message):
    """Output of ListVolumeAttachments."""

    volume_attachments: MutableSequence[VolumeAttachment]
    """One page."""
    next_page_token: str
    """Empty on the last page."""
    def __init__(self, *, volume_attachments: Iterable[VolumeAttachment | Mapping[str, Any]] = ..., next_page_token: str | None = ...) -> None: ...

class LiveMigrateServerRequest(Message):
    """Input of LiveMigrateServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    host: str
    """Host asked for, which the scheduler still checks; needs the second rule. Default: any."""
    block_migration: int
    """Disks."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., host: str | None = ..., block_migration: int | str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host"]) -> bool: ...

class LiveMigrateServerResponse(Message):
    """Output of LiveMigrateServer."""

    operation: Operation
    """The migration."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class LockServerMetadata(Message):
    """What was asked for with a lock."""

    reason: str
    """Why; unset for no reason given."""
    def __init__(self, *, reason: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["reason"]) -> bool: ...

class LockServerRequest(Message):
    """Input of LockServer."""

    server_id: str
    """UUID."""
    reason: str
    """Why, 1 to 255 characters; unset when not told."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., reason: str | None = ..., client_token: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["reason"]) -> bool: ...

class LockServerResponse(Message):
    """Output of LockServer."""

    operation: Operation
    """The lock; done already."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class MigrateServerRequest(Message):
    """Input of MigrateServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    host: str
    """Host asked for, which the scheduler still checks; the second rule decides then. Default: any."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., host: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host"]) -> bool: ...

class MigrateServerResponse(Message):
    """Output of MigrateServer."""

    operation: Operation
    """The migration."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class Migration(Message):
    """One move of a server."""

    id: str
    """UUID."""
    number: int
    """Number that REST shows; unique within a cell."""
    server_id: str
    """The server."""
    project_id: str
    """Owner of the server."""
    user_id: str
    """Who asked for the move."""
    type: int
    """Kind of move."""
    status: str
    """Nova's word: accepted, queued, preparing, pre-migrating, migrating, post-migrating, running, finished,
    confirming, confirmed, reverting, reverted, cancelled, completed, done, failed or error.
    """
    source_compute: str
    """Host it leaves; needs policy."""
    source_node: str
    """Hypervisor it leaves; needs policy."""
    dest_compute: str
    """Host it goes to; unset until chosen; needs policy."""
    dest_node: str
    """Hypervisor it goes to; needs policy."""
    dest_host: str
    """Address of the host it goes to; needs policy."""
    old_flavor_number: int
    """Number of the flavor before; 0: flavors have none."""
    new_flavor_number: int
    """Number of the flavor after; 0: flavors have none."""
    created_at: Timestamp
    """When it was accepted."""
    updated_at: Timestamp
    """Last change; unset when never changed."""
    progress: MigrationProgress
    """For live migrations under way."""
    operation: str
    """The operation that does it."""
    def __init__(self, *, id: str | None = ..., number: int | None = ..., server_id: str | None = ..., project_id: str | None = ..., user_id: str | None = ..., type: int | str | None = ..., status: str | None = ..., source_compute: str | None = ..., source_node: str | None = ..., dest_compute: str | None = ..., dest_node: str | None = ..., dest_host: str | None = ..., old_flavor_number: int | None = ..., new_flavor_number: int | None = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ..., progress: MigrationProgress | Mapping[str, Any] | None = ..., operation: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["source_compute", "source_node", "dest_compute", "dest_node", "dest_host", "created_at", "updated_at", "progress"]) -> bool: ...

class MigrationProgress(Message):
    """Progress of a live migration. Unset fields are not known yet."""

    memory_total_bytes: int
    """Memory in all."""
    memory_processed_bytes: int
    """Memory sent."""
    memory_remaining_bytes: int
    """Memory to be sent."""
    disk_total_bytes: int
    """Disks in all."""
    disk_processed_bytes: int
    """Disks sent."""
    disk_remaining_bytes: int
    """Disks to be sent."""
    def __init__(self, *, memory_total_bytes: int | None = ..., memory_processed_bytes: int | None = ..., memory_remaining_bytes: int | None = ..., disk_total_bytes: int | None = ..., disk_processed_bytes: int | None = ..., disk_remaining_bytes: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["memory_total_bytes", "memory_processed_bytes", "memory_remaining_bytes", "disk_total_bytes", "disk_processed_bytes", "disk_remaining_bytes"]) -> bool: ...

class MigrationType(IntEnum):
    """Kind of move."""
    UNSPECIFIED = 0
    MIGRATION = 1
    RESIZE = 2
    LIVE_MIGRATION = 3
    EVACUATION = 4

class NetworkMode(IntEnum):
    """What no listed network means."""
    UNSPECIFIED = 0
    AUTO = 1
    NONE = 2

class NicDiagnostics(Message):
    """One network interface of a guest. Unset fields are not known to the hypervisor."""

    mac_address: str
    """MAC address."""
    rx_bytes: int
    """Bytes received."""
    rx_errors: int
    """Errors while receiving."""
    rx_dropped: int
    """Packets dropped while receiving."""
    rx_packets: int
    """Packets received."""
    rx_bytes_per_second: int
    """Bytes per second received."""
    tx_bytes: int
    """Bytes sent."""
    tx_errors: int
    """Errors while sending."""
    tx_dropped: int
    """Packets dropped while sending."""
    tx_packets: int
    """Packets sent."""
    tx_bytes_per_second: int
    """Bytes per second sent."""
    def __init__(self, *, mac_address: str | None = ..., rx_bytes: int | None = ..., rx_errors: int | None = ..., rx_dropped: int | None = ..., rx_packets: int | None = ..., rx_bytes_per_second: int | None = ..., tx_bytes: int | None = ..., tx_errors: int | None = ..., tx_dropped: int | None = ..., tx_packets: int | None = ..., tx_bytes_per_second: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["rx_bytes", "rx_errors", "rx_dropped", "rx_packets", "rx_bytes_per_second", "tx_bytes", "tx_errors", "tx_dropped", "tx_packets", "tx_bytes_per_second"]) -> bool: ...

class NoValidHost(Message):
    """Which rules refused how many hosts, and how near the nearest was. Names no host."""

    hosts_considered: int
    """Hosts that there were."""
    refusals: MutableSequence[HostRefusals]
    """By rule, in the order in which they ran."""
    def __init__(self, *, hosts_considered: int | None = ..., refusals: Iterable[HostRefusals | Mapping[str, Any]] = ...) -> None: ...

class NumaNode(Message):
    """One NUMA node of a guest."""

    memory_mib: int
    """Memory, MiB."""
    vcpus: MutableSequence[int]
    """Numbers of the guest's CPUs on it."""
    siblings: MutableSequence[CpuSet]
    """Sets of the guest's CPUs that are threads of one core."""
    host_node: int
    """Node of the host."""
    cpu_pinning: MutableMapping[int, int]
    """CPU of the host for each pinned CPU of the guest."""
    def __init__(self, *, memory_mib: int | None = ..., vcpus: Iterable[int] = ..., siblings: Iterable[CpuSet | Mapping[str, Any]] = ..., host_node: int | None = ..., cpu_pinning: Mapping[int, int] = ...) -> None: ...

class NumaTopology(Message):
    """How a guest's CPUs and memory lie on NUMA nodes."""

    nodes: MutableSequence[NumaNode]
    """Nodes in order."""
    page_size_kib: int
    """Size of memory pages, KiB; unset for the usual one."""
    def __init__(self, *, nodes: Iterable[NumaNode | Mapping[str, Any]] = ..., page_size_kib: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["page_size_kib"]) -> bool: ...

class OffloadServerRequest(Message):
    """Input of OffloadServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class OffloadServerResponse(Message):
    """Output of OffloadServer."""

    operation: Operation
    """The offloading."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class Operation(Message):
    """Slow work that was accepted and will end, whatever process dies."""

    name: str
    """`operations/<server uuid>/<operation uuid>`; of a host `operations/hosts/<host uuid>/<operation uuid>`,
    of the cloud `operations/cloud/<operation uuid>`.
    """
    kind: str
    """Such as "server.boot"."""
    server_id: str
    """Server concerned; unset when it is about a host or the cloud."""
    project_id: str
    """Owner of the server; unset when there is none."""
    request_id: str
    """`req-…` of the call that started it."""
    state: int
    """Where it stands."""
    done: bool
    """Whether nothing happens any more by itself. Only an operation that is NEEDS_OPERATOR may still go on:
    when an operator retries it, `done` is false again.
    """
    current_step: str
    """Name of the step that runs or waits."""
    steps: MutableSequence[OperationStep]
    """Timeline, oldest first."""
    error: OperationError
    """Set when FAILED, CANCELLED or NEEDS_OPERATOR."""
    created_at: Timestamp
    """When it was accepted."""
    updated_at: Timestamp
    """Last change."""
    progress: OperationProgress
    """How far the step that runs has come. Unset if nothing measures it."""
    action: str
    """Nova's name of the instance action, such as "create"."""
    metadata: OperationMetadata
    """What was asked for. Unset for kinds that need no more than a server."""
    result: OperationResult
    """What it has brought about. Only when SUCCEEDED; unset for kinds that leave nothing."""
    initiator: OperationInitiator
    """Who began it."""
    successor: str
    """Name of the operation that took over. Only when PREEMPTED."""
    generation: int
    """Grows with every change that is told. Of two records of an operation the higher one is the newer."""
    def __init__(self, *, name: str | None = ..., kind: str | None = ..., server_id: str | None = ..., project_id: str | None = ..., request_id: str | None = ..., state: int | str | None = ..., done: bool | None = ..., current_step: str | None = ..., steps: Iterable[OperationStep | Mapping[str, Any]] = ..., error: OperationError | Mapping[str, Any] | None = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ..., progress: OperationProgress | Mapping[str, Any] | None = ..., action: str | None = ..., metadata: OperationMetadata | Mapping[str, Any] | None = ..., result: OperationResult | Mapping[str, Any] | None = ..., initiator: OperationInitiator | Mapping[str, Any] | None = ..., successor: str | None = ..., generation: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server_id", "project_id", "current_step", "error", "created_at", "updated_at", "progress", "action", "metadata", "result", "initiator", "successor"]) -> bool: ...

class OperationError(Message):
    """Why an operation failed. `reason` is the contract, `message` is for people and tenant-safe."""

    reason: str
    """UPPER_SNAKE reason code, such as NO_VALID_HOST."""
    domain: str
    """Service that gave the reason."""
    message: str
    """One sentence."""
    facts: MutableMapping[str, str]
    """Short facts, such as the step or the resource class."""
    no_valid_host: NoValidHost
    """Why no host would do; set with NO_VALID_HOST of the scheduler."""
    def __init__(self, *, reason: str | None = ..., domain: str | None = ..., message: str | None = ..., facts: Mapping[str, str] = ..., no_valid_host: NoValidHost | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["no_valid_host"]) -> bool: ...

class OperationInitiator(Message):
    """Who began an operation."""

    kind: int
    """On whose behalf."""
    user_id: str
    """Identity's user id; unset for the cloud itself."""
    project_id: str
    """Project in which the user acted; unset for the cloud itself, and for a token without one."""
    def __init__(self, *, kind: int | str | None = ..., user_id: str | None = ..., project_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id", "project_id"]) -> bool: ...

class OperationMetadata(Message):
    """What was asked for, as far as it decides what is done. Holds no secrets and nothing of other projects."""

    create_server: CreateServerMetadata
    """Of "server.boot"."""
    reboot_server: RebootServerMetadata
    """Of "server.reboot"."""
    lock_server: LockServerMetadata
    """Of "server.lock"."""
    cache_images: CacheImagesMetadata
    """Of "cloud.cache-images" and "host.cache-images"."""
    reset_server_state: ResetServerStateMetadata
    """Of "server.reset-state"."""
    rebuild_server: RebuildServerMetadata
    """Of "server.rebuild"."""
    create_server_image: CreateServerImageMetadata
    """Of "server.create-image"."""
    create_server_backup: CreateServerBackupMetadata
    """Of "server.create-backup"."""
    attach_interface: AttachInterfaceMetadata
    """Of "server.attach-interface"."""
    detach_interface: DetachInterfaceMetadata
    """Of "server.detach-interface"."""
    attach_volume: AttachVolumeMetadata
    """Of "server.attach-volume"."""
    detach_volume: DetachVolumeMetadata
    """Of "server.detach-volume"."""
    rescue_server: RescueServerMetadata
    """Of "server.rescue"."""
    shelve_server: ShelveServerMetadata
    """Of "server.shelve"."""
    extend_volume: ExtendVolumeMetadata
    """Of "server.extend-volume"."""
    swap_volume: SwapVolumeMetadata
    """Of "server.swap-volume"."""
    resize_server: ResizeServerMetadata
    """Of "server.resize"."""
    def __init__(self, *, create_server: CreateServerMetadata | Mapping[str, Any] | None = ..., reboot_server: RebootServerMetadata | Mapping[str, Any] | None = ..., lock_server: LockServerMetadata | Mapping[str, Any] | None = ..., cache_images: CacheImagesMetadata | Mapping[str, Any] | None = ..., reset_server_state: ResetServerStateMetadata | Mapping[str, Any] | None = ..., rebuild_server: RebuildServerMetadata | Mapping[str, Any] | None = ..., create_server_image: CreateServerImageMetadata | Mapping[str, Any] | None = ..., create_server_backup: CreateServerBackupMetadata | Mapping[str, Any] | None = ..., attach_interface: AttachInterfaceMetadata | Mapping[str, Any] | None = ..., detach_interface: DetachInterfaceMetadata | Mapping[str, Any] | None = ..., attach_volume: AttachVolumeMetadata | Mapping[str, Any] | None = ..., detach_volume: DetachVolumeMetadata | Mapping[str, Any] | None = ..., rescue_server: RescueServerMetadata | Mapping[str, Any] | None = ..., shelve_server: ShelveServerMetadata | Mapping[str, Any] | None = ..., extend_volume: ExtendVolumeMetadata | Mapping[str, Any] | None = ..., swap_volume: SwapVolumeMetadata | Mapping[str, Any] | None = ..., resize_server: ResizeServerMetadata | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["create_server", "reboot_server", "lock_server", "cache_images", "reset_server_state", "rebuild_server", "create_server_image", "create_server_backup", "attach_interface", "detach_interface", "attach_volume", "detach_volume", "rescue_server", "shelve_server", "extend_volume", "swap_volume", "resize_server"]) -> bool: ...
    def WhichOneof(self, oneof_group: Literal["asked"]) -> Literal["create_server", "reboot_server", "lock_server", "cache_images", "reset_server_state", "rebuild_server", "create_server_image", "create_server_backup", "attach_interface", "detach_interface", "attach_volume", "detach_volume", "rescue_server", "shelve_server", "extend_volume", "swap_volume", "resize_server"] | None: ...

class OperationProgress(Message):
    """How far the step that runs has come. A figure to show, not one to decide by."""

    percent: int
    """0 to 100. May fall when a step begins again."""
    phase: str
    """What is counted, such as "image_bytes"."""
    done: int
    """How much of it is done."""
    total: int
    """How much there is; 0 if that is not known."""
    updated_at: Timestamp
    """When this was measured."""
    def __init__(self, *, percent: int | None = ..., phase: str | None = ..., done: int | None = ..., total: int | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["updated_at"]) -> bool: ...

class OperationResult(Message):
    """What an operation has brought about."""

    server: ServerResult
    """A server, new or changed."""
    image: ImageResult
    """An image."""
    interface: InterfaceResult
    """An interface that a server has got."""
    volume: VolumeResult
    """A volume that a server has got."""
    def __init__(self, *, server: ServerResult | Mapping[str, Any] | None = ..., image: ImageResult | Mapping[str, Any] | None = ..., interface: InterfaceResult | Mapping[str, Any] | None = ..., volume: VolumeResult | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server", "image", "interface", "volume"]) -> bool: ...
    def WhichOneof(self, oneof_group: Literal["outcome"]) -> Literal["server", "image", "interface", "volume"] | None: ...

class OperationRules(IntEnum):
    """Which operations a method asks the rule of that beginning one of their kind needs."""
    UNSPECIFIED = 0
    HOSTS_AND_CLOUD = 1
    ALL = 2

class OperationState(IntEnum):
    """Life of an operation. The last five are final, except NEEDS_OPERATOR, which an operator may retry."""
    UNSPECIFIED = 0
    RUNNING = 1
    PARKED = 2
    UNDOING = 3
    SUCCEEDED = 4
    FAILED = 5
    CANCELLED = 6
    PREEMPTED = 7
    NEEDS_OPERATOR = 8

class OperationStep(Message):
    """One step of the timeline."""

    name: str
    """Step name, such as "spawn"."""
    started_at: Timestamp
    """First start."""
    finished_at: Timestamp
    """Unset while it runs."""
    result: str
    """"success", "error", "undone", or unset while it runs."""
    attempts: int
    """How often it was started."""
    def __init__(self, *, name: str | None = ..., started_at: Timestamp | Mapping[str, Any] | None = ..., finished_at: Timestamp | Mapping[str, Any] | None = ..., result: str | None = ..., attempts: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["started_at", "finished_at", "result"]) -> bool: ...

class PauseServerRequest(Message):
    """Input of PauseServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class PauseServerResponse(Message):
    """Output of PauseServer."""

    operation: Operation
    """The pause."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class PowerState(IntEnum):
    """What the hypervisor last said."""
    UNSPECIFIED = 0
    NOSTATE = 1
    RUNNING = 2
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 5
    SUSPENDED = 6

class ProjectUsage(Message):
    """Use of one project in a period."""

    project_id: str
    """Project."""
    start: Timestamp
    """Start of the period."""
    end: Timestamp
    """End of the period."""
    total_hours: float
    """Hours of all servers."""
    total_vcpu_hours: float
    """CPU hours."""
    total_memory_mib_hours: float
    """Memory hours, MiB·h."""
    total_local_gib_hours: float
    """Disk hours, GiB·h."""
    servers: MutableSequence[ServerUsage]
    """Servers, when asked for."""
    def __init__(self, *, project_id: str | None = ..., start: Timestamp | Mapping[str, Any] | None = ..., end: Timestamp | Mapping[str, Any] | None = ..., total_hours: float | None = ..., total_vcpu_hours: float | None = ..., total_memory_mib_hours: float | None = ..., total_local_gib_hours: float | None = ..., servers: Iterable[ServerUsage | Mapping[str, Any]] = ...) -> None: ...
    def HasField(self, field_name: Literal["start", "end"]) -> bool: ...

class RebootServerMetadata(Message):
    """What was asked for with a reboot."""

    hard: bool
    """Whether the guest was not to be asked first."""
    def __init__(self, *, hard: bool | None = ...) -> None: ...

class RebootServerRequest(Message):
    """Input of RebootServer."""

    server_id: str
    """UUID."""
    type: int
    """Default SOFT."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., type: int | str | None = ..., client_token: str | None = ...) -> None: ...

class RebootServerResponse(Message):
    """Output of RebootServer."""

    operation: Operation
    """The restart."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class RebootType(IntEnum):
    """How to restart."""
    UNSPECIFIED = 0
    SOFT = 1
    HARD = 2

class RebuildServerMetadata(Message):
    """What was asked for with a rebuild."""

    image_id: str
    """Image's id."""
    preserve_ephemeral: bool
    """Whether the ephemeral disk was to keep what is on it."""
    def __init__(self, *, image_id: str | None = ..., preserve_ephemeral: bool | None = ...) -> None: ...

class RebuildServerRequest(Message):
    """Input of RebuildServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    image_id: str
    """Image to build from."""
    admin_password: str
    """Password set in the guest, at most 255 characters. Default: one is made."""
    preserve_ephemeral: bool
    """Whether the ephemeral disks keep their contents; only where the hypervisor can."""
    files: MutableSequence[InjectedFile]
    """Files to put in (REST below 2.57); limited by quota."""
    server: Server
    """New values of the fields in the mask; what is in the mask and unset or empty is taken away."""
    update_mask: FieldMask
    """Any of name, description, hostname, metadata, key_name (a pair of the caller), user_data (at most 49,149
    bytes), disk_config, access_ip_v4, access_ip_v6, trusted_image_certificates (at most 50). All else stays
    as it is, but for disk_config, which follows the image then.
    """
    reimage_root_volume: bool
    """Of a server whose root disk is a volume: whether the image is written over it (REST from 2.93 on).
    Without it the volume stays as it is, and the image must be the one that it was made from.
    """
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., image_id: str | None = ..., admin_password: str | None = ..., preserve_ephemeral: bool | None = ..., files: Iterable[InjectedFile | Mapping[str, Any]] = ..., server: Server | Mapping[str, Any] | None = ..., update_mask: FieldMask | Mapping[str, Any] | None = ..., reimage_root_volume: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["admin_password", "server", "update_mask"]) -> bool: ...

class RebuildServerResponse(Message):
    """Output of RebuildServer."""

    operation: Operation
    """The rebuild."""
    server: Server
    """As accepted."""
    admin_password: str
    """The given or made password, told only here; unset in repeated answers."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller, as in GetServer."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., server: Server | Mapping[str, Any] | None = ..., admin_password: str | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "server", "admin_password"]) -> bool: ...

class RemoveAggregateHostRequest(Message):
    """Input of RemoveAggregateHost."""

    aggregate_id: str
    """UUID or number."""
    host: str
    """Logical host."""
    def __init__(self, *, aggregate_id: str | None = ..., host: str | None = ...) -> None: ...

class RemoveAggregateHostResponse(Message):
    """Output of RemoveAggregateHost."""

    aggregate: Aggregate
    """As it is now."""
    def __init__(self, *, aggregate: Aggregate | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["aggregate"]) -> bool: ...

class RemoveFlavorAccessRequest(Message):
    """Input of RemoveFlavorAccess."""

    flavor_id: str
    """Flavor's id."""
    project_id: str
    """Project."""
    def __init__(self, *, flavor_id: str | None = ..., project_id: str | None = ...) -> None: ...

class RemoveFlavorAccessResponse(Message):
    """Output of RemoveFlavorAccess."""

    flavor: Flavor
    """As it is now."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class RemoveServerSecurityGroupRequest(Message):
    """Input of RemoveServerSecurityGroup."""

    server_id: str
    """UUID."""
    security_group: str
    """Name or id."""
    def __init__(self, *, server_id: str | None = ..., security_group: str | None = ...) -> None: ...

class RemoveServerSecurityGroupResponse(Message):
    """Output of RemoveServerSecurityGroup."""

    def __init__(self) -> None: ...

class RemoveServerTagRequest(Message):
    """Input of RemoveServerTag."""

    server_id: str
    """UUID."""
    tag: str
    """The tag."""
    def __init__(self, *, server_id: str | None = ..., tag: str | None = ...) -> None: ...

class RemoveServerTagResponse(Message):
    """Output of RemoveServerTag."""

    def __init__(self) -> None: ...

class ReplaceServerTagsRequest(Message):
    """Input of ReplaceServerTags."""

    server_id: str
    """UUID."""
    tags: MutableSequence[str]
    """At most 50."""
    def __init__(self, *, server_id: str | None = ..., tags: Iterable[str] = ...) -> None: ...

class ReplaceServerTagsResponse(Message):
    """Output of ReplaceServerTags."""

    tags: MutableSequence[str]
    """Sorted, without repetitions."""
    def __init__(self, *, tags: Iterable[str] = ...) -> None: ...

class RequestedNetwork(Message):
    """One interface asked for at boot, in order."""

    network_id: str
    """Network on which a port is made; unset with port_id."""
    port_id: str
    """Port made beforehand."""
    fixed_ip: str
    """Address asked for on the network."""
    tag: str
    """Device tag."""
    def __init__(self, *, network_id: str | None = ..., port_id: str | None = ..., fixed_ip: str | None = ..., tag: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["network_id", "port_id", "fixed_ip", "tag"]) -> bool: ...

class RescueServerMetadata(Message):
    """What was asked for with a rescue."""

    image_id: str
    """Id of the image that it runs from, also when nobody named one."""
    def __init__(self, *, image_id: str | None = ...) -> None: ...

class RescueServerRequest(Message):
    """Input of RescueServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    image_id: str
    """Image to boot. Default: the one the server was built from, or that one's own origin (base_image_ref)
    when it is a server's snapshot.
    """
    admin_password: str
    """Password that the rescue system finds on its config drive, at most 255 characters. Default: one is made."""
    volume_backed: bool
    """Whether also a server may be rescued whose root disk is a volume (REST from 2.87 on). The image must say
    hw_rescue_device and hw_rescue_bus then.
    """
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., image_id: str | None = ..., admin_password: str | None = ..., volume_backed: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["image_id", "admin_password"]) -> bool: ...

class RescueServerResponse(Message):
    """Output of RescueServer."""

    operation: Operation
    """The rescue."""
    admin_password: str
    """The given or made password, told only here; unset where the deployment sets none, and in repeated
    answers.
    """
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., admin_password: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "admin_password"]) -> bool: ...

class ResetServerStateMetadata(Message):
    """What was asked for with a reset of a server's state."""

    vm_state: int
    """ACTIVE or ERROR."""
    def __init__(self, *, vm_state: int | str | None = ...) -> None: ...

class ResetServerStateRequest(Message):
    """Input of ResetServerState."""

    server_id: str
    """UUID."""
    vm_state: int
    """ACTIVE or ERROR."""
    def __init__(self, *, server_id: str | None = ..., vm_state: int | str | None = ...) -> None: ...

class ResetServerStateResponse(Message):
    """Output of ResetServerState."""

    server: Server
    """As it is now."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller, as in GetServer."""
    def __init__(self, *, server: Server | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["server"]) -> bool: ...

class ResizeServerMetadata(Message):
    """What was asked for with a resize."""

    flavor_id: str
    """Id of the flavor."""
    def __init__(self, *, flavor_id: str | None = ...) -> None: ...

class ResizeServerRequest(Message):
    """Input of ResizeServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    flavor_id: str
    """Flavor's id; not the present one."""
    disk_config: int
    """How the root partition is treated. Default: as now."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., flavor_id: str | None = ..., disk_config: int | str | None = ...) -> None: ...

class ResizeServerResponse(Message):
    """Output of ResizeServer."""

    operation: Operation
    """The resize."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class ResourceLimit(Message):
    """Limit and use of one resource."""

    name: str
    """Nova's name: instances, cores, ram, key_pairs, metadata_items, server_groups, server_group_members,
    injected_files, …
    """
    limit: int
    """-1 is unlimited."""
    used: int
    """In use now; 0 for resources that are not counted."""
    def __init__(self, *, name: str | None = ..., limit: int | None = ..., used: int | None = ...) -> None: ...

class RestoreServerRequest(Message):
    """Input of RestoreServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class RestoreServerResponse(Message):
    """Output of RestoreServer."""

    operation: Operation
    """The restoration."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class ResumeServerRequest(Message):
    """Input of ResumeServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class ResumeServerResponse(Message):
    """Output of ResumeServer."""

    operation: Operation
    """The resumption."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class RevertServerResizeRequest(Message):
    """Input of RevertServerResize."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class RevertServerResizeResponse(Message):
    """Output of RevertServerResize."""

    operation: Operation
    """The way back."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class SchedulerHints(Message):
    """Wishes about the host of a server. Which of them count is the deployment's choice of filters."""

    group: str
    """Id of the server group that the server joins."""
    same_host: MutableSequence[str]
    """Servers whose hosts are good: it comes to one of them. At most 100 together with different_host."""
    different_host: MutableSequence[str]
    """Servers whose hosts are not good."""
    build_near_host_ip: str
    """Address of the network to be in, IPv4 or IPv6; `cidr` says how much of it."""
    cidr: str
    """Length of that network's prefix, such as "/24"."""
    query: str
    """Condition of the JSON filter, as JSON text such as `[">=", "$free_ram_mb", 1024]`."""
    target_cell: str
    """Cell to be in."""
    different_cell: MutableSequence[str]
    """Cells not to be in."""
    others: MutableMapping[str, HintValues]
    """Hints of other names, for filters of the deployment's own. None of the names above."""
    def __init__(self, *, group: str | None = ..., same_host: Iterable[str] = ..., different_host: Iterable[str] = ..., build_near_host_ip: str | None = ..., cidr: str | None = ..., query: str | None = ..., target_cell: str | None = ..., different_cell: Iterable[str] = ..., others: Mapping[str, HintValues | Mapping[str, Any]] = ...) -> None: ...
    def HasField(self, field_name: Literal["group", "build_near_host_ip", "cidr", "query", "target_cell"]) -> bool: ...

class SchedulingExplanation(Message):
    """What the scheduler thinks of all hosts at one moment."""

    hosts_considered: int
    """Hosts at the start; see SchedulingService for whom."""
    hosts_accepted: int
    """Hosts that no rule refused; see SchedulingService for whom."""
    refusals: MutableSequence[SchedulingRefusal]
    """By rule, in the order in which they ran."""
    accepted_hosts: MutableSequence[str]
    """Hosts that no rule refused; administrators only."""
    at: Timestamp
    """When that was."""
    has_host: bool
    """Whether a host fits."""
    message: str
    """What the fault of a server says for which none fits; unset when one does. Without numbers for whom they
    are hidden.
    """
    def __init__(self, *, hosts_considered: int | None = ..., hosts_accepted: int | None = ..., refusals: Iterable[SchedulingRefusal | Mapping[str, Any]] = ..., accepted_hosts: Iterable[str] = ..., at: Timestamp | Mapping[str, Any] | None = ..., has_host: bool | None = ..., message: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["at", "message"]) -> bool: ...

class SchedulingRefusal(Message):
    """How one rule refused hosts."""

    rule: str
    """Filter's name, or "placement"."""
    reason: str
    """UPPER_SNAKE reason code."""
    hosts: int
    """How many hosts it refused; see SchedulingService for whom."""
    nearest_facts: MutableMapping[str, str]
    """What the nearest of them lacked: what was needed and what was there; see SchedulingService for whom."""
    nearest_host: str
    """Host that came nearest; administrators only."""
    def __init__(self, *, rule: str | None = ..., reason: str | None = ..., hosts: int | None = ..., nearest_facts: Mapping[str, str] = ..., nearest_host: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["nearest_host"]) -> bool: ...

class SecurityGroupRule(Message):
    """Traffic that is let through."""

    id: str
    """The Network service's id."""
    direction: int
    """Which way."""
    protocol: str
    """tcp, udp, icmp, a number, or unset for any."""
    port_min: int
    """First port, or ICMP type; unset for any."""
    port_max: int
    """Last port, or ICMP code; unset for any."""
    remote_cidr: str
    """Addresses in CIDR form; unset for any."""
    remote_group_id: str
    """Members of this group instead; unset when none."""
    remote_group_name: str
    """That group's name; unset when none."""
    remote_group_project_id: str
    """That group's owner; unset when none."""
    def __init__(self, *, id: str | None = ..., direction: int | str | None = ..., protocol: str | None = ..., port_min: int | None = ..., port_max: int | None = ..., remote_cidr: str | None = ..., remote_group_id: str | None = ..., remote_group_name: str | None = ..., remote_group_project_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["protocol", "port_min", "port_max", "remote_cidr", "remote_group_id", "remote_group_name", "remote_group_project_id"]) -> bool: ...

class Server(Message):
    """A virtual machine as its tenant sees it. What a server does not have is unset. `hidden_fields` of an answer
    tells apart what the caller may not see.
    """

    id: str
    """UUID."""
    name: str
    """Display name, 1 to 255 characters."""
    project_id: str
    """Owner."""
    user_id: str
    """Who created it."""
    hostname: str
    """Name inside the guest."""
    description: str
    """Free text."""
    vm_state: int
    """Lasting state."""
    task_state: str
    """What is being done to it, in Nova's words."""
    power_state: int
    """What the hypervisor last said."""
    created_at: Timestamp
    """When it was accepted."""
    updated_at: Timestamp
    """Last change."""
    launched_at: Timestamp
    """First time active."""
    terminated_at: Timestamp
    """When the guest was removed."""
    deleted_at: Timestamp
    """When the record was deleted."""
    flavor: Flavor
    """Flavor as it was at boot."""
    image: ServerImage
    """Image it was built from; unset when booted from a volume."""
    metadata: MutableMapping[str, str]
    """User metadata."""
    tags: MutableSequence[str]
    """Tags, sorted."""
    addresses: MutableSequence[ServerAddress]
    """Addresses in order of the ports."""
    access_ip_v4: str
    """Set by the user."""
    access_ip_v6: str
    """Set by the user."""
    config_drive: bool
    """Whether it has a config drive."""
    disk_config: int
    """How the root partition is treated."""
    key_name: str
    """Key pair."""
    security_groups: MutableSequence[str]
    """Names of the security groups, without repetition."""
    availability_zone: str
    """Zone of its host, or the one asked for while it has none."""
    pinned_availability_zone: str
    """Zone asked for at boot."""
    lock: ServerLock
    """Set when locked."""
    progress: int
    """0 to 100."""
    fault: ServerFault
    """Last fault."""
    trusted_image_certificates: MutableSequence[str]
    """Certificate ids asked for at boot."""
    volumes: MutableSequence[AttachedVolume]
    """Attached volumes."""
    server_group_id: str
    """Group it belongs to."""
    reservation_id: str
    """`r-…`, shared by servers created in one call."""
    launch_index: int
    """Position among the servers created in one call."""
    user_data: bytes
    """What the guest was given at boot; only filled when one server is read with the right to see it."""
    host_id: str
    """Hash of project and host; unset without a host."""
    host_status: int
    """Computed when read; needs its own policy."""
    generation: int
    """Grows with every change; the etag for updates."""
    current_operation: str
    """Operation that owns the server now."""
    host_info: ServerHostInfo
    """Filled for administrators only."""
    scheduler_hints: SchedulerHints
    """Hints given at boot; unset without any."""
    def __init__(self, *, id: str | None = ..., name: str | None = ..., project_id: str | None = ..., user_id: str | None = ..., hostname: str | None = ..., description: str | None = ..., vm_state: int | str | None = ..., task_state: str | None = ..., power_state: int | str | None = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ..., launched_at: Timestamp | Mapping[str, Any] | None = ..., terminated_at: Timestamp | Mapping[str, Any] | None = ..., deleted_at: Timestamp | Mapping[str, Any] | None = ..., flavor: Flavor | Mapping[str, Any] | None = ..., image: ServerImage | Mapping[str, Any] | None = ..., metadata: Mapping[str, str] = ..., tags: Iterable[str] = ..., addresses: Iterable[ServerAddress | Mapping[str, Any]] = ..., access_ip_v4: str | None = ..., access_ip_v6: str | None = ..., config_drive: bool | None = ..., disk_config: int | str | None = ..., key_name: str | None = ..., security_groups: Iterable[str] = ..., availability_zone: str | None = ..., pinned_availability_zone: str | None = ..., lock: ServerLock | Mapping[str, Any] | None = ..., progress: int | None = ..., fault: ServerFault | Mapping[str, Any] | None = ..., trusted_image_certificates: Iterable[str] = ..., volumes: Iterable[AttachedVolume | Mapping[str, Any]] = ..., server_group_id: str | None = ..., reservation_id: str | None = ..., launch_index: int | None = ..., user_data: bytes | None = ..., host_id: str | None = ..., host_status: int | str | None = ..., generation: int | None = ..., current_operation: str | None = ..., host_info: ServerHostInfo | Mapping[str, Any] | None = ..., scheduler_hints: SchedulerHints | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["description", "task_state", "created_at", "updated_at", "launched_at", "terminated_at", "deleted_at", "flavor", "image", "access_ip_v4", "access_ip_v6", "key_name", "availability_zone", "pinned_availability_zone", "lock", "fault", "server_group_id", "user_data", "host_id", "current_operation", "host_info", "scheduler_hints"]) -> bool: ...

class ServerAddress(Message):
    """One address of a server's port."""

    network_label: str
    """Network's name: the key under which REST shows it."""
    version: int
    """4 or 6."""
    address: str
    """The address."""
    type: str
    """"fixed" or "floating"."""
    mac_address: str
    """The port's MAC."""
    port_id: str
    """The port."""
    network_id: str
    """The network."""
    subnet_id: str
    """The subnet."""
    def __init__(self, *, network_label: str | None = ..., version: int | None = ..., address: str | None = ..., type: str | None = ..., mac_address: str | None = ..., port_id: str | None = ..., network_id: str | None = ..., subnet_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["mac_address", "port_id", "network_id", "subnet_id"]) -> bool: ...

class ServerFault(Message):
    """Why the server is in ERROR."""

    code: int
    """HTTP-like code, usually 500."""
    message: str
    """Tenant-safe sentence."""
    details: str
    """For administrators only."""
    created_at: Timestamp
    """When it happened."""
    reason: str
    """Reason code of the operation that failed."""
    def __init__(self, *, code: int | None = ..., message: str | None = ..., details: str | None = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., reason: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["details", "created_at", "reason"]) -> bool: ...

class ServerFilter(Message):
    """Which servers to list. Unset fields do not filter; all that are set must hold."""

    ids: MutableSequence[str]
    """Any of these UUIDs."""
    name_regex: str
    """Matches anywhere in the name, as a regular expression of RE2's syntax (linear in time: no
    back-references, no look-around; at most 255 characters), ignoring case. The same holds for all regular
    expressions here.
    """
    hostname_regex: str
    """Matches anywhere in the host name inside the guest."""
    vm_states: MutableSequence[int]
    """Any of these."""
    task_states: MutableSequence[str]
    """Any of these; an entry "" means none."""
    power_states: MutableSequence[int]
    """Any of these."""
    image_id: str
    """Built from this image."""
    flavor_id: str
    """Built with this flavor id."""
    ip_regex: str
    """Some IPv4 address matches; with ip6_regex, one of the two."""
    ip6_regex: str
    """Some IPv6 address matches."""
    changes_since: Timestamp
    """Changed at or after; includes deleted ones."""
    changes_before: Timestamp
    """Changed at or before; includes deleted ones."""
    deleted: bool
    """Only deleted ones, or only others. Administrators."""
    project_id: str
    """Of this project, with all_projects."""
    user_id: str
    """Created by this user."""
    host: str
    """On this host. Administrators."""
    node: str
    """On this hypervisor. Administrators."""
    availability_zone: str
    """In this zone."""
    key_name: str
    """With this key pair."""
    config_drive: bool
    """With or without config drive."""
    locked: bool
    """Locked or not."""
    progress: int
    """At this progress."""
    reservation_id: str
    """Created in this call."""
    description: str
    """With this description."""
    tags: MutableSequence[str]
    """Has all of these."""
    tags_any: MutableSequence[str]
    """Has at least one of these."""
    not_tags: MutableSequence[str]
    """Does not have all of these."""
    not_tags_any: MutableSequence[str]
    """Has none of these."""
    created_at: Timestamp
    """Created exactly then."""
    launched_at: Timestamp
    """Launched exactly then."""
    terminated_at: Timestamp
    """Terminated exactly then."""
    text_matches: MutableSequence[ServerTextMatch]
    """All of these match."""
    soft_deleted: bool
    """Whether servers that can be restored are among those that are shown. Default: with `deleted`, or when
    vm_states names SOFT_DELETED. Always, unless `deleted` is set, with changes_since and changes_before.
    """
    def __init__(self, *, ids: Iterable[str] = ..., name_regex: str | None = ..., hostname_regex: str | None = ..., vm_states: Iterable[int | str] = ..., task_states: Iterable[str] = ..., power_states: Iterable[int | str] = ..., image_id: str | None = ..., flavor_id: str | None = ..., ip_regex: str | None = ..., ip6_regex: str | None = ..., changes_since: Timestamp | Mapping[str, Any] | None = ..., changes_before: Timestamp | Mapping[str, Any] | None = ..., deleted: bool | None = ..., project_id: str | None = ..., user_id: str | None = ..., host: str | None = ..., node: str | None = ..., availability_zone: str | None = ..., key_name: str | None = ..., config_drive: bool | None = ..., locked: bool | None = ..., progress: int | None = ..., reservation_id: str | None = ..., description: str | None = ..., tags: Iterable[str] = ..., tags_any: Iterable[str] = ..., not_tags: Iterable[str] = ..., not_tags_any: Iterable[str] = ..., created_at: Timestamp | Mapping[str, Any] | None = ..., launched_at: Timestamp | Mapping[str, Any] | None = ..., terminated_at: Timestamp | Mapping[str, Any] | None = ..., text_matches: Iterable[ServerTextMatch | Mapping[str, Any]] = ..., soft_deleted: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["name_regex", "hostname_regex", "image_id", "flavor_id", "ip_regex", "ip6_regex", "changes_since", "changes_before", "deleted", "project_id", "user_id", "host", "node", "availability_zone", "key_name", "config_drive", "locked", "progress", "reservation_id", "description", "created_at", "launched_at", "terminated_at", "soft_deleted"]) -> bool: ...

class ServerGroup(Message):
    """One group."""

    id: str
    """UUID."""
    name: str
    """Name, 1 to 255 characters; not unique."""
    policy: int
    """What it wants."""
    max_server_per_host: int
    """Servers that may share a host, at least 1; unset for 1. Only with ANTI_AFFINITY."""
    member_ids: MutableSequence[str]
    """Servers in it, in the order in which they joined."""
    project_id: str
    """Owner."""
    user_id: str
    """Who made it."""
    def __init__(self, *, id: str | None = ..., name: str | None = ..., policy: int | str | None = ..., max_server_per_host: int | None = ..., member_ids: Iterable[str] = ..., project_id: str | None = ..., user_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["max_server_per_host"]) -> bool: ...

class ServerGroupPolicy(IntEnum):
    """What a group wants."""
    UNSPECIFIED = 0
    AFFINITY = 1
    ANTI_AFFINITY = 2
    SOFT_AFFINITY = 3
    SOFT_ANTI_AFFINITY = 4

class ServerHostInfo(Message):
    """Where a server is: for administrators only."""

    host: str
    """Logical host."""
    node: str
    """Hypervisor host name."""
    instance_name: str
    """Name at the hypervisor, such as instance-0000002a."""
    cell: str
    """Cell that holds the record."""
    compute_node_uuid: str
    """Resource provider of the host."""
    launched_on: str
    """Host of the first launch."""
    kernel_id: str
    """Kernel image id."""
    ramdisk_id: str
    """Ramdisk image id."""
    root_device_name: str
    """Such as /dev/vda."""
    def __init__(self, *, host: str | None = ..., node: str | None = ..., instance_name: str | None = ..., cell: str | None = ..., compute_node_uuid: str | None = ..., launched_on: str | None = ..., kernel_id: str | None = ..., ramdisk_id: str | None = ..., root_device_name: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["host", "node", "instance_name", "cell", "compute_node_uuid", "launched_on", "kernel_id", "ramdisk_id", "root_device_name"]) -> bool: ...

class ServerImage(Message):
    """The image a server was built from."""

    id: str
    """Image id; unset when booted from a volume."""
    properties: MutableMapping[str, str]
    """Properties as they were at boot (REST from 2.98)."""
    def __init__(self, *, id: str | None = ..., properties: Mapping[str, str] = ...) -> None: ...
    def HasField(self, field_name: Literal["id"]) -> bool: ...

class ServerLock(Message):
    """A lock on a server."""

    locked_by: str
    """"owner" or "admin"."""
    reason: str
    """Free text, REST 2.73."""
    def __init__(self, *, locked_by: str | None = ..., reason: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["reason"]) -> bool: ...

class ServerNumaNode(Message):
    """One NUMA node of a guest."""

    memory_mib: int
    """Memory, MiB."""
    vcpus: MutableSequence[int]
    """Numbers of the guest's CPUs on it."""
    siblings: MutableSequence[SiblingSet]
    """Sets of CPUs that are threads of one core."""
    host_node: int
    """Node of the host it lies on; needs policy."""
    cpu_pinning: MutableMapping[int, int]
    """CPU of the host for each pinned CPU of the guest; needs policy."""
    def __init__(self, *, memory_mib: int | None = ..., vcpus: Iterable[int] = ..., siblings: Iterable[SiblingSet | Mapping[str, Any]] = ..., host_node: int | None = ..., cpu_pinning: Mapping[int, int] = ...) -> None: ...
    def HasField(self, field_name: Literal["host_node"]) -> bool: ...

class ServerResult(Message):
    """A server as an operation has left it."""

    id: str
    """Server's UUID."""
    generation: int
    """Generation of the server that shows the operation's end. Readers may see a later one."""
    def __init__(self, *, id: str | None = ..., generation: int | None = ...) -> None: ...

class ServerSecrets(Message):
    """The parts of a boot that are stored encrypted and erased at the end."""

    admin_password: str
    """Password set in the guest."""
    user_data: str
    """Base64 text."""
    user_token: str
    """With which volumes are made for the server: they become its user's, as with Nova. Only of a new server
    that is built with volumes. No host gets it.
    """
    def __init__(self, *, admin_password: str | None = ..., user_data: str | None = ..., user_token: str | None = ...) -> None: ...

class ServerSecurityGroup(Message):
    """A security group of a server."""

    id: str
    """The Network service's id."""
    name: str
    """Name."""
    description: str
    """Free text."""
    project_id: str
    """Owner."""
    rules: MutableSequence[SecurityGroupRule]
    """Its rules."""
    def __init__(self, *, id: str | None = ..., name: str | None = ..., description: str | None = ..., project_id: str | None = ..., rules: Iterable[SecurityGroupRule | Mapping[str, Any]] = ...) -> None: ...

class ServerShare(Message):
    """A share of a server."""

    id: str
    """The record's UUID; administrators only."""
    share_id: str
    """The share."""
    state: int
    """Where it stands."""
    tag: str
    """Name under which the guest mounts it."""
    export_location: str
    """Where it is exported; administrators only."""
    def __init__(self, *, id: str | None = ..., share_id: str | None = ..., state: int | str | None = ..., tag: str | None = ..., export_location: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["id", "export_location"]) -> bool: ...

class ServerShareState(IntEnum):
    """Life of a share of a server."""
    UNSPECIFIED = 0
    ATTACHING = 1
    INACTIVE = 2
    ACTIVE = 3
    DETACHING = 4
    ERROR = 5

class ServerSort(Message):
    """One key of a sort."""

    field: int
    """By what."""
    direction: int
    """Default: DESC for times, ASC otherwise."""
    def __init__(self, *, field: int | str | None = ..., direction: int | str | None = ...) -> None: ...

class ServerSortField(IntEnum):
    """What servers can be sorted by. Servers that have no value come first in ascending order."""
    UNSPECIFIED = 0
    ACCESS_IP_V4 = 1
    ACCESS_IP_V6 = 2
    AVAILABILITY_ZONE = 3
    CONFIG_DRIVE = 4
    CREATED_AT = 5
    DESCRIPTION = 6
    DISK_CONFIG = 7
    FLAVOR_ID = 8
    HOST = 9
    HOSTNAME = 10
    ID = 11
    IMAGE_ID = 12
    KERNEL_ID = 13
    KEY_NAME = 14
    LAUNCH_INDEX = 15
    LAUNCHED_AT = 16
    LOCKED_BY = 17
    NAME = 18
    NODE = 19
    POWER_STATE = 20
    PROGRESS = 21
    PROJECT_ID = 22
    RAMDISK_ID = 23
    ROOT_DEVICE_NAME = 24
    TASK_STATE = 25
    TERMINATED_AT = 26
    UPDATED_AT = 27
    USER_ID = 28
    VM_STATE = 29

class ServerSpec(Message):
    """What a server shall be: everything that is decided when the request is accepted."""

    name: str
    """Display name."""
    hostname: str
    """Name inside the guest."""
    flavor: Flavor
    """Flavor as it is now."""
    image: ImageRef
    """Image; unset without one."""
    networks: MutableSequence[RequestedNetwork]
    """Interfaces in order; empty means none."""
    security_groups: MutableSequence[str]
    """Ids of security groups for ports that are made."""
    security_group_names: MutableSequence[str]
    """Their names, for display."""
    key_name: str
    """Key pair's name."""
    public_key: str
    """Key pair's public key as it is now."""
    key_type: str
    """"ssh" or "x509"."""
    config_drive: bool
    """Whether a config drive is wanted."""
    availability_zone: str
    """Zone asked for; empty for any."""
    forced_host: str
    """Host asked for by zone:host; skips filters."""
    forced_node: str
    """Node asked for by zone:host:node."""
    requested_host: str
    """Host asked for from 2.74; filters still apply."""
    requested_node: str
    """Node asked for from 2.74; filters still apply."""
    metadata: MutableMapping[str, str]
    """User metadata."""
    tags: MutableSequence[str]
    """Tags."""
    description: str
    """Free text."""
    has_description: bool
    """Whether a description was given."""
    access_ip_v4: str
    """For display."""
    access_ip_v6: str
    """For display."""
    disk_config: int
    """How the root partition is treated."""
    scheduler_hints_json: str
    """Hints as a JSON object: only in records that were made before scheduler_hints."""
    trusted_image_certificates: MutableSequence[str]
    """Certificate ids."""
    server_group_id: str
    """Group named by the hint `group`."""
    files: MutableSequence[InjectedFile]
    """Files to put in."""
    boot_roles: MutableSequence[str]
    """Roles of the user when the request was accepted; told to dynamic vendor data services."""
    kernel: ImageRef
    """Kernel that the image names (`kernel_id`), as the caller could see it; unset without one. Agents fetch
    what stands here and in `image`, and nothing that a property names.
    """
    ramdisk: ImageRef
    """Initial RAM disk that the image names (`ramdisk_id`); unset without one."""
    batch_size: int
    """Servers that were asked for with the same request, this one included: either all of them find hosts, or
    none is built. 0 means 1.
    """
    scheduler_hints: SchedulerHints
    """Wishes about the host; unset without any."""
    block_devices: MutableSequence[BlockDevice]
    """All disks that it is built with, as they were judged: sources and destinations are set, ids are resolved,
    sizes known. Empty in records of an older build: what image and flavor give.
    """
    volume_image_properties: MutableMapping[str, str]
    """Of the image on the volume that it boots from, in the form of ImageRef.properties; empty without one."""
    volume_image_min_memory_mib: int
    """Smallest memory that this image asks for; 0 for any, and in records of an older build."""
    def __init__(self, *, name: str | None = ..., hostname: str | None = ..., flavor: Flavor | Mapping[str, Any] | None = ..., image: ImageRef | Mapping[str, Any] | None = ..., networks: Iterable[RequestedNetwork | Mapping[str, Any]] = ..., security_groups: Iterable[str] = ..., security_group_names: Iterable[str] = ..., key_name: str | None = ..., public_key: str | None = ..., key_type: str | None = ..., config_drive: bool | None = ..., availability_zone: str | None = ..., forced_host: str | None = ..., forced_node: str | None = ..., requested_host: str | None = ..., requested_node: str | None = ..., metadata: Mapping[str, str] = ..., tags: Iterable[str] = ..., description: str | None = ..., has_description: bool | None = ..., access_ip_v4: str | None = ..., access_ip_v6: str | None = ..., disk_config: int | str | None = ..., scheduler_hints_json: str | None = ..., trusted_image_certificates: Iterable[str] = ..., server_group_id: str | None = ..., files: Iterable[InjectedFile | Mapping[str, Any]] = ..., boot_roles: Iterable[str] = ..., kernel: ImageRef | Mapping[str, Any] | None = ..., ramdisk: ImageRef | Mapping[str, Any] | None = ..., batch_size: int | None = ..., scheduler_hints: SchedulerHints | Mapping[str, Any] | None = ..., block_devices: Iterable[BlockDevice | Mapping[str, Any]] = ..., volume_image_properties: Mapping[str, str] = ..., volume_image_min_memory_mib: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor", "image", "kernel", "ramdisk", "scheduler_hints"]) -> bool: ...

class ServerText(IntEnum):
    """Fields of a server that a regular expression can be asked of."""
    UNSPECIFIED = 0
    ACCESS_IP_V4 = 1
    ACCESS_IP_V6 = 2
    AVAILABILITY_ZONE = 3
    CREATED_AT = 4
    DESCRIPTION = 5
    DISK_CONFIG = 6
    KERNEL_ID = 7
    KEY_NAME = 8
    LAUNCHED_AT = 9
    LAUNCH_INDEX = 10
    LOCKED_BY = 11
    NODE = 12
    POWER_STATE = 13
    PROGRESS = 14
    RAMDISK_ID = 15
    RESERVATION_ID = 16
    ROOT_DEVICE_NAME = 17
    TERMINATED_AT = 18

class ServerTextMatch(Message):
    """A regular expression asked of one field. Fields without a value never match."""

    field: int
    """Which one."""
    regex: str
    """In RE2's syntax; matches anywhere in the text, ignoring case."""
    def __init__(self, *, field: int | str | None = ..., regex: str | None = ...) -> None: ...

class ServerUsage(Message):
    """Use of one server in a period."""

    server_id: str
    """UUID."""
    name: str
    """Display name."""
    project_id: str
    """Owner."""
    flavor_name: str
    """Name of its flavor."""
    vcpus: int
    """Virtual CPUs."""
    memory_mib: int
    """Memory."""
    local_gib: int
    """Root and ephemeral disk."""
    hours: float
    """Hours within the period."""
    started_at: Timestamp
    """When it was launched."""
    ended_at: Timestamp
    """When it ended; unset while it exists."""
    vm_state: int
    """Its state; DELETED once it has ended."""
    uptime_seconds: int
    """Since it was launched until it ended, or until now, seconds."""
    def __init__(self, *, server_id: str | None = ..., name: str | None = ..., project_id: str | None = ..., flavor_name: str | None = ..., vcpus: int | None = ..., memory_mib: int | None = ..., local_gib: int | None = ..., hours: float | None = ..., started_at: Timestamp | Mapping[str, Any] | None = ..., ended_at: Timestamp | Mapping[str, Any] | None = ..., vm_state: int | str | None = ..., uptime_seconds: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["started_at", "ended_at"]) -> bool: ...

class SetAggregateMetadataRequest(Message):
    """Input of SetAggregateMetadata."""

    aggregate_id: str
    """UUID or number."""
    metadata: MutableMapping[str, str]
    """Items to add or replace: keys of 1 to 255 letters, digits, '-', '_', ':', '.' and spaces, values of at
    most 255 characters.
    """
    remove_keys: MutableSequence[str]
    """Keys to remove; those that are not there change nothing."""
    def __init__(self, *, aggregate_id: str | None = ..., metadata: Mapping[str, str] = ..., remove_keys: Iterable[str] = ...) -> None: ...

class SetAggregateMetadataResponse(Message):
    """Output of SetAggregateMetadata."""

    aggregate: Aggregate
    """As it is now."""
    def __init__(self, *, aggregate: Aggregate | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["aggregate"]) -> bool: ...

class SetFlavorExtraSpecsRequest(Message):
    """Input of SetFlavorExtraSpecs."""

    flavor_id: str
    """Flavor's id."""
    extra_specs: MutableMapping[str, str]
    """Specs to add or replace."""
    single_item: bool
    """One spec is set by its name, as REST's PUT does: os-flavor-extra-specs:update decides, otherwise :create."""
    def __init__(self, *, flavor_id: str | None = ..., extra_specs: Mapping[str, str] = ..., single_item: bool | None = ...) -> None: ...

class SetFlavorExtraSpecsResponse(Message):
    """Output of SetFlavorExtraSpecs."""

    flavor: Flavor
    """As it is now."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class ShelveServerMetadata(Message):
    """What was asked for with a shelving."""

    name: str
    """Name of the image that will hold the server's disk."""
    image_id: str
    """The image's id, from the operation's acceptance on."""
    def __init__(self, *, name: str | None = ..., image_id: str | None = ...) -> None: ...

class ShelveServerRequest(Message):
    """Input of ShelveServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class ShelveServerResponse(Message):
    """Output of ShelveServer."""

    operation: Operation
    """The shelving."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class SiblingSet(Message):
    """CPUs that are threads of one core."""

    vcpus: MutableSequence[int]
    """Numbers of the guest's CPUs."""
    def __init__(self, *, vcpus: Iterable[int] = ...) -> None: ...

class SortDirection(IntEnum):
    """Order of a sort key."""
    UNSPECIFIED = 0
    ASC = 1
    DESC = 2

class SortKey(Message):
    """One key of a sort among services. Every sort ends in the unique id, so that pages are stable."""

    field: str
    """Field as the store calls it, such as "created_at"."""
    direction: int
    """Default: DESC for times, ASC otherwise."""
    def __init__(self, *, field: str | None = ..., direction: int | str | None = ...) -> None: ...

class StartServerRequest(Message):
    """Input of StartServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class StartServerResponse(Message):
    """Output of StartServer."""

    operation: Operation
    """The start."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class StopServerRequest(Message):
    """Input of StopServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class StopServerResponse(Message):
    """Output of StopServer."""

    operation: Operation
    """The stop."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class SuspendServerRequest(Message):
    """Input of SuspendServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class SuspendServerResponse(Message):
    """Output of SuspendServer."""

    operation: Operation
    """The suspension."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class SwapVolumeMetadata(Message):
    """What was asked for with another volume in the place of one."""

    volume_id: str
    """The volume that the server had."""
    new_volume_id: str
    """The one that takes its place."""
    def __init__(self, *, volume_id: str | None = ..., new_volume_id: str | None = ...) -> None: ...

class TrafficDirection(IntEnum):
    """Which way traffic goes that a rule allows."""
    UNSPECIFIED = 0
    INGRESS = 1
    EGRESS = 2

class TriggerCrashDumpRequest(Message):
    """Input of TriggerCrashDump."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class TriggerCrashDumpResponse(Message):
    """Output of TriggerCrashDump."""

    operation: Operation
    """The interrupt."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class UnchangedAttachment(Message):
    """What does not change of an attachment. Unset fields are not compared."""

    device: str
    """Such as /dev/vdb; empty for none."""
    tag: str
    """Empty for none."""
    id: str
    """The volume, under its other name."""
    server_id: str
    """The server."""
    def __init__(self, *, device: str | None = ..., tag: str | None = ..., id: str | None = ..., server_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["device", "tag", "id", "server_id"]) -> bool: ...

class UnlockServerRequest(Message):
    """Input of UnlockServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class UnlockServerResponse(Message):
    """Output of UnlockServer."""

    operation: Operation
    """The end of the lock; done already."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class UnpauseServerRequest(Message):
    """Input of UnpauseServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class UnpauseServerResponse(Message):
    """Output of UnpauseServer."""

    operation: Operation
    """The end of the pause."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class UnrescueServerRequest(Message):
    """Input of UnrescueServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ...) -> None: ...

class UnrescueServerResponse(Message):
    """Output of UnrescueServer."""

    operation: Operation
    """The end of the rescue."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class UnshelveServerRequest(Message):
    """Input of UnshelveServer."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    availability_zone: str
    """Zone asked for. Unset: as pinned before; empty: any, and no zone is pinned from now on. Only for servers
    that are offloaded.
    """
    host: str
    """Host asked for, which the scheduler still checks; needs the second rule. Only for servers that are
    offloaded.
    """
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., availability_zone: str | None = ..., host: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["availability_zone", "host"]) -> bool: ...

class UnshelveServerResponse(Message):
    """Output of UnshelveServer."""

    operation: Operation
    """The unshelving."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class UpdateAggregateRequest(Message):
    """Input of UpdateAggregate. Unset fields stay."""

    aggregate_id: str
    """UUID or number."""
    name: str
    """New name, 1 to 255 characters."""
    availability_zone: str
    """New zone, at most 255 characters without ':'; empty takes it away."""
    def __init__(self, *, aggregate_id: str | None = ..., name: str | None = ..., availability_zone: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["name", "availability_zone"]) -> bool: ...

class UpdateAggregateResponse(Message):
    """Output of UpdateAggregate."""

    aggregate: Aggregate
    """As it is now."""
    def __init__(self, *, aggregate: Aggregate | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["aggregate"]) -> bool: ...

class UpdateComputeServiceRequest(Message):
    """Input of UpdateComputeService. Unset fields stay."""

    service_id: str
    """UUID; or leave unset and give host and binary."""
    host: str
    """Host, below microversion 2.53."""
    binary: str
    """Binary, below microversion 2.53."""
    disabled: bool
    """Disable or enable."""
    disabled_reason: str
    """Only with disabled = true."""
    forced_down: bool
    """Force down or not."""
    def __init__(self, *, service_id: str | None = ..., host: str | None = ..., binary: str | None = ..., disabled: bool | None = ..., disabled_reason: str | None = ..., forced_down: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["service_id", "host", "binary", "disabled", "disabled_reason", "forced_down"]) -> bool: ...

class UpdateComputeServiceResponse(Message):
    """Output of UpdateComputeService."""

    service: ComputeService
    """As it is now."""
    def __init__(self, *, service: ComputeService | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["service"]) -> bool: ...

class UpdateFlavorRequest(Message):
    """Input of UpdateFlavor."""

    flavor: Flavor
    """New values of the fields in the mask, and the id."""
    update_mask: FieldMask
    """Only description; unset takes it away."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ..., update_mask: FieldMask | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor", "update_mask"]) -> bool: ...

class UpdateFlavorResponse(Message):
    """Output of UpdateFlavor."""

    flavor: Flavor
    """As it is now."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: extra_specs, project_ids."""
    def __init__(self, *, flavor: Flavor | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["flavor"]) -> bool: ...

class UpdateQuotaClassSetRequest(Message):
    """Input of UpdateQuotaClassSet."""

    class_name: str
    """Class."""
    limits: MutableMapping[str, int]
    """New limits by resource, -1 (unlimited) to 2,147,483,647."""
    def __init__(self, *, class_name: str | None = ..., limits: Mapping[str, int] = ...) -> None: ...

class UpdateQuotaClassSetResponse(Message):
    """Output of UpdateQuotaClassSet."""

    limits: MutableSequence[ResourceLimit]
    """All resources, as they are now."""
    def __init__(self, *, limits: Iterable[ResourceLimit | Mapping[str, Any]] = ...) -> None: ...

class UpdateQuotaSetRequest(Message):
    """Input of UpdateQuotaSet."""

    project_id: str
    """Project."""
    user_id: str
    """User within the project; unset for the project itself."""
    limits: MutableMapping[str, int]
    """New limits by resource, -1 (unlimited) to 2,147,483,647. Names as in GetQuotaSet."""
    force: bool
    """Also limits that are below what is used."""
    def __init__(self, *, project_id: str | None = ..., user_id: str | None = ..., limits: Mapping[str, int] = ..., force: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["user_id"]) -> bool: ...

class UpdateQuotaSetResponse(Message):
    """Output of UpdateQuotaSet."""

    limits: MutableSequence[ResourceLimit]
    """All resources, as they are now."""
    def __init__(self, *, limits: Iterable[ResourceLimit | Mapping[str, Any]] = ...) -> None: ...

class UpdateServerMetadataRequest(Message):
    """Input of UpdateServerMetadata."""

    server_id: str
    """UUID."""
    metadata: MutableMapping[str, str]
    """Keys of 1 to 255 letters, digits, '-', '_', ':', '.' and spaces; values of at most 255 characters; at
    most as many items as the quota says.
    """
    replace_all: bool
    """Whether items that are not given go away."""
    expected_generation: int
    """Of the server; 0 means any."""
    single_item: bool
    """The rule `update` decides instead of `create`: the call is about one known item (REST's PUT of an item)."""
    def __init__(self, *, server_id: str | None = ..., metadata: Mapping[str, str] = ..., replace_all: bool | None = ..., expected_generation: int | None = ..., single_item: bool | None = ...) -> None: ...

class UpdateServerMetadataResponse(Message):
    """Output of UpdateServerMetadata."""

    metadata: MutableMapping[str, str]
    """All items, as they are now."""
    generation: int
    """Of the server."""
    def __init__(self, *, metadata: Mapping[str, str] = ..., generation: int | None = ...) -> None: ...

class UpdateServerRequest(Message):
    """Input of UpdateServer."""

    server_id: str
    """UUID."""
    server: Server
    """New values of the fields in the mask; what is in the mask and unset is taken away."""
    update_mask: FieldMask
    """Any of name, description, hostname, access_ip_v4, access_ip_v6, disk_config, pinned_availability_zone
    (unset unpins; else only the zone that the server is in).
    """
    expected_generation: int
    """0 means any."""
    def __init__(self, *, server_id: str | None = ..., server: Server | Mapping[str, Any] | None = ..., update_mask: FieldMask | Mapping[str, Any] | None = ..., expected_generation: int | None = ...) -> None: ...
    def HasField(self, field_name: Literal["server", "update_mask"]) -> bool: ...

class UpdateServerResponse(Message):
    """Output of UpdateServer."""

    server: Server
    """As it is now."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that policy hid from this caller: host_info, host_status, flavor.extra_specs,
    fault.details, user_data.
    """
    def __init__(self, *, server: Server | Mapping[str, Any] | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["server"]) -> bool: ...

class UpdateVolumeAttachmentRequest(Message):
    """Input of UpdateVolumeAttachment."""

    server_id: str
    """UUID."""
    client_token: str
    """See CreateServersRequest."""
    volume_id: str
    """The volume that is attached."""
    new_volume_id: str
    """Volume to put in its place; unset or the same for no swap."""
    delete_on_termination: bool
    """Whether the volume goes with the server. Unset: stays."""
    unchanged: UnchangedAttachment
    """What else the caller says of the attachment: refused with NOT_CHANGEABLE where it is another."""
    only_swap: bool
    """Whether it is a swap also when the new volume is the one that is attached, which is then refused: REST
    before 2.85.
    """
    def __init__(self, *, server_id: str | None = ..., client_token: str | None = ..., volume_id: str | None = ..., new_volume_id: str | None = ..., delete_on_termination: bool | None = ..., unchanged: UnchangedAttachment | Mapping[str, Any] | None = ..., only_swap: bool | None = ...) -> None: ...
    def HasField(self, field_name: Literal["new_volume_id", "delete_on_termination", "unchanged"]) -> bool: ...

class UpdateVolumeAttachmentResponse(Message):
    """Output of UpdateVolumeAttachment."""

    operation: Operation
    """The swap; unset when only the flag was changed."""
    volume_attachment: VolumeAttachment
    """As it is now."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ..., volume_attachment: VolumeAttachment | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation", "volume_attachment"]) -> bool: ...

class VmState(IntEnum):
    """Lasting state of a server (Nova's vm_state)."""
    UNSPECIFIED = 0
    BUILDING = 1
    ACTIVE = 2
    PAUSED = 3
    SUSPENDED = 4
    STOPPED = 5
    RESCUED = 6
    RESIZED = 7
    SOFT_DELETED = 8
    DELETED = 9
    ERROR = 10
    SHELVED = 11
    SHELVED_OFFLOADED = 12

class VolumeAttachment(Message):
    """A volume attached to a server."""

    volume_id: str
    """The volume."""
    server_id: str
    """The server."""
    device: str
    """Such as /dev/vdb; decided by the host, unset until then."""
    tag: str
    """Device tag; unset when none."""
    delete_on_termination: bool
    """Whether the volume goes with the server."""
    attachment_id: str
    """The Block Storage service's id of the attachment."""
    block_device_id: str
    """The record's UUID (REST from 2.89)."""
    def __init__(self, *, volume_id: str | None = ..., server_id: str | None = ..., device: str | None = ..., tag: str | None = ..., delete_on_termination: bool | None = ..., attachment_id: str | None = ..., block_device_id: str | None = ...) -> None: ...
    def HasField(self, field_name: Literal["device", "tag"]) -> bool: ...

class VolumeResult(Message):
    """A volume as an operation has attached it."""

    server_id: str
    """Server's UUID."""
    volume_id: str
    """The volume."""
    device: str
    """Such as /dev/vdb."""
    def __init__(self, *, server_id: str | None = ..., volume_id: str | None = ..., device: str | None = ...) -> None: ...

class WaitOperationRequest(Message):
    """Input of WaitOperation."""

    name: str
    """Operation's name."""
    timeout: Duration
    """At most 10 minutes. Default 60 s."""
    def __init__(self, *, name: str | None = ..., timeout: Duration | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["timeout"]) -> bool: ...

class WaitOperationResponse(Message):
    """Output of WaitOperation."""

    operation: Operation
    """As it is now; look at `done`."""
    def __init__(self, *, operation: Operation | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["operation"]) -> bool: ...

class WatchEventsRequest(Message):
    """Input of WatchEvents."""

    resume_token: str
    """From the last event seen, or from ListServers; empty starts now."""
    server_ids: MutableSequence[str]
    """Only these servers; empty means all of the project."""
    all_projects: bool
    """Of all projects; needs policy."""
    with_operations: bool
    """Also OPERATION_CHANGED."""
    def __init__(self, *, resume_token: str | None = ..., server_ids: Iterable[str] = ..., all_projects: bool | None = ..., with_operations: bool | None = ...) -> None: ...

class WatchEventsResponse(Message):
    """One event."""

    type: int
    """What it tells."""
    server: Server
    """For server events."""
    operation: Operation
    """For operation events."""
    resume_token: str
    """Start from here after a break."""
    at: Timestamp
    """When it was committed."""
    cell: str
    """For CELL_UNREACHABLE."""
    hidden_fields: MutableSequence[str]
    """With `server`: paths of its fields that policy hid from this caller, as in the answers of ServersService."""
    def __init__(self, *, type: int | str | None = ..., server: Server | Mapping[str, Any] | None = ..., operation: Operation | Mapping[str, Any] | None = ..., resume_token: str | None = ..., at: Timestamp | Mapping[str, Any] | None = ..., cell: str | None = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["server", "operation", "at", "cell"]) -> bool: ...

class WhatIfRequest(Message):
    """Input of WhatIf."""

    request: CreateServersRequest
    """What would be created; its client_token is ignored."""
    def __init__(self, *, request: CreateServersRequest | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["request"]) -> bool: ...

class WhatIfResponse(Message):
    """Output of WhatIf."""

    explanation: SchedulingExplanation
    """For one of the servers."""
    exceeded_quotas: MutableSequence[str]
    """Resources for which the quota does not allow the least number of servers; empty when it does."""
    hidden_fields: MutableSequence[str]
    """Paths of fields that are hidden from this caller: refusals.nearest_host, accepted_hosts;
    hosts_considered, hosts_accepted, refusals.hosts, refusals.nearest_facts.
    """
    def __init__(self, *, explanation: SchedulingExplanation | Mapping[str, Any] | None = ..., exceeded_quotas: Iterable[str] = ..., hidden_fields: Iterable[str] = ...) -> None: ...
    def HasField(self, field_name: Literal["explanation"]) -> bool: ...

class ZoneService(Message):
    """A service on a host of a zone."""

    host: str
    """Host."""
    binary: str
    """Such as nova-compute."""
    active: bool
    """Whether it is enabled."""
    available: bool
    """Whether it is alive."""
    updated_at: Timestamp
    """Last sign of life."""
    def __init__(self, *, host: str | None = ..., binary: str | None = ..., active: bool | None = ..., available: bool | None = ..., updated_at: Timestamp | Mapping[str, Any] | None = ...) -> None: ...
    def HasField(self, field_name: Literal["updated_at"]) -> bool: ...
