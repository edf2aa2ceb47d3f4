import assert from "node:assert/strict";
import { PROJECT } from "../../../pkg/gateway/testing/test-tokens.js";
import { SERVER_ID } from "../../../pkg/gateway/testing/samples.js";
import { startTestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import type { Ask, TestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import { fixture } from "./fixture.js";

/** What is sent, and the status and fault key that come back; `""` for answers outside the fault format. */
type Row = readonly [what: string, path: string, ask: Ask, status: number, key: string];

const IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b";
const NETWORK = "f6b1ef80-0b0e-4b1a-a1e5-1d4d3a7d2f10";
const server = { name: "web", flavorRef: "1", imageRef: IMAGE };
const create = (
  more: Record<string, unknown>,
  version = "2.1",
  outer: Record<string, unknown> = {},
): Ask => ({ method: "POST", version, body: { server: { ...server, ...more }, ...outer } });
const action = (body: unknown, version = "2.1"): Ask => ({ method: "POST", version, body });
const rebuild = (more: Record<string, unknown>, version = "2.1"): Ask =>
  action({ rebuild: { imageRef: "70a599e0-31e7-49b7-b260-868f441e862b", ...more } }, version);
const ACT = `/v2.1/servers/${SERVER_ID}/action`;
const CONSOLES = `/v2.1/servers/${SERVER_ID}/remote-consoles`;
const consoleAt = (protocol: string, type: string, version: string): Ask =>
  action({ remote_console: { protocol, type } }, version);
const post = (raw: string | Buffer): Ask => ({ method: "POST", raw });
const admin = (ask: Ask): Ask => ({ ...ask, token: "admin" });
const flavor = (more: Record<string, unknown>, version = "2.1"): Ask =>
  admin({ method: "POST", version, body: { flavor: { name: "f", ram: 1, vcpus: 1, disk: 0, ...more } } });
const deep = `${"[".repeat(200)}${"]".repeat(200)}`;

const rows: readonly Row[] = [
  // Paths and methods
  ["unknown path", "/v2.1/nonsense", {}, 404, ""],
  ["slash at the end", "/v2.1/servers/", {}, 404, ""],
  ["upper case", "/v2.1/Servers", {}, 404, ""],
  ["unknown method", "/v2.1/servers", { method: "PATCH" }, 404, ""],
  ["HEAD is no GET", "/v2.1/servers", { method: "HEAD" }, 404, ""],
  ["OPTIONS", "/v2.1/servers", { method: "OPTIONS" }, 404, ""],
  ["project without a slash", `/v2.1/${PROJECT}`, {}, 404, ""],
  ["project id of another form", "/v2.1/UPPER/servers", {}, 404, ""],
  ["doubled slashes are fine", "//v2.1//servers", {}, 200, ""],
  ["own project in the URL", `/v2.1/${PROJECT}/servers`, {}, 200, ""],
  ["another project in the URL", "/v2.1/abc-123/servers", {}, 400, "badRequest"],
  ["NUL in the path", "/v2.1/flavors/%00", {}, 400, "badRequest"],
  ["bad UTF-8 in the path", "/v2.1/flavors/%ff", {}, 400, "badRequest"],
  // Metadata and tags
  [
    "metadata without its key",
    `/v2.1/servers/${SERVER_ID}/metadata`,
    { method: "POST", body: { meta: {} } },
    400,
    "badRequest",
  ],
  [
    "metadata with a long value",
    `/v2.1/servers/${SERVER_ID}/metadata`,
    { method: "PUT", body: { metadata: { a: "x".repeat(256) } } },
    400,
    "badRequest",
  ],
  [
    "metadata item of another key",
    `/v2.1/servers/${SERVER_ID}/metadata/b`,
    { method: "PUT", body: { meta: { a: "1" } } },
    400,
    "badRequest",
  ],
  [
    "two metadata items at once",
    `/v2.1/servers/${SERVER_ID}/metadata/a`,
    { method: "PUT", body: { meta: { a: "1", b: "2" } } },
    400,
    "badRequest",
  ],
  [
    "metadata with an unknown parameter",
    `/v2.1/servers/${SERVER_ID}/metadata?x=1`,
    { version: "2.102" },
    400,
    "badRequest",
  ],
  ["tags before their time", `/v2.1/servers/${SERVER_ID}/tags`, { version: "2.25" }, 404, "itemNotFound"],
  ["tags with any parameter", `/v2.1/servers/${SERVER_ID}/tags?x=1`, { version: "2.104" }, 200, ""],
  [
    "a tag with a comma in the path",
    `/v2.1/servers/${SERVER_ID}/tags/a,b`,
    { method: "PUT", version: "2.26" },
    400,
    "badRequest",
  ],
  [
    "a tag that is too long in the path",
    `/v2.1/servers/${SERVER_ID}/tags/${"x".repeat(61)}`,
    { method: "PUT", version: "2.26" },
    400,
    "badRequest",
  ],
  [
    "a tag with a slash in the body",
    `/v2.1/servers/${SERVER_ID}/tags`,
    { method: "PUT", version: "2.26", body: { tags: ["a/b"] } },
    400,
    "badRequest",
  ],
  [
    "51 tags",
    `/v2.1/servers/${SERVER_ID}/tags`,
    { method: "PUT", version: "2.26", body: { tags: Array.from({ length: 51 }, (_, n) => String(n)) } },
    400,
    "badRequest",
  ],
  [
    "a tag with a body",
    `/v2.1/servers/${SERVER_ID}/tags/a`,
    { method: "PUT", version: "2.26", body: {} },
    400,
    "badRequest",
  ],
  // Server groups
  [
    "a soft policy before its time",
    "/v2.1/os-server-groups",
    { method: "POST", version: "2.14", body: { server_group: { name: "g", policies: ["soft-affinity"] } } },
    400,
    "badRequest",
  ],
  [
    "two policies",
    "/v2.1/os-server-groups",
    {
      method: "POST",
      version: "2.15",
      body: { server_group: { name: "g", policies: ["affinity", "anti-affinity"] } },
    },
    400,
    "badRequest",
  ],
  [
    "policies after their time",
    "/v2.1/os-server-groups",
    { method: "POST", version: "2.64", body: { server_group: { name: "g", policies: ["affinity"] } } },
    400,
    "badRequest",
  ],
  [
    "a rule of nought",
    "/v2.1/os-server-groups",
    {
      method: "POST",
      version: "2.64",
      body: { server_group: { name: "g", policy: "anti-affinity", rules: { max_server_per_host: 0 } } },
    },
    400,
    "badRequest",
  ],
  ["groups with an unknown parameter", "/v2.1/os-server-groups?x=1", { version: "2.75" }, 400, "badRequest"],
  ["groups with a bad offset", "/v2.1/os-server-groups?offset=-1", {}, 400, "badRequest"],
  // Aggregates
  [
    "an aggregate by UUID",
    "/v2.1/os-aggregates/fd0a5b12-7e8d-469d-bfd5-64a6823e7407",
    admin({}),
    400,
    "badRequest",
  ],
  [
    "an aggregate with a colon in its zone",
    "/v2.1/os-aggregates",
    admin({ method: "POST", body: { aggregate: { name: "a", availability_zone: "a:b" } } }),
    400,
    "badRequest",
  ],
  [
    "an aggregate with spaces around its name",
    "/v2.1/os-aggregates",
    admin({ method: "POST", body: { aggregate: { name: " a " } } }),
    400,
    "badRequest",
  ],
  [
    "the same under /v2",
    "/v2/os-aggregates",
    admin({ method: "POST", body: { aggregate: { name: " a " } } }),
    200,
    "",
  ],
  [
    "a change of nothing",
    "/v2.1/os-aggregates/1",
    admin({ method: "PUT", body: { aggregate: {} } }),
    400,
    "badRequest",
  ],
  [
    "a host of an odd name",
    "/v2.1/os-aggregates/1/action",
    admin({ method: "POST", body: { add_host: { host: "a b" } } }),
    400,
    "badRequest",
  ],
  [
    "aggregate metadata that is a number",
    "/v2.1/os-aggregates/1/action",
    admin({ method: "POST", body: { set_metadata: { metadata: { a: 1 } } } }),
    400,
    "badRequest",
  ],
  [
    "aggregates with an unknown parameter",
    "/v2.1/os-aggregates?x=1",
    admin({ version: "2.102" }),
    400,
    "badRequest",
  ],
  // Tokens
  ["no token", "/v2.1/servers", { token: null }, 401, ""],
  ["bad token", "/v2.1/servers", { token: "forged" }, 401, ""],
  [
    "identity headers count for nothing",
    "/v2.1/servers",
    { token: null, headers: { "x-user-id": "u", "x-roles": "admin", "x-identity-status": "Confirmed" } },
    401,
    "",
  ],
  ["ended token", "/v2.1/servers", { token: "expired-member" }, 401, ""],
  [
    "ended token with a service's",
    "/v2.1/servers",
    { token: "expired-member", headers: { "x-service-token": "service" } },
    200,
    "",
  ],
  [
    "ended token with a member's",
    "/v2.1/servers",
    { token: "expired-member", headers: { "x-service-token": "member" } },
    401,
    "",
  ],
  ["a bad token comes before the route", "/v2.1/nonsense", { token: "forged" }, 401, ""],
  // Versions
  ["malformed version", "/v2.1/servers", { version: "2" }, 400, "badRequest"],
  ["Latest", "/v2.1/servers", { version: "Latest" }, 400, "badRequest"],
  ["version too new", "/v2.1/servers", { version: "2.999" }, 406, "computeFault"],
  ["version too old", "/v2.1/servers", { version: "2.0" }, 406, "computeFault"],
  ["the route comes before the version", "/v2.1/nonsense", { version: "2.999" }, 404, ""],
  [
    "the version comes before the content type",
    "/v2.1/servers",
    { method: "POST", version: "2.999", raw: "x", headers: { "content-type": "text/xml" } },
    406,
    "computeFault",
  ],
  ["the legacy endpoint ignores versions", "/v2/servers", { version: "2.999" }, 200, ""],
  [
    "a route from later",
    "/v2.1/flavors/1",
    admin({ method: "PUT", version: "2.54", body: { flavor: { description: "x" } } }),
    404,
    "itemNotFound",
  ],
  [
    "a route from later under /v2",
    "/v2/flavors/1",
    admin({ method: "PUT", body: { flavor: { description: "x" } } }),
    404,
    "itemNotFound",
  ],
  ["a route that ended", "/v2.1/os-hypervisors/statistics", admin({ version: "2.88" }), 404, "itemNotFound"],
  ["a removed API", "/v2.1/os-cells", {}, 410, "computeFault"],
  [
    "a removed API with an odd body",
    "/v2.1/os-cells",
    { method: "POST", version: "2.90", body: 5 },
    410,
    "computeFault",
  ],
  ["a removed API with broken JSON", "/v2.1/os-cells", post("{"), 400, "badRequest"],
  [
    "an API that could only fail",
    "/v2.1/os-baremetal-nodes",
    { method: "POST", body: {} },
    400,
    "badRequest",
  ],
  ["an API that is not served yet", "/v2.1/os-instance_usage_audit_log", admin({}), 501, "notImplemented"],
  // Bodies
  [
    "other content type",
    "/v2.1/servers",
    { method: "POST", raw: "a=b", headers: { "content-type": "application/x-www-form-urlencoded" } },
    415,
    "badMediaType",
  ],
  [
    "plain text is read as JSON",
    "/v2.1/servers",
    { method: "POST", raw: "{}", headers: { "content-type": "text/plain" } },
    400,
    "badRequest",
  ],
  ["no body", "/v2.1/servers", { method: "POST" }, 400, "badRequest"],
  ["broken JSON", "/v2.1/servers", post("{"), 400, "badRequest"],
  ["bad UTF-8", "/v2.1/servers", post(Buffer.from([0x22, 0xff, 0x22])), 400, "badRequest"],
  ["absurd nesting", "/v2.1/servers", post(deep), 400, "badRequest"],
  ["NUL in a text", "/v2.1/servers", create({ name: "a\0b" }), 400, "badRequest"],
  ["half of a surrogate pair", "/v2.1/servers", post('{"server":{"name":"\\ud800"}}'), 400, "badRequest"],
  ["NUL in a key", "/v2.1/servers", post('{"\\u0000":1}'), 400, "badRequest"],
  [
    "__proto__ is a key like any other",
    "/v2.1/servers",
    post('{"__proto__":{"server":1}}'),
    400,
    "badRequest",
  ],
  ["too large", "/v2.1/servers", post(`"${"x".repeat(120_000)}"`), 413, ""],
  ["too large even without a token", "/v2.1/servers", { ...post("x".repeat(120_000)), token: null }, 413, ""],
  // Actions
  ["unknown action", ACT, action({ frobnicate: null }), 400, "badRequest"],
  ["two actions", ACT, action({ "os-start": null, "os-stop": null }), 400, "badRequest"],
  ["no action", ACT, action({}), 400, "badRequest"],
  ["no body for an action", ACT, { method: "POST" }, 400, "badRequest"],
  ["a list for an action", ACT, action([1]), 404, "itemNotFound"],
  ["null for an action", ACT, action(null), 404, "itemNotFound"],
  ["an inherited name is no action", ACT, action({ constructor: null }), 400, "badRequest"],
  ["an action from later", ACT, action({ trigger_crash_dump: null }, "2.16"), 404, "itemNotFound"],
  [
    "an action that ended",
    ACT,
    action({ "os-getVNCConsole": { type: "novnc" } }, "2.6"),
    404,
    "itemNotFound",
  ],
  ["a removed action", ACT, action({ resetNetwork: null }), 410, "computeFault"],
  ["an action that is not served yet", ACT, action({ suspend: null }), 501, "notImplemented"],
  ["a bad argument", ACT, action({ reboot: { type: "WARM" } }), 400, "badRequest"],
  // Rebuild
  ["no image", ACT, action({ rebuild: {} }), 400, "badRequest"],
  ["no list of fields", ACT, action({ rebuild: null }), 400, "badRequest"],
  ["an image that is no UUID", ACT, rebuild({ imageRef: "cirros" }), 400, "badRequest"],
  ["an unknown field", ACT, rebuild({ colour: "red" }), 400, "badRequest"],
  ["a name with spaces around", ACT, rebuild({ name: " a " }), 400, "badRequest"],
  ["such a name under /v2", ACT.replace("/v2.1", "/v2"), rebuild({ name: " a " }), 202, ""],
  ["half a file", ACT, rebuild({ personality: [{ path: "/a" }] }), 400, "badRequest"],
  ...(
    [
      ["description", "d", 18],
      ["key_name", "k", 53],
      ["user_data", "YQ==", 56],
      ["trusted_image_certificates", ["c"], 62],
      ["hostname", "host", 89],
    ] as const
  ).flatMap(([field, value, last]): Row[] => [
    [`${field} too early`, ACT, rebuild({ [field]: value }, `2.${last}`), 400, "badRequest"],
    [`${field} in time`, ACT, rebuild({ [field]: value }, `2.${last + 1}`), 202, ""],
  ]),
  ["files in time", ACT, rebuild({ personality: [] }, "2.56"), 202, ""],
  ["files too late", ACT, rebuild({ personality: [] }, "2.57"), 400, "badRequest"],
  ["a whole domain name too early", ACT, rebuild({ hostname: "a.b" }, "2.93"), 400, "badRequest"],
  ["a whole domain name in time", ACT, rebuild({ hostname: "a.b" }, "2.94"), 202, ""],
  [
    "the action comes before the project",
    `/v2.1/abc/servers/${SERVER_ID}/action`,
    action({ frobnicate: null }),
    400,
    "badRequest",
  ],
  // Consoles
  ["no console type", ACT, action({ "os-getVNCConsole": {} }, "2.5"), 400, "badRequest"],
  [
    "another action's console type",
    ACT,
    action({ "os-getSerialConsole": { type: "novnc" } }, "2.5"),
    400,
    "badRequest",
  ],
  [
    "more than a console type",
    ACT,
    action({ "os-getVNCConsole": { type: "novnc", a: 1 } }, "2.5"),
    400,
    "badRequest",
  ],
  [
    "a console that was removed",
    ACT,
    action({ "os-getRDPConsole": { type: "rdp-html5" } }, "2.5"),
    400,
    "badRequest",
  ],
  ["remote consoles too early", CONSOLES, consoleAt("vnc", "novnc", "2.5"), 404, "itemNotFound"],
  ["a protocol too early", CONSOLES, consoleAt("mks", "webmks", "2.7"), 400, "badRequest"],
  ["a protocol's type too early", CONSOLES, consoleAt("vnc", "webmks", "2.7"), 400, "badRequest"],
  ["direct SPICE too early", CONSOLES, consoleAt("spice", "spice-direct", "2.98"), 400, "badRequest"],
  ["no protocol", CONSOLES, action({ remote_console: { type: "novnc" } }, "2.6"), 400, "badRequest"],
  [
    "a console's token before all types are told",
    "/v2.1/os-console-auth-tokens/t",
    { version: "2.30", token: "admin" },
    400,
    "badRequest",
  ],
  [
    "unknown parameters beside a token",
    "/v2.1/os-console-auth-tokens/t?a=1",
    { version: "2.99", token: "admin" },
    400,
    "badRequest",
  ],
  // Server create
  ["unknown key", "/v2.1/servers", create({ colour: "red" }), 400, "badRequest"],
  ["unknown key beside server", "/v2.1/servers", create({}, "2.1", { colour: "red" }), 400, "badRequest"],
  ["name with spaces around", "/v2.1/servers", create({ name: " a " }), 400, "badRequest"],
  ["such a name under /v2", "/v2/servers", create({ name: " a " }), 202, ""],
  ["unknown key under /v2", "/v2/servers", create({ colour: "red" }), 202, ""],
  ["bad metadata key under /v2", "/v2/servers", create({ metadata: { "a/b": "c" } }), 400, "badRequest"],
  ["long name", "/v2.1/servers", create({ name: "n".repeat(256) }), 400, "badRequest"],
  ["image is no UUID", "/v2.1/servers", create({ imageRef: "cirros" }), 400, "badRequest"],
  ["description too early", "/v2.1/servers", create({ description: "x" }, "2.18"), 400, "badRequest"],
  ["description in time", "/v2.1/servers", create({ description: "x" }, "2.19"), 202, ""],
  ["networks missing from 2.37", "/v2.1/servers", create({}, "2.37"), 400, "badRequest"],
  ["networks missing before", "/v2.1/servers", create({}, "2.36"), 202, ""],
  ["networks auto", "/v2.1/servers", create({ networks: "auto" }, "2.37"), 202, ""],
  ["networks auto too early", "/v2.1/servers", create({ networks: "auto" }, "2.36"), 400, "badRequest"],
  [
    "network tag while it was refused",
    "/v2.1/servers",
    create({ networks: [{ uuid: NETWORK, tag: "a" }] }, "2.41"),
    400,
    "badRequest",
  ],
  [
    "network tag before",
    "/v2.1/servers",
    create({ networks: [{ uuid: NETWORK, tag: "a" }] }, "2.32"),
    202,
    "",
  ],
  [
    "network tag after",
    "/v2.1/servers",
    create({ networks: [{ uuid: NETWORK, tag: "a" }] }, "2.42"),
    202,
    "",
  ],
  ["neither network nor port", "/v2.1/servers", create({ networks: [{}] }), 400, "badRequest"],
  [
    "network id in the old loose form",
    "/v2.1/servers",
    create({ networks: [{ uuid: "net" }] }),
    400,
    "badRequest",
  ],
  [
    "port twice",
    "/v2.1/servers",
    create({ networks: [{ port: NETWORK }, { port: NETWORK }] }),
    400,
    "badRequest",
  ],
  [
    "port with an address",
    "/v2.1/servers",
    create({ networks: [{ port: NETWORK, fixed_ip: "10.0.0.5" }] }),
    400,
    "badRequest",
  ],
  [
    "files after they ended",
    "/v2.1/servers",
    create({ networks: "none", personality: [] }, "2.57"),
    400,
    "badRequest",
  ],
  ["min above max", "/v2.1/servers", create({ min_count: 3, max_count: 2 }), 400, "badRequest"],
  ["zero servers", "/v2.1/servers", create({ max_count: 0 }), 400, "badRequest"],
  ["numbers as text", "/v2.1/servers", create({ min_count: "1", max_count: "2" }), 202, ""],
  ["a number for a boolean", "/v2.1/servers", create({ config_drive: 1 }), 400, "badRequest"],
  ["a word for a boolean", "/v2.1/servers", create({ config_drive: "YES" }), 202, ""],
  ["empty access address", "/v2.1/servers", create({ accessIPv4: "" }), 400, "badRequest"],
  [
    "fifty-one tags",
    "/v2.1/servers",
    create({ networks: "none", tags: Array.from({ length: 51 }, (_, i) => `t${i}`) }, "2.52"),
    400,
    "badRequest",
  ],
  [
    "tag with a comma",
    "/v2.1/servers",
    create({ networks: "none", tags: ["a,b"] }, "2.52"),
    400,
    "badRequest",
  ],
  [
    "both kinds of block devices",
    "/v2.1/servers",
    create({
      block_device_mapping: [{ device_name: "vdb" }],
      block_device_mapping_v2: [{ source_type: "blank" }],
    }),
    400,
    "badRequest",
  ],
  [
    "unknown hint passes",
    "/v2.1/servers",
    create({}, "2.1", { "os:scheduler_hints": { my_hint: 1 } }),
    202,
    "",
  ],
  [
    "bad hint",
    "/v2.1/servers",
    create({}, "2.1", { "os:scheduler_hints": { group: "g" } }),
    400,
    "badRequest",
  ],
  [
    "one-letter hostname",
    "/v2.1/servers",
    create({ networks: "none", hostname: "a" }, "2.90"),
    400,
    "badRequest",
  ],
  [
    "domain name as hostname",
    "/v2.1/servers",
    create({ networks: "none", hostname: "a.example" }, "2.94"),
    202,
    "",
  ],
  // Lists
  ["bad limit", "/v2.1/servers?limit=x", {}, 400, "badRequest"],
  ["negative limit", "/v2.1/servers?limit=-1", {}, 400, "badRequest"],
  ["empty regex", "/v2.1/servers?name=", {}, 400, "badRequest"],
  ["bad regex", "/v2.1/servers?name=(", {}, 400, "badRequest"],
  ["unknown parameter", "/v2.1/servers?colour=red", { version: "2.74" }, 200, ""],
  ["unknown parameter from 2.75", "/v2.1/servers?colour=red", { version: "2.75" }, 400, "badRequest"],
  ["parameter on show from 2.102", `/v2.1/servers/${SERVER_ID}?x=1`, { version: "2.102" }, 400, "badRequest"],
  ["parameter on show before", `/v2.1/servers/${SERVER_ID}?x=1`, { version: "2.101" }, 200, ""],
  ["query that is no UTF-8", "/v2.1/servers?name=%ff", {}, 400, "badRequest"],
  ["NUL in the query", "/v2.1/servers?name=%00", {}, 400, "badRequest"],
  ["bad all_tenants", "/v2.1/servers?all_tenants=maybe", {}, 400, "badRequest"],
  ["unknown status", "/v2.1/servers?status=WEIRD", { version: "2.37" }, 200, ""],
  ["unknown status from 2.38", "/v2.1/servers?status=WEIRD", { version: "2.38" }, 400, "badRequest"],
  ["deleted servers", "/v2.1/servers?status=DELETED", {}, 403, "forbidden"],
  ["bad locked", "/v2.1/servers?locked=x", { version: "2.73" }, 400, "badRequest"],
  ["bad time", "/v2.1/servers?changes-since=yesterday", {}, 400, "badRequest"],
  [
    "times the wrong way round",
    "/v2.1/servers?changes-since=2026-01-02&changes-before=2026-01-01",
    { version: "2.66" },
    400,
    "badRequest",
  ],
  ["filter by a relation", "/v2.1/servers?metadata=x", admin({}), 400, "badRequest"],
  ["filter by a relation, dropped", "/v2.1/servers?metadata=x", {}, 200, ""],
  ["hidden filter", "/v2.1/servers?_x=1", admin({}), 400, "badRequest"],
  ["bad sort key", "/v2.1/servers?sort_key=colour", {}, 400, "badRequest"],
  ["ignored sort key", "/v2.1/servers?sort_key=vcpus", { version: "2.74" }, 200, ""],
  ["ignored sort key from 2.75", "/v2.1/servers?sort_key=vcpus", { version: "2.75" }, 400, "badRequest"],
  ["bad direction", "/v2.1/servers?sort_dir=up", {}, 400, "badRequest"],
  [
    "more directions than keys",
    "/v2.1/servers?sort_key=uuid&sort_dir=asc&sort_dir=asc",
    {},
    400,
    "badRequest",
  ],
  ["sort by host", "/v2.1/servers?sort_key=host", {}, 403, "forbidden"],
  // Flavors
  ["zero memory", "/v2.1/flavors", flavor({ ram: 0 }), 400, "badRequest"],
  ["memory as text", "/v2.1/flavors", flavor({ ram: "512" }), 200, ""],
  ["memory beyond the column", "/v2.1/flavors", flavor({ ram: "2147483648" }), 400, "badRequest"],
  ["flavor id with a space in front", "/v2.1/flavors", flavor({ id: " 1" }), 400, "badRequest"],
  ["numeric flavor id", "/v2.1/flavors", flavor({ id: 7 }), 200, ""],
  ["flavor description too early", "/v2.1/flavors", flavor({ description: "x" }, "2.54"), 400, "badRequest"],
  ["rxtx_factor from 2.102", "/v2.1/flavors", flavor({ rxtx_factor: 1 }, "2.102"), 400, "badRequest"],
  ["bad is_public", "/v2.1/flavors?is_public=maybe", admin({}), 400, "badRequest"],
  ["bad is_public of a member", "/v2.1/flavors?is_public=maybe", {}, 200, ""],
  ["bad minRam", "/v2.1/flavors?minRam=lots", {}, 400, "badRequest"],
  [
    "extra spec of another key",
    "/v2.1/flavors/1/os-extra_specs/a",
    admin({ method: "PUT", body: { b: "1" } }),
    400,
    "badRequest",
  ],
  [
    "senseless extra spec",
    "/v2.1/flavors/1/os-extra_specs",
    admin({ method: "POST", version: "2.85", body: { extra_specs: { "hw:cpu_policy": "x" } } }),
    200,
    "",
  ],
  [
    "senseless extra spec from 2.86",
    "/v2.1/flavors/1/os-extra_specs",
    admin({ method: "POST", version: "2.86", body: { extra_specs: { "hw:cpu_policy": "x" } } }),
    400,
    "badRequest",
  ],
  ["missing extra spec", "/v2.1/flavors/1/os-extra_specs/none", {}, 404, "itemNotFound"],
  ["a forbidden caller's bad body is bad", "/v2.1/flavors", { method: "POST", body: {} }, 400, "badRequest"],
  // Operators
  ["hypervisor by name", "/v2.1/os-hypervisors/compute", admin({}), 404, "itemNotFound"],
  [
    "hypervisor by name from 2.53",
    "/v2.1/os-hypervisors/compute",
    admin({ version: "2.53" }),
    400,
    "badRequest",
  ],
  [
    "pattern with pages",
    "/v2.1/os-hypervisors?hypervisor_hostname_pattern=c&limit=1",
    admin({ version: "2.53" }),
    400,
    "badRequest",
  ],
  ["limit twice", "/v2.1/os-hypervisors?limit=1&limit=2", admin({ version: "2.53" }), 400, "badRequest"],
  ["limit twice before", "/v2.1/os-hypervisors?limit=1&limit=2", admin({ version: "2.52" }), 200, ""],
  [
    "enable by word from 2.53",
    "/v2.1/os-services/enable",
    admin({ method: "PUT", version: "2.53", body: { status: "enabled" } }),
    400,
    "badRequest",
  ],
  [
    "unknown word",
    "/v2.1/os-services/frobnicate",
    admin({ method: "PUT", body: { host: "h", binary: "b" } }),
    404,
    "itemNotFound",
  ],
  [
    "force-down too early",
    "/v2.1/os-services/force-down",
    admin({ method: "PUT", version: "2.10", body: { host: "h", binary: "b" } }),
    404,
    "itemNotFound",
  ],
  [
    "nothing to change",
    "/v2.1/os-services/e81d66a4-ddd3-4aba-8a84-171d1cb4d339",
    admin({ method: "PUT", version: "2.53", body: {} }),
    400,
    "badRequest",
  ],
  [
    "reason without disabling",
    "/v2.1/os-services/e81d66a4-ddd3-4aba-8a84-171d1cb4d339",
    admin({ method: "PUT", version: "2.53", body: { status: "enabled", disabled_reason: "x" } }),
    400,
    "badRequest",
  ],
  [
    "key pair without key from 2.92",
    "/v2.1/os-keypairs",
    { method: "POST", version: "2.92", body: { keypair: { name: "k" } } },
    400,
    "badRequest",
  ],
  [
    "key pair of an empty key",
    "/v2.1/os-keypairs",
    { method: "POST", body: { keypair: { name: "k", public_key: "" } } },
    400,
    "badRequest",
  ],
  ["more servers than a message can count", "/v2.1/servers", create({ max_count: "9".repeat(30) }), 202, ""],
  ["a longer image than any", `/v2.1/servers?image=${"i".repeat(300)}`, {}, 200, ""],
  [
    "key pair name with a dot",
    "/v2.1/os-keypairs",
    { method: "POST", version: "2.91", body: { keypair: { name: "a.b" } } },
    400,
    "badRequest",
  ],
  ["unknown network label", `/v2.1/servers/${SERVER_ID}/ips/public`, {}, 404, "itemNotFound"],
  ["unknown version document", "/v2.1/versions/v3", {}, 404, "itemNotFound"],
  ["unknown extension", "/v2.1/extensions/none", {}, 404, "itemNotFound"],
];

describe("golden: gateway refusals", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway(fixture);
  });
  after(() => gateway.close());

  for (const [what, path, ask, status, key] of rows) {
    it(`${what} → ${status}`, async () => {
      const answer = await gateway.ask(path, ask);
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.headers["x-compute-request-id"]), /^req-/);
      assert.equal(answer.headers["x-openstack-request-id"], answer.headers["x-compute-request-id"]);
      if (key === "") return;
      assert.equal(answer.headers["content-type"], "application/json; charset=UTF-8");
      const [found = "", ...others] = Object.keys(answer.json as object);
      assert.deepEqual([found, others], [key, []]);
      const fault = (answer.json as Record<string, { code: number; message: string }>)[found];
      assert.equal(fault?.code, status);
      assert.ok(fault.message.length > 0);
    });
  }
});
