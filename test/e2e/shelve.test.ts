import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { until } from "../../pkg/testkit/until.js";
import { Cloud } from "./support/cloud.js";
import { ComputeRest } from "./support/compute-rest.js";
import { GrpcUser, call, failure } from "./support/grpc-user.js";
import { getJson, tokenOf } from "./support/identity.js";
import { OpenStackShell } from "./support/openstack-shell.js";
import { qemuProcesses } from "./support/traces.js";

const PORT_OFFSET = 19_600;
const MARKER = `marker-${randomUUID()}`;

/** Says what it finds on its disk, or leaves it there for the one after. */
const WATCH = `#!/bin/sh
if [ -f /persist/marker ]; then
  echo "found=$(cat /persist/marker)" > /dev/console
else
  echo "${MARKER}" > /persist/marker
  sync
  echo "marked" > /dev/console
fi
`;

interface ImageOfGlance {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

/** A server is put away and taken out again, typed by its owner. */
describe("shelving of a server with a real guest", function () {
  this.timeout(600_000);
  let cloud: Cloud;
  let owner: OpenStackShell;
  let serverId = "";
  const name = "vm";

  const open = async (home?: string): Promise<void> => {
    cloud = await Cloud.start({
      portOffset: PORT_OFFSET,
      args: ["--hosts", "1"],
      env: { KILONOVA_CELLS_SHELVED_OFFLOAD_S: "-1" },
      ...(home === undefined ? {} : { home }),
    });
    owner = new OpenStackShell({ ...cloud.credentials("demo"), OS_COMPUTE_API_VERSION: "2.90" });
  };
  const consoleOf = (server: string): Promise<string> => owner.run("console", "log", "show", server);
  const says = (server: string, text: string): Promise<unknown> =>
    until(async () => (await consoleOf(server)).includes(text), {
      timeoutMs: 240_000,
      what: `${server} to say ${text}`,
    });
  const create = async (server: string, image: string): Promise<void> => {
    const userData = join(cloud.home, "watch.sh");
    writeFileSync(userData, WATCH);
    await owner.run(
      ...["server", "create", "--image", image, "--flavor", "m1.nano", "--network", "private"],
      ...["--user-data", userData, "--wait", server],
    );
  };
  const images = async (): Promise<readonly ImageOfGlance[]> =>
    (
      await getJson<{ images: ImageOfGlance[] }>(
        `http://127.0.0.1:${cloud.port(9292)}/v2/images`,
        await tokenOf(cloud, "demo"),
      )
    ).images;
  const shelved = async (): Promise<ImageOfGlance | undefined> =>
    (await images()).find((image) => image.name === `${name}-shelved`);
  const shown = async (): Promise<[string, string | null]> => {
    const server = await owner.json<{ status: string; "OS-EXT-STS:task_state": string | null }>(
      ...(["server", "show", name] as const),
    );
    return [server.status, server["OS-EXT-STS:task_state"]];
  };
  const reaches = (status: string): Promise<unknown> =>
    until(
      async () => {
        const [now, task] = await shown();
        return now === status && task === null;
      },
      { timeoutMs: 240_000, what: `${name} to be ${status}` },
    );
  const act = async (body: object, version: string): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${cloud.port(8774)}/v2.1/servers/${serverId}/action`, {
      method: "POST",
      headers: {
        "x-auth-token": await tokenOf(cloud, "demo"),
        "content-type": "application/json",
        "openstack-api-version": `compute ${version}`,
      },
      body: JSON.stringify(body),
    });
    return answer.status;
  };
  const addresses = async (): Promise<readonly string[]> =>
    Object.values(
      (await owner.json<{ addresses: Record<string, string[]> }>("server", "show", name)).addresses,
    ).flat();
  const has = (what: string, wanted: (all: readonly string[]) => boolean): Promise<unknown> =>
    until(async () => wanted(await addresses()), { timeoutMs: 120_000, what });

  before(async () => {
    await open();
    const [image] = await owner.json<{ ID: string }[]>("image", "list");
    await create(name, image?.ID ?? "");
    serverId = (await owner.json<{ id: string }>("server", "show", name)).id;
    await says(name, "marked");
    await says(name, "BOOT-DONE");
  });
  after(async () => {
    if (!cloud) return;
    for (const server of ["copy", "on-volume", name])
      await owner.run("server", "delete", "--wait", server).catch(() => {});
    await owner.close();
    await cloud.stop();
    cloud.forget();
  });

  it("ends the guest and keeps its disk in an image, from which others can be made", async () => {
    await owner.run("server", "shelve", "--wait", name);
    assert.deepEqual(await shown(), ["SHELVED", null]);
    assert.deepEqual(qemuProcesses(serverId), []);
    const image = (await shelved()) ?? assert.fail("no image");
    assert.equal(image.status, "active");
    const [newest] = await owner.json<{ Action: string }[]>("server", "event", "list", name);
    assert.equal(newest?.Action, "shelve");
    await create("copy", image.id);
    await says("copy", `found=${MARKER}`);
    await owner.run("server", "delete", "--wait", "copy");
  });

  it("lets nothing else be done to it, in Nova's words", async () => {
    for (const command of ["start", "stop", "pause"])
      assert.match(
        await owner.fails("server", command, name),
        new RegExp(`Cannot '${command}' instance ${serverId} while it is in vm_state shelved`),
      );
    assert.match(
      await owner.fails("server", "unshelve", "--availability-zone", "nova", name),
      /Specifying an availability zone or a host when unshelving server ".*" with status "shelved" is not supported/,
    );
    // The client itself keeps from it.
    assert.equal(await act({ shelve: null }, "2.1"), 409);
    assert.equal(await act({ unshelve: {} }, "2.77"), 400);
  });

  it("is still shelved after all of Kilonova was ended and started again", async () => {
    await owner.close();
    await cloud.stop();
    await open(cloud.home);
    assert.deepEqual([await shown(), qemuProcesses(serverId)], [["SHELVED", null], []]);
  });

  it("starts it again where it stood, with what was on its disk, and deletes the image", async () => {
    await owner.run("server", "unshelve", "--wait", name);
    assert.deepEqual(await shown(), ["ACTIVE", null]);
    await says(name, `found=${MARKER}`);
    assert.equal(qemuProcesses(serverId).length, 1);
    assert.equal(await shelved(), undefined);
  });

  it("is taken back when it is cancelled: the guest runs again, and no image is left", async () => {
    const user = await GrpcUser.open(cloud, "demo");
    const { operation } = await user.servers.shelveServer(call(), { serverId });
    await until(async () => qemuProcesses(serverId).length === 0, {
      timeoutMs: 120_000,
      what: "the guest to be off",
    });
    await user.operations.cancelOperation(call(), { name: operation?.name ?? "" });
    const { state } = await user.wait(operation);
    const { vmState, powerState } = await user.get(serverId);
    // It may have been too late.
    if (state === OperationState.OPERATION_STATE_SUCCEEDED) {
      await user.wait((await user.servers.unshelveServer(call(), { serverId })).operation);
    } else {
      assert.equal(state, OperationState.OPERATION_STATE_CANCELLED);
      assert.deepEqual([vmState, powerState], [VmState.VM_STATE_ACTIVE, PowerState.POWER_STATE_RUNNING]);
    }
    assert.equal(qemuProcesses(serverId).length, 1);
    assert.equal(await shelved(), undefined);
    const refused = await failure(user.servers.unshelveServer(call(), { serverId }));
    assert.equal(refused.reason, "INVALID_STATE");
    await user.channel.close();
  });

  it("is finished after the whole cloud was killed in the middle of it", async () => {
    assert.equal(await act({ shelve: null }, "2.1"), 202);
    await until(async () => (await shown())[1] !== "shelving", { timeoutMs: 240_000, what: "the copy" });
    await owner.close();
    await cloud.kill();
    await open(cloud.home);
    await reaches("SHELVED");
    assert.equal((await shelved())?.status, "active");
    await owner.run("server", "unshelve", "--wait", name);
    assert.equal(await shelved(), undefined);
  });

  it("has addresses that are added and removed by the old actions", async () => {
    const before = await addresses();
    const { id: networkId } = await owner.json<{ id: string }>("network", "show", "private");
    assert.equal(await act({ addFixedIp: { networkId } }, "2.43"), 202);
    await has("a second address", (all) => all.length === before.length + 1);
    const added = (await addresses()).find((one) => !before.includes(one)) ?? "";
    const user = await GrpcUser.open(cloud, "demo");
    assert.ok((await user.get(serverId)).addresses.some(({ address }) => address === added));
    await user.channel.close();
    assert.equal(await act({ removeFixedIp: { address: added } }, "2.44"), 404);
    assert.equal(await act({ removeFixedIp: { address: added } }, "2.43"), 202);
    await has("the first one alone", (all) => all.length === before.length);
  });

  it("shows the floating IPs that lead to it, whoever has led them there", async () => {
    const operator = new OpenStackShell({ ...cloud.credentials("admin"), OS_COMPUTE_API_VERSION: "2.90" });
    await operator.run("network", "create", "--external", "outside");
    await operator.run(
      "subnet",
      "create",
      "--network",
      "outside",
      "--subnet-range",
      "198.51.100.0/24",
      "out",
    );
    await operator.run("router", "create", "gate");
    await operator.run("router", "set", "--external-gateway", "outside", "gate");
    const [inside] = await operator.json<{ ID: string }[]>("subnet", "list", "--network", "private");
    await operator.run("router", "add", "subnet", "gate", inside?.ID ?? "");
    await operator.close();
    const { floating_ip_address: address } = await owner.json<{ floating_ip_address: string }>(
      ...(["floating", "ip", "create", "outside"] as const),
    );
    assert.equal(await act({ addFloatingIp: { address } }, "2.43"), 202);
    await has("the floating IP", (all) => all.includes(address));
    // What is changed at the Network service is followed when it tells of it.
    const told = async (): Promise<void> => {
      const operators = new ComputeRest(cloud, await tokenOf(cloud, "admin"));
      const events = [{ name: "network-changed", server_uuid: serverId }];
      assert.equal((await operators.call("POST", "/os-server-external-events", { events })).status, 200);
    };
    await owner.run("server", "remove", "floating", "ip", name, address);
    await told();
    await has("no floating IP", (all) => !all.includes(address));
    await owner.run("server", "add", "floating", "ip", name, address);
    await told();
    await has("the floating IP again", (all) => all.includes(address));
    assert.equal(await act({ removeFloatingIp: { address } }, "2.43"), 202);
    await has("no floating IP again", (all) => !all.includes(address));
    assert.equal(await act({ removeFloatingIp: { address } }, "2.43"), 409);
  });

  it("leaves its host, and is built on one again with its disk, its addresses and its id", async () => {
    await owner.run("server", "shelve", "--wait", name);
    const had = await addresses();
    const operator = new ComputeRest(cloud, await tokenOf(cloud, "admin"));
    const action = `/servers/${serverId}/action`;
    assert.equal((await operator.call("POST", action, { shelveOffload: null })).status, 202);
    await reaches("SHELVED_OFFLOADED");
    const { body } = await operator.call("GET", `/servers/${serverId}`);
    const seen = body["server"] as unknown as Record<string, unknown>;
    assert.deepEqual([seen["OS-EXT-SRV-ATTR:host"], seen["hostId"]], [null, ""]);
    assert.deepEqual([qemuProcesses(serverId), await addresses()], [[], had]);
    assert.match(
      await owner.fails("server", "unshelve", "--availability-zone", "nowhere", name),
      /The requested availability zone is not available/,
    );
    await owner.run("server", "unshelve", "--availability-zone", "nova", "--wait", name);
    assert.deepEqual([await shown(), await addresses()], [["ACTIVE", null], had]);
    await says(name, `found=${MARKER}`);
    assert.equal(await shelved(), undefined);
    const events = await owner.json<{ Action: string }[]>("server", "event", "list", name);
    assert.deepEqual(
      events.slice(0, 3).map(({ Action }) => Action),
      ["unshelve", "shelveOffload", "shelve"],
    );
  });

  it("leaves its host at once when its disk is a volume, which comes back with it", async () => {
    const userData = join(cloud.home, "watch.sh");
    const [image] = await owner.json<{ ID: string; Name: string }[]>("image", "list");
    await owner.run(
      ...["server", "create", "--image", image?.ID ?? "", "--boot-from-volume", "1", "--flavor", "m1.nano"],
      ...["--network", "private", "--user-data", userData, "--wait", "on-volume"],
    );
    const { id } = await owner.json<{ id: string }>("server", "show", "on-volume");
    await says("on-volume", "marked");
    await says("on-volume", "BOOT-DONE");
    await owner.run("server", "shelve", "--wait", "on-volume");
    const status = async (): Promise<string> =>
      (await owner.json<{ status: string }>("server", "show", "on-volume")).status;
    await until(async () => (await status()) === "SHELVED_OFFLOADED", {
      timeoutMs: 180_000,
      what: "it to leave its host",
    });
    assert.deepEqual(qemuProcesses(id), []);
    await owner.run("server", "unshelve", "--wait", "on-volume");
    await says("on-volume", `found=${MARKER}`);
    await owner.run("server", "delete", "--wait", "on-volume");
  });

  it("takes its image with it when it is deleted", async () => {
    await owner.run("server", "shelve", "--wait", name);
    assert.ok((await shelved()) !== undefined);
    await owner.run("server", "delete", "--wait", name);
    assert.equal(await shelved(), undefined);
  });
});
