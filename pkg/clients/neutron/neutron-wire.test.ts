import assert from "node:assert/strict";
import { CommonErrors, KilonovaError } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { handmadeCloud } from "../testing/handmade-cloud.js";
import type { HandmadeCloud } from "../testing/handmade-cloud.js";
import { cutShort, htmlError, silence } from "../testing/handmade-server.js";
import { neutronClient } from "./client.js";
import type { Neutron } from "./ports.js";

const reason =
  (name: string, text = "") =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name && error.message.includes(text);
const ID = "22222222-2222-4222-8222-222222222222";
const NET = "33333333-3333-4333-8333-333333333333";
const PORTS = "/net/v2.0/ports";
/** A port as Neutron 21 with the OVN driver writes it. */
const port = (more: object = {}): object => ({
  id: ID,
  name: "",
  network_id: NET,
  tenant_id: "p",
  project_id: "p",
  mac_address: "fa:16:3e:6d:6f:9a",
  admin_state_up: true,
  status: "DOWN",
  device_id: "s",
  device_owner: "compute:nova",
  standard_attr_id: 97,
  fixed_ips: [{ subnet_id: "sub", ip_address: "10.0.0.5" }],
  security_groups: ["g"],
  allowed_address_pairs: [],
  extra_dhcp_opts: [],
  description: "",
  "binding:vnic_type": "normal",
  "binding:profile": {},
  "binding:host_id": "h",
  "binding:vif_type": "ovs",
  "binding:vif_details": { port_filter: true, bridge_name: "br-int" },
  qos_policy_id: null,
  qos_network_policy_id: null,
  resource_request: null,
  port_security_enabled: true,
  dns_name: "",
  dns_assignment: [],
  ip_allocation: "immediate",
  propagate_uplink_status: null,
  tags: [],
  created_at: "2026-11-22T11:40:46Z",
  updated_at: "2026-11-22T11:40:47Z",
  revision_number: 3,
  ...more,
});
const refusal = (status: number, type: string, message = "m") => ({
  status,
  body: { NeutronError: { type, message, detail: "" } },
});
const unauthorized = {
  status: 401,
  body: {
    error: {
      code: 401,
      title: "Unauthorized",
      message: "The request you have made requires authentication.",
    },
  },
};

