import assert from "node:assert/strict";
import {
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
} from "../../gen/kilonova/api/v1/hosts_service.js";
import { AggregatesServiceDefinition } from "../../gen/kilonova/api/v1/aggregates_service.js";
import { FlavorVisibility, FlavorsServiceDefinition } from "../../gen/kilonova/api/v1/flavors_service.js";
import { KeyPairsServiceDefinition } from "../../gen/kilonova/api/v1/key_pairs_service.js";
import {
  InstanceActionsServiceDefinition,
  LimitsServiceDefinition,
} from "../../gen/kilonova/api/v1/limits_service.js";
import {
  ServerGroupPolicy,
  ServerGroupsServiceDefinition,
} from "../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerMetadataServiceDefinition } from "../../gen/kilonova/api/v1/server_metadata_service.js";
import { ServerTagsServiceDefinition } from "../../gen/kilonova/api/v1/server_tags_service.js";
import {
  NetworkMode,
  RebootType,
  ServersServiceDefinition,
} from "../../gen/kilonova/api/v1/servers_service.js";
import { KeyPairType } from "../../gen/kilonova/type/v1/key_pair.js";
import { SortDirection } from "../../gen/kilonova/type/v1/page.js";
import { DiskConfig, VmState } from "../../gen/kilonova/type/v1/server.js";
import { MAX_LIMIT } from "./http/paging.js";
import { allOperations } from "./resources/index.js";
import { startTestGateway } from "./testing/test-gateway.js";
import type { Ask, TestGateway } from "./testing/test-gateway.js";
import { FragmentCache } from "./view/fragments.js";

const definitions = [
  ServersServiceDefinition,
  AggregatesServiceDefinition,
  ServerGroupsServiceDefinition,
  ServerMetadataServiceDefinition,
  ServerTagsServiceDefinition,
  FlavorsServiceDefinition,
  KeyPairsServiceDefinition,
  LimitsServiceDefinition,
  InstanceActionsServiceDefinition,
  AvailabilityZonesServiceDefinition,
  ComputeServicesServiceDefinition,
  HypervisorsServiceDefinition,
];
/** The request type of a method, whichever service has it. */
function requestType(method: string): { fromPartial(init: object): object } {
  for (const { methods } of definitions) {
    const found = (methods as Record<string, { requestType: { fromPartial(init: object): object } }>)[method];
    if (found !== undefined) return found.requestType;
  }
  throw new Error(`no method ${method}`);
}

const S = "0e44cc9c-e052-415d-afbf-469b0d384170";
const U = "70a599e0-31e7-49b7-b260-868f441e862b";
const act = (body: object): Ask => ({ method: "POST", body });
const as = (ask: Ask): Ask => ({ ...ask, token: "admin" });
const asked = { serverId: S, withHostInfo: true, withUserData: true };

/** A REST request and the call of `api` that it must become, whole: what is not named has its default. */
type Row = readonly [route: string, path: string, ask: Ask, method: string, request: object];

