import { BlockDeviceDestination, BlockDeviceSource } from "../../gen/kilonova/type/v1/block_device.js";
import { ConsoleProtocol, ConsoleType } from "../../gen/kilonova/api/v1/consoles_service.js";
import { ExternalEventName } from "../../gen/kilonova/api/v1/external_events_service.js";
import { HypervisorView, HypervisorsView } from "../../gen/kilonova/api/v1/hosts_service.js";
import { ServerGroupPolicy } from "../../gen/kilonova/api/v1/server_groups_service.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { NetworkMode } from "../../gen/kilonova/api/v1/servers_service.js";
import { aNetwork, anImage } from "../../pkg/api/testing/an-api.js";
import type { RuleName } from "../../pkg/policy/index.js";
import type { Expected } from "./case.js";
import { guardedActions } from "./plain-actions.js";
import {
  AGGREGATE,
  CONSOLE_TOKEN,
  DISKLESS,
  EMPTY_AGGREGATE,
  EXTERNAL,
  FREE_PORT,
  FREE_VOLUME,
  GROUP,
  HYPERVISOR,
  KINDS,
  HOSTLESS,
  MIGRATING,
  IMAGELESS,
  LOCKED,
  MIGRATION,
  MOVED,
  OFFLOADED,
  PORT,
  REQUEST,
  SECURITY_GROUP,
  SERVER,
  SERVICE,
  isOnServer,
  operationOf,
  VOLUME,
} from "./world.js";

/** One form of one method of the public contract. */
export interface RpcExpected extends Expected {
  readonly method: string;
  readonly request: Readonly<Record<string, unknown>>;
}

const os = (rule: string): RuleName => `os_compute_api:${rule}` as RuleName;
type Rest = Omit<RpcExpected, "method" | "request" | "needs">;
const rpc = (
  method: string,
  request: RpcExpected["request"],
  needs: readonly RuleName[],
  rest: Rest = {},
): RpcExpected => ({ method, request, needs, ...rest });
/** About the server of p1. */
const onServer = (method: string, needs: string, request: RpcExpected["request"] = {}, rest: Rest = {}) =>
  rpc(`ServersService/${method}`, { serverId: SERVER, ...request }, [os(needs)], {
    about: "project",
    ...rest,
  });

/** About the server of p1 that was moved. */
const onMoved = (method: string, needs: readonly string[], request: RpcExpected["request"], form = "") =>
  rpc(`ServersService/${method}`, { serverId: MOVED, ...request }, needs.map(os), {
    about: "project",
    ...(form === "" ? {} : { form }),
  });

const EXTRA_SPECS = os("servers:show:flavor-extra-specs");
const HOST_STATUS = os("servers:show:host_status");
const UNKNOWN_ONLY = os("servers:show:host_status:unknown-only");
const ATTRIBUTES = os("os-extended-server-attributes");
const SEEN = {
  given: { [UNKNOWN_ONLY]: "!" },
  shows: [EXTRA_SPECS, HOST_STATUS, ATTRIBUTES],
} as const;
/** What is only asked of whoever may not see the state of every host. */
const unknownOnly = {
  form: "hosts of unknown state",
  given: { [HOST_STATUS]: "!" },
  shows: [EXTRA_SPECS, UNKNOWN_ONLY, ATTRIBUTES],
};
const FLAVOR_SPECS = os("os-flavor-extra-specs:index");
const FLAVOR_ACCESS = os("os-flavor-access");
const FLAVOR_SEEN = [FLAVOR_SPECS, FLAVOR_ACCESS];