describe("neutron client on the wire", () => {
  let cloud: HandmadeCloud;
  let neutron: Neutron;
  const open = async (path = "/net", timeoutMs?: number): Promise<void> => {
    cloud = await handmadeCloud({
      catalog: (url) => [
        { type: "network", endpoints: [{ interface: "public", region: "RegionOne", url: `${url}${path}` }] },
      ],
    });
    neutron = neutronClient({
      session: cloud.keystone.session,
      clock: cloud.clock,
      random: () => 0.5,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  };
  afterEach(() => cloud.close());

  it("finds the service with and without a version in its address", async () => {
    for (const path of ["/net", "/net/", "/net/v2.0", "/net/v2.0/"]) {
      await open(path);
      cloud.server.on(`GET ${PORTS}/${ID}`, { status: 200, body: { port: port() } });
      const info = await neutron.getPort(testCtx(), ID);
      assert.deepEqual(
        [
          info.bindingHostId,
          info.vifType,
          info.vifDetails["bridge_name"],
          info.resourceRequest,
          info.createdAt !== undefined,
        ],
        ["h", "ovs", "br-int", undefined, true],
        path,
      );
      await cloud.close();
    }
    await open();
  });

  it("leads floating IPs to addresses and nowhere, and finds them by their own", async () => {
    await open();
    const path = "/net/v2.0/floatingips";
    const shown = { id: ID, tenant_id: "p", floating_ip_address: "192.0.2.9", status: "DOWN" };
    const nowhere = { ...shown, port_id: null, fixed_ip_address: null };
    cloud.server.on(`PUT ${path}/${ID}`, {
      status: 200,
      body: { floatingip: { ...shown, port_id: NET, fixed_ip_address: "10.0.0.5" } },
    });
    const to = { portId: NET, fixedIpAddress: "10.0.0.5" };
    const led = await neutron.updateFloatingIp(testCtx(), ID, to);
    assert.deepEqual([led.projectId, led.portId, led.fixedIpAddress], ["p", NET, "10.0.0.5"]);
    cloud.server.on(`PUT ${path}/${ID}`, { status: 200, body: { floatingip: nowhere } });
    assert.equal((await neutron.updateFloatingIp(testCtx(), ID, undefined)).portId, undefined);
    assert.deepEqual(
      cloud.server.seen.filter(({ method }) => method === "PUT").map(({ body }) => JSON.parse(body)),
      [{ floatingip: { port_id: NET, fixed_ip_address: "10.0.0.5" } }, { floatingip: { port_id: null } }],
    );
    cloud.server.on(`PUT ${path}/${ID}`, refusal(404, "FloatingIPNotFound"));
    await assert.rejects(neutron.updateFloatingIp(testCtx(), ID, undefined), reason("FLOATING_IP_NOT_FOUND"));
    await assert.rejects(
      neutron.updateFloatingIp(testCtx(), "x", undefined),
      reason("FLOATING_IP_NOT_FOUND"),
    );
    cloud.server.on(`PUT ${path}/${ID}`, refusal(409, "FloatingIPPortAlreadyAssociated", "taken"));
    await assert.rejects(neutron.updateFloatingIp(testCtx(), ID, to), reason("NETWORK_CONFLICT", "taken"));
    cloud.server.on(`GET ${path}`, { status: 200, body: { floatingips: [nowhere] } });
    const [found] = await neutron.listFloatingIps(testCtx(), { address: "192.0.2.9" });
    assert.equal(found?.floatingIpAddress, "192.0.2.9");
    assert.equal(cloud.server.seen.at(-1)?.query.get("floating_ip_address"), "192.0.2.9");
  });

  it("reads refusals by Neutron's own type, else by status, whatever the body", async () => {
    await open();
    const create = { name: "n", networkId: NET, projectId: "p", deviceId: "d" };
    for (const [answer, expected, text] of [
      [refusal(404, "NetworkNotFound"), "NETWORK_NOT_FOUND", NET],
      [refusal(409, "IpAddressGenerationFailure"), "NO_MORE_FIXED_IPS", NET],
      [
        refusal(409, "IpAddressAlreadyAllocated", "IP address 10.0.0.5 already allocated in subnet s"),
        "FIXED_IP_IN_USE",
        "10.0.0.5",
      ],
      [refusal(409, "IpAddressInUse", "x"), "FIXED_IP_IN_USE", "x"],
      [refusal(409, "MacAddressInUse", "The mac address fa is in use."), "MAC_IN_USE", "fa"],
      [refusal(409, "OverQuota", "Quota exceeded for resources: ['port']."), "PORT_LIMIT_EXCEEDED", ""],
      [
        refusal(409, "OverQuota", "Quota exceeded for resources: ['security_group_rule']."),
        "QUOTA_EXCEEDED",
        "security_group_rule",
      ],
      [refusal(400, "InvalidIpForNetwork", "bad ip"), "INVALID_FIXED_IP", "bad ip"],
      [refusal(400, "InvalidInput", "Invalid input for operation: x."), "NETWORK_INVALID", "x"],
      [
        refusal(404, "SecurityGroupNotFound", `Security group ${ID} does not exist`),
        "SECURITY_GROUP_NOT_FOUND",
        ID,
      ],
      [refusal(403, "PolicyNotAuthorized"), "NETWORK_FORBIDDEN", ""],
      [{ status: 409, body: { NeutronError: "as text" } }, "NETWORK_CONFLICT", "as text"],
      [
        {
          status: 404,
          body: {
            message: "The resource could not be found.<br /><br />",
            code: "404 Not Found",
            title: "Not Found",
          },
        },
        "NOT_FOUND",
        "",
      ],
      [htmlError(409, "Conflict"), "NETWORK_CONFLICT", ""],
      [htmlError(400, "Bad Request"), "NETWORK_INVALID", ""],
      [htmlError(413, "Request Entity Too Large"), "QUOTA_EXCEEDED", ""],
      [htmlError(502, "Proxy Error"), "NETWORK_UNAVAILABLE", ""],
      [htmlError(500, "Internal Server Error"), "INTERNAL", ""],
      [refusal(500, "HTTPInternalServerError", "secret detail"), "INTERNAL", ""],
      [unauthorized, "TOKEN_REFUSED", ""],
      [
        { status: 201, body: { port: port({ "binding:vif_type": "binding_failed" }) } },
        "PORT_BINDING_FAILED",
        ID,
      ],
      [{ status: 201, body: { port: {} } }, "UNEXPECTED_ANSWER", ""],
      [{ status: 201, body: "created" }, "UNEXPECTED_ANSWER", ""],
      [{ status: 300, body: { versions: [] } }, "INTERNAL", ""],
      [cutShort(201, '{"port":', 900), "NETWORK_UNAVAILABLE", ""],
    ] as const) {
      cloud.server.on(`POST ${PORTS}`, answer);
      await assert.rejects(
        neutron.createPort(testCtx(), create),
        reason(expected, text),
        `${expected} ${JSON.stringify(answer)}`,
      );
    }
    for (const id of ["../../v3", "a b", ""])
      await assert.rejects(neutron.getPort(testCtx(), id), reason("PORT_NOT_FOUND"));
    cloud.server.on(`DELETE ${PORTS}/${ID}`, refusal(404, "PortNotFound"));
    await neutron.deletePort(testCtx(), ID);
    cloud.server.on(`DELETE ${PORTS}/${ID}`, refusal(409, "PortInUse"));
    await assert.rejects(neutron.deletePort(testCtx(), ID), reason("PORT_IN_USE"));
  });

  it("follows pages by their links, relative or not, and never for ever", async () => {
    await open();
    const page = (ids: readonly string[], next?: string) => ({
      status: 200,
      body: {
        ports: ids.map((id) => port({ id })),
        ...(next === undefined
          ? {}
          : {
              ports_links: [
                { rel: "previous", href: "x" },
                { rel: "next", href: next },
              ],
            }),
      },
    });
    cloud.server.on(
      `GET ${PORTS}`,
      page(["a", "b"], "http://elsewhere:9696/v2.0/ports?limit=2&marker=b"),
      page(["c"], "/v2.0/ports?marker=c&limit=2"),
      page([]),
    );
    assert.deepEqual(
      (await neutron.listPorts(testCtx(), { deviceIds: ["d1", "d2"] })).map((one) => one.id),
      ["a", "b", "c"],
    );
    assert.deepEqual(
      cloud.server
        .to(`GET ${PORTS}`)
        .map(({ query }) => [query.getAll("device_id").length, query.get("marker")]),
      [
        [2, null],
        [2, "b"],
        [2, "c"],
      ],
    );
    cloud.server.on(`GET ${PORTS}`, page(["a"], "?marker=a"));
    await assert.rejects(neutron.listPorts(testCtx()), reason("UNEXPECTED_ANSWER"));
    cloud.server.on(`GET ${PORTS}`, page(["a"], "?limit=5"));
    assert.equal((await neutron.listPorts(testCtx())).length, 1);
    cloud.server.on(`GET ${PORTS}`, page(["a"], "?marker=a"), htmlError(503, "Service Unavailable"));
    await assert.rejects(neutron.listPorts(testCtx()), reason("NETWORK_UNAVAILABLE"));
    cloud.server.on(`GET ${PORTS}`, { status: 200, body: { ports: [{}] } });
    await assert.rejects(neutron.listPorts(testCtx()), reason("UNEXPECTED_ANSWER"));
  });

  it("renews its token once, beside a user's token as well", async () => {
    await open();
    cloud.server.on(`GET ${PORTS}/${ID}`, unauthorized, { status: 200, body: { port: port() } });
    await neutron.getPort(testCtx(), ID, { userToken: "user" });
    assert.deepEqual(
      cloud.server
        .to(`GET ${PORTS}/${ID}`)
        .map(({ headers }) => [headers["x-auth-token"], headers["x-service-token"]]),
      [
        ["user", "token-1"],
        ["user", "token-2"],
      ],
    );
    cloud.server.on(`PUT ${PORTS}/${ID}`, unauthorized, { status: 200, body: { port: port() } });
    await neutron.updatePort(testCtx(), ID, { bindingHostId: "" });
    assert.deepEqual(
      cloud.server.to(`PUT ${PORTS}/${ID}`).map(({ body }) => body),
      Array(2).fill('{"port":{"binding:host_id":null}}'),
    );
    cloud.server.on(`GET ${PORTS}/${ID}`, unauthorized);
    await assert.rejects(neutron.getPort(testCtx(), ID), reason("TOKEN_REFUSED"));
    assert.equal(cloud.logins(), 4);
  });

  it("waits out a 503 as long as asked when it reads, and repeats no write", async () => {
    await open();
    cloud.server.on(
      `GET ${PORTS}/${ID}`,
      htmlError(503, "Service Unavailable", { "Retry-After": "4" }),
      (req) => {
        req.socket.destroy();
      },
      { status: 200, body: { port: port() } },
    );
    await neutron.getPort(testCtx(), ID);
    assert.deepEqual(cloud.slept, [4_000, 200]);
    cloud.server.on(`GET ${PORTS}/${ID}`, htmlError(503, "Service Unavailable", { "Retry-After": "86400" }));
    await assert.rejects(neutron.getPort(testCtx(), ID), reason("NETWORK_UNAVAILABLE"));
    assert.equal(cloud.slept.length, 2);
    cloud.server.on(`POST ${PORTS}`, (req) => {
      req.socket.destroy();
    });
    await assert.rejects(
      neutron.createPort(testCtx(), { name: "n", networkId: NET, projectId: "p", deviceId: "d" }),
      reason("NETWORK_UNAVAILABLE"),
    );
    assert.equal(cloud.server.to(`POST ${PORTS}`).length, 1);
  });

  it("ends slow answers with its own deadline, and with its caller", async () => {
    await open("/net", 50);
    cloud.server.on(`GET ${PORTS}/${ID}`, silence);
    await assert.rejects(neutron.getPort(testCtx(), ID), reason("DEADLINE_EXCEEDED"));
    const controller = new AbortController();
    const before = cloud.server.seen.length;
    const waiting = neutron.getPort(testCtx({ signal: controller.signal }), ID);
    while (cloud.server.seen.length === before) await new Promise(setImmediate);
    controller.abort(CommonErrors.CANCELLED({ what: "The request" }));
    await assert.rejects(waiting, reason("CANCELLED"));
  });

  it("works without the extensions that a deployment may lack", async () => {
    await open();
    cloud.server.on("GET /net/v2.0/quotas/p", {
      status: 200,
      body: { quota: { network: 100, subnet: 100, subnetpool: -1, port: 500 } },
    });
    assert.deepEqual(await neutron.quota(testCtx(), "p"), {
      port: 500,
      network: 100,
      floatingIp: -1,
      securityGroup: -1,
      securityGroupRule: -1,
    });
    cloud.server.on("GET /net/v2.0/networks", {
      status: 200,
      body: {
        networks: [
          {
            id: NET,
            name: "n",
            tenant_id: "p",
            status: "ACTIVE",
            admin_state_up: true,
            shared: false,
            subnets: [],
          },
        ],
      },
    });
    const [network] = await neutron.listNetworks(testCtx(), { external: false, shared: true });
    assert.deepEqual(
      [network?.external, network?.mtu, network?.portSecurityEnabled, network?.segmentationId],
      [false, 1_500, true, undefined],
    );
    assert.equal(
      cloud.server.to("GET /net/v2.0/networks")[0]?.query.toString(),
      "shared=True&router%3Aexternal=False",
    );
    cloud.server.on("GET /net/v2.0/extensions", {
      status: 200,
      body: { extensions: [{ alias: "router", name: "x", description: "x", updated: "x", links: [] }] },
    });
    assert.deepEqual(
      [...(await neutron.extensions(testCtx())), ...(await neutron.extensions(testCtx()))],
      ["router", "router"],
    );
    assert.equal(cloud.server.to("GET /net/v2.0/extensions").length, 1);
    cloud.pass(600_001);
    await neutron.extensions(testCtx());
    assert.equal(cloud.server.to("GET /net/v2.0/extensions").length, 2);
  });

  it("moves bindings, and says when that host has one already", async () => {
    await open();
    const path = `${PORTS}/${ID}/bindings`;
    const binding = {
      host: "h 2",
      status: "INACTIVE",
      vif_type: "ovs",
      vif_details: {},
      vnic_type: "normal",
      profile: {},
    };
    cloud.server.on(
      `POST ${path}`,
      { status: 201, body: { binding } },
      refusal(409, "PortBindingAlreadyExists"),
      { status: 201, body: { binding: { ...binding, vif_type: "binding_failed" } } },
    );
    assert.equal(
      (await neutron.createPortBinding(testCtx(), ID, { host: "h 2", profile: {} })).status,
      "INACTIVE",
    );
    await assert.rejects(
      neutron.createPortBinding(testCtx(), ID, { host: "h 2" }),
      reason("PORT_BINDING_EXISTS"),
    );
    await assert.rejects(
      neutron.createPortBinding(testCtx(), ID, { host: "h 2" }),
      reason("PORT_BINDING_FAILED"),
    );
    cloud.server
      .on(`PUT ${path}/h%202/activate`, { status: 200, body: { binding } })
      .on(`DELETE ${path}/h%202`, refusal(404, "PortBindingNotFound"));
    await neutron.activatePortBinding(testCtx(), ID, "h 2");
    await neutron.deletePortBinding(testCtx(), ID, "h 2");
  });
});
