import assert from "node:assert/strict";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack network` and `subnet`. */
export function networks(stage: Stage): void {
  it("network create, list, show, set, unset, delete", async () => {
    const { admin, demo } = stage;
    const made = await admin.json<Fields>(
      "network",
      "create",
      "--description=d",
      "--mtu=1400",
      "--share",
      "--external",
      "--no-default",
      "--disable",
      "--disable-port-security",
      "--provider-network-type=vxlan",
      "--provider-segment=4711",
      "--dns-domain=example.org.",
      "--project=demo",
      "--tag=t1",
      "wide",
    );
    assert.deepEqual(
      pick(
        made,
        "name",
        "description",
        "mtu",
        "shared",
        "router:external",
        "admin_state_up",
        "port_security_enabled",
        "provider:network_type",
        "provider:segmentation_id",
        "dns_domain",
      ),
      ["wide", "d", 1400, true, true, false, false, "vxlan", 4711, "example.org."],
    );
    assert.match(
      await admin.fails(
        "network",
        "create",
        "--provider-network-type=vxlan",
        "--provider-segment=4711",
        "twin",
      ),
      /in use/,
    );
    const named = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await admin.json<Fields[]>("network", "list", ...filter), "Name").sort();
    assert.deepEqual(await named(), ["private", "wide"]);
    for (const [filter, expected] of [
      ["--external", ["wide"]],
      ["--internal", ["private"]],
      ["--name=wide", ["wide"]],
      ["--enable", ["private"]],
      ["--disable", ["wide"]],
      ["--project=demo", ["wide"]],
      ["--share", ["private", "wide"]],
      ["--no-share", []],
      ["--status=ACTIVE", ["private", "wide"]],
      ["--status=DOWN", []],
      ["--provider-segment=4711", ["wide"]],
      ["--tags=t1", ["wide"]],
      ["--not-tags=t1", ["private"]],
    ] as const)
      assert.deepEqual(await named(filter), expected, filter);
    const [long] = await admin.json<Fields[]>("network", "list", "--long", "--name=wide");
    assert.deepEqual(pick(long ?? {}, "Status", "Shared", "Network Type", "Tags"), [
      "ACTIVE",
      true,
      "vxlan",
      ["t1"],
    ]);
    await admin.run(
      "network",
      "set",
      "--name=narrow",
      "--description=e",
      "--mtu=1300",
      "--no-share",
      "--internal",
      "--enable",
      "--enable-port-security",
      "--tag=t2",
      "wide",
    );
    await admin.run("network", "unset", "--tag=t1", "narrow");
    assert.deepEqual(
      pick(
        await admin.json<Fields>("network", "show", "narrow"),
        "id",
        "description",
        "mtu",
        "shared",
        "router:external",
        "admin_state_up",
        "port_security_enabled",
        "tags",
      ),
      [made["id"], "e", 1300, false, false, true, true, ["t2"]],
    );
    assert.equal(
      Object.hasOwn(await demo.json<Fields>("network", "show", "narrow"), "provider:segmentation_id") &&
        (await demo.json<Fields>("network", "show", "narrow"))["provider:segmentation_id"] !== null,
      false,
    );
    await admin.run("network", "delete", "narrow");
    assert.match(await admin.fails("network", "show", "narrow"), /No Network found for narrow/);
    assert.match(
      await demo.fails("network", "create", "--share", "mine"),
      /create_network:shared.*disallowed by policy/,
    );
    assert.match(
      await demo.fails("network", "set", "--name=mine", "private"),
      /update_network.*disallowed by policy/,
    );
  });

  it("subnet create, list, show, set, unset, delete", async () => {
    const { demo } = stage;
    await demo.run("network", "create", "lan", "-f", "json");
    const made = await demo.json<Fields>(
      "subnet",
      "create",
      "--network=lan",
      "--subnet-range=10.40.0.0/24",
      "--gateway=10.40.0.254",
      "--allocation-pool=start=10.40.0.10,end=10.40.0.20",
      "--allocation-pool=start=10.40.0.30,end=10.40.0.40",
      "--dns-nameserver=9.9.9.9",
      "--host-route=destination=10.99.0.0/16,gateway=10.40.0.1",
      "--description=d",
      "--tag=t1",
      "s4",
    );
    assert.deepEqual(
      pick(
        made,
        "cidr",
        "gateway_ip",
        "dns_nameservers",
        "enable_dhcp",
        "ip_version",
        "allocation_pools",
        "host_routes",
        "tags",
      ),
      [
        "10.40.0.0/24",
        "10.40.0.254",
        ["9.9.9.9"],
        true,
        4,
        [
          { start: "10.40.0.10", end: "10.40.0.20" },
          { start: "10.40.0.30", end: "10.40.0.40" },
        ],
        [{ destination: "10.99.0.0/16", nexthop: "10.40.0.1" }],
        ["t1"],
      ],
    );
    const v6 = await demo.json<Fields>(
      "subnet",
      "create",
      "--network=lan",
      "--ip-version=6",
      "--subnet-range=fd00:40::/64",
      "--ipv6-ra-mode=slaac",
      "--ipv6-address-mode=slaac",
      "s6",
    );
    assert.deepEqual(pick(v6, "ip_version", "ipv6_ra_mode", "ipv6_address_mode", "gateway_ip"), [
      6,
      "slaac",
      "slaac",
      "fd00:40::1",
    ]);
    const plain = await demo.json<Fields>(
      "subnet",
      "create",
      "--network=lan",
      "--subnet-range=10.41.0.0/28",
      "--no-dhcp",
      "--gateway=none",
      "s0",
    );
    assert.deepEqual(pick(plain, "enable_dhcp", "gateway_ip", "allocation_pools"), [
      false,
      null,
      [{ start: "10.41.0.1", end: "10.41.0.14" }],
    ]);
    assert.match(
      await demo.fails("subnet", "create", "--network=lan", "--subnet-range=10.40.0.128/25", "twin"),
      /overlaps with another subnet/,
    );
    assert.match(
      await demo.fails("subnet", "create", "--network=lan", "--subnet-range=10.42.0.0/33", "odd"),
      /not a valid IP subnet/,
    );
    assert.match(
      await demo.fails(
        "subnet",
        "create",
        "--network=lan",
        "--subnet-range=10.42.0.0/24",
        "--gateway=10.42.0.5",
        "--allocation-pool=start=10.42.0.2,end=10.42.0.9",
        "odd",
      ),
      /conflicts with an allocation pool/,
    );
    assert.match(
      await demo.fails("subnet", "create", "--network=private", "--subnet-range=10.42.0.0/24", "mine"),
      /create_subnet.*disallowed by policy/,
    );

    const named = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("subnet", "list", ...filter), "Name").sort();
    assert.deepEqual(await named("--network=lan"), ["s0", "s4", "s6"]);
    for (const [filter, expected] of [
      ["--ip-version=6", ["s6"]],
      ["--no-dhcp", ["s0"]],
      ["--gateway=10.40.0.254", ["s4"]],
      ["--name=s0", ["s0"]],
      ["--subnet-range=10.40.0.0/24", ["s4"]],
      ["--tags=t1", ["s4"]],
    ] as const)
      assert.deepEqual(await named(filter), expected, filter);
    const [long] = await demo.json<Fields[]>("subnet", "list", "--long", "--name=s4");
    assert.deepEqual(pick(long ?? {}, "DHCP", "Gateway", "Name Servers"), [true, "10.40.0.254", ["9.9.9.9"]]);

    await demo.run(
      "subnet",
      "set",
      "--name=s5",
      "--no-dhcp",
      "--gateway=10.40.0.253",
      "--dns-nameserver=1.1.1.1",
      "--no-allocation-pool",
      "--allocation-pool=start=10.40.0.50,end=10.40.0.60",
      "--host-route=destination=10.98.0.0/16,gateway=10.40.0.1",
      "--description=e",
      "--tag=t2",
      "s4",
    );
    await demo.run(
      "subnet",
      "unset",
      "--dns-nameserver=9.9.9.9",
      "--host-route=destination=10.99.0.0/16,gateway=10.40.0.1",
      "--tag=t1",
      "s5",
    );
    assert.deepEqual(
      pick(
        await demo.json<Fields>("subnet", "show", "s5"),
        "id",
        "enable_dhcp",
        "gateway_ip",
        "dns_nameservers",
        "allocation_pools",
        "host_routes",
        "description",
        "tags",
      ),
      [
        made["id"],
        false,
        "10.40.0.253",
        ["1.1.1.1"],
        [{ start: "10.40.0.50", end: "10.40.0.60" }],
        [{ destination: "10.98.0.0/16", nexthop: "10.40.0.1" }],
        "e",
        ["t2"],
      ],
    );
    const port = await demo.json<Fields>("port", "create", "--network=lan", "--fixed-ip=subnet=s5", "on-s5");
    assert.match(await demo.fails("subnet", "delete", "s5"), /One or more ports have an IP allocation/);
    assert.match(await demo.fails("network", "delete", "lan"), /one or more ports still in use/);
    await demo.run("port", "delete", String(port["id"]));
    await demo.run("subnet", "delete", "s5", "s6", "s0");
    assert.match(await demo.fails("subnet", "show", "s5"), /No Subnet found for s5/);
    await demo.run("network", "delete", "lan");
  });
}
