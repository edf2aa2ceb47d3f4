import assert from "node:assert/strict";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { ComputeRest } from "./support/compute-rest.js";
import { tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";

const PORT_OFFSET = 14_000;
const NEW = { OS_COMPUTE_API_VERSION: "2.90" };
type Row = Record<string, unknown>;
interface Attachment {
  readonly port_id: string;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
}

/** Interfaces that come and go under a running guest, and what it sees of them on its own console. */
describe("interfaces of a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let rest: ComputeRest;
  let operator: ComputeRest;
  const name = "vm";
  let serverId = "";
  /** Text that the console has had before; what is looked for comes after it. */
  let seen = 0;

  const consoleText = (): Promise<string> => owner.run("console", "log", "show", name);
  const note = async (): Promise<void> => {
    seen = (await consoleText()).length;
  };
  const says = (what: string, pattern: RegExp): Promise<RegExpExecArray> =>
    until(async () => pattern.exec((await consoleText()).slice(seen)) ?? undefined, {
      timeoutMs: 240_000,
      what: `the guest to say: ${what}`,
    });
  const addresses = async (): Promise<Record<string, string[]>> =>
    (await owner.json<{ addresses: Record<string, string[]> }>("server", "show", name)).addresses;
  const port = async (portName: string): Promise<Row> => {
    const row = await owner.json<Row>("port", "create", "--network", "second", portName);
    return row;
  };
  const portNow = (id: string): Promise<Row> => owner.json<Row>("port", "show", id);
  const attached = async (): Promise<string[]> => {
    const { body } = await rest.call("GET", `/servers/${serverId}/os-interface`);
    return (body["interfaceAttachments"] as unknown as { port_id: string }[]).map((one) => one.port_id);
  };
  const has = (many: number): Promise<true> =>
    until(async () => (await attached()).length === many, {
      timeoutMs: 120_000,
      what: `the server to have ${many} ports`,
    });

  before(async () => {
    cloud = await Cloud.start({ portOffset: PORT_OFFSET, args: ["--hosts", "1"] });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), ...NEW });
    rest = new ComputeRest(cloud, await tokenOf(cloud, "demo"));
    operator = new ComputeRest(cloud, await tokenOf(cloud, "admin"));
    await owner.run("network", "create", "second");
    await owner.run("subnet", "create", "--network", "second", "--subnet-range", "10.71.0.0/24", "second");
    const [image] = await owner.json<Row[]>("image", "list");
    const server = await owner.json<Row>(
      ...["server", "create", "--image", String(image?.["ID"]), "--flavor", "m1.nano"],
      ...["--network", "private", "--wait", name],
    );
    serverId = String(server["id"]);
    await until(async () => (await consoleText()).includes("BOOT-DONE"), {
      timeoutMs: 240_000,
      what: "the guest to boot",
    });
    await note();
  });
  after(async () => {
    if (!cloud) return;
    await owner.run("server", "delete", "--wait", name).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("come by network, and the guest gets the address by DHCP that its owner is shown", async () => {
    await owner.run("server", "add", "network", name, "second");
    const [, address] = await says("a second address", /net: eth1 (10\.71\.0\.\d+)\/24 .*\(dhcp/);
    assert.deepEqual((await addresses())["second"], [address]);
  });

  it("come by port, with its address, and go again: the port is free and stays", async () => {
    const { id, fixed_ips: fixed } = await port("mine");
    const address = (fixed as { ip_address: string }[])[0]?.ip_address;
    await owner.run("server", "add", "port", name, String(id));
    const [, got] = await says("the port's address", /net: eth2 (10\.71\.0\.\d+)\/24 .*\(dhcp/);
    assert.equal(got, address);
    const bound = await portNow(String(id));
    assert.deepEqual([bound["device_id"], bound["status"]], [serverId, "ACTIVE"]);
    assert.equal((await attached()).length, 3);
    assert.match(await owner.fails("server", "add", "port", name, String(id)), /still in use/);
    await note();
    await owner.run("server", "remove", "port", name, String(id));
    await says("that it is gone", /nic eth2 removed/);
    await until(async () => (await portNow(String(id)))["device_id"] === "", {
      timeoutMs: 120_000,
      what: "the port to be free",
    });
    await has(2);
  });

  it("follow the Network service when it tells of a change; so do the names of security groups", async () => {
    const events = async (eventName: string): Promise<void> => {
      const { status, body } = await operator.call("POST", "/os-server-external-events", {
        events: [{ name: eventName, server_uuid: serverId }],
      });
      const [first] = body["events"] as unknown as Row[];
      assert.deepEqual([status, first?.["code"]], [200, 200]);
    };
    const { body } = await rest.call("GET", `/servers/${serverId}/os-interface`);
    const all = body["interfaceAttachments"] as unknown as Attachment[];
    const second = all.find(({ fixed_ips: [one] }) => one?.ip_address.startsWith("10.71."));
    const change = ["--no-fixed-ip", "--fixed-ip", "subnet=second,ip-address=10.71.0.199"];
    await owner.run("port", "set", ...change, second?.port_id ?? "");
    await events("network-changed");
    await until(async () => (await addresses())["second"]?.[0] === "10.71.0.199", {
      timeoutMs: 120_000,
      what: "the server to show the other address",
    });
    const demo = await owner.json<{ ID: string; Name: string }[]>("security", "group", "list");
    assert.ok(demo.some(({ Name }) => Name === "default"));
    await owner.run("security", "group", "create", "web");
    assert.equal((await rest.act(serverId, "addSecurityGroup", { name: "web" })).status, 202);
    const groups = async (): Promise<unknown[]> =>
      (await owner.json<{ security_groups: Row[] }>("server", "show", name)).security_groups.map(
        (group) => group["name"],
      );
    await until(async () => (await groups()).includes("web"), {
      timeoutMs: 120_000,
      what: "the group's name",
    });
    const listed = await rest.call("GET", `/servers/${serverId}/os-security-groups`);
    assert.deepEqual(
      (listed.body["security_groups"] as unknown as Row[]).map((group) => group["name"]),
      ["default", "web"],
    );
    assert.equal((await rest.act(serverId, "removeSecurityGroup", { name: "web" })).status, 202);
    await until(async () => !(await groups()).includes("web"), {
      timeoutMs: 120_000,
      what: "the name to go",
    });
    await events("network-vif-plugged");
  });

  it("go with their port when it is deleted under the running guest", async () => {
    await note();
    const second = (await addresses())["second"]?.[0];
    const { body } = await rest.call("GET", `/servers/${serverId}/os-interface`);
    const all = body["interfaceAttachments"] as unknown as Attachment[];
    const doomed = all.find(({ fixed_ips: ips }) => ips[0]?.ip_address === second)?.port_id ?? "";
    await owner.run("port", "delete", doomed);
    await says("that it is gone", /nic eth1 removed/);
    await until(async () => (await addresses())["second"] === undefined, {
      timeoutMs: 120_000,
      what: "the address to go",
    });
  });

  it("come to a stopped server with its next start, and survive it", async () => {
    await owner.run("server", "stop", name);
    await rest.reaches(serverId, "SHUTOFF");
    await owner.run("server", "add", "network", name, "second");
    await note();
    await owner.run("server", "start", name);
    const [, address] = await says("an address after the boot", /net: eth1 (10\.71\.0\.\d+)\/24 .*\(dhcp/);
    assert.deepEqual((await addresses())["second"], [address]);
    await says("that it has booted", /BOOT-DONE/);
    await rest.reaches(serverId, "ACTIVE");
    await note();
    await owner.run("server", "remove", "network", name, "second");
    await says("that it is gone", /nic eth1 removed/);
    await has(1);
  });

  it("are the first one, too", async () => {
    await note();
    const [first = ""] = await attached();
    await owner.run("server", "remove", "port", name, first);
    await says("that it is gone", /nic eth0 removed/);
    await has(0);
    await until(async () => Object.keys(await addresses()).length === 0, {
      timeoutMs: 120_000,
      what: "the address to go",
    });
  });

  it("are in the server's history under Nova's names", async () => {
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", name);
    const told = new Set(events.map(({ Action }) => Action));
    for (const action of ["attach_interface", "detach_interface"]) assert.ok(told.has(action), action);
  });
});