const network = { networkId: aNetwork().id };
const create = {
  name: "vm",
  flavorId: "1",
  imageId: anImage().id,
  adminPassword: "secret",
  networkMode: NetworkMode.NETWORK_MODE_NONE,
};
const image = {
  source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
  sourceId: anImage().id,
  destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
  bootIndex: 0,
};
const createForms: readonly { form: string; request: object; needs: readonly RuleName[] }[] = [
  { form: "plain", request: {}, needs: [] },
  {
    form: "forced host",
    request: { availabilityZone: "nova:h1" },
    needs: [os("servers:create:forced_host")],
  },
  {
    form: "requested host",
    request: { host: "h1" },
    needs: ["compute:servers:create:requested_destination"],
  },
  {
    form: "block devices",
    request: { blockDevices: [image] },
    needs: [os("servers:create:attach_volume")],
  },
  {
    form: "networks",
    request: { networkMode: NetworkMode.NETWORK_MODE_UNSPECIFIED, networks: [network] },
    needs: [os("servers:create:attach_network")],
  },
  {
    form: "external network",
    request: {
      networkMode: NetworkMode.NETWORK_MODE_UNSPECIFIED,
      networks: [{ ...network, networkId: EXTERNAL }],
    },
    needs: [os("servers:create:attach_network"), "network:attach_external_network"],
  },
  {
    form: "trusted certificates",
    request: { trustedImageCertificates: ["c"] },
    needs: [os("servers:create:trusted_certs")],
  },
  { form: "no disk", request: { flavorId: "zero" }, needs: [os("servers:create:zero_disk_flavor")] },
];

