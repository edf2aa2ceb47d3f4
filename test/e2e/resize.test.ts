import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../../pkg/testkit/until.js";
import { Guest } from "./security-groups/guest.js";
import { Cloud } from "./support/cloud.js";
import { ComputeRest } from "./support/compute-rest.js";
import { tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { filesNaming, qemuProcesses } from "./support/traces.js";

const PORT_OFFSET = 21_400;
const MARKER = `marker-${randomUUID()}`;
const NAME = "mover";
const userData = fileURLToPath(new URL("./security-groups/guest-agent.sh", import.meta.url));

interface MigrationRow {
  readonly Status: string;
  readonly Type: string;
  readonly "Source Compute": string;
  readonly "Dest Compute": string;
}

/** A server with a real guest goes from host to host and back; another one talks with it all the time. */
describe("resize and cold migration of a server with a real guest", function () {
  this.timeout(900_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let operator: OpenStackShell;
  let operators: ComputeRest;
  let hosts: readonly string[] = [];
  let mover: Guest;
  let friend: Guest;
  let address = "";
  let friendAddress = "";

  const open = async (home?: string): Promise<void> => {
    cloud = await Cloud.start({
      portOffset: PORT_OFFSET,
      args: ["--hosts", "2"],
      ...(home === undefined ? {} : { home }),
    });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), OS_COMPUTE_API_VERSION: "2.90" });
    operator = new OpenStackShell({ ...cloud.credentials("admin"), OS_COMPUTE_API_VERSION: "2.90" });
    operators = new ComputeRest(cloud, await tokenOf(cloud, "admin"));
  };
  const boot = async (name: string): Promise<Guest> => {
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    const { id } = await owner.json<{ id: string }>(
      ...["server", "create", "--image", image?.ID ?? "", "--flavor", "m1.nano", "--network", "private"],
      ...["--user-data", userData, "--wait", name],
    );
    const guest = new Guest(name, id, () => cloud);
    await guest.ready();
    return guest;
  };
  const addressOf = async (name: string): Promise<string> => {
    const { addresses } = await owner.json<{ addresses: Record<string, string[]> }>("server", "show", name);
    const all = Object.values(addresses).flat();
    return all.find((one) => one.includes(".")) ?? assert.fail(`${name} has no address`);
  };
  const shown = async (): Promise<Record<string, unknown>> =>
    (await operators.call("GET", `/servers/${mover.serverId}`)).body["server"] ?? assert.fail("it is gone");
  const hostNow = async (): Promise<string> => String((await shown())["OS-EXT-SRV-ATTR:host"]);
  const elsewhere = async (): Promise<string> => {
    const here = await hostNow();
    return hosts.find((one) => one !== here) ?? assert.fail("there is one host only");
  };
  /** Its state, its flavor, and its host. */
  const place = async (): Promise<readonly unknown[]> => {
    const server = await shown();
    const flavor = server["flavor"] as { readonly original_name: string };
    return [server["status"], flavor.original_name, server["OS-EXT-SRV-ATTR:host"]];
  };
  const reaches = (status: string): Promise<unknown> => operators.reaches(mover.serverId, status);
  /** What is on a host's disk of it. */
  const left = (host: string): readonly string[] =>
    filesNaming(join(cloud.home, "hosts", host), mover.serverId);
  /** Told by its friend: the owner cannot change the properties of a server that waits for a confirmation. */
  const told = (...commands: readonly string[]): Promise<readonly string[]> =>
    mover.runBy(friend, address, ...commands);
  const memoryKib = async (): Promise<number> =>
    Number((await told("awk '/^MemTotal/ {print $2}' /proc/meminfo"))[0]);

  /** It is the one that it was: one guest, its disk, its address, and somebody to talk with. */
  const assertWhole = async (): Promise<void> => {
    assert.equal(qemuProcesses(mover.serverId).length, 1);
    assert.deepEqual(await told("cat /persist/marker"), [MARKER]);
    assert.equal(await addressOf(NAME), address);
    assert.deepEqual(await friend.reaches(`ping_to ${address}`), [`ping ${address}`]);
    assert.deepEqual(await told(`ping_to ${friendAddress}`), [`ping ${friendAddress} yes`]);
  };

  before(async () => {
    await open();
    const listed = await operator.json<{ "Hypervisor Hostname": string }[]>("hypervisor", "list");
    hosts = listed.map((one) => one["Hypervisor Hostname"]).sort();
    assert.equal(hosts.length, 2);
    mover = await boot(NAME);
    friend = await boot("friend");
    address = await addressOf(NAME);
    friendAddress = await addressOf("friend");
    await told(`echo ${MARKER} > /persist/marker`, "sync");
    await assertWhole();
  });
  after(async () => {
    if (!cloud) return;
    for (const guest of [mover, friend])
      if (guest !== undefined) await owner.run("server", "delete", "--wait", guest.serverId).catch(() => {});
    await Promise.allSettled([owner.close(), operator.close()]);
    await cloud.stop();
    cloud.forget();
  });

  it("goes to the other host with its disk and its address, gets more memory, and waits there", async () => {
    const [from, to, before] = [await hostNow(), await elsewhere(), await memoryKib()];
    await owner.run("server", "resize", "--flavor", "m1.tiny", "--wait", NAME);
    assert.deepEqual(await place(), ["VERIFY_RESIZE", "m1.tiny", to]);
    await assertWhole();
    assert.ok((await memoryKib()) > before);
    assert.notDeepEqual(left(from), []);
  });

  it("leaves nothing on the host that it came from once it is confirmed", async () => {
    const [from, to] = [await elsewhere(), await hostNow()];
    await owner.run("server", "resize", "confirm", NAME);
    await reaches("ACTIVE");
    assert.deepEqual(await place(), ["ACTIVE", "m1.tiny", to]);
    await until(async () => left(from).length === 0, { timeoutMs: 60_000, what: `${from} to be empty` });
    await assertWhole();
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", NAME);
    assert.deepEqual(
      events.slice(0, 3).map(({ Action }) => Action),
      ["confirmResize", "resize", "create"],
    );
  });

  it("is where and what it was when it is reverted, without what was written meanwhile", async () => {
    const [from, to] = [await hostNow(), await elsewhere()];
    await owner.run("server", "resize", "--flavor", "m1.nano", "--wait", NAME);
    assert.deepEqual(await place(), ["VERIFY_RESIZE", "m1.nano", to]);
    await told("echo late > /persist/late", "sync");
    await assertWhole();
    await owner.run("server", "resize", "revert", NAME);
    await reaches("ACTIVE");
    assert.deepEqual(await place(), ["ACTIVE", "m1.tiny", from]);
    await assertWhole();
    assert.deepEqual(await told("ls /persist/late 2> /dev/null | wc -l | tr -d ' '"), ["0"]);
    await until(async () => left(to).length === 0, { timeoutMs: 60_000, what: `${to} to be empty` });
  });

  it("is moved by an operator to the host that he names, and stays off when it was off", async () => {
    const [from, to] = [await hostNow(), await elsewhere()];
    await owner.run("server", "stop", NAME);
    await reaches("SHUTOFF");
    await operator.run("server", "migrate", "--host", to, "--wait", mover.serverId);
    assert.deepEqual(await place(), ["VERIFY_RESIZE", "m1.tiny", to]);
    assert.deepEqual(qemuProcesses(mover.serverId), []);
    await operator.run("server", "migration", "confirm", mover.serverId);
    await reaches("SHUTOFF");
    await until(async () => left(from).length === 0, { timeoutMs: 60_000, what: `${from} to be empty` });
    await owner.run("server", "start", NAME);
    await reaches("ACTIVE");
    await assertWhole();
  });

  it("is moved back while it runs", async () => {
    const to = await elsewhere();
    await operator.run("server", "migrate", "--host", to, "--wait", mover.serverId);
    assert.deepEqual(await place(), ["VERIFY_RESIZE", "m1.tiny", to]);
    await assertWhole();
    await operator.run("server", "migration", "confirm", mover.serverId);
    await reaches("ACTIVE");
    await assertWhole();
  });

  it("shows its moves to operators", async () => {
    const rows = await operator.json<MigrationRow[]>(
      ...["server", "migration", "list", "--server", mover.serverId],
    );
    assert.deepEqual(
      rows.map(({ Status, Type }) => [Status, Type]),
      [
        ["confirmed", "migration"],
        ["confirmed", "migration"],
        ["reverted", "resize"],
        ["confirmed", "resize"],
      ],
    );
    for (const row of rows) assert.notEqual(row["Source Compute"], row["Dest Compute"]);
    const { status, body } = await operators.call("GET", `/servers/${mover.serverId}/migrations`);
    // Only live migrations that are under way are there, as in Nova.
    assert.deepEqual([status, body], [200, { migrations: [] }]);
  });

  it("refuses in Nova's words what does not fit", async () => {
    const here = await hostNow();
    for (const [words, said] of [
      [["server", "resize", "--flavor", "m1.tiny", NAME], /When resizing, instances must change flavor!/],
      [["server", "resize", "confirm", NAME], /Cannot 'confirmResize' instance .* in vm_state active/],
    ] as const)
      assert.match(await owner.fails(...words), said);
    assert.match(
      await operator.fails("server", "migrate", "--host", here, mover.serverId),
      /Cannot migrate to the host where the server exists/,
    );
    assert.deepEqual(await place(), ["ACTIVE", "m1.tiny", here]);
  });

  it("is somewhere, whole, after the whole cloud was killed in the middle of a move", async () => {
    const answer = await operators.act(mover.serverId, "migrate");
    assert.equal(answer.status, 202);
    await until(async () => (await shown())["OS-EXT-STS:task_state"] === "resize_migrating", {
      timeoutMs: 120_000,
      everyMs: 20,
      what: "it to move",
    });
    await Promise.all([owner.close(), operator.close()]);
    await cloud.kill();
    await open(cloud.home);
    const status = await until(
      async () => {
        const server = await shown();
        const isThere = ["ACTIVE", "VERIFY_RESIZE"].includes(String(server["status"]));
        return isThere && server["OS-EXT-STS:task_state"] === null ? String(server["status"]) : undefined;
      },
      { timeoutMs: 300_000, what: "the move to end" },
    );
    await assertWhole();
    if (status === "VERIFY_RESIZE") await operator.run("server", "migration", "confirm", mover.serverId);
    await reaches("ACTIVE");
  });

  it("takes what it has on both hosts with it when it is deleted before it was confirmed", async () => {
    await owner.run("server", "resize", "--flavor", "m1.nano", "--wait", NAME);
    for (const host of hosts) assert.notDeepEqual(left(host), []);
    await owner.run("server", "delete", "--wait", NAME);
    for (const host of hosts)
      await until(async () => left(host).length === 0, { timeoutMs: 60_000, what: `${host} to be empty` });
    assert.deepEqual(qemuProcesses(mover.serverId), []);
  });
});
