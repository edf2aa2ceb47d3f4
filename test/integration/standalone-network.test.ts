import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;

describe("standalone network", () => {
  let t: TestCloud;
  let base: string;
  let admin: string;
  let demo: string;
  let demoProject: string;

  before(async () => {
    t = await testCloud();
    base = `${t.cloud.urls.network}/v2.0`;
    admin = await t.login("admin");
    demo = await t.login("demo");
    demoProject = t.cloud.seeded.projects.demo;
  });
  after(() => t.close());

  const ctx = () => testCtx();
  const send = (method: string, path: string, body?: unknown, token = admin) =>
    t.raw(`${base}${path}`, { method, token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const made = async (
    path: string,
    kind: string,
    body: Json,
    token = admin,
  ): Promise<Json & { id: string }> => {
    const answer = await send("POST", path, { [kind]: body }, token);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body[kind] as Json & { id: string };
  };
  const refused = async (
    answer: Promise<{ status: number; body: Json }>,
    status: number,
    type: string,
  ): Promise<string> => {
    const { status: got, body } = await answer;
    const error = body["NeutronError"] as { type: string; message: string };
    assert.deepEqual([got, error.type], [status, type], JSON.stringify(body));
    return error.message;
  };
  const aNetwork = async (cidr?: string, token = admin): Promise<{ id: string; subnetId: string }> => {
    const { id } = await made("/networks", "network", { name: `n-${randomUUID()}` }, token);
    const subnetId =
      cidr === undefined
        ? ""
        : (await made("/subnets", "subnet", { network_id: id, ip_version: 4, cidr }, token)).id;
    return { id, subnetId };
  };
  const wish = (networkId: string, more: object = {}) => ({
    name: "p",
    networkId,
    projectId: demoProject,
    deviceId: randomUUID(),
    ...more,
  });

  it("has a shared network that members see and may use, without its segment", async () => {
    const [network] = await t.neutron.listNetworks(ctx(), { name: "private" }, { userToken: demo });
    assert.deepEqual(
      [network?.id, network?.shared, network?.segmentationId],
      [t.cloud.seeded.networkId, true, undefined],
    );
    const [subnet] = await t.neutron.listSubnets(
      ctx(),
      { networkIds: [t.cloud.seeded.networkId] },
      { userToken: demo },
    );
    assert.deepEqual(
      [subnet?.cidr, subnet?.gatewayIp, subnet?.enableDhcp],
      ["192.168.233.0/24", "192.168.233.1", true],
    );
    const port = await t.neutron.createPort(ctx(), wish(t.cloud.seeded.networkId), { userToken: demo });
    assert.match(port.macAddress, /^fa:16:3e(:[0-9a-f]{2}){3}$/);
    assert.match(port.fixedIps[0]?.ipAddress ?? "", /^192\.168\.233\.\d+$/);
    assert.equal(port.securityGroupIds.length, 1);
    assert.equal(port.vifType, "");
    const [dhcp] = await t.neutron.listPorts(ctx(), {
      networkId: t.cloud.seeded.networkId,
      deviceOwner: "network:dhcp",
    });
    assert.deepEqual(
      dhcp?.fixedIps.map(({ ipAddress }) => ipAddress),
      ["192.168.233.2"],
      "the first of the pool",
    );
    assert.ok(((await t.neutron.getNetwork(ctx(), t.cloud.seeded.networkId)).segmentationId ?? 0) > 0);
  });

  it("refuses a second port with a MAC address, by Neutron's name for that", async () => {
    const { id } = await aNetwork("10.13.0.0/24");
    const macAddress = "fa:16:3e:12:34:56";
    const made = await t.neutron.createPort(ctx(), wish(id, { macAddress }));
    assert.equal(made.macAddress, macAddress);
    await assert.rejects(t.neutron.createPort(ctx(), wish(id, { macAddress })), { reason: "MAC_IN_USE" });
  });

  it("binds, moves and unbinds ports, and says so", async () => {
    const { id } = await aNetwork("10.1.0.0/24");
    t.events.length = 0;
    const port = await t.neutron.createPort(ctx(), wish(id));
    assert.deepEqual([port.status, port.vifType], ["DOWN", "unbound"]);
    const bound = await t.neutron.updatePort(ctx(), port.id, {
      deviceOwner: "compute:nova",
      bindingHostId: "host-1",
      bindingProfile: { a: 1 },
    });
    assert.deepEqual(
      [bound.status, bound.vifType, bound.bindingHostId, bound.bindingProfile],
      ["ACTIVE", "kilonova", "host-1", { a: 1 }],
    );
    await t.neutron.updatePort(ctx(), port.id, { bindingHostId: "host-2" });
    const loose = await t.neutron.updatePort(ctx(), port.id, { bindingHostId: "" });
    assert.deepEqual([loose.status, loose.vifType], ["DOWN", "unbound"]);
    await t.neutron.deletePort(ctx(), port.id);
    await t.neutron.deletePort(ctx(), port.id);
    assert.deepEqual(
      t.events.map((event) => [event.name, event.host]),
      [
        ["network-vif-plugged", "host-1"],
        ["network-vif-plugged", "host-2"],
        ["network-vif-unplugged", "host-2"],
        ["network-vif-deleted", ""],
      ],
    );
    assert.ok(t.events.every((event) => event.serverUuid === port.deviceId && event.portId === port.id));
  });

  it("moves a port between bindings as live migration does", async () => {
    const { id } = await aNetwork("10.1.1.0/24");
    const port = await t.neutron.createPort(
      ctx(),
      wish(id, { deviceOwner: "compute:nova", bindingHostId: "src" }),
    );
    assert.ok((await t.neutron.extensions(ctx())).has("binding-extended"));
    const made1 = await t.neutron.createPortBinding(ctx(), port.id, { host: "dst", profile: { x: "y" } });
    assert.deepEqual([made1.status, made1.vifType], ["INACTIVE", "kilonova"]);
    await assert.rejects(
      t.neutron.createPortBinding(ctx(), port.id, { host: "dst" }),
      reason("PORT_BINDING_EXISTS"),
    );
    await assert.rejects(
      t.neutron.createPortBinding(ctx(), port.id, { host: "src" }),
      reason("PORT_BINDING_EXISTS"),
    );
    await t.neutron.activatePortBinding(ctx(), port.id, "dst");
    assert.deepEqual(
      (await t.neutron.listPortBindings(ctx(), port.id)).map((one) => [one.host, one.status]),
      [
        ["dst", "ACTIVE"],
        ["src", "INACTIVE"],
      ],
    );
    assert.deepEqual((await t.neutron.getPort(ctx(), port.id)).bindingProfile, { x: "y" });
    await t.neutron.deletePortBinding(ctx(), port.id, "src");
    await t.neutron.deletePortBinding(ctx(), port.id, "src");
    assert.equal((await t.neutron.listPortBindings(ctx(), port.id)).length, 1);
  });

  it("gives each of many concurrent ports an address of its own, and stops when there are no more", async () => {
    const { id } = await aNetwork("10.2.0.0/28");
    // 13 hosts beside the gateway, of which DHCP has one.
    const tries = await Promise.allSettled(
      Array.from({ length: 16 }, () => t.neutron.createPort(ctx(), wish(id))),
    );
    const ports = tries.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    assert.equal(ports.length, 12);
    assert.equal(new Set(ports.map((port) => port.fixedIps[0]?.ipAddress)).size, 12);
    assert.equal(new Set(ports.map((port) => port.macAddress)).size, 12);
    for (const one of tries)
      if (one.status === "rejected") assert.ok(reason("NO_MORE_FIXED_IPS")(one.reason), String(one.reason));
    assert.equal((await t.neutron.listPorts(ctx(), { networkId: id })).length, 13);
  });

  it("honours wished addresses and refuses bad ones by name", async () => {
    const { id, subnetId } = await aNetwork("10.3.0.0/24");
    const port = await t.neutron.createPort(
      ctx(),
      wish(id, { fixedIps: [{ ipAddress: "10.3.0.77" }], macAddress: "fa:16:3e:00:00:01" }),
    );
    assert.deepEqual(port.fixedIps, [{ subnetId, ipAddress: "10.3.0.77" }]);
    await assert.rejects(
      t.neutron.createPort(ctx(), wish(id, { fixedIps: [{ ipAddress: "10.3.0.77" }] })),
      reason("FIXED_IP_IN_USE"),
    );
    await assert.rejects(
      t.neutron.createPort(ctx(), wish(id, { fixedIps: [{ ipAddress: "10.4.0.1" }] })),
      reason("INVALID_FIXED_IP"),
    );
    await assert.rejects(
      t.neutron.createPort(ctx(), wish(id, { fixedIps: [{ ipAddress: "10.3.0.255" }] })),
      reason("INVALID_FIXED_IP"),
    );
    await assert.rejects(
      t.neutron.createPort(ctx(), wish(id, { fixedIps: [{ subnetId, ipAddress: "9.9.9.9" }] })),
      reason("INVALID_FIXED_IP"),
    );
    await assert.rejects(
      t.neutron.createPort(ctx(), wish(id, { macAddress: "fa:16:3e:00:00:01" })),
      reason("MAC_IN_USE"),
    );
    await assert.rejects(t.neutron.createPort(ctx(), wish(randomUUID())), reason("NETWORK_NOT_FOUND"));
    await assert.rejects(
      t.neutron.createPort(ctx(), wish(id, { securityGroupIds: [randomUUID()] })),
      reason("SECURITY_GROUP_NOT_FOUND"),
    );
    const more = await t.neutron.updatePort(ctx(), port.id, {
      fixedIps: [{ subnetId }, { ipAddress: "10.3.0.77" }],
    });
    assert.equal(more.fixedIps.length, 2);
    assert.ok(more.fixedIps.some((ip) => ip.ipAddress === "10.3.0.77"));
    assert.deepEqual(
      (await t.neutron.updatePort(ctx(), port.id, { fixedIps: [{ ipAddress: "10.3.0.77" }] })).fixedIps,
      [{ subnetId, ipAddress: "10.3.0.77" }],
    );
    assert.deepEqual(
      (await t.neutron.listPorts(ctx(), { ipAddress: "10.3.0.77", subnetId })).map((one) => one.id),
      [port.id],
    );
  });

  it("makes addresses from the MAC address where a subnet advertises itself", async () => {
    const { id } = await aNetwork("10.3.1.0/24");
    await made("/subnets", "subnet", {
      network_id: id,
      ip_version: 6,
      cidr: "2001:db8:1::/64",
      ipv6_address_mode: "slaac",
      ipv6_ra_mode: "slaac",
    });
    const port = await t.neutron.createPort(ctx(), wish(id, { macAddress: "fa:16:3e:12:34:56" }));
    assert.deepEqual(
      port.fixedIps.map((ip) => (ip.ipAddress.includes(":") ? ip.ipAddress : "v4")),
      ["v4", "2001:db8:1:0:f816:3eff:fe12:3456"],
    );
  });

  it("lets nobody choose another address there, and adds it to whatever else is wished", async () => {
    const { id, subnetId } = await aNetwork("10.3.2.0/24");
    const six = await made("/subnets", "subnet", {
      network_id: id,
      ip_version: 6,
      cidr: "2001:db8:2::/64",
      gateway_ip: "2001:db8:2::1",
      ipv6_address_mode: "slaac",
      ipv6_ra_mode: "slaac",
    });
    const macAddress = "fa:16:3e:12:34:57";
    const own = "2001:db8:2:0:f816:3eff:fe12:3457";
    const addresses = (port: { readonly fixedIps: readonly { readonly ipAddress: string }[] }): string[] =>
      port.fixedIps.map(({ ipAddress }) => ipAddress);
    const body = { network_id: id, mac_address: macAddress, fixed_ips: [{ ip_address: "2001:db8:2::42" }] };
    await refused(send("POST", "/ports", { port: body }), 400, "AllocationOnAutoAddressSubnet");
    const port = await t.neutron.createPort(
      ctx(),
      wish(id, { macAddress, fixedIps: [{ ipAddress: "10.3.2.77" }] }),
    );
    assert.deepEqual(addresses(port), ["10.3.2.77", own]);
    await refused(
      send("PUT", `/ports/${port.id}`, { port: { fixed_ips: [{ ip_address: "2001:db8:2::42" }] } }),
      400,
      "AllocationOnAutoAddressSubnet",
    );
    const changed = await t.neutron.updatePort(ctx(), port.id, { fixedIps: [{ ipAddress: "10.3.2.78" }] });
    assert.deepEqual(addresses(changed), ["10.3.2.78", own]);
    const both = [{ subnetId, ipAddress: "10.3.2.78" }, { ipAddress: own.replace(":0:", "::") }];
    assert.deepEqual(
      addresses(await t.neutron.updatePort(ctx(), port.id, { fixedIps: both })),
      addresses(changed),
    );
    assert.deepEqual(addresses(await t.neutron.updatePort(ctx(), port.id, { fixedIps: [] })), []);
    const router = await made("/routers", "router", { name: "r" });
    const leg = { subnet_id: six["id"] };
    assert.equal((await send("PUT", `/routers/${router.id}/add_router_interface`, leg)).status, 200);
  });

  it("refuses overlapping subnets with the words that tempest looks for", async () => {
    const { id } = await aNetwork("10.5.0.0/16");
    const message = await refused(
      send("POST", "/subnets", { subnet: { network_id: id, ip_version: 4, cidr: "10.5.3.0/24" } }),
      400,
      "InvalidInput",
    );
    assert.match(message, /overlaps with another subnet/);
    await refused(
      send("POST", "/subnets", {
        subnet: {
          network_id: id,
          ip_version: 4,
          cidr: "10.6.0.0/24",
          gateway_ip: "10.6.0.9",
          allocation_pools: [{ start: "10.6.0.2", end: "10.6.0.20" }],
        },
      }),
      409,
      "GatewayConflictWithAllocationPools",
    );
    const cut = await made("/subnets", "subnet", {
      network_id: id,
      ip_version: 4,
      cidr: "10.7.0.0/24",
      gateway_ip: null,
      allocation_pools: [{ start: "10.7.0.50", end: "10.7.0.60" }],
    });
    assert.deepEqual(
      [cut["gateway_ip"], cut["allocation_pools"]],
      [null, [{ start: "10.7.0.50", end: "10.7.0.60" }]],
    );
  });

  it("deletes networks and subnets only when nobody is on them", async () => {
    const { id, subnetId } = await aNetwork("10.8.0.0/24");
    const port = await t.neutron.createPort(ctx(), wish(id));
    await refused(send("DELETE", `/subnets/${subnetId}`), 409, "SubnetInUse");
    await refused(send("DELETE", `/networks/${id}`), 409, "NetworkInUse");
    await t.neutron.deletePort(ctx(), port.id);
    assert.equal((await send("DELETE", `/subnets/${subnetId}`)).status, 204);
    assert.equal((await t.neutron.listPorts(ctx(), { networkId: id })).length, 0);
    assert.equal((await send("DELETE", `/networks/${id}`)).status, 204);
    await refused(send("GET", `/networks/${id}`), 404, "NetworkNotFound");
  });

  it("keeps projects apart", async () => {
    const { id, subnetId } = await aNetwork("10.9.0.0/24");
    const port = await t.neutron.createPort(ctx(), { ...wish(id), projectId: t.cloud.seeded.projects.admin });
    for (const path of [`/networks/${id}`, `/subnets/${subnetId}`, `/ports/${port.id}`]) {
      assert.equal((await send("GET", path, undefined, demo)).status, 404, path);
      assert.equal((await send("DELETE", path, undefined, demo)).status, 404, path);
    }
    assert.deepEqual(await t.neutron.listPorts(ctx(), { ids: [port.id] }, { userToken: demo }), []);
    const own = await t.neutron.createPort(ctx(), wish(t.cloud.seeded.networkId), { userToken: demo });
    for (const [path, kind, body] of [
      ["/networks", "network", { shared: true }],
      ["/networks", "network", { "router:external": true }],
      ["/networks", "network", { "provider:segmentation_id": 7 }],
      ["/networks", "network", { project_id: "other" }],
      ["/ports", "port", { network_id: t.cloud.seeded.networkId, "binding:host_id": "h" }],
      ["/ports", "port", { network_id: t.cloud.seeded.networkId, mac_address: "fa:16:3e:00:00:09" }],
      ["/subnets", "subnet", { network_id: t.cloud.seeded.networkId, ip_version: 4, cidr: "10.99.0.0/24" }],
    ] as const)
      await refused(send("POST", path, { [kind]: body }, demo), 403, "PolicyNotAuthorized");
    await refused(
      send("PUT", `/ports/${own.id}`, { port: { "binding:host_id": "h" } }, demo),
      403,
      "PolicyNotAuthorized",
    );
    await refused(
      send("PUT", `/networks/${t.cloud.seeded.networkId}`, { network: { name: "mine" } }, demo),
      403,
      "PolicyNotAuthorized",
    );
    await refused(
      send("GET", `/quotas/${t.cloud.seeded.projects.admin}`, undefined, demo),
      403,
      "PolicyNotAuthorized",
    );
  });

  it("makes one default group per project, however many ask at once", async () => {
    const project = randomUUID().replaceAll("-", "");
    await Promise.all(Array.from({ length: 6 }, () => send("GET", `/security-groups?tenant_id=${project}`)));
    const groups = await t.neutron.listSecurityGroups(ctx(), { projectId: project });
    assert.deepEqual(
      groups.map((group) => group.name),
      ["default"],
    );
    const rules = groups[0]?.rules
      .map((rule) => `${rule.direction} ${rule.ethertype} ${rule.remoteGroupId === groups[0]?.id}`)
      .sort();
    assert.deepEqual(rules, [
      "egress IPv4 false",
      "egress IPv6 false",
      "ingress IPv4 true",
      "ingress IPv6 true",
    ]);
  });

  it("keeps security groups and their rules in order", async () => {
    const group = await made("/security-groups", "security_group", { name: "web" }, demo);
    const rule = {
      security_group_id: group.id,
      direction: "ingress",
      protocol: "tcp",
      port_range_min: 80,
      port_range_max: 81,
      remote_ip_prefix: "10.0.0.7/8",
    };
    const first = await made("/security-group-rules", "security_group_rule", rule, demo);
    assert.equal(first["remote_ip_prefix"], "10.0.0.0/8");
    assert.ok(
      (
        await refused(
          send("POST", "/security-group-rules", { security_group_rule: { ...rule, protocol: "6" } }, demo),
          409,
          "SecurityGroupRuleExists",
        )
      ).includes(first.id),
    );
    for (const bad of [
      { port_range_min: 90 },
      { protocol: "nonsense" },
      { protocol: null },
      { remote_ip_prefix: "::/0" },
      { remote_group_id: group.id },
      { port_range_min: 0, port_range_max: 0 },
    ]) {
      await refused(
        send("POST", "/security-group-rules", { security_group_rule: { ...rule, ...bad } }, demo),
        400,
        "SecurityGroupRuleInvalid",
      );
    }
    const info = await t.neutron.getSecurityGroup(ctx(), group.id, { userToken: demo });
    assert.deepEqual(
      info.rules
        .filter((one) => one.direction === "ingress")
        .map((one) => [one.protocol, one.portRangeMin, one.portRangeMax]),
      [["tcp", 80, 81]],
    );
    const port = await t.neutron.createPort(
      ctx(),
      wish(t.cloud.seeded.networkId, { securityGroupIds: [group.id] }),
      { userToken: demo },
    );
    await refused(send("DELETE", `/security-groups/${group.id}`, undefined, demo), 409, "SecurityGroupInUse");
    await t.neutron.deletePort(ctx(), port.id, { userToken: demo });
    assert.equal((await send("DELETE", `/security-group-rules/${first.id}`, undefined, demo)).status, 204);
    assert.equal((await send("DELETE", `/security-groups/${group.id}`, undefined, demo)).status, 204);
    const [standard] = await t.neutron.listSecurityGroups(ctx(), { name: "default" }, { userToken: demo });
    await refused(
      send("DELETE", `/security-groups/${standard?.id ?? ""}`, undefined, demo),
      409,
      "SecurityGroupCannotRemoveDefault",
    );
  });

  it("holds quotas under concurrency", async () => {
    const project = randomUUID().replaceAll("-", "");
    const { id } = await aNetwork("10.10.0.0/24");
    assert.equal((await send("PUT", `/quotas/${project}`, { quota: { port: 3 } })).status, 200);
    assert.equal((await t.neutron.quota(ctx(), project)).port, 3);
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, () => t.neutron.createPort(ctx(), { ...wish(id), projectId: project })),
    );
    assert.equal(tries.filter((one) => one.status === "fulfilled").length, 3);
    for (const one of tries)
      if (one.status === "rejected") assert.ok(reason("PORT_LIMIT_EXCEEDED")(one.reason), String(one.reason));
    const details = (await send("GET", `/quotas/${project}/details.json`)).body["quota"] as { port: Json };
    assert.deepEqual(details.port, { limit: 3, used: 3, reserved: 0 });
    assert.equal((await send("DELETE", `/quotas/${project}`)).status, 204);
    assert.equal((await t.neutron.quota(ctx(), project)).port, 500);
  });

  it("pages through ports both ways, and shows the fields asked for", async () => {
    const { id } = await aNetwork("10.11.0.0/24");
    const device = randomUUID();
    for (let n = 0; n < 5; n++)
      await t.neutron.createPort(ctx(), { ...wish(id), deviceId: device, name: `p${n}` });
    const pages: string[][] = [];
    let url: string | undefined =
      `${base}/ports?device_id=${device}&limit=2&sort_key=name&sort_dir=desc&fields=name&fields=id`;
    let back: string | undefined;
    while (url !== undefined) {
      const page = await t.raw(url, { token: admin });
      assert.equal(page.status, 200);
      const ports = page.body["ports"] as { name: string; id: string }[];
      assert.deepEqual(Object.keys(ports[0] ?? { id: 1, name: 1 }).sort(), ["id", "name"]);
      pages.push(ports.map((port) => port.name));
      const links = (page.body["ports_links"] ?? []) as { rel: string; href: string }[];
      back = links.find((link) => link.rel === "previous")?.href ?? back;
      url = links.find((link) => link.rel === "next")?.href;
    }
    assert.deepEqual(pages, [["p4", "p3"], ["p2", "p1"], ["p0"]]);
    const previous = (await t.raw(back ?? "", { token: admin })).body["ports"] as { name: string }[];
    assert.equal(previous.length > 0, true);
    assert.equal(
      (
        await t.neutron.listPorts(ctx(), {
          deviceIds: [device, ...Array.from({ length: 250 }, () => randomUUID())],
        })
      ).length,
      5,
    );
    assert.deepEqual(await t.neutron.listPorts(ctx(), { deviceIds: [] }), []);
  });

  it("leads floating IPs through a router, and nowhere without one", async () => {
    const outside = await made("/networks", "network", { name: "public", "router:external": true });
    await made("/subnets", "subnet", {
      network_id: outside.id,
      ip_version: 4,
      cidr: "203.0.113.0/29",
      enable_dhcp: false,
    });
    const { id, subnetId } = await aNetwork("10.12.0.0/24", demo);
    const port = await t.neutron.createPort(ctx(), wish(id, { deviceOwner: "compute:nova" }));
    const fip = await made("/floatingips", "floatingip", { floating_network_id: outside.id }, demo);
    const associate = () => send("PUT", `/floatingips/${fip.id}`, { floatingip: { port_id: port.id } }, demo);
    await refused(associate(), 404, "ExternalGatewayForFloatingIPNotFound");
    const router = await made(
      "/routers",
      "router",
      { name: "r", external_gateway_info: { network_id: outside.id } },
      demo,
    );
    assert.equal(
      (await send("PUT", `/routers/${router.id}/add_router_interface`, { subnet_id: subnetId }, demo)).status,
      200,
    );
    await refused(
      send("PUT", `/routers/${router.id}/add_router_interface`, { subnet_id: subnetId }, demo),
      400,
      "BadRequest",
    );
    assert.equal((await associate()).status, 200);
    assert.deepEqual(
      (await t.neutron.listFloatingIps(ctx(), { portIds: [port.id] })).map((one) => [
        one.status,
        one.fixedIpAddress,
      ]),
      [["ACTIVE", port.fixedIps[0]?.ipAddress]],
    );
    await refused(send("DELETE", `/routers/${router.id}`, undefined, demo), 409, "RouterInUse");
    await refused(
      send("PUT", `/routers/${router.id}/remove_router_interface`, { subnet_id: subnetId }, demo),
      409,
      "RouterInterfaceInUseByFloatingIP",
    );
    assert.equal((await send("DELETE", `/floatingips/${fip.id}`, undefined, demo)).status, 204);
    assert.equal(
      (await send("PUT", `/routers/${router.id}/remove_router_interface`, { subnet_id: subnetId }, demo))
        .status,
      200,
    );
    assert.equal((await send("DELETE", `/routers/${router.id}`, undefined, demo)).status, 204);
    assert.equal((await t.neutron.listPorts(ctx(), { networkId: outside.id })).length, 0);
  });

  it("answers malformed input with 400 in Neutron's form, never with 500", async () => {
    const { id } = await aNetwork("10.13.0.0/24");
    for (const [method, path, body] of [
      ["POST", "/networks", {}],
      ["POST", "/networks", { network: 5 }],
      ["POST", "/networks", { network: { nonsense: 1 } }],
      ["POST", "/networks", { network: { mtu: "x" } }],
      ["POST", "/networks", { network: { name: "a\0b" } }],
      ["POST", "/networks", { network: { admin_state_up: "perhaps" } }],
      ["POST", "/networks", null],
      ["POST", "/subnets", { subnet: { network_id: id, ip_version: 5, cidr: "10.0.0.0/8" } }],
      ["POST", "/subnets", { subnet: { network_id: id, ip_version: 4, cidr: "10.0.0.0/33" } }],
      ["POST", "/subnets", { subnet: { network_id: id, ip_version: 6, cidr: "10.0.0.0/24" } }],
      ["POST", "/subnets", { subnet: { network_id: id, ip_version: 4, cidr: "x/y" } }],
      [
        "POST",
        "/subnets",
        { subnet: { network_id: id, ip_version: 4, cidr: "10.77.0.0/24", gateway_ip: "1.1.1.1" } },
      ],
      [
        "POST",
        "/subnets",
        { subnet: { network_id: id, ip_version: 4, cidr: "10.77.0.0/24", dns_nameservers: ["x"] } },
      ],
      ["POST", "/ports", { port: { network_id: id, fixed_ips: [{ ip_address: "300.1.1.1" }] } }],
      ["POST", "/ports", { port: { network_id: id, mac_address: "zz" } }],
      ["POST", "/ports", { port: { network_id: id, fixed_ips: [{}] } }],
      ["POST", "/ports", { port: { network_id: id, "binding:profile": [] } }],
      ["POST", "/ports", { port: { network_id: id, allowed_address_pairs: [{ ip_address: "x" }] } }],
      ["GET", "/ports?nonsense=1", undefined],
      ["GET", "/ports?limit=x", undefined],
      ["GET", "/ports?sort_key=created_at", undefined],
      ["GET", "/ports?fixed_ips=x=y", undefined],
      ["GET", "/networks?shared=perhaps", undefined],
      ["GET", "/ports?name=%00", undefined],
      ["PUT", `/quotas/x`, { quota: { port: -5 } }],
      ["PUT", `/quotas/x`, { quota: { nonsense: 1 } }],
    ] as const) {
      const answer = await send(method, path, body);
      assert.equal(
        answer.status,
        400,
        `${method} ${path} ${JSON.stringify(body)} ${JSON.stringify(answer.body)}`,
      );
      assert.equal(typeof (answer.body["NeutronError"] as Json)["message"], "string");
    }
    assert.equal((await t.raw(`${base}/networks`, { method: "POST", token: admin, body: "{" })).status, 400);
    for (const path of [
      "/networks/some-name",
      "/ports/some-name",
      "/subnets/some-name",
      "/security-groups/some-name",
      "/extensions/some-name",
      "/nonsense",
    ])
      assert.equal((await send("GET", path)).status, 404, path);
    assert.equal((await t.raw(`${base}/networks`)).status, 401);
  });
});