const servers: readonly RpcExpected[] = [
  ...createForms.flatMap(({ form, request, needs }) => [
    rpc("ServersService/CreateServers", { ...create, ...request }, [os("servers:create"), ...needs], {
      form,
      shows: [EXTRA_SPECS],
    }),
    rpc(
      "SchedulingService/WhatIf",
      { request: { ...create, ...request } },
      [os("servers:create"), ...needs],
      {
        form,
      },
    ),
  ]),
  rpc("SchedulingService/ExplainServer", { serverId: SERVER }, [os("servers:show")], { about: "project" }),
  onServer("GetServer", "servers:show", {}, { shows: [EXTRA_SPECS] }),
  onServer("GetServer", "servers:show", { withHostInfo: true }, { form: "hosts", ...SEEN }),
  onServer("GetServer", "servers:show", { withHostInfo: true }, unknownOnly),
  onServer(
    "GetServer",
    "servers:show",
    { withUserData: true },
    { form: "user data", shows: [EXTRA_SPECS, ATTRIBUTES] },
  ),
  rpc("ServersService/ListServers", {}, [os("servers:detail")], { shows: [EXTRA_SPECS] }),
  rpc("ServersService/ListServers", { withHostInfo: true }, [os("servers:detail")], {
    form: "hosts",
    ...SEEN,
  }),
  rpc("ServersService/ListServers", { withHostInfo: true }, [os("servers:detail")], unknownOnly),
  rpc("ServersService/ListServers", { brief: true }, [os("servers:index")], {
    form: "brief",
    shows: [EXTRA_SPECS],
  }),
  rpc(
    "ServersService/ListServers",
    { allProjects: true },
    [os("servers:detail"), os("servers:detail:get_all_tenants")],
    { form: "all projects", shows: [EXTRA_SPECS] },
  ),
  rpc(
    "ServersService/ListServers",
    { brief: true, allProjects: true },
    [os("servers:index"), os("servers:index:get_all_tenants")],
    { form: "brief, all projects", shows: [EXTRA_SPECS] },
  ),
  rpc(
    "ServersService/ListServers",
    { filter: { host: "h1" } },
    [os("servers:detail"), os("servers:allow_all_filters")],
    { form: "by host", shows: [EXTRA_SPECS] },
  ),
  onServer("UpdateServer", "servers:update", { server: { name: "new" }, updateMask: ["name"] }, SEEN),
  onServer("UpdateServer", "servers:update", { server: { name: "new" }, updateMask: ["name"] }, unknownOnly),
  onServer("DeleteServer", "servers:delete"),
  ...guardedActions.map(({ method, needs }) => onServer(method, needs)),
  onServer("RebootServer", "servers:reboot"),
  onServer("RebuildServer", "servers:rebuild", { imageId: anImage().id, adminPassword: "secret" }, SEEN),
  onServer(
    "RebuildServer",
    "servers:rebuild",
    { imageId: anImage().id, adminPassword: "secret" },
    unknownOnly,
  ),
  rpc(
    "ServersService/RebuildServer",
    {
      serverId: SERVER,
      imageId: anImage().id,
      adminPassword: "secret",
      server: { trustedImageCertificates: ["c"] },
      updateMask: ["trusted_image_certificates"],
    },
    [os("servers:rebuild"), os("servers:rebuild:trusted_certs")],
    { about: "project", form: "trusted certificates", ...SEEN },
  ),
  rpc(
    "ServersService/RebuildServer",
    { serverId: DISKLESS, imageId: anImage().id, adminPassword: "secret" },
    [os("servers:rebuild"), os("servers:create:zero_disk_flavor")],
    { about: "project", form: "no disk", ...SEEN },
  ),
  onServer("RescueServer", "os-rescue", { adminPassword: "secret" }),
  onMoved("ResizeServer", ["servers:resize"], { flavorId: "private" }),
  onMoved(
    "ResizeServer",
    ["servers:resize", "servers:create:zero_disk_flavor"],
    { flavorId: "none" },
    "no disk",
  ),
  onMoved("ConfirmServerResize", ["servers:confirm_resize"], {}),
  onMoved("RevertServerResize", ["servers:revert_resize"], {}),
  onMoved("MigrateServer", ["os-migrate-server:migrate"], {}),
  onMoved("MigrateServer", ["os-migrate-server:migrate:host"], { host: "silent" }, "to a host"),
  onServer("ShelveServer", "os-shelve:shelve"),
  onServer("UnshelveServer", "os-shelve:unshelve"),
  rpc(
    "ServersService/UnshelveServer",
    { serverId: OFFLOADED, host: "h1" },
    [os("os-shelve:unshelve"), os("os-shelve:unshelve_to_host")],
    { about: "project", form: "to a host" },
  ),
  onServer("LockServer", "os-lock-server:lock"),
  onServer("UnlockServer", "os-lock-server:unlock"),
  rpc(
    "ServersService/UnlockServer",
    { serverId: LOCKED },
    [os("os-lock-server:unlock"), os("os-lock-server:unlock:unlock_override")],
    { about: "project", form: "another party's lock" },
  ),
  onServer("ResetServerState", "os-admin-actions:reset_state", { vmState: VmState.VM_STATE_ERROR }, SEEN),
  onServer(
    "ResetServerState",
    "os-admin-actions:reset_state",
    { vmState: VmState.VM_STATE_ERROR },
    unknownOnly,
  ),
  onServer("ChangeServerPassword", "os-admin-password", { adminPassword: "secret" }),
  onServer("CreateServerImage", "servers:create_image", { name: "picture" }),
  rpc(
    "ServersService/CreateServerImage",
    { serverId: IMAGELESS, name: "picture" },
    [os("servers:create_image"), os("servers:create_image:allow_volume_backed")],
    { about: "project", form: "without an image" },
  ),
  onServer("CreateServerBackup", "os-create-backup", {
    name: "picture",
    backupType: "daily",
    rotation: 1,
  }),
  onServer("GetConsoleOutput", "os-console-output"),
  onServer("GetServerDiagnostics", "os-server-diagnostics"),
  rpc("ServersService/GetServerTopology", { serverId: SERVER }, ["compute:server:topology:index"], {
    about: "project",
    shows: ["compute:server:topology:host:index"],
  }),
  onServer("GetServerAddresses", "ips:index"),
  onServer("GetServerAddresses", "ips:show", { networkLabel: "private" }, { form: "one network" }),
  onServer("GetServerPassword", "os-server-password:show"),
  onServer("ClearServerPassword", "os-server-password:clear"),
];

const consoles: readonly RpcExpected[] = [
  rpc(
    "RemoteConsolesService/CreateRemoteConsole",
    {
      serverId: SERVER,
      protocol: ConsoleProtocol.CONSOLE_PROTOCOL_SERIAL,
      type: ConsoleType.CONSOLE_TYPE_SERIAL,
    },
    [os("os-remote-consoles")],
    { about: "project" },
  ),
  rpc("RemoteConsolesService/GetConsoleConnection", { token: CONSOLE_TOKEN }, [os("os-console-auth-tokens")]),
];

const label = (method: string, needs: string, request: RpcExpected["request"] = {}, form?: string) =>
  rpc(method, { serverId: SERVER, ...request }, [os(needs)], {
    about: "project",
    ...(form === undefined ? {} : { form }),
  });
const items = { metadata: new Map([["a", "b"]]) };

