import assert from "node:assert/strict";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack port`, `security group`, `security group rule` and the network's quotas. */
export function ports(stage: Stage): void {
  before(async () => {
    await stage.demo.run("network", "create", "lan", "-f", "json");
    await stage.demo.run(
      "subnet",
      "create",
      "--network=lan",
      "--subnet-range=10.50.0.0/24",
      "--allocation-pool=start=10.50.0.100,end=10.50.0.200",
      "s",
      "-f",
      "json",
    );
  });
  after(async () => {
    await stage.demo.run("subnet", "delete", "s");
    await stage.demo.run("network", "delete", "lan");
  });

  it("port create, list, show, set, unset, delete", async () => {
    const { admin, demo } = stage;
    const made = await demo.json<Fields>(
      "port",
      "create",
      "--network=lan",
      "--fixed-ip=subnet=s,ip-address=10.50.0.30",
      "--mac-address=fa:16:3e:00:50:01",
      "--description=d",
      "--device=dev-1",
      "--vnic-type=normal",
      "--allowed-address=ip-address=10.50.0.99",
      "--extra-dhcp-option=name=mtu,value=1400",
      "--tag=t1",
      "p1",
    );
    assert.deepEqual(
      pick(
        made,
        "name",
        "mac_address",
        "description",
        "device_id",
        "status",
        "admin_state_up",
        "binding_vnic_type",
        "tags",
      ),
      ["p1", "fa:16:3e:00:50:01", "d", "dev-1", "DOWN", true, "normal", ["t1"]],
    );
    assert.deepEqual(column(made["fixed_ips"] as Fields[], "ip_address"), ["10.50.0.30"]);
    assert.deepEqual(made["allowed_address_pairs"], [
      { ip_address: "10.50.0.99", mac_address: "fa:16:3e:00:50:01" },
    ]);
    assert.match(
      await demo.fails("port", "create", "--network=lan", "--fixed-ip=ip-address=10.50.0.30", "twin"),
      /10\.50\.0\.30 already allocated/,
    );
    assert.match(
      await demo.fails("port", "create", "--network=lan", "--mac-address=fa:16:3e:00:50:01", "twin"),
      /mac address .* is in use/,
    );
    assert.match(
      await demo.fails("port", "create", "--network=lan", "--fixed-ip=ip-address=10.51.0.1", "odd"),
      /not a valid IP for any of the subnets/,
    );
    assert.match(
      await demo.fails("port", "create", "--network=lan", "--host=h1", "mine"),
      /disallowed by policy/,
    );
    await demo.run(
      "port",
      "create",
      "--network=lan",
      "--no-security-group",
      "--disable-port-security",
      "--disable",
      "--no-fixed-ip",
      "p2",
      "-f",
      "json",
    );
    assert.deepEqual(
      pick(
        await demo.json<Fields>("port", "show", "p2"),
        "security_group_ids",
        "port_security_enabled",
        "admin_state_up",
        "fixed_ips",
      ),
      [[], false, false, []],
    );

    const named = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("port", "list", ...filter), "Name")
        .filter((name) => name !== "")
        .sort();
    const group = String((made["security_group_ids"] as string[])[0]);
    for (const [filter, expected] of [
      ["--network=lan", ["p1", "p2"]],
      ["--device-id=dev-1", ["p1"]],
      ["--mac-address=fa:16:3e:00:50:01", ["p1"]],
      ["--name=p2", ["p2"]],
      ["--fixed-ip=ip-address=10.50.0.30", ["p1"]],
      ["--fixed-ip=subnet=s", ["p1"]],
      ["--fixed-ip=ip-substring=50.0.3", ["p1"]],
      ["--device-owner=network:router_interface", []],
      ["--tags=t1", ["p1"]],
      ["--any-tags=t1,x", ["p1"]],
    ] as const)
      assert.deepEqual(await named(filter), expected, filter);
    const long = await demo.json<Fields[]>("port", "list", "--long", "--name=p1");
    assert.deepEqual(column(long, "Device Owner"), [""]);

    await demo.run(
      "port",
      "set",
      "--name=p3",
      "--description=e",
      "--device=dev-2",
      "--fixed-ip=ip-address=10.50.0.31",
      "--allowed-address=ip-address=10.50.0.98",
      "--tag=t2",
      "p1",
    );
    await admin.run("port", "set", "--host=h1", "--binding-profile=a=b", String(made["id"]));
    const bound = await admin.json<Fields>("port", "show", String(made["id"]));
    assert.deepEqual(pick(bound, "status", "binding_host_id", "binding_profile", "binding_vif_type"), [
      "ACTIVE",
      "h1",
      { a: "b" },
      "kilonova",
    ]);
    assert.deepEqual(column(await admin.json<Fields[]>("port", "list", "--host=h1"), "Name"), ["p3"]);
    await demo.run(
      "port",
      "unset",
      "--fixed-ip=subnet=s,ip-address=10.50.0.30",
      "--allowed-address=ip-address=10.50.0.99,mac-address=fa:16:3e:00:50:01",
      `--security-group=${group}`,
      "--tag=t1",
      "p3",
    );
    await admin.run("port", "unset", "--host", "--binding-profile=a", String(made["id"]));
    const after = await admin.json<Fields>("port", "show", String(made["id"]));
    assert.deepEqual(
      [
        column(after["fixed_ips"] as Fields[], "ip_address"),
        column(after["allowed_address_pairs"] as Fields[], "ip_address"),
        ...pick(
          after,
          "security_group_ids",
          "tags",
          "binding_profile",
          "binding_host_id",
          "status",
          "description",
          "device_id",
        ),
      ],
      [["10.50.0.31"], ["10.50.0.98"], [], ["t2"], {}, "", "DOWN", "e", "dev-2"],
    );
    await demo.run("port", "set", "--no-allowed-address", "--disable-port-security", "--disable", "p3");
    assert.match(
      await demo.fails("port", "set", `--security-group=${group}`, "p3"),
      /Port security must be enabled/,
    );
    await demo.run(
      "port",
      "set",
      "--no-fixed-ip",
      "--enable-port-security",
      "--security-group=default",
      "--enable",
      "p3",
    );
    assert.deepEqual(
      pick(
        await demo.json<Fields>("port", "show", "p3"),
        "fixed_ips",
        "security_group_ids",
        "admin_state_up",
      ),
      [[], [group], true],
    );
    await demo.run("port", "delete", "p3", "p2");
    assert.match(await demo.fails("port", "show", "p3"), /No Port found for p3/);
  });

  it("security group create, list, show, set, unset, delete; its rules", async () => {
    const { admin, demo } = stage;
    const group = await demo.json<Fields>(
      "security",
      "group",
      "create",
      "--description=d",
      "--tag=t1",
      "web",
    );
    assert.deepEqual(
      [...pick(group, "name", "description", "tags", "stateful"), (group["rules"] as unknown[]).length],
      ["web", "d", ["t1"], true, 2],
    );
    assert.match(
      await demo.fails("security", "group", "create", "default"),
      /Default security group already exists/,
    );
    assert.match(
      await demo.fails("security", "group", "create", "--stateless", "loose"),
      /stateless security groups are not supported/,
    );
    assert.deepEqual(column(await demo.json<Fields[]>("security", "group", "list"), "Name").sort(), [
      "default",
      "web",
    ]);
    assert.deepEqual(column(await demo.json<Fields[]>("security", "group", "list", "--tags=t1"), "Name"), [
      "web",
    ]);
    assert.ok(
      column(await admin.json<Fields[]>("security", "group", "list", "--project=demo"), "Name").includes(
        "web",
      ),
    );
    await demo.run("security", "group", "set", "--name=site", "--description=e", "--tag=t2", "web");
    await demo.run("security", "group", "unset", "--tag=t1", "site");
    assert.deepEqual(
      pick(await demo.json<Fields>("security", "group", "show", "site"), "id", "description", "tags"),
      [group["id"], "e", ["t2"]],
    );
    assert.match(
      await demo.fails("security", "group", "set", "--name=mine", "default"),
      /Updating default security group not allowed/,
    );

    const rule = (...words: readonly string[]): Promise<Fields> =>
      demo.json("security", "group", "rule", "create", ...words, "site");
    const ssh = await rule(
      "--protocol=tcp",
      "--dst-port=22:23",
      "--remote-ip=10.0.0.7/8",
      "--description=ssh",
    );
    assert.deepEqual(
      pick(
        ssh,
        "direction",
        "ether_type",
        "protocol",
        "port_range_min",
        "port_range_max",
        "remote_ip_prefix",
        "description",
      ),
      ["ingress", "IPv4", "tcp", 22, 23, "10.0.0.0/8", "ssh"],
    );
    const ping = await rule("--protocol=icmp", "--icmp-type=8", "--icmp-code=0", "--egress");
    assert.deepEqual(pick(ping, "direction", "protocol", "port_range_min", "port_range_max"), [
      "egress",
      "icmp",
      8,
      0,
    ]);
    const kin = await rule("--ethertype=IPv6", "--protocol=udp", "--remote-group=site");
    assert.deepEqual(pick(kin, "ether_type", "remote_group_id", "remote_ip_prefix"), [
      "IPv6",
      group["id"],
      null,
    ]);
    assert.match(
      await demo.fails(
        "security",
        "group",
        "rule",
        "create",
        "--protocol=tcp",
        "--dst-port=22:23",
        "--remote-ip=10.0.0.0/8",
        "site",
      ),
      /Security group rule already exists/,
    );
    assert.match(
      await demo.fails("security", "group", "rule", "create", "--protocol=nonsense", "site"),
      /protocol/i,
    );
    const listed = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("security", "group", "rule", "list", ...filter, "site"), "ID");
    assert.equal((await listed()).length, 5);
    assert.deepEqual(await listed("--protocol=tcp"), [ssh["id"]]);
    assert.deepEqual((await listed("--ingress")).length, 2);
    assert.deepEqual((await listed("--egress")).length, 3);
    assert.equal(
      (await demo.json<Fields>("security", "group", "rule", "show", String(ssh["id"])))["security_group_id"],
      group["id"],
    );
    await demo.run("security", "group", "rule", "delete", String(ssh["id"]), String(ping["id"]));
    assert.match(
      await demo.fails("security", "group", "rule", "show", String(ssh["id"])),
      /does not exist|No SecurityGroupRule found/,
    );

    await demo.run("port", "create", "--network=lan", "--security-group=site", "guarded", "-f", "json");
    assert.match(await demo.fails("security", "group", "delete", "site"), /in use/);
    await demo.run("port", "delete", "guarded");
    await demo.run("security", "group", "delete", "site");
    assert.match(await demo.fails("security", "group", "show", "site"), /No SecurityGroup found for site/);
    assert.match(
      await demo.fails("security", "group", "delete", "default"),
      /Insufficient rights for removing default security group/,
    );
  });

  it("quota set, and what it says no to", async () => {
    const { admin, demo } = stage;
    // The network's DHCP port counts as well.
    await admin.run("quota", "set", "--networks=1", "--secgroups=1", "--ports=2", "demo");
    assert.match(
      await demo.fails("network", "create", "second"),
      /Quota exceeded for resources: \['network'\]/,
    );
    assert.match(
      await demo.fails("security", "group", "create", "second"),
      /Quota exceeded for resources: \['security_group'\]/,
    );
    await demo.run("port", "create", "--network=lan", "only", "-f", "json");
    assert.match(
      await demo.fails("port", "create", "--network=lan", "second"),
      /Quota exceeded for resources: \['port'\]/,
    );
    await demo.run("port", "delete", "only");
    const [quota] = await admin.json<Fields[]>("quota", "list", "--network");
    assert.deepEqual(pick(quota ?? {}, "Networks", "Ports", "Security Groups"), [1, 2, 1]);
    await admin.run("quota", "set", "--networks=100", "--secgroups=10", "--ports=500", "demo");
    await demo.run("network", "create", "second", "-f", "json");
    await demo.run("network", "delete", "second");
  });
}
