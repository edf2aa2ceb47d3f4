import { aNetwork, aPort, anImage } from "../../pkg/api/testing/an-api.js";
import type { RuleName } from "../../pkg/policy/index.js";
import type { Expected } from "./case.js";
import { guardedActions } from "./plain-actions.js";
import {
  CONSOLE_TOKEN,
  EXTERNAL,
  FLOATING_IP,
  FREE_PORT,
  FREE_VOLUME,
  GROUP,
  HYPERVISOR,
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
  VOLUME,
} from "./world.js";

/** One form of a request to one route. */
export interface RestExpected extends Expected {
  /** As in the route table. */
  readonly route: string;
  readonly path: string;
  readonly version: string;
  readonly body?: unknown;
}

const os = (rule: string): RuleName => `os_compute_api:${rule}` as RuleName;
type Rest = Partial<Omit<RestExpected, "route" | "needs">>;

const PLACES: Readonly<Record<string, string>> = {
  servers: SERVER,
  "os-hypervisors": HYPERVISOR,
  "os-server-groups": GROUP,
  "os-services": SERVICE,
  "os-aggregates": "1",
  "os-keypairs": "k",
  flavors: "1",
  extensions: "OS-DCF",
  versions: "v2.1",
  "os-console-auth-tokens": CONSOLE_TOKEN,
};