const labels: readonly RpcExpected[] = [
  label("ServerMetadataService/GetServerMetadata", "server-metadata:index"),
  label("ServerMetadataService/GetServerMetadata", "server-metadata:show", { key: "k" }, "one"),
  label("ServerMetadataService/UpdateServerMetadata", "server-metadata:create", items),
  label(
    "ServerMetadataService/UpdateServerMetadata",
    "server-metadata:update",
    { ...items, singleItem: true },
    "one",
  ),
  label(
    "ServerMetadataService/UpdateServerMetadata",
    "server-metadata:update_all",
    { ...items, replaceAll: true },
    "all",
  ),
  label("ServerMetadataService/DeleteServerMetadata", "server-metadata:delete", { key: "k" }),
  label("ServerTagsService/ListServerTags", "os-server-tags:index"),
  label("ServerTagsService/GetServerTag", "os-server-tags:show", { tag: "t" }),
  label("ServerTagsService/AddServerTag", "os-server-tags:update", { tag: "new" }),
  label("ServerTagsService/ReplaceServerTags", "os-server-tags:update_all", { tags: ["new"] }),
  label("ServerTagsService/RemoveServerTag", "os-server-tags:delete", { tag: "t" }),
  label("ServerTagsService/ClearServerTags", "os-server-tags:delete_all"),
  label("InstanceActionsService/ListInstanceActions", "os-instance-actions:list"),
  {
    ...label("InstanceActionsService/GetInstanceAction", "os-instance-actions:show", { requestId: REQUEST }),
    shows: [os("os-instance-actions:events"), os("os-instance-actions:events:details")],
  },
];

const CREATE_EVENTS = os("os-server-external-events:create");
const interfaces: readonly RpcExpected[] = [
  label("InterfacesService/ListInterfaces", "os-attach-interfaces:list"),
  label("InterfacesService/GetInterface", "os-attach-interfaces:show", { portId: PORT }),
  label("InterfacesService/AttachInterface", "os-attach-interfaces:create", { portId: FREE_PORT }),
  rpc(
    "InterfacesService/AttachInterface",
    { serverId: SERVER, networkId: EXTERNAL },
    [os("os-attach-interfaces:create"), "network:attach_external_network"],
    { about: "project", form: "external network" },
  ),
  label("InterfacesService/DetachInterface", "os-attach-interfaces:delete", { portId: PORT }),
  label("VolumeAttachmentsService/ListVolumeAttachments", "os-volumes-attachments:index"),
  label("VolumeAttachmentsService/GetVolumeAttachment", "os-volumes-attachments:show", { volumeId: VOLUME }),
  label("VolumeAttachmentsService/AttachVolume", "os-volumes-attachments:create", { volumeId: FREE_VOLUME }),
  label("VolumeAttachmentsService/UpdateVolumeAttachment", "os-volumes-attachments:update", {
    volumeId: VOLUME,
    deleteOnTermination: true,
  }),
  rpc(
    "VolumeAttachmentsService/UpdateVolumeAttachment",
    { serverId: SERVER, volumeId: MIGRATING, newVolumeId: FREE_VOLUME },
    [os("os-volumes-attachments:swap")],
    { about: "project", form: "another volume" },
  ),
  label("VolumeAttachmentsService/DetachVolume", "os-volumes-attachments:delete", {
    serverId: HOSTLESS,
    volumeId: VOLUME,
  }),
  onServer("ListServerSecurityGroups", "os-security-groups:list"),
  onServer("AddServerSecurityGroup", "os-security-groups:add", { securityGroup: "web" }),
  onServer("RemoveServerSecurityGroup", "os-security-groups:remove", { securityGroup: SECURITY_GROUP }),
  rpc(
    "ExternalEventsService/CreateExternalEvents",
    { events: [{ name: ExternalEventName.EXTERNAL_EVENT_NAME_NETWORK_CHANGED, serverId: SERVER }] },
    [CREATE_EVENTS],
  ),
];

