import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { changesExtension } from "../../pkg/clients/neutron/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;
type Made = Json & { readonly id: string };

/** What the Network service lets one project do to what others rely on, and what contradicts itself. */
describe("standalone network's rules", () => {
  let t: TestCloud;
  let base: string;
  let admin: string;
  let demo: string;

  before(async () => {
    t = await testCloud();
    base = `${t.cloud.urls.network}/v2.0`;
    admin = await t.login("admin");
    demo = await t.login("demo");
  });
  after(() => t.close());

  const send = (method: string, path: string, body?: unknown, token = admin) =>
    t.raw(`${base}${path}`, { method, token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const made = async (path: string, kind: string, body: Json, token = admin): Promise<Made> => {
    const answer = await send("POST", path, { [kind]: body }, token);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body[kind] as Made;
  };
  const done = async (answer: ReturnType<typeof send>, kind = ""): Promise<Json> => {
    const { status, body } = await answer;
    assert.ok(status < 300, JSON.stringify(body));
    return (kind === "" ? body : body[kind]) as Json;
  };
  const refused = async (answer: ReturnType<typeof send>, status: number, type: string): Promise<string> => {
    const { status: got, body } = await answer;
    const error = body["NeutronError"] as { type: string; message: string };
    assert.deepEqual([got, error.type], [status, type], JSON.stringify(body));
    return error.message;
  };
  const aNetwork = async (
    cidr: string,
    token = admin,
    more: Json = {},
  ): Promise<Made & { subnetId: string }> => {
    const network = await made("/networks", "network", { name: `n-${randomUUID()}`, ...more }, token);
    // Whatever is given out by chance comes from a small pool, so that wishes outside of it never meet it.
    const [, base = "", last = ""] = /^(.*\.)(\d+)\//.exec(cidr) ?? [];
    const pool = { start: `${base}${Number(last) + 2}`, end: `${base}${Number(last) + 6}` };
    return {
      ...network,
      subnetId: (
        await made(
          "/subnets",
          "subnet",
          { network_id: network.id, ip_version: 4, cidr, allocation_pools: [pool] },
          token,
        )
      ).id,
    };
  };
  const external = (cidr: string): ReturnType<typeof aNetwork> =>
    aNetwork(cidr, admin, { "router:external": true });

  it("keeps a network shared while other projects are on it, and lets its owner clear it", async () => {
    const network = await aNetwork("10.30.0.0/24", admin, { shared: true });
    const port = await made("/ports", "port", { network_id: network.id }, demo);
    await refused(
      send("PUT", `/networks/${network.id}`, { network: { shared: false } }),
      409,
      "InvalidSharedSetting",
    );
    await refused(
      send("PUT", `/networks/${network.id}`, { network: { shared: false } }, demo),
      403,
      "PolicyNotAuthorized",
    );
    await done(send("DELETE", `/ports/${port.id}`));
    assert.equal(
      (await done(send("PUT", `/networks/${network.id}`, { network: { shared: false } }), "network"))[
        "shared"
      ],
      false,
    );
    await refused(send("POST", "/ports", { port: { network_id: network.id } }, demo), 404, "NetworkNotFound");
  });

  it("lets nobody choose addresses, hardware or a router's place on somebody else's shared network", async () => {
    const network = await aNetwork("10.39.0.0/24", admin, { shared: true });
    const port = await made("/ports", "port", { network_id: network.id }, demo);
    for (const fields of [
      { fixed_ips: [{ ip_address: "10.39.0.1" }] },
      { fixed_ips: [{ subnet_id: network.subnetId, ip_address: "10.39.0.77" }] },
      { mac_address: "fa:16:3e:00:00:39" },
      { port_security_enabled: false },
      { allowed_address_pairs: [{ ip_address: "10.39.0.0/24" }] },
      { device_owner: "network:dhcp" },
      { "binding:host_id": "vm-1" },
    ]) {
      const wish = { port: { network_id: network.id, ...fields } };
      await refused(send("POST", "/ports", wish, demo), 403, "PolicyNotAuthorized");
      await refused(send("PUT", `/ports/${port.id}`, { port: fields }, demo), 403, "PolicyNotAuthorized");
    }
    await made(
      "/ports",
      "port",
      { network_id: network.id, fixed_ips: [{ subnet_id: network.subnetId }] },
      demo,
    );
    const router = await made("/routers", "router", { name: "mine" }, demo);
    const join = { subnet_id: network.subnetId };
    await refused(send("PUT", `/routers/${router.id}/add_router_interface`, join, demo), 400, "BadRequest");
    await done(send("PUT", `/routers/${router.id}/add_router_interface`, join));
    await done(send("PUT", `/routers/${router.id}/remove_router_interface`, join));
  });

  it("refuses a port that claims a router or a server of another project", async () => {
    const network = await aNetwork("10.38.0.0/24", admin, { shared: true });
    const router = await made("/routers", "router", { name: "theirs" });
    const server = randomUUID();
    await made("/ports", "port", { network_id: network.id, device_id: server, device_owner: "compute:nova" });
    const port = await made("/ports", "port", { network_id: network.id, device_id: randomUUID() }, demo);
    for (const device_id of [router.id, server]) {
      const wish = { network_id: network.id, device_id, device_owner: "compute:nova" };
      await refused(send("POST", "/ports", { port: wish }, demo), 409, "DeviceIDNotOwnedByTenant");
      const change = { port: { device_id } };
      await refused(send("PUT", `/ports/${port.id}`, change, demo), 409, "DeviceIDNotOwnedByTenant");
    }
    await done(send("PUT", `/ports/${port.id}`, { port: { device_id: randomUUID() } }, demo));
  });

  it("shows external networks to all, lets nobody boot on them, and has one default", async () => {
    const outside = await external("198.51.100.0/28");
    assert.equal(
      (await done(send("GET", `/networks/${outside.id}`, undefined, demo), "network"))["router:external"],
      true,
    );
    await refused(
      send("POST", "/ports", { port: { network_id: outside.id } }, demo),
      403,
      "PolicyNotAuthorized",
    );
    await done(send("PUT", `/networks/${outside.id}`, { network: { is_default: true } }));
    const message = await refused(
      send("POST", "/networks", { network: { "router:external": true, is_default: true } }),
      409,
      "DefaultExternalNetworkExists",
    );
    assert.ok(message.includes(outside.id));
    const router = await made(
      "/routers",
      "router",
      { external_gateway_info: { network_id: outside.id } },
      demo,
    );
    await refused(
      send("PUT", `/networks/${outside.id}`, { network: { "router:external": false } }),
      409,
      "ExternalNetworkInUse",
    );
    await done(send("DELETE", `/routers/${router.id}`, undefined, demo));
    assert.equal(
      (
        await done(
          send("PUT", `/networks/${outside.id}`, {
            network: { "router:external": false, is_default: false },
          }),
          "network",
        )
      )["router:external"],
      false,
    );
  });

  it("joins a router to ranges that are apart, by subnet or port", async () => {
    const one = await aNetwork("10.31.0.0/24", demo);
    const same = await aNetwork("10.31.0.0/25", demo);
    const other = await aNetwork("10.32.0.0/24", demo);
    const router = await made("/routers", "router", { name: "r" }, demo);
    const join = (body: Json) => send("PUT", `/routers/${router.id}/add_router_interface`, body, demo);
    const part = (body: Json) => send("PUT", `/routers/${router.id}/remove_router_interface`, body, demo);
    await done(join({ subnet_id: one.subnetId }));
    assert.match(
      await refused(join({ subnet_id: one.subnetId }), 400, "BadRequest"),
      /Router already has a port on subnet/,
    );
    assert.match(
      await refused(join({ subnet_id: same.subnetId }), 400, "BadRequest"),
      /overlaps with cidr 10\.31\.0\.0\/24/,
    );
    const port = await made("/ports", "port", { network_id: other.id }, demo);
    const leg = await done(join({ port_id: port.id }));
    assert.deepEqual([leg["port_id"], leg["subnet_id"]], [port.id, other.subnetId]);
    await refused(join({ port_id: port.id }), 409, "PortInUse");
    await refused(send("DELETE", `/ports/${port.id}`, undefined, demo), 409, "ServicePortInUse");

    await refused(
      send(
        "PUT",
        `/routers/${router.id}`,
        { router: { routes: [{ destination: "10.99.0.0/16", nexthop: "172.16.0.1" }] } },
        demo,
      ),
      400,
      "InvalidRoutes",
    );
    const routes = [{ destination: "10.99.0.0/16", nexthop: "10.32.0.9" }];
    assert.deepEqual(
      (await done(send("PUT", `/routers/${router.id}`, { router: { routes } }, demo), "router"))["routes"],
      routes,
    );
    await refused(part({ port_id: port.id }), 409, "RouterInterfaceInUseByRoute");
    assert.deepEqual(
      (await done(send("PUT", `/routers/${router.id}`, { router: { routes: null } }, demo), "router"))[
        "routes"
      ],
      [],
    );
    await done(part({ port_id: port.id }));
    await refused(part({ port_id: port.id }), 404, "RouterInterfaceNotFound");
    await done(part({ subnet_id: one.subnetId }));
    await done(send("DELETE", `/routers/${router.id}`, undefined, demo));
  });

  it("keeps a router's gateway under its floating IPs, which say where they lead", async () => {
    const outside = await external("203.0.113.0/28");
    const elsewhere = await external("203.0.113.16/28");
    const inside = await aNetwork("10.33.0.0/24", demo);
    const router = await made(
      "/routers",
      "router",
      { external_gateway_info: { network_id: outside.id } },
      demo,
    );
    await done(
      send("PUT", `/routers/${router.id}/add_router_interface`, { subnet_id: inside.subnetId }, demo),
    );
    const port = await made(
      "/ports",
      "port",
      {
        network_id: inside.id,
        name: "vnic",
        fixed_ips: [{ ip_address: "10.33.0.20" }, { ip_address: "10.33.0.21" }],
      },
      demo,
    );
    const ip = await made(
      "/floatingips",
      "floatingip",
      { floating_network_id: outside.id, port_id: port.id, fixed_ip_address: "10.33.0.21" },
      demo,
    );
    const details = ip["port_details"] as Json;
    assert.deepEqual(
      [details["name"], details["mac_address"], details["network_id"], details["device_id"]],
      ["vnic", port["mac_address"], inside.id, ""],
    );
    assert.deepEqual(
      [ip["fixed_ip_address"], ip["router_id"], ip["status"]],
      ["10.33.0.21", router.id, "ACTIVE"],
    );

    const gateway = (router_: Json) =>
      send("PUT", `/routers/${router.id}`, { router: { external_gateway_info: router_ } }, demo);
    const before = (await done(send("GET", `/routers/${router.id}`, undefined, demo), "router"))[
      "external_gateway_info"
    ];
    assert.deepEqual(
      (await done(gateway({ network_id: outside.id }), "router"))["external_gateway_info"],
      before,
    );
    await refused(gateway({ network_id: elsewhere.id }), 409, "RouterExternalGatewayInUseByFloatingIp");
    await refused(gateway({}), 409, "RouterExternalGatewayInUseByFloatingIp");
    await refused(gateway({ network_id: outside.id, enable_snat: false }), 403, "PolicyNotAuthorized");

    const put = (body: Json) => send("PUT", `/floatingips/${ip.id}`, { floatingip: body }, demo);
    assert.equal(
      (await done(put({ fixed_ip_address: "10.33.0.20" }), "floatingip"))["fixed_ip_address"],
      "10.33.0.20",
    );
    const loose = await done(put({ port_id: null }), "floatingip");
    assert.deepEqual(
      [loose["port_details"], loose["fixed_ip_address"], loose["status"]],
      [null, null, "DOWN"],
    );
    await refused(put({ fixed_ip_address: "10.33.0.20" }), 400, "BadRequest");
    await refused(put({ port_id: port.id, fixed_ip_address: "10.33.0.99" }), 400, "BadRequest");
    await done(put({ port_id: port.id }));
    await done(send("DELETE", `/ports/${port.id}`, undefined, demo));
    assert.deepEqual(
      (await done(send("GET", `/floatingips/${ip.id}`, undefined, demo), "floatingip"))["port_id"],
      null,
    );
    await refused(
      send(
        "POST",
        "/floatingips",
        { floatingip: { floating_network_id: outside.id, floating_ip_address: "203.0.113.9" } },
        demo,
      ),
      403,
      "PolicyNotAuthorized",
    );
    assert.equal(
      (
        await made("/floatingips", "floatingip", {
          floating_network_id: outside.id,
          floating_ip_address: "203.0.113.9",
        })
      )["floating_ip_address"],
      "203.0.113.9",
    );
    await refused(
      send("POST", "/floatingips", { floatingip: { floating_network_id: outside.id, dns_name: "x" } }, demo),
      400,
      "BadRequest",
    );
    assert.equal((await done(gateway({ network_id: elsewhere.id }), "router"))["status"], "ACTIVE");
  });

  it("guards ports that have groups or further addresses", async () => {
    const network = await aNetwork("10.34.0.0/24", demo);
    const port = await made(
      "/ports",
      "port",
      { network_id: network.id, allowed_address_pairs: [{ ip_address: "10.34.0.200" }] },
      demo,
    );
    assert.deepEqual(port["allowed_address_pairs"], [
      { mac_address: port["mac_address"], ip_address: "10.34.0.200" },
    ]);
    const put = (body: Json) => send("PUT", `/ports/${port.id}`, { port: body }, demo);
    await refused(put({ port_security_enabled: false }), 409, "PortSecurityPortHasSecurityGroup");
    await refused(
      put({ port_security_enabled: false, security_groups: [] }),
      409,
      "AddressPairAndPortSecurityRequired",
    );
    await refused(
      put({
        allowed_address_pairs: [
          { ip_address: "10.34.0.1" },
          { ip_address: "10.34.0.1", mac_address: port["mac_address"] },
        ],
      }),
      400,
      "DuplicateAddressPairInRequest",
    );
    assert.equal(
      (
        await done(
          put({ port_security_enabled: false, security_groups: [], allowed_address_pairs: [] }),
          "port",
        )
      )["port_security_enabled"],
      false,
    );
    const [group] = (await done(send("GET", "/security-groups?name=default", undefined, demo)))[
      "security_groups"
    ] as Made[];
    await refused(put({ security_groups: [group?.id] }), 400, "PortSecurityAndIPRequiredForSecurityGroups");
    await refused(
      send("POST", "/security-groups", { security_group: { name: "s", stateful: false } }, demo),
      400,
      "InvalidInput",
    );
  });

  it("reads tags without changing anything, and checks quotas against use when asked to", async () => {
    const network = await aNetwork("10.35.0.0/24", demo);
    await done(send("PUT", `/networks/${network.id}/tags`, { tags: ["b", "a"] }, demo));
    const revision = async (): Promise<unknown> =>
      (await done(send("GET", `/networks/${network.id}`, undefined, demo), "network"))["revision_number"];
    const before = await revision();
    assert.deepEqual((await done(send("GET", `/networks/${network.id}/tags`, undefined, demo)))["tags"], [
      "b",
      "a",
    ]);
    assert.equal((await send("GET", `/networks/${network.id}/tags/a`, undefined, demo)).status, 204);
    await refused(send("GET", `/networks/${network.id}/tags/c`, undefined, demo), 404, "TagNotFound");
    assert.equal(await revision(), before);

    const project = t.cloud.seeded.projects.demo;
    assert.match(
      await refused(
        send("PUT", `/quotas/${project}`, { quota: { network: 0, router: 100, check_limit: true } }),
        409,
        "InvalidQuotaValue",
      ),
      /resources: network\./,
    );
    assert.equal(
      (await done(send("PUT", `/quotas/${project}`, { quota: { network: 0 } }), "quota"))["network"],
      0,
    );
    assert.match(
      await refused(send("POST", "/networks", { network: {} }, demo), 409, "OverQuota"),
      /\['network'\]/,
    );
    await done(send("DELETE", `/quotas/${project}`));
  });

  it("tells services of changes to ports, groups and rules at once, and nobody of anything else", async () => {
    const ctx = testCtx({ deadlineMs: Date.now() + 60_000 });
    const network = await aNetwork("10.99.0.0/28");
    let mark = await t.neutron.awaitChange(ctx, undefined, 0);
    const told = async (change: () => Promise<unknown>): Promise<void> => {
      const waiting = t.neutron.awaitChange(ctx, mark, 30_000);
      await change();
      const next = await waiting;
      assert.notEqual(next, mark);
      mark = next;
    };
    let group = "";
    let rule = "";
    await told(async () => {
      group = (await made("/security-groups", "security_group", { name: "told" })).id;
    });
    await told(async () => {
      rule = (
        await made("/security-group-rules", "security_group_rule", {
          security_group_id: group,
          direction: "ingress",
          protocol: "tcp",
        })
      ).id;
    });
    await told(() => made("/ports", "port", { network_id: network.id, security_groups: [group] }));
    await told(() => done(send("DELETE", `/security-group-rules/${rule}`)));

    await done(send("GET", "/ports"));
    await done(send("PUT", `/networks/${network.id}`, { network: { name: "other" } }));
    await refused(send("DELETE", `/ports/${randomUUID()}`), 404, "PortNotFound");
    assert.equal(await t.neutron.awaitChange(ctx, mark, 1), mark);
    await refused(send("GET", "/kilonova-changes", undefined, demo), 403, "PolicyNotAuthorized");
    await refused(send("GET", "/kilonova-changes?wait_ms=30001"), 400, "InvalidInput");
    assert.ok((await t.neutron.extensions(ctx)).has(changesExtension));
  });
});
