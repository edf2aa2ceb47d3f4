import { SERVER_ID } from "../../../pkg/gateway/testing/samples.js";
import { GROUP_ID, HYPERVISOR_ID, PORT_ID, REQUEST_ID, SERVICE_ID, VOLUME_ID } from "./fixture.js";

/** One request, sent at every version of its span. */
export interface Case {
  /** File name of its golden answers. */
  readonly name: string;
  /** Key of the route table. */
  readonly route: string;
  readonly path: string;
  readonly token: "admin" | "member";
  readonly min: number;
  readonly max: number;
  readonly body?: unknown;
}

type Extra = Partial<Pick<Case, "token" | "min" | "max" | "body">>;
const get = (name: string, route: string, path: string, extra: Extra = {}): Case => ({
  name,
  route,
  path,
  token: "member",
  min: 1,
  max: 104,
  ...extra,
});
const admin = { token: "admin" } as const;

const flavorBody = { flavor: { name: "new", ram: 512, vcpus: 1, disk: 1 } };
const eventNames = ["network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"];
const NETWORK = "f6b1ef80-0b0e-4b1a-a1e5-1d4d3a7d2f10";
const serverBody = {
  server: {
    name: "web",
    flavorRef: "1",
    imageRef: "70a599e0-31e7-49b7-b260-868f441e862b",
    networks: [{ uuid: NETWORK }],
  },
};