const migrations: readonly RpcExpected[] = [
  rpc("MigrationsService/ListMigrations", {}, [os("os-migrations:index")], {
    shows: [os("os-migrations:index:host")],
  }),
  rpc(
    "MigrationsService/ListMigrations",
    { allProjects: true },
    [os("os-migrations:index"), os("os-migrations:index:all_projects")],
    { form: "all projects", shows: [os("os-migrations:index:host")] },
  ),
  ...[{ host: "h1" }, { sourceCompute: "h1" }].map((asked) =>
    rpc(
      "MigrationsService/ListMigrations",
      asked,
      [os("os-migrations:index"), os("os-migrations:index:host")],
      { form: `by ${Object.keys(asked).join()}` },
    ),
  ),
  {
    ...label(
      "MigrationsService/ListMigrations",
      "servers:migrations:index",
      { serverIds: [SERVER], inProgressOnly: true },
      "under way",
    ),
    shows: [os("servers:migrations:index:host")],
  },
  label("MigrationsService/GetMigration", "servers:migrations:show", { migrationId: MIGRATION }),
];

const wait = { timeout: { seconds: 0n, nanos: 0 } };
/** What beginning an operation needs, and so ending it: written down here as Nova's table has it. */
const BEGINS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(guardedActions.map(({ kind, needs }) => [kind, needs])),
  "server.boot": "servers:create",
  "server.delete": "servers:delete",
  "server.soft-delete": "servers:delete",
  "server.reset-state": "os-admin-actions:reset_state",
  "server.reboot": "servers:reboot",
  "server.rebuild": "servers:rebuild",
  "server.rescue": "os-rescue",
  "server.resize": "servers:resize",
  "server.confirm-resize": "servers:confirm_resize",
  "server.revert-resize": "servers:revert_resize",
  "server.migrate": "os-migrate-server:migrate",
  "server.shelve": "os-shelve:shelve",
  "server.unshelve": "os-shelve:unshelve",
  "server.lock": "os-lock-server:lock",
  "server.unlock": "os-lock-server:unlock",
  "server.change-password": "os-admin-password",
  "server.create-image": "servers:create_image",
  "server.create-backup": "os-create-backup",
  "server.attach-interface": "os-attach-interfaces:create",
  "server.detach-interface": "os-attach-interfaces:delete",
  "server.attach-volume": "os-volumes-attachments:create",
  "server.detach-volume": "os-volumes-attachments:delete",
  "server.refresh-interfaces": "os-server-external-events:create",
  "server.extend-volume": "os-server-external-events:create",
  "server.swap-volume": "os-volumes-attachments:swap",
};
const onOperation = (method: string, needs: string, kind: string, request = {}, form = "") =>
  rpc(`OperationsService/${method}`, { name: operationOf(kind), ...request }, [os(needs)], {
    about: "project",
    ...(form === "" ? {} : { form }),
  });
/** About no project: beginning one, seeing it and ending it need one and the same rule. */
const CACHE_IMAGES: RuleName = "compute:aggregates:images";
const onSubject = (method: string, kind: string, request = {}) =>
  rpc(`OperationsService/${method}`, { name: operationOf(kind), ...request }, [CACHE_IMAGES], { form: kind });
const OF_SUBJECTS = KINDS.filter((kind) => !isOnServer(kind));

const operations: readonly RpcExpected[] = [
  onOperation("GetOperation", "os-instance-actions:show", "server.boot"),
  onOperation("WaitOperation", "os-instance-actions:show", "server.boot", wait),
  label("OperationsService/ListOperations", "os-instance-actions:list"),
  rpc("OperationsService/ListOperations", {}, [os("os-instance-actions:list")], { form: "of the project" }),
  rpc(
    "OperationsService/ListOperations",
    { allProjects: true },
    [os("os-instance-actions:list"), os("servers:detail:get_all_tenants")],
    { form: "all projects" },
  ),
  rpc("OperationsService/ListOperations", { host: HYPERVISOR }, [CACHE_IMAGES], {
    form: "of a host",
  }),
  rpc("OperationsService/ListOperations", { cloud: true }, [CACHE_IMAGES], {
    form: "of the cloud",
  }),
  ...KINDS.filter(isOnServer).map((kind) =>
    onOperation("CancelOperation", BEGINS[kind] ?? kind, kind, {}, kind),
  ),
  ...OF_SUBJECTS.flatMap((kind) => [
    onSubject("GetOperation", kind),
    onSubject("WaitOperation", kind, wait),
    onSubject("CancelOperation", kind),
  ]),
  rpc("EventsService/WatchEvents", {}, [os("servers:detail")], SEEN),
  rpc("EventsService/WatchEvents", {}, [os("servers:detail")], unknownOnly),
  rpc(
    "EventsService/WatchEvents",
    { allProjects: true },
    [os("servers:detail"), os("servers:detail:get_all_tenants")],
    { form: "all projects", ...SEEN },
  ),
];