const rows: readonly Row[] = [
  [
    "GET /flavors",
    "/flavors?limit=2&marker=m&minRam=64&minDisk=1&sort_key=name&sort_dir=desc",
    {},
    "listFlavors",
    {
      pageSize: 2,
      marker: "m",
      minMemoryMib: 64,
      minRootGib: 1,
      visibility: FlavorVisibility.FLAVOR_VISIBILITY_PUBLIC,
      sort: [{ field: "name", direction: SortDirection.SORT_DIRECTION_DESC }],
    },
  ],
  [
    "GET /flavors/detail",
    "/flavors/detail?is_public=None",
    as({}),
    "listFlavors",
    {
      pageSize: MAX_LIMIT,
      visibility: FlavorVisibility.FLAVOR_VISIBILITY_ALL,
      sort: [{ field: "flavorid", direction: SortDirection.SORT_DIRECTION_ASC }],
    },
  ],
  [
    "GET /flavors/detail",
    "/flavors/detail?is_public=False",
    as({}),
    "listFlavors",
    {
      pageSize: MAX_LIMIT,
      visibility: FlavorVisibility.FLAVOR_VISIBILITY_PRIVATE,
      sort: [{ field: "flavorid", direction: SortDirection.SORT_DIRECTION_ASC }],
    },
  ],
  [
    "POST /flavors",
    "/flavors",
    as({
      method: "POST",
      version: "2.55",
      body: {
        flavor: {
          id: "7",
          name: "f",
          description: "d",
          ram: 64,
          vcpus: 2,
          disk: 3,
          "OS-FLV-EXT-DATA:ephemeral": 4,
          swap: 5,
          rxtx_factor: 2.5,
          "os-flavor-access:is_public": false,
        },
      },
    }),
    "createFlavor",
    {
      flavor: {
        id: "7",
        name: "f",
        description: "d",
        hasDescription: true,
        memoryMib: 64,
        vcpus: 2,
        rootGib: 3,
        ephemeralGib: 4,
        swapMib: 5,
        rxtxFactor: 2.5,
        isPublic: false,
      },
    },
  ],
  ["GET /flavors/{id}", "/flavors/7", {}, "getFlavor", { flavorId: "7" }],
  [
    "PUT /flavors/{id}",
    "/flavors/7",
    as({ method: "PUT", version: "2.55", body: { flavor: { description: null } } }),
    "updateFlavor",
    { flavor: { id: "7" }, updateMask: ["description"] },
  ],
  ["DELETE /flavors/{id}", "/flavors/7", as({ method: "DELETE" }), "deleteFlavor", { flavorId: "7" }],
  [
    "POST /flavors/{id}/action#addTenantAccess",
    "/flavors/7/action",
    as(act({ addTenantAccess: { tenant: "t" } })),
    "addFlavorAccess",
    { flavorId: "7", projectId: "t" },
  ],
  [
    "POST /flavors/{id}/action#removeTenantAccess",
    "/flavors/7/action",
    as(act({ removeTenantAccess: { tenant: "t" } })),
    "removeFlavorAccess",
    { flavorId: "7", projectId: "t" },
  ],
  [
    "GET /flavors/{id}/os-flavor-access",
    "/flavors/7/os-flavor-access",
    as({}),
    "getFlavor",
    { flavorId: "7", withAccess: true },
  ],
  [
    "GET /flavors/{id}/os-extra_specs",
    "/flavors/7/os-extra_specs",
    {},
    "getFlavor",
    { flavorId: "7", withExtraSpecs: true },
  ],
  [
    "GET /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/7/os-extra_specs/k",
    {},
    "getFlavor",
    { flavorId: "7", withExtraSpecs: true },
  ],
  [
    "POST /flavors/{id}/os-extra_specs",
    "/flavors/7/os-extra_specs",
    as(act({ extra_specs: { k: "v" } })),
    "setFlavorExtraSpecs",
    { flavorId: "7", extraSpecs: new Map([["k", "v"]]) },
  ],
  [
    "PUT /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/7/os-extra_specs/k",
    as({ method: "PUT", body: { k: "v" } }),
    "setFlavorExtraSpecs",
    { flavorId: "7", extraSpecs: new Map([["k", "v"]]) },
  ],
  [
    "DELETE /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/7/os-extra_specs/k",
    as({ method: "DELETE" }),
    "deleteFlavorExtraSpec",
    { flavorId: "7", key: "k" },
  ],

  [
    "GET /os-keypairs",
    "/os-keypairs?user_id=u&limit=2&marker=k",
    as({ version: "2.35" }),
    "listKeyPairs",
    { userId: "u", pageSize: 2, marker: "k" },
  ],
  [
    "POST /os-keypairs",
    "/os-keypairs",
    as({
      method: "POST",
      version: "2.10",
      body: {
        keypair: {
          name: "k",
          public_key: "ssh-rsa A",
          user_id: "u",
          type: "x509",
        },
      },
    }),
    "createKeyPair",
    { name: "k", publicKey: "ssh-rsa A", userId: "u", type: KeyPairType.KEY_PAIR_TYPE_X509 },
  ],
  [
    "POST /os-keypairs",
    "/os-keypairs",
    act({ keypair: { name: "k" } }),
    "createKeyPair",
    { name: "k", type: KeyPairType.KEY_PAIR_TYPE_SSH },
  ],
  [
    "GET /os-keypairs/{id}",
    "/os-keypairs/k?user_id=u",
    as({ version: "2.10" }),
    "getKeyPair",
    { name: "k", userId: "u" },
  ],
  [
    "DELETE /os-keypairs/{id}",
    "/os-keypairs/k?user_id=u",
    as({ method: "DELETE", version: "2.10" }),
    "deleteKeyPair",
    { name: "k", userId: "u" },
  ],

  ["GET /limits", "/limits?tenant_id=t", as({}), "getLimits", { projectId: "t" }],
  ["GET /os-availability-zone", "/os-availability-zone", {}, "listAvailabilityZones", { detail: false }],
  [
    "GET /os-availability-zone/detail",
    "/os-availability-zone/detail",
    as({}),
    "listAvailabilityZones",
    { detail: true },
  ],

  [
    "GET /os-services",
    "/os-services?host=h&binary=b",
    as({}),
    "listComputeServices",
    { host: "h", binary: "b" },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/disable-log-reason",
    as({
      method: "PUT",
      body: {
        host: "h",
        binary: "b",
        disabled_reason: "r",
      },
    }),
    "updateComputeService",
    { host: "h", binary: "b", disabled: true, disabledReason: "r" },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/disable",
    as({ method: "PUT", body: { host: "h", binary: "b" } }),
    "updateComputeService",
    { host: "h", binary: "b", disabled: true },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/enable",
    as({ method: "PUT", body: { host: "h", binary: "b" } }),
    "updateComputeService",
    { host: "h", binary: "b", disabled: false },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/force-down",
    as({
      method: "PUT",
      version: "2.11",
      body: {
        host: "h",
        binary: "b",
        forced_down: "True",
      },
    }),
    "updateComputeService",
    { host: "h", binary: "b", forcedDown: true },
  ],
  [
    "PUT /os-services/{id}",
    `/os-services/${U}`,
    as({
      method: "PUT",
      version: "2.53",
      body: {
        status: "disabled",
        disabled_reason: "r",
        forced_down: false,
      },
    }),
    "updateComputeService",
    { serviceId: U, disabled: true, disabledReason: "r", forcedDown: false },
  ],
  [
    "DELETE /os-services/{id}",
    "/os-services/7",
    as({ method: "DELETE" }),
    "deleteComputeService",
    { serviceId: "7" },
  ],
  [
    "DELETE /os-services/{id}",
    "/os-services/-1",
    as({ method: "DELETE" }),
    "deleteComputeService",
    { serviceId: "-1" },
  ],

  [
    "GET /os-hypervisors",
    "/os-hypervisors?limit=2&marker=1",
    as({ version: "2.33" }),
    "listHypervisors",
    { pageSize: 2, marker: "1" },
  ],
  [
    "GET /os-hypervisors/detail",
    "/os-hypervisors/detail?with_servers=true",
    as({ version: "2.53" }),
    "listHypervisors",
    { pageSize: MAX_LIMIT, withServers: true },
  ],
  [
    "GET /os-hypervisors/statistics",
    "/os-hypervisors/statistics",
    as({}),
    "listHypervisors",
    { pageSize: MAX_LIMIT },
  ],
  ["GET /os-hypervisors/{id}", "/os-hypervisors/07", as({}), "getHypervisor", { hypervisorId: "7" }],
  [
    "GET /os-hypervisors/{id}",
    `/os-hypervisors/${U}?with_servers=1`,
    as({ version: "2.53" }),
    "getHypervisor",
    { hypervisorId: U, withServers: true },
  ],
  [
    "GET /os-hypervisors/{id}/search",
    "/os-hypervisors/vm/search",
    as({}),
    "listHypervisors",
    { hostnamePattern: "vm", pageSize: MAX_LIMIT },
  ],
  [
    "GET /os-hypervisors/{id}/servers",
    "/os-hypervisors/vm/servers",
    as({}),
    "listHypervisors",
    { hostnamePattern: "vm", withServers: true, pageSize: MAX_LIMIT },
  ],
  [
    "GET /os-hypervisors/{id}/uptime",
    "/os-hypervisors/7/uptime",
    as({}),
    "getHypervisor",
    { hypervisorId: "7" },
  ],

  [
    "GET /servers",
    "/servers?limit=2&marker=m&name=n&status=ACTIVE&sort_key=display_name&sort_dir=asc",
    {},
    "listServers",
    {
      filter: { nameRegex: "n", vmStates: [VmState.VM_STATE_ACTIVE] },
      pageSize: 2,
      marker: "m",
      brief: true,
      allFiltersChecked: true,
      sort: [{ field: "display_name", direction: SortDirection.SORT_DIRECTION_ASC }],
    },
  ],
  [
    "GET /servers/detail",
    "/servers/detail?all_tenants=1&host=h",
    as({}),
    "listServers",
    {
      filter: { host: "h" },
      allProjects: true,
      pageSize: MAX_LIMIT,
      withHostInfo: true,
      allFiltersChecked: true,
      sort: [],
    },
  ],
  [
    "POST /servers",
    "/servers",
    as({
      method: "POST",
      version: "2.96",
      body: {
        "os:scheduler_hints": { group: U },
        server: {
          name: "vm",
          flavorRef: "7",
          imageRef: U,
          networks: [{ uuid: S, fixed_ip: "192.0.2.5", tag: "n" }],
          security_groups: [{ name: "g" }],
          key_name: "k",
          metadata: { a: "1" },
          tags: ["t"],
          user_data: "YQ==",
          config_drive: true,
          availability_zone: "z",
          description: "d",
          accessIPv4: "192.0.2.1",
          accessIPv6: "::1",
          "OS-DCF:diskConfig": "AUTO",
          adminPass: "p",
          min_count: 2,
          max_count: 3,
          hostname: "h",
          trusted_image_certificates: [S],
          host: "h1",
          hypervisor_hostname: "n1",
        },
      },
    }),
    "createServers",
    {
      name: "vm",
      flavorId: "7",
      imageId: U,
      networks: [{ networkId: S, fixedIp: "192.0.2.5", tag: "n" }],
      networkMode: NetworkMode.NETWORK_MODE_AUTO,
      securityGroups: ["g"],
      keyName: "k",
      metadata: new Map([["a", "1"]]),
      tags: ["t"],
      userData: "YQ==",
      configDrive: true,
      availabilityZone: "z",
      description: "d",
      hasDescription: true,
      accessIpV4: "192.0.2.1",
      accessIpV6: "::1",
      diskConfig: DiskConfig.DISK_CONFIG_AUTO,
      adminPassword: "p",
      minCount: 2,
      maxCount: 3,
      hostname: "h",
      trustedImageCertificates: [S],
      host: "h1",
      hypervisorHostname: "n1",
      schedulerHintsJson: JSON.stringify({ group: U }),
      enabledSwitches: ["multiattach-volumes", "ports-with-resource-requests"],
    },
  ],
  ["GET /servers/{id}", `/servers/${S}`, {}, "getServer", asked],
  [
    "PUT /servers/{id}",
    `/servers/${S}`,
    {
      method: "PUT",
      version: "2.104",
      body: {
        server: {
          name: "vm",
          hostname: "h",
          accessIPv4: "192.0.2.1",
          accessIPv6: "::1",
          "OS-DCF:diskConfig": "MANUAL",
          description: "d",
          pinned_availability_zone: "z",
        },
      },
    },
    "updateServer",
    {
      serverId: S,
      server: {
        name: "vm",
        hostname: "h",
        accessIpV4: "192.0.2.1",
        accessIpV6: "::1",
        description: "d",
        hasDescription: true,
        diskConfig: DiskConfig.DISK_CONFIG_MANUAL,
        pinnedAvailabilityZone: "z",
      },
      updateMask: [
        "name",
        "description",
        "hostname",
        "access_ip_v4",
        "access_ip_v6",
        "disk_config",
        "pinned_availability_zone",
      ],
    },
  ],
  ["PUT /servers/{id}", `/servers/${S}`, { method: "PUT", body: { server: {} } }, "getServer", asked],
  ["DELETE /servers/{id}", `/servers/${S}`, { method: "DELETE" }, "deleteServer", { serverId: S }],
  [
    "POST /servers/{id}/action#os-start",
    `/servers/${S}/action`,
    act({ "os-start": null }),
    "startServer",
    { serverId: S },
  ],
  [
    "POST /servers/{id}/action#os-stop",
    `/servers/${S}/action`,
    act({ "os-stop": null }),
    "stopServer",
    { serverId: S },
  ],
  [
    "POST /servers/{id}/action#forceDelete",
    `/servers/${S}/action`,
    act({ forceDelete: null }),
    "forceDeleteServer",
    { serverId: S },
  ],
  ...(["HARD", "Hard", "hard", "SOFT", "Soft", "soft"] as const).map((type): Row => [
    "POST /servers/{id}/action#reboot",
    `/servers/${S}/action`,
    act({ reboot: { type } }),
    "rebootServer",
    {
      serverId: S,
      type: type.toUpperCase() === "HARD" ? RebootType.REBOOT_TYPE_HARD : RebootType.REBOOT_TYPE_SOFT,
    },
  ]),
  ...(
    [
      [{}, {}],
      [{ length: null }, {}],
      [{ length: -1 }, {}],
      [{ length: "7" }, { lines: 7 }],
      [{ length: 0 }, { lines: 0 }],
    ] as const
  ).map(([body, lines]): Row => [
    "POST /servers/{id}/action#os-getConsoleOutput",
    `/servers/${S}/action`,
    act({ "os-getConsoleOutput": body }),
    "getConsoleOutput",
    { serverId: S, ...lines },
  ]),
  ["GET /servers/{id}/ips", `/servers/${S}/ips`, {}, "getServer", { serverId: S }],
  ["GET /servers/{id}/ips/{sub}", `/servers/${S}/ips/net`, {}, "getServer", { serverId: S }],
  [
    "GET /servers/{id}/os-server-password",
    `/servers/${S}/os-server-password`,
    {},
    "getServerPassword",
    { serverId: S },
  ],
  [
    "DELETE /servers/{id}/os-server-password",
    `/servers/${S}/os-server-password`,
    { method: "DELETE" },
    "clearServerPassword",
    { serverId: S },
  ],
  ["GET /servers/{id}/metadata", `/servers/${S}/metadata`, {}, "getServerMetadata", { serverId: S }],
  [
    "POST /servers/{id}/metadata",
    `/servers/${S}/metadata`,
    act({ metadata: { a: "1" } }),
    "updateServerMetadata",
    { serverId: S, metadata: new Map([["a", "1"]]) },
  ],
  [
    "PUT /servers/{id}/metadata",
    `/servers/${S}/metadata`,
    { method: "PUT", body: { metadata: { a: "1" } } },
    "updateServerMetadata",
    { serverId: S, metadata: new Map([["a", "1"]]), replaceAll: true },
  ],
  [
    "GET /servers/{id}/metadata/{sub}",
    `/servers/${S}/metadata/a`,
    {},
    "getServerMetadata",
    { serverId: S, key: "a" },
  ],
  [
    "PUT /servers/{id}/metadata/{sub}",
    `/servers/${S}/metadata/a`,
    { method: "PUT", body: { meta: { a: "1" } } },
    "updateServerMetadata",
    { serverId: S, metadata: new Map([["a", "1"]]), singleItem: true },
  ],
  [
    "DELETE /servers/{id}/metadata/{sub}",
    `/servers/${S}/metadata/a`,
    { method: "DELETE" },
    "deleteServerMetadata",
    { serverId: S, key: "a" },
  ],
  ["GET /servers/{id}/tags", `/servers/${S}/tags`, { version: "2.26" }, "listServerTags", { serverId: S }],
  [
    "PUT /servers/{id}/tags",
    `/servers/${S}/tags`,
    { method: "PUT", version: "2.26", body: { tags: ["a"] } },
    "replaceServerTags",
    { serverId: S, tags: ["a"] },
  ],
  [
    "DELETE /servers/{id}/tags",
    `/servers/${S}/tags`,
    { method: "DELETE", version: "2.26" },
    "clearServerTags",
    { serverId: S },
  ],
  [
    "GET /servers/{id}/tags/{sub}",
    `/servers/${S}/tags/a`,
    { version: "2.26" },
    "getServerTag",
    { serverId: S, tag: "a" },
  ],
  [
    "PUT /servers/{id}/tags/{sub}",
    `/servers/${S}/tags/a`,
    { method: "PUT", version: "2.26" },
    "addServerTag",
    { serverId: S, tag: "a" },
  ],
  [
    "DELETE /servers/{id}/tags/{sub}",
    `/servers/${S}/tags/a`,
    { method: "DELETE", version: "2.26" },
    "removeServerTag",
    { serverId: S, tag: "a" },
  ],
  [
    "GET /servers/{id}/os-instance-actions",
    `/servers/${S}/os-instance-actions?limit=2&marker=m&changes-since=2026-01-01T00:00:00Z&changes-before=2026-01-01T00:00:09Z`,
    { version: "2.66" },
    "listInstanceActions",
    {
      serverId: S,
      pageSize: 2,
      marker: "m",
      changesSince: { seconds: 1_767_225_600n, nanos: 0 },
      changesBefore: { seconds: 1_767_225_609n, nanos: 0 },
    },
  ],
  [
    "GET /servers/{id}/os-instance-actions/{sub}",
    `/servers/${S}/os-instance-actions/r`,
    {},
    "getInstanceAction",
    { serverId: S, requestId: "r" },
  ],

  [
    "GET /os-server-groups",
    "/os-server-groups?all_projects&limit=2&offset=1",
    as({}),
    "listServerGroups",
    { allProjects: true, pageSize: 2, skip: 1 },
  ],
  [
    "POST /os-server-groups",
    "/os-server-groups",
    {
      method: "POST",
      version: "2.64",
      body: {
        server_group: {
          name: "g",
          policy: "anti-affinity",
          rules: { max_server_per_host: 3 },
        },
      },
    },
    "createServerGroup",
    { name: "g", policy: ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY, maxServerPerHost: 3 },
  ],
  [
    "POST /os-server-groups",
    "/os-server-groups",
    act({ server_group: { name: "g", policies: ["affinity"] } }),
    "createServerGroup",
    { name: "g", policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY },
  ],
  ["GET /os-server-groups/{id}", `/os-server-groups/${U}`, {}, "getServerGroup", { serverGroupId: U }],
  [
    "DELETE /os-server-groups/{id}",
    `/os-server-groups/${U}`,
    { method: "DELETE" },
    "deleteServerGroup",
    { serverGroupId: U },
  ],

  ["GET /os-aggregates", "/os-aggregates", as({}), "listAggregates", {}],
  [
    "POST /os-aggregates",
    "/os-aggregates",
    as(act({ aggregate: { name: "a", availability_zone: "z" } })),
    "createAggregate",
    { name: "a", availabilityZone: "z" },
  ],
  ["GET /os-aggregates/{id}", "/os-aggregates/7", as({}), "getAggregate", { aggregateId: "7" }],
  ["GET /os-aggregates/{id}", "/os-aggregates/-1", as({}), "getAggregate", { aggregateId: "-1" }],
  [
    "PUT /os-aggregates/{id}",
    "/os-aggregates/7",
    as({
      method: "PUT",
      body: {
        aggregate: {
          name: "a",
          availability_zone: null,
        },
      },
    }),
    "updateAggregate",
    { aggregateId: "7", name: "a", availabilityZone: "" },
  ],
  [
    "DELETE /os-aggregates/{id}",
    "/os-aggregates/7",
    as({ method: "DELETE" }),
    "deleteAggregate",
    { aggregateId: "7" },
  ],
  [
    "POST /os-aggregates/{id}/action#add_host",
    "/os-aggregates/7/action",
    as(act({ add_host: { host: "h" } })),
    "addAggregateHost",
    { aggregateId: "7", host: "h" },
  ],
  [
    "POST /os-aggregates/{id}/action#remove_host",
    "/os-aggregates/7/action",
    as(act({ remove_host: { host: "h" } })),
    "removeAggregateHost",
    { aggregateId: "7", host: "h" },
  ],
  [
    "POST /os-aggregates/{id}/action#set_metadata",
    "/os-aggregates/7/action",
    as(act({ set_metadata: { metadata: { a: "1", b: null } } })),
    "setAggregateMetadata",
    { aggregateId: "7", metadata: new Map([["a", "1"]]), removeKeys: ["b"] },
  ],
];

/** Answered by the gateway itself. */
const WITHOUT_CALL = ["GET /", "GET /versions/{id}", "GET /extensions", "GET /extensions/{id}"];

describe("what REST requests become", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway({});
  });
  after(() => gateway.close());

  for (const [route, path, ask, method, request] of rows)
    it(`${route}: ${ask.body === undefined ? path : JSON.stringify(ask.body)} is ${method}`, async () => {
      gateway.calls.length = 0;
      const { status, text } = await gateway.ask(`/v2.1${path}`, ask);
      const [call] = gateway.calls;
      assert.ok(call, `no call, but ${status} ${text}`);
      assert.equal(call.method, method);
      assert.deepEqual(call.request, requestType(method).fromPartial(request));
    });

  it("is told here for every route that is served", () => {
    const served = allOperations({} as Parameters<typeof allOperations>[0], new FragmentCache(0)).map(
      ({ route }) => route,
    );
    const told = new Set([...rows.map(([route]) => route), ...WITHOUT_CALL]);
    assert.deepEqual(
      served.filter((route) => !told.has(route)),
      [],
    );
  });
});