export const cases: readonly Case[] = [
  get("server-list", "GET /servers", "/servers?limit=1"),
  get("server-detail-member", "GET /servers/detail", "/servers/detail"),
  get("server-detail-admin", "GET /servers/detail", "/servers/detail", admin),
  get("server-show-member", "GET /servers/{id}", `/servers/${SERVER_ID}`),
  get("server-show-admin", "GET /servers/{id}", `/servers/${SERVER_ID}`, admin),
  get("server-create", "POST /servers", "/servers", { body: serverBody }),
  get("server-update-member", "PUT /servers/{id}", `/servers/${SERVER_ID}`, {
    body: { server: { name: "web" } },
  }),
  get("server-update-admin", "PUT /servers/{id}", `/servers/${SERVER_ID}`, {
    ...admin,
    body: { server: { name: "web" } },
  }),
  get("server-rebuild-member", "POST /servers/{id}/action#rebuild", `/servers/${SERVER_ID}/action`, {
    body: { rebuild: { imageRef: serverBody.server.imageRef } },
  }),
  get("server-rebuild-admin", "POST /servers/{id}/action#rebuild", `/servers/${SERVER_ID}/action`, {
    ...admin,
    body: { rebuild: { imageRef: serverBody.server.imageRef } },
  }),
  get(
    "server-console-output",
    "POST /servers/{id}/action#os-getConsoleOutput",
    `/servers/${SERVER_ID}/action`,
    { body: { "os-getConsoleOutput": {} } },
  ),
  get("server-diagnostics", "GET /servers/{id}/diagnostics", `/servers/${SERVER_ID}/diagnostics`, admin),
  get("server-topology-member", "GET /servers/{id}/topology", `/servers/${SERVER_ID}/topology`, { min: 78 }),
  get("server-topology-admin", "GET /servers/{id}/topology", `/servers/${SERVER_ID}/topology`, {
    ...admin,
    min: 78,
  }),
  get("remote-console", "POST /servers/{id}/remote-consoles", `/servers/${SERVER_ID}/remote-consoles`, {
    min: 6,
    body: { remote_console: { protocol: "vnc", type: "novnc" } },
  }),
  ...(
    [
      ["os-getVNCConsole", "novnc"],
      ["os-getSPICEConsole", "spice-html5"],
      ["os-getSerialConsole", "serial"],
    ] as const
  ).map(([key, type]) =>
    get(`server-${key}`, `POST /servers/{id}/action#${key}`, `/servers/${SERVER_ID}/action`, {
      max: 5,
      body: { [key]: { type } },
    }),
  ),
  get("console-token", "GET /os-console-auth-tokens/{id}", "/os-console-auth-tokens/9a2372b9", {
    ...admin,
    min: 31,
  }),
  get("server-ips", "GET /servers/{id}/ips", `/servers/${SERVER_ID}/ips`),
  get("server-ips-one", "GET /servers/{id}/ips/{sub}", `/servers/${SERVER_ID}/ips/private`),
  get("server-metadata", "GET /servers/{id}/metadata", `/servers/${SERVER_ID}/metadata`),
  get("server-metadata-merge", "POST /servers/{id}/metadata", `/servers/${SERVER_ID}/metadata`, {
    body: { metadata: { a: "1" } },
  }),
  get("server-metadata-replace", "PUT /servers/{id}/metadata", `/servers/${SERVER_ID}/metadata`, {
    body: { metadata: {} },
  }),
  get("server-metadata-item", "GET /servers/{id}/metadata/{sub}", `/servers/${SERVER_ID}/metadata/a`),
  get("server-metadata-item-set", "PUT /servers/{id}/metadata/{sub}", `/servers/${SERVER_ID}/metadata/a`, {
    body: { meta: { a: "2" } },
  }),
  get(
    "server-metadata-item-delete",
    "DELETE /servers/{id}/metadata/{sub}",
    `/servers/${SERVER_ID}/metadata/a`,
  ),
  get("interface-list", "GET /servers/{id}/os-interface", `/servers/${SERVER_ID}/os-interface`),
  get(
    "interface-show",
    "GET /servers/{id}/os-interface/{sub}",
    `/servers/${SERVER_ID}/os-interface/${PORT_ID}`,
  ),
  get("interface-attach", "POST /servers/{id}/os-interface", `/servers/${SERVER_ID}/os-interface`, {
    body: { interfaceAttachment: { port_id: PORT_ID } },
  }),
  get(
    "interface-detach",
    "DELETE /servers/{id}/os-interface/{sub}",
    `/servers/${SERVER_ID}/os-interface/${PORT_ID}`,
  ),
  get(
    "volume-attachment-list",
    "GET /servers/{id}/os-volume_attachments",
    `/servers/${SERVER_ID}/os-volume_attachments`,
  ),
  get(
    "volume-attachment-show",
    "GET /servers/{id}/os-volume_attachments/{sub}",
    `/servers/${SERVER_ID}/os-volume_attachments/${VOLUME_ID}`,
  ),
  get(
    "volume-attachment-attach",
    "POST /servers/{id}/os-volume_attachments",
    `/servers/${SERVER_ID}/os-volume_attachments`,
    { body: { volumeAttachment: { volumeId: VOLUME_ID } } },
  ),
  get(
    "volume-attachment-detach",
    "DELETE /servers/{id}/os-volume_attachments/{sub}",
    `/servers/${SERVER_ID}/os-volume_attachments/${VOLUME_ID}`,
  ),
  get(
    "server-security-groups",
    "GET /servers/{id}/os-security-groups",
    `/servers/${SERVER_ID}/os-security-groups`,
  ),
  get(
    "server-security-group-add",
    "POST /servers/{id}/action#addSecurityGroup",
    `/servers/${SERVER_ID}/action`,
    { body: { addSecurityGroup: { name: "web" } } },
  ),
  get("external-events", "POST /os-server-external-events", "/os-server-external-events", {
    ...admin,
    body: { events: eventNames.map((name) => ({ name, server_uuid: SERVER_ID, tag: PORT_ID })) },
  }),
  get("server-tags", "GET /servers/{id}/tags", `/servers/${SERVER_ID}/tags`, { min: 26 }),
  get("server-tags-replace", "PUT /servers/{id}/tags", `/servers/${SERVER_ID}/tags`, {
    min: 26,
    body: { tags: ["a"] },
  }),
  get("server-tags-clear", "DELETE /servers/{id}/tags", `/servers/${SERVER_ID}/tags`, { min: 26 }),
  get("server-tag", "GET /servers/{id}/tags/{sub}", `/servers/${SERVER_ID}/tags/a`, { min: 26 }),
  get("server-tag-add", "PUT /servers/{id}/tags/{sub}", `/servers/${SERVER_ID}/tags/a`, { min: 26 }),
  get("server-tag-there", "PUT /servers/{id}/tags/{sub}", `/servers/${SERVER_ID}/tags/there`, { min: 26 }),
  get("server-tag-remove", "DELETE /servers/{id}/tags/{sub}", `/servers/${SERVER_ID}/tags/a`, { min: 26 }),
  get("server-group-list", "GET /os-server-groups", "/os-server-groups?limit=2"),
  get("server-group-show", "GET /os-server-groups/{id}", `/os-server-groups/${GROUP_ID}`),
  get("server-group-create", "POST /os-server-groups", "/os-server-groups", {
    max: 63,
    body: { server_group: { name: "spread", policies: ["anti-affinity"] } },
  }),
  get("server-group-create-rules", "POST /os-server-groups", "/os-server-groups", {
    min: 64,
    body: { server_group: { name: "spread", policy: "anti-affinity", rules: { max_server_per_host: "3" } } },
  }),
  get("server-group-delete", "DELETE /os-server-groups/{id}", `/os-server-groups/${GROUP_ID}`),
  get("aggregate-list", "GET /os-aggregates", "/os-aggregates", admin),
  get("aggregate-show", "GET /os-aggregates/{id}", "/os-aggregates/1", admin),
  get("aggregate-create", "POST /os-aggregates", "/os-aggregates", {
    ...admin,
    body: { aggregate: { name: "ssd", availability_zone: "west" } },
  }),
  get("aggregate-update", "PUT /os-aggregates/{id}", "/os-aggregates/1", {
    ...admin,
    body: { aggregate: { availability_zone: null } },
  }),
  get("aggregate-delete", "DELETE /os-aggregates/{id}", "/os-aggregates/1", admin),
  get("aggregate-add-host", "POST /os-aggregates/{id}/action#add_host", "/os-aggregates/1/action", {
    ...admin,
    body: { add_host: { host: "compute-1" } },
  }),
  get("aggregate-remove-host", "POST /os-aggregates/{id}/action#remove_host", "/os-aggregates/1/action", {
    ...admin,
    body: { remove_host: { host: "compute-1" } },
  }),
  get("aggregate-set-metadata", "POST /os-aggregates/{id}/action#set_metadata", "/os-aggregates/1/action", {
    ...admin,
    body: { set_metadata: { metadata: { ssd: "true", old: null } } },
  }),
  get("server-password", "GET /servers/{id}/os-server-password", `/servers/${SERVER_ID}/os-server-password`),
  get(
    "instance-action-list",
    "GET /servers/{id}/os-instance-actions",
    `/servers/${SERVER_ID}/os-instance-actions`,
  ),
  get(
    "instance-action-member",
    "GET /servers/{id}/os-instance-actions/{sub}",
    `/servers/${SERVER_ID}/os-instance-actions/${REQUEST_ID}`,
  ),
  get(
    "instance-action-admin",
    "GET /servers/{id}/os-instance-actions/{sub}",
    `/servers/${SERVER_ID}/os-instance-actions/${REQUEST_ID}`,
    admin,
  ),
  get("migration-list-member", "GET /os-migrations", "/os-migrations?limit=2"),
  get("migration-list-admin", "GET /os-migrations", "/os-migrations?limit=2", admin),
  get("server-migration-list", "GET /servers/{id}/migrations", `/servers/${SERVER_ID}/migrations`, {
    ...admin,
    min: 23,
  }),
  get("server-migration-show", "GET /servers/{id}/migrations/{sub}", `/servers/${SERVER_ID}/migrations/3`, {
    ...admin,
    min: 23,
  }),
  get("flavor-list", "GET /flavors", "/flavors?limit=2"),
  get("flavor-detail", "GET /flavors/detail", "/flavors/detail"),
  get("flavor-show", "GET /flavors/{id}", "/flavors/1"),
  get("flavor-create", "POST /flavors", "/flavors", { ...admin, body: flavorBody }),
  get("flavor-update", "PUT /flavors/{id}", "/flavors/private", {
    ...admin,
    min: 55,
    body: { flavor: { description: "for us" } },
  }),
  get("flavor-extra-specs", "GET /flavors/{id}/os-extra_specs", "/flavors/1/os-extra_specs"),
  get("flavor-extra-specs-set", "POST /flavors/{id}/os-extra_specs", "/flavors/1/os-extra_specs", {
    ...admin,
    body: { extra_specs: { "hw:cpu_policy": "shared" } },
  }),
  get(
    "flavor-extra-spec",
    "GET /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/1/os-extra_specs/hw:cpu_policy",
  ),
  get(
    "flavor-extra-spec-set",
    "PUT /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/1/os-extra_specs/hw:cpu_policy",
    { ...admin, body: { "hw:cpu_policy": "shared" } },
  ),
  get("flavor-access", "GET /flavors/{id}/os-flavor-access", "/flavors/private/os-flavor-access", admin),
  get("flavor-access-add", "POST /flavors/{id}/action#addTenantAccess", "/flavors/private/action", {
    ...admin,
    body: { addTenantAccess: { tenant: "p" } },
  }),
  get("flavor-access-remove", "POST /flavors/{id}/action#removeTenantAccess", "/flavors/private/action", {
    ...admin,
    body: { removeTenantAccess: { tenant: "p" } },
  }),
  get("key-pair-list", "GET /os-keypairs", "/os-keypairs"),
  get("key-pair-show", "GET /os-keypairs/{id}", "/os-keypairs/key"),
  get("key-pair-create", "POST /os-keypairs", "/os-keypairs", {
    max: 91,
    body: { keypair: { name: "key" } },
  }),
  get("key-pair-import", "POST /os-keypairs", "/os-keypairs", {
    body: { keypair: { name: "key", public_key: "ssh-ed25519 AAAA key" } },
  }),
  get("zone-list", "GET /os-availability-zone", "/os-availability-zone"),
  get("zone-detail", "GET /os-availability-zone/detail", "/os-availability-zone/detail", admin),
  get("service-list", "GET /os-services", "/os-services", admin),
  get("service-disable-by-word", "PUT /os-services/{id}", "/os-services/disable-log-reason", {
    ...admin,
    max: 52,
    body: { host: "compute-1", binary: "nova-compute", disabled_reason: "x" },
  }),
  get("service-disable", "PUT /os-services/{id}", `/os-services/${SERVICE_ID}`, {
    ...admin,
    min: 53,
    body: { status: "disabled", disabled_reason: "x" },
  }),
  get("hypervisor-list", "GET /os-hypervisors", "/os-hypervisors", admin),
  get("hypervisor-detail", "GET /os-hypervisors/detail", "/os-hypervisors/detail", admin),
  get("hypervisor-detail-servers", "GET /os-hypervisors/detail", "/os-hypervisors/detail?with_servers=true", {
    ...admin,
    min: 53,
  }),
  get("hypervisor-show-by-number", "GET /os-hypervisors/{id}", "/os-hypervisors/1", { ...admin, max: 52 }),
  get("hypervisor-show", "GET /os-hypervisors/{id}", `/os-hypervisors/${HYPERVISOR_ID}`, {
    ...admin,
    min: 53,
  }),
  get("hypervisor-statistics", "GET /os-hypervisors/statistics", "/os-hypervisors/statistics", {
    ...admin,
    max: 87,
  }),
  get("hypervisor-uptime", "GET /os-hypervisors/{id}/uptime", `/os-hypervisors/${HYPERVISOR_ID}/uptime`, {
    ...admin,
    min: 53,
    max: 87,
  }),
  get("hypervisor-search", "GET /os-hypervisors/{id}/search", "/os-hypervisors/compute/search", {
    ...admin,
    max: 52,
  }),
  get("hypervisor-servers", "GET /os-hypervisors/{id}/servers", "/os-hypervisors/compute/servers", {
    ...admin,
    max: 52,
  }),
  get("limits", "GET /limits", "/limits"),
];