const flavor = { id: "2", name: "m2", vcpus: 1, memoryMib: 64, rxtxFactor: 1, isPublic: true };
const specs = { extraSpecs: new Map([["hw:mem_page_size", "small"]]) };
const onFlavor = (
  method: string,
  request: RpcExpected["request"],
  needs: readonly RuleName[],
  rest: Rest = {},
) => rpc(`FlavorsService/${method}`, request, needs, rest);
const ofUser = (method: string, needs: string, request: RpcExpected["request"]) =>
  rpc(`KeyPairsService/${method}`, { userId: "u1", ...request }, [os(`os-keypairs:${needs}`)], {
    about: "user",
  });
const KEY = `ssh-ed25519 ${Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20".padEnd(51, "k")).toString("base64")} a`;

const catalogue: readonly RpcExpected[] = [
  onFlavor("CreateFlavor", { flavor }, [os("os-flavor-manage:create")], { shows: FLAVOR_SEEN }),
  onFlavor(
    "CreateFlavor",
    { flavor: { ...flavor, ...specs } },
    [os("os-flavor-manage:create"), os("os-flavor-extra-specs:create")],
    { form: "with extra specs", shows: FLAVOR_SEEN },
  ),
  onFlavor("GetFlavor", { flavorId: "1" }, [], { shows: FLAVOR_SEEN }),
  onFlavor("GetFlavor", { flavorId: "private", withAccess: true }, [FLAVOR_ACCESS], {
    form: "access",
    shows: [FLAVOR_SPECS],
  }),
  onFlavor("GetFlavor", { flavorId: "1", withExtraSpecs: true }, [FLAVOR_SPECS], {
    form: "extra specs",
    shows: [FLAVOR_ACCESS],
  }),
  onFlavor(
    "GetFlavor",
    { flavorId: "1", extraSpecKey: "hw:cpu_policy" },
    [os("os-flavor-extra-specs:show")],
    {
      form: "one extra spec",
      shows: [FLAVOR_ACCESS],
    },
  ),
  onFlavor("ListFlavors", {}, [], { shows: FLAVOR_SEEN }),
  onFlavor(
    "UpdateFlavor",
    { flavor: { id: "1", description: "d" }, updateMask: ["description"] },
    [os("os-flavor-manage:update")],
    { shows: FLAVOR_SEEN },
  ),
  onFlavor("DeleteFlavor", { flavorId: "1" }, [os("os-flavor-manage:delete")]),
  onFlavor("SetFlavorExtraSpecs", { flavorId: "private", ...specs }, [os("os-flavor-extra-specs:create")], {
    shows: FLAVOR_SEEN,
  }),
  onFlavor(
    "SetFlavorExtraSpecs",
    { flavorId: "private", ...specs, singleItem: true },
    [os("os-flavor-extra-specs:update")],
    { form: "one", shows: FLAVOR_SEEN },
  ),
  onFlavor("DeleteFlavorExtraSpec", { flavorId: "1", key: "hw:cpu_policy" }, [
    os("os-flavor-extra-specs:delete"),
  ]),
  onFlavor("AddFlavorAccess", { flavorId: "private", projectId: "p2" }, [
    os("os-flavor-access:add_tenant_access"),
  ]),
  onFlavor("RemoveFlavorAccess", { flavorId: "private", projectId: "p1" }, [
    os("os-flavor-access:remove_tenant_access"),
  ]),
  ofUser("CreateKeyPair", "create", { name: "new", publicKey: KEY }),
  ofUser("GetKeyPair", "show", { name: "k" }),
  ofUser("ListKeyPairs", "index", {}),
  ofUser("DeleteKeyPair", "delete", { name: "k" }),
  rpc("LimitsService/GetLimits", {}, [os("limits")]),
  rpc("LimitsService/GetLimits", { projectId: "p3" }, [os("limits"), os("limits:other_project")], {
    form: "of another project",
  }),
  rpc(
    "ServerGroupsService/CreateServerGroup",
    { name: "new", policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY },
    [os("os-server-groups:create")],
  ),
  rpc("ServerGroupsService/GetServerGroup", { serverGroupId: GROUP }, [os("os-server-groups:show")], {
    about: "project",
  }),
  rpc("ServerGroupsService/ListServerGroups", {}, [os("os-server-groups:index")]),
  rpc(
    "ServerGroupsService/ListServerGroups",
    { allProjects: true },
    [os("os-server-groups:index"), os("os-server-groups:index:all_projects")],
    { form: "all projects" },
  ),
  rpc("ServerGroupsService/DeleteServerGroup", { serverGroupId: GROUP }, [os("os-server-groups:delete")], {
    about: "project",
  }),
];

