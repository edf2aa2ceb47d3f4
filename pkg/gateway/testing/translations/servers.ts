import { NetworkMode, ServerSortField } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { DiskConfig, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { MAX_LIMIT } from "../../http/paging.js";
import type { Translation } from "./translation.js";
import { OTHER, SERVER, asAdmin } from "./translation.js";

const asked = { serverId: SERVER, withHostInfo: true, withUserData: true };

export default [
  [
    "GET /servers",
    "/servers?limit=2&marker=m&name=n&status=ACTIVE&sort_key=display_name&sort_dir=asc",
    {},
    "lists.listServers",
    {
      list: {
        filter: { nameRegex: "n", vmStates: [VmState.VM_STATE_ACTIVE] },
        pageSize: 2,
        brief: true,
        sort: [
          { field: ServerSortField.SERVER_SORT_FIELD_NAME, direction: SortDirection.SORT_DIRECTION_ASC },
        ],
      },
      nova: { marker: "m", dropForbiddenFilters: true },
    },
  ],
  [
    "GET /servers/detail",
    "/servers/detail?all_tenants=1&host=h",
    asAdmin({}),
    "lists.listServers",
    {
      list: {
        filter: { host: "h" },
        allProjects: true,
        pageSize: MAX_LIMIT,
        withHostInfo: true,
        sort: [],
      },
      nova: { dropForbiddenFilters: true },
    },
  ],
  [
    "POST /servers",
    "/servers",
    asAdmin({
      method: "POST",
      version: "2.96",
      body: {
        "os:scheduler_hints": { group: OTHER },
        server: {
          name: "vm",
          flavorRef: "7",
          imageRef: OTHER,
          networks: [{ uuid: SERVER, fixed_ip: "192.0.2.5", tag: "n" }],
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
          trusted_image_certificates: [SERVER],
          host: "h1",
          hypervisor_hostname: "n1",
        },
      },
    }),
    "createServers",
    {
      name: "vm",
      flavorId: "7",
      imageId: OTHER,
      networks: [{ networkId: SERVER, fixedIp: "192.0.2.5", tag: "n" }],
      networkMode: NetworkMode.NETWORK_MODE_AUTO,
      securityGroups: ["g"],
      keyName: "k",
      metadata: new Map([["a", "1"]]),
      tags: ["t"],
      userData: Buffer.from("a"),
      configDrive: true,
      availabilityZone: "z",
      description: "d",
      accessIpV4: "192.0.2.1",
      accessIpV6: "::1",
      diskConfig: DiskConfig.DISK_CONFIG_AUTO,
      adminPassword: "p",
      minCount: 2,
      maxCount: 3,
      hostname: "h",
      trustedImageCertificates: [SERVER],
      host: "h1",
      hypervisorHostname: "n1",
      schedulerHints: { group: OTHER },
    },
  ],
  ["GET /servers/{id}", `/servers/${SERVER}`, {}, "getServer", asked],
  [
    "PUT /servers/{id}",
    `/servers/${SERVER}`,
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
      serverId: SERVER,
      server: {
        name: "vm",
        hostname: "h",
        accessIpV4: "192.0.2.1",
        accessIpV6: "::1",
        description: "d",
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
  ["PUT /servers/{id}", `/servers/${SERVER}`, { method: "PUT", body: { server: {} } }, "getServer", asked],
  ["DELETE /servers/{id}", `/servers/${SERVER}`, { method: "DELETE" }, "deleteServer", { serverId: SERVER }],
] satisfies readonly Translation[];