/** @param route  as in the route table; its first parameter is what the world has */
function rest(route: string, needs: readonly RuleName[], init: Rest = {}): RestExpected {
  const path = route.replace(/^\w+ /, "").replace(/#.*/, "");
  return {
    route,
    needs,
    version: "2.90",
    path: path.replace("{id}", PLACES[path.split("/")[1] ?? ""] ?? "none"),
    ...init,
  };
}
const server = (route: string, needs: string, init: Rest = {}): RestExpected =>
  rest(route, [os(needs)], { about: "project", ...init });
const sub = (route: string, name: string, needs: string, init: Rest = {}): RestExpected =>
  server(route, needs, { path: `${rest(route, []).path.replace("{sub}", name)}`, ...init });
const action = (name: string, needs: string, body: unknown = null): RestExpected =>
  server(`POST /servers/{id}/action#${name}`, needs, { body: { [name]: body } });

const UNKNOWN_ONLY = os("servers:show:host_status:unknown-only");
const HOST_STATUS = os("servers:show:host_status");
const SEEN = {
  given: { [UNKNOWN_ONLY]: "!" },
  shows: [os("servers:show:flavor-extra-specs"), HOST_STATUS, os("os-extended-server-attributes")],
};
const UNKNOWN_SEEN = {
  form: "hosts of unknown state",
  given: { [HOST_STATUS]: "!" },
  shows: [os("servers:show:flavor-extra-specs"), UNKNOWN_ONLY, os("os-extended-server-attributes")],
};
const FLAVOR_SEEN = { shows: [os("os-flavor-extra-specs:index")] };

const plain = { name: "vm", flavorRef: "1", imageRef: anImage().id, networks: "none", adminPass: "secret" };
const create = (form: string, init: object, needs: readonly RuleName[]): RestExpected =>
  rest("POST /servers", [os("servers:create"), ...needs], { form, body: { server: { ...plain, ...init } } });
const device = { boot_index: 0, uuid: anImage().id, source_type: "image", destination_type: "local" };

/** What moves the server that was moved. */
const move = (name: string, needs: readonly string[], body: unknown = null, form = ""): RestExpected =>
  rest(`POST /servers/{id}/action#${name}`, needs.map(os), {
    about: "project",
    path: `/servers/${MOVED}/action`,
    body: { [name]: body },
    ...(form === "" ? {} : { form }),
  });

const oldConsoles = [
  ["os-getVNCConsole", "novnc"],
  ["os-getSPICEConsole", "spice-html5"],
  ["os-getSerialConsole", "serial"],
] as const;

const servers: readonly RestExpected[] = [
  create("plain", {}, []),
  create("forced host", { availability_zone: "nova:h1" }, [os("servers:create:forced_host")]),
  create("requested host", { host: "h1" }, ["compute:servers:create:requested_destination"]),
  create("block devices", { block_device_mapping_v2: [device] }, [os("servers:create:attach_volume")]),
  create("networks", { networks: [{ uuid: aNetwork().id }] }, [os("servers:create:attach_network")]),
  create("external network", { networks: [{ uuid: EXTERNAL }] }, [
    os("servers:create:attach_network"),
    "network:attach_external_network",
  ]),
  create("trusted certificates", { trusted_image_certificates: ["c"] }, [os("servers:create:trusted_certs")]),
  create("no disk", { flavorRef: "zero" }, [os("servers:create:zero_disk_flavor")]),
  rest("GET /servers", [os("servers:index")]),
  rest("GET /servers", [os("servers:index"), os("servers:index:get_all_tenants")], {
    form: "all projects",
    path: "/servers?all_tenants=1",
  }),
  rest("GET /servers", [os("servers:index")], {
    form: "by id",
    path: `/servers?uuid=${SERVICE}`,
    version: "2.1",
    shows: [os("servers:allow_all_filters")],
  }),
  rest("GET /servers/detail", [os("servers:detail")], SEEN),
  rest("GET /servers/detail", [os("servers:detail")], {
    form: "by id",
    path: `/servers/detail?uuid=${SERVICE}`,
    version: "2.1",
    shows: [os("servers:allow_all_filters")],
  }),
  rest("GET /servers/detail", [os("servers:detail")], UNKNOWN_SEEN),
  rest("GET /servers/detail", [os("servers:detail"), os("servers:detail:get_all_tenants")], {
    form: "all projects",
    path: "/servers/detail?all_tenants=1",
    ...SEEN,
  }),
  server("GET /servers/{id}", "servers:show", SEEN),
  server("GET /servers/{id}", "servers:show", UNKNOWN_SEEN),
  server("PUT /servers/{id}", "servers:update", { body: { server: { name: "new" } }, ...SEEN }),
  server("PUT /servers/{id}", "servers:update", { body: { server: { name: "new" } }, ...UNKNOWN_SEEN }),
  server("DELETE /servers/{id}", "servers:delete"),
  ...guardedActions.map(({ key, needs }) => action(key, needs)),
  action("reboot", "servers:reboot", { type: "SOFT" }),
  ...[SEEN, UNKNOWN_SEEN].map((seen) =>
    server("POST /servers/{id}/action#rebuild", "servers:rebuild", {
      body: { rebuild: { imageRef: anImage().id, adminPass: "secret" } },
      ...seen,
    }),
  ),
  rest("POST /servers/{id}/action#rebuild", [os("servers:rebuild"), os("servers:rebuild:trusted_certs")], {
    about: "project",
    form: "trusted certificates",
    body: { rebuild: { imageRef: anImage().id, adminPass: "secret", trusted_image_certificates: ["c"] } },
    ...SEEN,
  }),
  action("rescue", "os-rescue", { adminPass: "secret" }),
  move("resize", ["servers:resize"], { flavorRef: "private" }),
  move("confirmResize", ["servers:confirm_resize"]),
  move("revertResize", ["servers:revert_resize"]),
  move("migrate", ["os-migrate-server:migrate"]),
  move("migrate", ["os-migrate-server:migrate:host"], { host: "silent" }, "to a host"),
  action("shelve", "os-shelve:shelve"),
  action("unshelve", "os-shelve:unshelve"),
  rest("POST /servers/{id}/action#unshelve", [os("os-shelve:unshelve"), os("os-shelve:unshelve_to_host")], {
    about: "project",
    form: "to a host",
    path: `/servers/${OFFLOADED}/action`,
    body: { unshelve: { host: "h1" } },
    version: "2.91",
  }),
  ...(
    [
      ["addFixedIp", "os-multinic:add", { networkId: aNetwork().id }],
      ["removeFixedIp", "os-multinic:remove", { address: aPort().fixedIps[0]?.ipAddress }],
      ["addFloatingIp", "os-floating-ips:add", { address: FLOATING_IP }],
      ["removeFloatingIp", "os-floating-ips:remove", { address: FLOATING_IP }],
    ] as const
  ).map(([key, needs, body]) =>
    server(`POST /servers/{id}/action#${key}`, needs, { body: { [key]: body }, version: "2.43" }),
  ),
  action("lock", "os-lock-server:lock"),
  action("unlock", "os-lock-server:unlock"),
  rest(
    "POST /servers/{id}/action#unlock",
    [os("os-lock-server:unlock"), os("os-lock-server:unlock:unlock_override")],
    {
      about: "project",
      form: "another party's lock",
      path: `/servers/${LOCKED}/action`,
      body: { unlock: null },
    },
  ),
  action("os-resetState", "os-admin-actions:reset_state", { state: "error" }),
  action("changePassword", "os-admin-password", { adminPass: "secret" }),
  action("createImage", "servers:create_image", { name: "picture" }),
  rest(
    "POST /servers/{id}/action#createImage",
    [os("servers:create_image"), os("servers:create_image:allow_volume_backed")],
    {
      about: "project",
      form: "without an image",
      path: `/servers/${IMAGELESS}/action`,
      body: { createImage: { name: "picture" } },
    },
  ),
  action("createBackup", "os-create-backup", { name: "picture", backup_type: "daily", rotation: 1 }),
  action("os-getConsoleOutput", "os-console-output", {}),
  server("GET /servers/{id}/diagnostics", "os-server-diagnostics"),
  rest("GET /servers/{id}/topology", ["compute:server:topology:index"], {
    about: "project",
    shows: ["compute:server:topology:host:index"],
  }),
  server("POST /servers/{id}/remote-consoles", "os-remote-consoles", {
    body: { remote_console: { protocol: "vnc", type: "novnc" } },
  }),
  ...oldConsoles.map(([key, type]) =>
    server(`POST /servers/{id}/action#${key}`, "os-remote-consoles", {
      body: { [key]: { type } },
      version: "2.5",
    }),
  ),
  rest("GET /os-console-auth-tokens/{id}", [os("os-console-auth-tokens")]),
  server("GET /servers/{id}/ips", "ips:index"),
  sub("GET /servers/{id}/ips/{sub}", "private", "ips:show"),
  server("GET /servers/{id}/os-server-password", "os-server-password:show"),
  server("DELETE /servers/{id}/os-server-password", "os-server-password:clear"),
  server("GET /servers/{id}/os-instance-actions", "os-instance-actions:list"),
  sub("GET /servers/{id}/os-instance-actions/{sub}", REQUEST, "os-instance-actions:show", {
    shows: [os("os-instance-actions:events"), os("os-instance-actions:events:details")],
  }),
  server("GET /servers/{id}/migrations", "servers:migrations:index", {
    shows: [os("servers:migrations:index:host")],
  }),
  sub("GET /servers/{id}/migrations/{sub}", MIGRATION, "servers:migrations:show"),
  rest("GET /os-migrations", [os("os-migrations:index"), os("os-migrations:index:all_projects")], {
    shows: [os("os-migrations:index:host")],
  }),
];

const event = { name: "network-changed", server_uuid: SERVER };
const interfaces: readonly RestExpected[] = [
  server("GET /servers/{id}/os-interface", "os-attach-interfaces:list"),
  sub("GET /servers/{id}/os-interface/{sub}", PORT, "os-attach-interfaces:show"),
  server("POST /servers/{id}/os-interface", "os-attach-interfaces:create", {
    body: { interfaceAttachment: { port_id: FREE_PORT } },
  }),
  rest(
    "POST /servers/{id}/os-interface",
    [os("os-attach-interfaces:create"), "network:attach_external_network"],
    {
      about: "project",
      form: "external network",
      body: { interfaceAttachment: { net_id: EXTERNAL } },
    },
  ),
  sub("DELETE /servers/{id}/os-interface/{sub}", PORT, "os-attach-interfaces:delete"),
  server("GET /servers/{id}/os-volume_attachments", "os-volumes-attachments:index"),
  sub("GET /servers/{id}/os-volume_attachments/{sub}", VOLUME, "os-volumes-attachments:show"),
  server("POST /servers/{id}/os-volume_attachments", "os-volumes-attachments:create", {
    body: { volumeAttachment: { volumeId: FREE_VOLUME } },
  }),
  sub("PUT /servers/{id}/os-volume_attachments/{sub}", VOLUME, "os-volumes-attachments:update", {
    body: { volumeAttachment: { volumeId: VOLUME, delete_on_termination: true } },
  }),
  sub("PUT /servers/{id}/os-volume_attachments/{sub}", MIGRATING, "os-volumes-attachments:swap", {
    form: "another volume",
    body: { volumeAttachment: { volumeId: FREE_VOLUME } },
  }),
  server("DELETE /servers/{id}/os-volume_attachments/{sub}", "os-volumes-attachments:delete", {
    path: `/servers/${HOSTLESS}/os-volume_attachments/${VOLUME}`,
  }),
  rest("GET /os-security-groups", [os("os-security-groups:get")], { version: "2.35" }),
  rest("GET /os-security-groups/{id}", [os("os-security-groups:show")], {
    about: "project",
    path: `/os-security-groups/${SECURITY_GROUP}`,
    version: "2.35",
  }),
  server("GET /servers/{id}/os-security-groups", "os-security-groups:list"),
  action("addSecurityGroup", "os-security-groups:add", { name: "web" }),
  action("removeSecurityGroup", "os-security-groups:remove", { name: SECURITY_GROUP }),
  rest("POST /os-server-external-events", [os("os-server-external-events:create")], {
    body: { events: [event] },
  }),
];

const items = { body: { metadata: { a: "b" } } };
const labels: readonly RestExpected[] = [
  server("GET /servers/{id}/metadata", "server-metadata:index"),
  server("POST /servers/{id}/metadata", "server-metadata:create", items),
  server("PUT /servers/{id}/metadata", "server-metadata:update_all", items),
  sub("GET /servers/{id}/metadata/{sub}", "k", "server-metadata:show"),
  sub("PUT /servers/{id}/metadata/{sub}", "k", "server-metadata:update", { body: { meta: { k: "w" } } }),
  sub("DELETE /servers/{id}/metadata/{sub}", "k", "server-metadata:delete"),
  server("GET /servers/{id}/tags", "os-server-tags:index"),
  server("PUT /servers/{id}/tags", "os-server-tags:update_all", { body: { tags: ["new"] } }),
  server("DELETE /servers/{id}/tags", "os-server-tags:delete_all"),
  sub("GET /servers/{id}/tags/{sub}", "t", "os-server-tags:show"),
  sub("PUT /servers/{id}/tags/{sub}", "new", "os-server-tags:update"),
  sub("DELETE /servers/{id}/tags/{sub}", "t", "os-server-tags:delete"),
];

const specs = "/flavors/private/os-extra_specs";
const oneSpec = "hw:mem_page_size";
const keyPair = (route: string, needs: string, init: Rest = {}): RestExpected =>
  rest(route, [os(`os-keypairs:${needs}`)], {
    about: "user",
    path: `${rest(route, []).path}?user_id=u1`,
    ...init,
  });
const publicKey = `ssh-ed25519 ${Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20".padEnd(51, "k")).toString("base64")} a`;
const FLAVOR = { name: "m2", ram: 64, vcpus: 1, disk: 1, id: "2" };
const tenant = (name: string, needs: string, project: string): RestExpected =>
  rest(`POST /flavors/{id}/action#${name}`, [os(`os-flavor-access:${needs}`)], {
    path: "/flavors/private/action",
    body: { [name]: { tenant: project } },
  });

const catalogue: readonly RestExpected[] = [
  rest("GET /flavors", []),
  rest("GET /flavors/detail", [], FLAVOR_SEEN),
  rest("GET /flavors/{id}", [], FLAVOR_SEEN),
  rest("POST /flavors", [os("os-flavor-manage:create")], { body: { flavor: FLAVOR }, ...FLAVOR_SEEN }),
  rest("PUT /flavors/{id}", [os("os-flavor-manage:update")], {
    body: { flavor: { description: "d" } },
    ...FLAVOR_SEEN,
  }),
  rest("DELETE /flavors/{id}", [os("os-flavor-manage:delete")]),
  rest("GET /flavors/{id}/os-extra_specs", [os("os-flavor-extra-specs:index")]),
  rest("POST /flavors/{id}/os-extra_specs", [os("os-flavor-extra-specs:create")], {
    path: specs,
    body: { extra_specs: { [oneSpec]: "small" } },
  }),
  rest("GET /flavors/{id}/os-extra_specs/{sub}", [os("os-flavor-extra-specs:show")], {
    path: "/flavors/1/os-extra_specs/hw:cpu_policy",
  }),
  rest("PUT /flavors/{id}/os-extra_specs/{sub}", [os("os-flavor-extra-specs:update")], {
    path: `${specs}/${oneSpec}`,
    body: { [oneSpec]: "small" },
  }),
  rest("DELETE /flavors/{id}/os-extra_specs/{sub}", [os("os-flavor-extra-specs:delete")], {
    path: "/flavors/1/os-extra_specs/hw:cpu_policy",
  }),
  rest("GET /flavors/{id}/os-flavor-access", [os("os-flavor-access")], {
    path: "/flavors/private/os-flavor-access",
  }),
  tenant("addTenantAccess", "add_tenant_access", "p2"),
  tenant("removeTenantAccess", "remove_tenant_access", "p1"),
  keyPair("GET /os-keypairs", "index"),
  keyPair("GET /os-keypairs/{id}", "show"),
  keyPair("POST /os-keypairs", "create", {
    path: "/os-keypairs",
    body: { keypair: { name: "new", public_key: publicKey, user_id: "u1" } },
  }),
  keyPair("DELETE /os-keypairs/{id}", "delete"),
  rest("GET /limits", [os("limits")]),
  rest("GET /limits", [os("limits"), os("limits:other_project")], {
    form: "of another project",
    path: "/limits?tenant_id=p3",
  }),
  rest("GET /os-server-groups", [os("os-server-groups:index")]),
  rest("GET /os-server-groups", [os("os-server-groups:index")], {
    form: "all projects",
    path: "/os-server-groups?all_projects=1",
    needsOfAdmins: [os("os-server-groups:index:all_projects")],
  }),
  rest("POST /os-server-groups", [os("os-server-groups:create")], {
    body: { server_group: { name: "new", policy: "affinity" } },
  }),
  rest("GET /os-server-groups/{id}", [os("os-server-groups:show")], { about: "project" }),
  rest("DELETE /os-server-groups/{id}", [os("os-server-groups:delete")], { about: "project" }),
  rest("GET /", []),
  rest("GET /versions/{id}", []),
  rest("GET /extensions", [os("extensions")]),
  rest("GET /extensions/{id}", [os("extensions")]),
];

const aggregate = (route: string, needs: string, init: Rest = {}): RestExpected =>
  rest(route, [os(`os-aggregates:${needs}`)], init);
const onAggregate = (name: string, number: number, body: object): RestExpected =>
  aggregate(`POST /os-aggregates/{id}/action#${name}`, name, {
    path: `/os-aggregates/${number}/action`,
    body: { [name]: body },
  });
const hypervisor = (route: string, needs: string, init: Rest = {}): RestExpected =>
  rest(route, [os(`os-hypervisors:${needs}`)], init);

const operators: readonly RestExpected[] = [
  rest("GET /os-availability-zone", [os("os-availability-zone:list")]),
  rest("GET /os-availability-zone/detail", [os("os-availability-zone:detail")]),
  rest("GET /os-services", [os("os-services:list")]),
  rest("PUT /os-services/{id}", [os("os-services:update")], { body: { status: "disabled" } }),
  rest("DELETE /os-services/{id}", [os("os-services:delete")]),
  aggregate("GET /os-aggregates", "index"),
  aggregate("POST /os-aggregates", "create", { body: { aggregate: { name: "new" } } }),
  aggregate("GET /os-aggregates/{id}", "show"),
  aggregate("PUT /os-aggregates/{id}", "update", { body: { aggregate: { name: "new" } } }),
  aggregate("DELETE /os-aggregates/{id}", "delete", { path: "/os-aggregates/2" }),
  onAggregate("add_host", 2, { host: "h1" }),
  onAggregate("remove_host", 1, { host: "h1" }),
  onAggregate("set_metadata", 1, { metadata: { a: "b" } }),
  rest("POST /os-aggregates/{id}/images", ["compute:aggregates:images"], {
    body: { cache: [{ id: anImage().id }] },
  }),
  hypervisor("GET /os-hypervisors", "list"),
  hypervisor("GET /os-hypervisors/detail", "list-detail"),
  hypervisor("GET /os-hypervisors/{id}", "show"),
  hypervisor("GET /os-hypervisors/statistics", "statistics", { version: "2.80" }),
  hypervisor("GET /os-hypervisors/{id}/uptime", "uptime", { version: "2.80" }),
  hypervisor("GET /os-hypervisors/{id}/search", "search", {
    path: "/os-hypervisors/h1/search",
    version: "2.50",
  }),
  hypervisor("GET /os-hypervisors/{id}/servers", "servers", {
    path: "/os-hypervisors/h1/servers",
    version: "2.50",
  }),
];

/** Every served route, in every form that asks other rules. */
export const restExpected: readonly RestExpected[] = [
  ...servers,
  ...interfaces,
  ...labels,
  ...catalogue,
  ...operators,
];