const onAggregate = (method: string, needs: string, request: RpcExpected["request"]) =>
  rpc(`AggregatesService/${method}`, request, [os(`os-aggregates:${needs}`)]);
const hypervisors = (form: keyof typeof HypervisorsView, needs: string) =>
  rpc(
    "HypervisorsService/ListHypervisors",
    { view: HypervisorsView[form] },
    [os(`os-hypervisors:${needs}`)],
    {
      form: needs,
    },
  );

const operators: readonly RpcExpected[] = [
  rpc("AvailabilityZonesService/ListAvailabilityZones", {}, [os("os-availability-zone:list")]),
  rpc(
    "AvailabilityZonesService/ListAvailabilityZones",
    { detail: true },
    [os("os-availability-zone:detail")],
    {
      form: "detail",
    },
  ),
  rpc("ComputeServicesService/ListComputeServices", {}, [os("os-services:list")]),
  rpc("ComputeServicesService/UpdateComputeService", { serviceId: SERVICE, disabled: true }, [
    os("os-services:update"),
  ]),
  rpc("ComputeServicesService/DeleteComputeService", { serviceId: SERVICE }, [os("os-services:delete")]),
  onAggregate("CreateAggregate", "create", { name: "new" }),
  onAggregate("GetAggregate", "show", { aggregateId: AGGREGATE }),
  onAggregate("ListAggregates", "index", {}),
  onAggregate("UpdateAggregate", "update", { aggregateId: AGGREGATE, name: "new" }),
  onAggregate("DeleteAggregate", "delete", { aggregateId: EMPTY_AGGREGATE }),
  onAggregate("AddAggregateHost", "add_host", { aggregateId: EMPTY_AGGREGATE, host: "h1" }),
  onAggregate("RemoveAggregateHost", "remove_host", { aggregateId: AGGREGATE, host: "h1" }),
  onAggregate("SetAggregateMetadata", "set_metadata", { aggregateId: AGGREGATE, ...items }),
  rpc("AggregatesService/CacheAggregateImages", { aggregateId: AGGREGATE, imageIds: [anImage().id] }, [
    CACHE_IMAGES,
  ]),
  hypervisors("HYPERVISORS_VIEW_DETAIL", "list-detail"),
  hypervisors("HYPERVISORS_VIEW_BRIEF", "list"),
  hypervisors("HYPERVISORS_VIEW_STATISTICS", "statistics"),
  hypervisors("HYPERVISORS_VIEW_SEARCH", "search"),
  hypervisors("HYPERVISORS_VIEW_SERVERS", "servers"),
  rpc("HypervisorsService/GetHypervisor", { hypervisorId: HYPERVISOR }, [os("os-hypervisors:show")]),
  rpc(
    "HypervisorsService/GetHypervisor",
    { hypervisorId: HYPERVISOR, view: HypervisorView.HYPERVISOR_VIEW_UPTIME },
    [os("os-hypervisors:uptime")],
    { form: "uptime" },
  ),
];

/** Every served method of the public contract, in every form that asks other rules. */
export const rpcExpected: readonly RpcExpected[] = [
  ...servers,
  ...consoles,
  ...labels,
  ...operations,
  ...migrations,
  ...interfaces,
  ...catalogue,
  ...operators,
];
