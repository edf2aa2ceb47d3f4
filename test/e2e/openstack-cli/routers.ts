import assert from "node:assert/strict";
import { column, pick } from "./stage.js";
import type { Fields, Stage } from "./stage.js";

/** `openstack router` and `floating ip`. */
export function routers(stage: Stage): void {
  before(async () => {
    const { admin, demo } = stage;
    await admin.run("network", "create", "--external", "public", "-f", "json");
    await admin.run(
      "subnet",
      "create",
      "--network=public",
      "--subnet-range=198.51.100.0/28",
      "--allocation-pool=start=198.51.100.2,end=198.51.100.8",
      "--no-dhcp",
      "outside",
      "-f",
      "json",
    );
    for (const [name, range] of [
      ["red", "10.60.0"],
      ["blue", "10.61.0"],
    ] as const) {
      await demo.run("network", "create", name, "-f", "json");
      await demo.run(
        "subnet",
        "create",
        `--network=${name}`,
        `--subnet-range=${range}.0/24`,
        `--allocation-pool=start=${range}.100,end=${range}.200`,
        name,
        "-f",
        "json",
      );
    }
  });
  after(async () => {
    await stage.demo.run("network", "delete", "red", "blue");
    await stage.admin.run("network", "delete", "public");
  });

  it("router create, list, show, set, unset, add and remove subnet and port, delete", async () => {
    const { admin, demo } = stage;
    const made = await demo.json<Fields>(
      "router",
      "create",
      "--description=d",
      "--tag=t1",
      "--disable",
      "r1",
    );
    assert.deepEqual(
      pick(
        made,
        "name",
        "description",
        "tags",
        "admin_state_up",
        "status",
        "external_gateway_info",
        "routes",
      ),
      ["r1", "d", ["t1"], false, "ACTIVE", null, []],
    );
    const named = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("router", "list", ...filter), "Name");
    assert.deepEqual(
      [
        await named(),
        await named("--name=r1"),
        await named("--disable"),
        await named("--enable"),
        await named("--tags=t1"),
      ],
      [["r1"], ["r1"], ["r1"], [], ["r1"]],
    );
    await demo.run("router", "add", "subnet", "r1", "red");
    assert.match(
      await demo.fails("router", "add", "subnet", "r1", "red"),
      /Router already has a port on subnet/,
    );
    await demo.run("port", "create", "--network=blue", "leg", "-f", "json");
    await demo.run("router", "add", "port", "r1", "leg");
    assert.equal(
      ((await demo.json<Fields>("router", "show", "r1"))["interfaces_info"] as unknown[]).length,
      2,
    );
    assert.equal((await demo.json<Fields[]>("port", "list", "--router=r1")).length, 2);
    assert.match(await demo.fails("port", "delete", "leg"), /cannot be deleted directly/);

    await demo.run(
      "router",
      "set",
      "--name=r2",
      "--description=e",
      "--enable",
      "--external-gateway=public",
      "--route=destination=10.99.0.0/16,gateway=10.60.0.9",
      "--tag=t2",
      "r1",
    );
    await demo.run("router", "unset", "--tag=t1", "r2");
    const set = await demo.json<Fields>("router", "show", "r2");
    const gateway = set["external_gateway_info"] as Fields;
    assert.deepEqual(
      [
        ...pick(set, "description", "admin_state_up", "tags", "routes"),
        (gateway["external_fixed_ips"] as unknown[]).length,
      ],
      ["e", true, ["t2"], [{ destination: "10.99.0.0/16", nexthop: "10.60.0.9" }], 1],
    );
    assert.match(
      await demo.fails("router", "set", "--route=destination=10.98.0.0/16,gateway=192.0.2.1", "r2"),
      /not connected with router/,
    );
    assert.match(
      await demo.fails("router", "set", "--external-gateway=public", "--disable-snat", "r2"),
      /enable_snat.*disallowed by policy/,
    );
    await admin.run("router", "set", "--external-gateway=public", "--disable-snat", String(set["id"]));
    assert.match(
      await demo.fails("router", "remove", "subnet", "r2", "red"),
      /required by one or more routes/,
    );
    await demo.run("router", "unset", "--route=destination=10.99.0.0/16,gateway=10.60.0.9", "r2");
    assert.match(await demo.fails("router", "delete", "r2"), /still has ports/);
    assert.match(await admin.fails("network", "set", "--internal", "public"), /existing gateway ports/);
    await demo.run("router", "unset", "--external-gateway", "r2");
    assert.equal((await demo.json<Fields>("router", "show", "r2"))["external_gateway_info"], null);
    await demo.run("router", "remove", "subnet", "r2", "red");
    await demo.run("router", "remove", "port", "r2", "leg");
    await demo.run("router", "delete", "r2");
    assert.match(await demo.fails("router", "show", "r2"), /No Router found for r2/);
  });

  it("floating ip create, list, show, set, unset, delete", async () => {
    const { admin, demo } = stage;
    await demo.run("router", "create", "--external-gateway=public", "r", "-f", "json");
    await demo.run("router", "add", "subnet", "r", "red");
    const port = await demo.json<Fields>(
      "port",
      "create",
      "--network=red",
      "--fixed-ip=ip-address=10.60.0.20",
      "--fixed-ip=ip-address=10.60.0.21",
      "vnic",
    );
    const lost = await demo.json<Fields>("port", "create", "--network=blue", "lost");
    const made = await demo.json<Fields>(
      "floating",
      "ip",
      "create",
      "--description=d",
      "--tag=t1",
      "--port=vnic",
      "--fixed-ip-address=10.60.0.21",
      "public",
    );
    assert.deepEqual(pick(made, "status", "fixed_ip_address", "port_id", "description", "tags"), [
      "ACTIVE",
      "10.60.0.21",
      port["id"],
      "d",
      ["t1"],
    ]);
    const address = String(made["floating_ip_address"]);
    assert.match(address, /^198\.51\.100\.\d+$/);
    assert.equal((made["port_details"] as Fields)["name"], "vnic");
    assert.match(
      await demo.fails("floating", "ip", "create", "--port=lost", "public"),
      /not reachable from subnet/,
    );
    assert.match(await demo.fails("floating", "ip", "create", "red"), /not a valid external network/);
    assert.match(
      await demo.fails("floating", "ip", "create", "--floating-ip-address=198.51.100.9", "public"),
      /disallowed by policy/,
    );
    const fixed = await admin.json<Fields>(
      "floating",
      "ip",
      "create",
      "--project=demo",
      "--floating-ip-address=198.51.100.9",
      "public",
    );
    assert.deepEqual(pick(fixed, "floating_ip_address", "status", "port_details"), [
      "198.51.100.9",
      "DOWN",
      null,
    ]);
    assert.match(
      await demo.fails(
        "floating",
        "ip",
        "set",
        "--port=vnic",
        "--fixed-ip-address=10.60.0.21",
        "198.51.100.9",
      ),
      /already has one/,
    );

    const listed = async (...filter: readonly string[]): Promise<unknown[]> =>
      column(await demo.json<Fields[]>("floating", "ip", "list", ...filter), "Floating IP Address");
    assert.equal((await listed()).length, 2);
    for (const [filter, expected] of [
      ["--status=ACTIVE", [address]],
      ["--status=DOWN", ["198.51.100.9"]],
      ["--port=vnic", [address]],
      ["--fixed-ip-address=10.60.0.21", [address]],
      [`--floating-ip-address=${address}`, [address]],
      ["--router=r", [address]],
      ["--network=red", []],
      ["--tags=t1", [address]],
    ] as const)
      assert.deepEqual(await listed(filter), expected, filter);
    assert.deepEqual(
      column(await demo.json<Fields[]>("floating", "ip", "list", "--long", "--port=vnic"), "Status"),
      ["ACTIVE"],
    );

    await demo.run("floating", "ip", "unset", "--port", address);
    assert.deepEqual(
      pick(
        await demo.json<Fields>("floating", "ip", "show", address),
        "port_id",
        "fixed_ip_address",
        "status",
      ),
      [null, null, "DOWN"],
    );
    await demo.run(
      "floating",
      "ip",
      "set",
      "--port=vnic",
      "--fixed-ip-address=10.60.0.20",
      "--description=e",
      "--tag=t2",
      address,
    );
    await demo.run("floating", "ip", "unset", "--tag=t1", address);
    assert.deepEqual(
      pick(
        await demo.json<Fields>("floating", "ip", "show", String(made["id"])),
        "fixed_ip_address",
        "description",
        "tags",
        "status",
      ),
      ["10.60.0.20", "e", ["t2"], "ACTIVE"],
    );
    assert.match(
      await demo.fails("router", "remove", "subnet", "r", "red"),
      /required by one or more floating IPs/,
    );
    assert.match(
      await demo.fails("router", "unset", "--external-gateway", "r"),
      /required by one or more floating IPs/,
    );
    await demo.run("port", "delete", "vnic", String(lost["id"]));
    assert.equal((await demo.json<Fields>("floating", "ip", "show", address))["port_id"], null);
    await demo.run("floating", "ip", "delete", address, "198.51.100.9");
    assert.match(await demo.fails("floating", "ip", "show", address), /No FloatingIP found/i);
    await demo.run("router", "remove", "subnet", "r", "red");
    await demo.run("router", "delete", "r");
  });
}
