import {
  ListAvailabilityZonesResponse,
  GetHypervisorResponse,
  ListComputeServicesResponse,
  ListHypervisorsResponse,
  UpdateComputeServiceResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import type { ComputeService, Hypervisor } from "../../../gen/kilonova/api/v1/hosts_service.js";
import {
  CreateRemoteConsoleResponse,
  GetConsoleConnectionResponse,
} from "../../../gen/kilonova/api/v1/consoles_service.js";
import {
  AddFlavorAccessResponse,
  CreateFlavorResponse,
  GetFlavorResponse,
  ListFlavorsResponse,
  RemoveFlavorAccessResponse,
  SetFlavorExtraSpecsResponse,
  UpdateFlavorResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import {
  CreateKeyPairResponse,
  GetKeyPairResponse,
  ListKeyPairsResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { ExternalEventResult } from "../../../gen/kilonova/api/v1/external_events_service.js";
import type { VolumeAttachment } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { Interface } from "../../../gen/kilonova/api/v1/interfaces_service.js";
import {
  SecurityGroupRule,
  ServerSecurityGroup,
  TrafficDirection,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { Operation, OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import {
  GetInstanceActionResponse,
  GetLimitsResponse,
  ListInstanceActionsResponse,
} from "../../../gen/kilonova/api/v1/limits_service.js";
import type { Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import {
  GetMigrationResponse,
  ListMigrationsResponse,
  Migration,
  MigrationType,
} from "../../../gen/kilonova/api/v1/migrations_service.js";
import {
  GetServerDiagnosticsResponse,
  GetServerTopologyResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { ServerGroupPolicy } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import type { ServerGroup } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import {
  DeleteServerMetadataResponse,
  GetServerMetadataResponse,
  UpdateServerMetadataResponse,
} from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import {
  CreateServersResponse,
  GetConsoleOutputResponse,
  GetServerResponse,
  ListServersResponse,
  UpdateServerResponse,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import { RebuildServerResponse } from "../../../gen/kilonova/api/v1/server_actions.js";
import { KeyPairType } from "../../../gen/kilonova/type/v1/key_pair.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import type { FakeApi } from "../../../pkg/gateway/testing/fake-api.js";
import {
  SERVER_ID,
  someFlavor,
  someServer,
  someServerForAdmin,
} from "../../../pkg/gateway/testing/samples.js";
import { PROJECT } from "../../../pkg/gateway/testing/test-tokens.js";

export const PORT_ID = "9e1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11";
const someInterface: Interface = {
  portId: PORT_ID,
  networkId: "f6b1ef80-0b0e-4b1a-a1e5-1d4d3a7d2f10",
  macAddress: "fa:16:3e:4c:2c:30",
  portState: "ACTIVE",
  addresses: [{ ipAddress: "192.168.1.3", subnetId: "f8a6e8f8-c2ec-497c-9f23-da9616de54ef" }],
  tag: "public",
};
export const VOLUME_ID = "a26887c6-c47b-4654-abb5-dfadf7d3f803";
const someVolume: VolumeAttachment = {
  volumeId: VOLUME_ID,
  serverId: SERVER_ID,
  device: "/dev/vdb",
  tag: "data",
  deleteOnTermination: true,
  attachmentId: "979ce4f8-033a-409d-85e6-6b5c0f6a6302",
  blockDeviceId: "c088db45-92b8-49e8-81e2-a1b77a144b3b",
};
const ingress = SecurityGroupRule.fromPartial({
  id: "1a0b7c1e-7a9c-4f2b-9d0f-3a2f1f4f1c01",
  direction: TrafficDirection.TRAFFIC_DIRECTION_INGRESS,
});
const securityGroup = ServerSecurityGroup.fromPartial({
  id: "2a0b7c1e-7a9c-4f2b-9d0f-3a2f1f4f1c02",
  name: "web",
  description: "front",
  projectId: PROJECT,
  rules: [
    { ...ingress, protocol: "tcp", portMin: 80, portMax: 80, remoteCidr: "10.0.0.0/8" },
    { ...ingress, protocol: "udp" },
    { ...ingress, protocol: "icmp" },
    { ...ingress },
    { ...ingress, protocol: "tcp", remoteGroupId: "g", remoteGroupName: "db", remoteGroupProjectId: PROJECT },
    // Nova does not show a rule whose group is gone, nor what goes out.
    { ...ingress, remoteGroupId: "gone" },
    { ...ingress, direction: TrafficDirection.TRAFFIC_DIRECTION_EGRESS },
  ],
});

const at = (seconds: bigint) => ({ seconds, nanos: 123_456_000 });
export const SERVICE_ID = "e81d66a4-ddd3-4aba-8a84-171d1cb4d339";
export const HYPERVISOR_ID = "b1e43b5f-eec1-44e0-9f10-7b4945c0226d";
export const GROUP_ID = "616fb98f-46ca-475e-917e-2563e5a8cd19";
export const REQUEST_ID = "req-0d819d5c-1527-4669-bdf0-ffad31b5105b";

const service: ComputeService = {
  id: SERVICE_ID,
  number: 2n,
  binary: "nova-compute",
  host: "compute-1",
  zone: "nova",
  disabled: true,
  disabledReason: "maintenance",
  forcedDown: false,
  up: true,
  updatedAt: at(1_762_000_000n),
  cell: "cell1",
};
const hypervisor: Hypervisor = {
  id: HYPERVISOR_ID,
  number: 1n,
  hypervisorHostname: "compute-1.example",
  hypervisorType: "QEMU",
  hypervisorVersion: 7_002_022,
  hostIp: "192.0.2.7",
  cpuInfoJson: '{"arch":"x86_64","topology":{"cores":4}}',
  vcpus: 8,
  vcpusUsed: 2,
  memoryMib: 16_384n,
  memoryMibUsed: 1_536n,
  diskGib: 200n,
  diskGibUsed: 20n,
  diskAvailableLeastGib: 150n,
  runningServers: 2,
  currentWorkload: 0,
  service,
  uptime: "12:00:00 up 3 days",
  servers: [{ id: SERVER_ID, instanceName: "instance-0000002a" }],
};
const keyPair = {
  id: 3n,
  name: "key",
  userId: "member-user",
  type: KeyPairType.KEY_PAIR_TYPE_SSH,
  publicKey: "ssh-ed25519 AAAA key",
  fingerprint: "44:fe:29:6e:23:14:b9:53:5b:65:82:58:1c:fe:5a:c3",
  createdAt: at(1_762_000_000n),
};
const aggregate: Aggregate = {
  id: "fd0a5b12-7e8d-469d-bfd5-64a6823e7407",
  number: 1n,
  name: "ssd",
  availabilityZone: "west",
  hosts: ["compute-1"],
  metadata: new Map([["availability_zone", "west"]]),
  createdAt: at(1_762_000_000n),
  updatedAt: at(1_762_000_100n),
};
const serverGroup: ServerGroup = {
  id: GROUP_ID,
  name: "spread",
  policy: ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY,
  maxServerPerHost: 2,
  memberIds: [SERVER_ID],
  projectId: PROJECT,
  userId: "member-user",
};
const action = {
  requestId: REQUEST_ID,
  action: "stop",
  serverId: SERVER_ID,
  projectId: PROJECT,
  userId: "member-user",
  startedAt: at(1_762_000_100n),
  updatedAt: at(1_762_000_102n),
};
const event = {
  event: "destroy-guest",
  startedAt: at(1_762_000_100n),
  finishedAt: at(1_762_000_102n),
  result: "Success",
  host: "compute-1",
  hostId: "2091634b",
};

const liveMigration = Migration.fromPartial({
  id: "5cc3a1d2-6b4e-4a5a-9a57-0a2a0f6f9c11",
  number: 3n,
  serverId: SERVER_ID,
  projectId: PROJECT,
  userId: "member-user",
  type: MigrationType.MIGRATION_TYPE_LIVE_MIGRATION,
  status: "running",
  sourceCompute: "compute-1",
  sourceNode: "compute-1.example",
  destCompute: "compute-2",
  destNode: "compute-2.example",
  destHost: "192.0.2.8",
  createdAt: at(1_762_000_000n),
  updatedAt: at(1_762_000_009n),
  progress: { memoryTotalBytes: 1_024n, memoryProcessedBytes: 512n, memoryRemainingBytes: 512n },
});
const resize = Migration.fromPartial({
  ...liveMigration,
  id: "0f1c2a3b-6b4e-4a5a-9a57-0a2a0f6f9c12",
  number: 2n,
  type: MigrationType.MIGRATION_TYPE_RESIZE,
  status: "pre-migrating",
  destCompute: undefined,
  destNode: undefined,
  destHost: undefined,
  updatedAt: undefined,
});
const HOSTLESS = {
  sourceCompute: undefined,
  sourceNode: undefined,
  destCompute: undefined,
  destNode: undefined,
  destHost: undefined,
};
const hidden = (ctx: Ctx, ...hiddenFields: string[]) => ({
  hiddenFields: ctx.actor.roles.includes("admin") ? [] : hiddenFields,
});
const HIDDEN = ["host_info", "host_status", "fault.details", "user_data"];
const seenBy = (ctx: Ctx) => (ctx.actor.roles.includes("admin") ? someServerForAdmin() : someServer());
const privateFlavor = someFlavor({
  id: "private",
  name: "own",
  isPublic: false,
  projectIds: [PROJECT],
  description: "for us",
  swapMib: 64,
});
const flavorOf = (id: string) => (id === "private" ? privateFlavor : someFlavor());

/** An api that always answers the same, as far as it may see it. */
export const fixture: FakeApi = {
  servers: {
    rebuildServer: async (ctx) =>
      RebuildServerResponse.fromPartial({
        server: { ...seenBy(ctx), taskState: "rebuilding", userData: Buffer.from("new") },
        adminPassword: "s3cret",
        ...hidden(ctx, ...HIDDEN.filter((path) => path !== "user_data")),
      }),
    listServerSecurityGroups: async () => ({ securityGroups: [securityGroup], nextPageToken: "" }),
    addServerSecurityGroup: async () => ({}),
    getServer: async (ctx) =>
      GetServerResponse.fromPartial({ server: seenBy(ctx), ...hidden(ctx, ...HIDDEN) }),
    listServers: async (ctx) =>
      ListServersResponse.fromPartial({ servers: [seenBy(ctx)], ...hidden(ctx, ...HIDDEN) }),
    createServers: async () =>
      CreateServersResponse.fromPartial({
        servers: [someServer()],
        reservationId: "r-3fhpjulh",
        adminPassword: "secret",
      }),
    updateServer: async (ctx) =>
      UpdateServerResponse.fromPartial({ server: seenBy(ctx), ...hidden(ctx, ...HIDDEN) }),
    getConsoleOutput: async () => GetConsoleOutputResponse.fromPartial({ output: "login:" }),
    getServerAddresses: async (_ctx, { networkLabel }) => ({
      addresses: someServer().addresses.filter(
        (one) => networkLabel === undefined || one.networkLabel === networkLabel,
      ),
    }),
    getServerDiagnostics: async () =>
      GetServerDiagnosticsResponse.fromPartial({
        powerState: PowerState.POWER_STATE_RUNNING,
        driver: "libvirt",
        hypervisor: "kvm",
        hypervisorOs: "linux",
        uptimeSeconds: 46_664n,
        configDrive: true,
        cpus: [{ id: 0, timeNs: 17_300_000_000n, utilisationPercent: 15 }, { id: 1 }],
        nics: [{ macAddress: "01:23:45:67:89:ab", rxBytes: 2_070_139n, rxDropped: 200n, txPackets: 662n }],
        disks: [
          {
            readBytes: 262_144n,
            readRequests: 112n,
            writeBytes: 5_778_432n,
            writeRequests: 488n,
            errors: 1n,
          },
        ],
        memoryMaximumMib: 512n,
        memoryUsedMib: 256n,
      }),
    getServerTopology: async (ctx) =>
      GetServerTopologyResponse.fromPartial({
        nodes: [
          {
            memoryMib: 1024n,
            vcpus: [0, 1],
            siblings: [{ vcpus: [0, 1] }],
            hostNode: 0,
            cpuPinning: new Map([[0, 5]]),
          },
        ],
        pageSizeKib: 4n,
        ...hidden(ctx, "nodes.host_node", "nodes.cpu_pinning"),
      }),
    getServerPassword: async () => ({ encryptedPassword: "xlozO3wLCBRWAa2yDjCCVx8v" }),
  },
  remoteConsoles: {
    createRemoteConsole: async (_ctx, { protocol, type }) =>
      CreateRemoteConsoleResponse.fromPartial({
        protocol,
        type,
        url: "http://console.example.com/vnc_auto.html?path=%3Ftoken%3Dt",
      }),
    getConsoleConnection: async () =>
      GetConsoleConnectionResponse.fromPartial({ serverId: SERVER_ID, host: "10.0.0.7", port: 8780 }),
  },
  aggregates: {
    listAggregates: async () => ({ aggregates: [aggregate], nextPageToken: "" }),
    getAggregate: async () => ({ aggregate }),
    createAggregate: async (_ctx, { name, availabilityZone }) => ({
      aggregate: { ...aggregate, name, availabilityZone, hosts: [], updatedAt: undefined },
      replayed: false,
    }),
    updateAggregate: async (_ctx, { availabilityZone }) => ({
      aggregate: { ...aggregate, availabilityZone: availabilityZone || undefined, metadata: new Map() },
    }),
    deleteAggregate: async () => ({}),
    addAggregateHost: async (_ctx, { host }) => ({ aggregate: { ...aggregate, hosts: [host] } }),
    removeAggregateHost: async () => ({ aggregate: { ...aggregate, hosts: [] } }),
    setAggregateMetadata: async (_ctx, { metadata, removeKeys }) => ({
      aggregate: { ...aggregate, metadata: new Map([...metadata, ["removed", removeKeys.join()]]) },
    }),
  },
  serverGroups: {
    listServerGroups: async () => ({
      serverGroups: [
        serverGroup,
        {
          ...serverGroup,
          policy: ServerGroupPolicy.SERVER_GROUP_POLICY_SOFT_AFFINITY,
          maxServerPerHost: undefined,
          memberIds: [],
        },
      ],
      nextPageToken: "",
    }),
    getServerGroup: async () => ({ serverGroup }),
    createServerGroup: async (_ctx, { name, policy, maxServerPerHost }) => ({
      serverGroup: { ...serverGroup, name, policy, maxServerPerHost, memberIds: [] },
      replayed: false,
    }),
    deleteServerGroup: async () => ({}),
  },
  serverMetadata: {
    getServerMetadata: async (_ctx, { key }) =>
      GetServerMetadataResponse.fromPartial({
        metadata:
          key === undefined
            ? new Map([
                ["a", "1"],
                ["b", "2"],
              ])
            : new Map([[key, "1"]]),
      }),
    updateServerMetadata: async (_ctx, { metadata, replaceAll }) =>
      UpdateServerMetadataResponse.fromPartial({
        metadata: replaceAll ? metadata : new Map([["b", "2"], ...metadata]),
      }),
    deleteServerMetadata: async () => DeleteServerMetadataResponse.fromPartial({}),
  },
  interfaces: {
    listInterfaces: async () => ({
      interfaces: [someInterface, { ...someInterface, tag: undefined }],
      nextPageToken: "",
    }),
    getInterface: async () => ({ interface: someInterface }),
    attachInterface: async () => ({
      operation: Operation.fromPartial({ done: true, state: OperationState.OPERATION_STATE_SUCCEEDED }),
      interface: someInterface,
    }),
    detachInterface: async () => ({ operation: Operation.fromPartial({}) }),
  },
  volumeAttachments: {
    listVolumeAttachments: async () => ({
      volumeAttachments: [someVolume, { ...someVolume, tag: undefined, device: undefined }],
      nextPageToken: "",
    }),
    getVolumeAttachment: async () => ({ volumeAttachment: someVolume }),
    attachVolume: async () => ({ operation: Operation.fromPartial({}), volumeAttachment: someVolume }),
    detachVolume: async () => ({ operation: Operation.fromPartial({}) }),
  },
  externalEvents: {
    createExternalEvents: async () => ({
      results: [
        ExternalEventResult.EXTERNAL_EVENT_RESULT_ACCEPTED,
        ExternalEventResult.EXTERNAL_EVENT_RESULT_INVALID,
        ExternalEventResult.EXTERNAL_EVENT_RESULT_SERVER_NOT_FOUND,
        ExternalEventResult.EXTERNAL_EVENT_RESULT_NO_HOST,
      ],
    }),
  },
  serverTags: {
    listServerTags: async () => ({ tags: ["a", "b"] }),
    getServerTag: async () => ({}),
    addServerTag: async (_ctx, { tag }) => ({ added: tag !== "there" }),
    replaceServerTags: async (_ctx, { tags }) => ({ tags }),
    removeServerTag: async () => ({}),
    clearServerTags: async () => ({}),
  },
  flavors: {
    getFlavor: async (_ctx, { flavorId }) => GetFlavorResponse.fromPartial({ flavor: flavorOf(flavorId) }),
    listFlavors: async () => ListFlavorsResponse.fromPartial({ flavors: [someFlavor(), privateFlavor] }),
    createFlavor: async () => CreateFlavorResponse.fromPartial({ flavor: someFlavor() }),
    updateFlavor: async () => UpdateFlavorResponse.fromPartial({ flavor: privateFlavor }),
    setFlavorExtraSpecs: async () => SetFlavorExtraSpecsResponse.fromPartial({ flavor: someFlavor() }),
    addFlavorAccess: async () => AddFlavorAccessResponse.fromPartial({ flavor: privateFlavor }),
    removeFlavorAccess: async () => RemoveFlavorAccessResponse.fromPartial({ flavor: privateFlavor }),
  },
  keyPairs: {
    createKeyPair: async (_ctx, request) =>
      CreateKeyPairResponse.fromPartial({
        keyPair,
        privateKey: request.publicKey === undefined ? "PEM" : undefined,
      }),
    getKeyPair: async () => GetKeyPairResponse.fromPartial({ keyPair }),
    listKeyPairs: async () => ListKeyPairsResponse.fromPartial({ keyPairs: [keyPair] }),
  },
  limits: {
    getLimits: async () =>
      GetLimitsResponse.fromPartial({
        limits: [
          { name: "instances", limit: 10n, used: 1n },
          { name: "cores", limit: 20n, used: 1n },
          { name: "ram", limit: 51_200n, used: 512n },
          { name: "metadata_items", limit: 128n },
        ],
      }),
  },
  instanceActions: {
    listInstanceActions: async () => ListInstanceActionsResponse.fromPartial({ actions: [action] }),
    getInstanceAction: async (ctx) =>
      GetInstanceActionResponse.fromPartial({
        action: { ...action, events: [event] },
        ...hidden(ctx, "events.traceback", "events.host", "events.details"),
      }),
  },
  migrations: {
    listMigrations: async (ctx, { inProgressOnly }) =>
      ListMigrationsResponse.fromPartial({
        migrations: (inProgressOnly ? [liveMigration] : [liveMigration, resize]).map((one) =>
          ctx.actor.roles.includes("admin") ? one : { ...one, ...HOSTLESS },
        ),
        ...hidden(ctx, "source_compute", "source_node", "dest_compute", "dest_node", "dest_host"),
      }),
    getMigration: async () => GetMigrationResponse.fromPartial({ migration: liveMigration }),
  },
  availabilityZones: {
    listAvailabilityZones: async (_ctx, { detail }) =>
      ListAvailabilityZonesResponse.fromPartial({
        zones: [
          {
            name: "nova",
            available: true,
            services: detail
              ? [
                  {
                    host: "compute-1",
                    binary: "nova-compute",
                    active: true,
                    available: true,
                    updatedAt: at(1_762_000_000n),
                  },
                ]
              : [],
          },
        ],
      }),
  },
  computeServices: {
    listComputeServices: async () => ListComputeServicesResponse.fromPartial({ services: [service] }),
    updateComputeService: async () => UpdateComputeServiceResponse.fromPartial({ service }),
  },
  hypervisors: {
    listHypervisors: async () => ListHypervisorsResponse.fromPartial({ hypervisors: [hypervisor] }),
    getHypervisor: async () => GetHypervisorResponse.fromPartial({ hypervisor }),
  },
};
