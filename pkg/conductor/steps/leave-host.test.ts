import assert from "node:assert/strict";
import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  MigrationRecord,
} from "../../../gen/kilonova/cells/v1/server_records.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../cells/testing/records.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { testCtx } from "../../testkit/ctx.js";
import { fakeClock } from "../../testkit/clock.js";
import { networkFacts } from "../adapters/network-facts.js";
import type { StepCall, StepResult } from "../engine/kind.js";
import { encodeJson } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { SERVER, aCall, finished } from "../testing/a-call.js";
import { claimedHost } from "./destinations.js";
import { disconnectHost, leaveHost, reachHost } from "./leave-host.js";
import { placePorts } from "./place-ports.js";

const EARLIER = "e0000000-0000-4000-8000-000000000001";
const VOLUME = "a0000000-0000-4000-8000-000000000001";

/** A server on h1 with one port that came with it, one of its user's, and one volume. */
async function world() {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const cinder = fakeCinder();
  cinder.addVolume({ id: VOLUME });
  const attachment = await cinder.createAttachment(testCtx(), { volumeId: VOLUME, serverId: SERVER });
  await cinder.updateAttachment(testCtx(), attachment.id, { host: "h1" });
  await cinder.completeAttachment(testCtx(), attachment.id);
  const device = BlockDeviceRecord.fromPartial({
    id: "root",
    volumeId: VOLUME,
    attachmentId: attachment.id,
    destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
  });
  const asked: [string, object][] = [];
  const held = [{ consumerGeneration: 7n }];
  const earlier = MigrationRecord.fromPartial({
    id: EARLIER,
    status: "error",
    operation: "earlier",
    source: { cell: "cell1", host: "h1" },
  });
  const ports = {
    neutron,
    cinder,
    records: { listBlockDevices: async () => ({ blockDevices: [device], nextPageToken: "" }) },
    moves: {
      getAllocations: async () => ({ consumers: held }),
      claimAllocations: async (_ctx: unknown, request: object) => {
        held.length = 0;
        asked.push(["claim", request]);
        return {};
      },
      releaseAllocations: async (_ctx: unknown, request: object) => {
        asked.push(["release", request]);
        return {};
      },
    },
    migrations: {
      listMigrations: async () => ({ rows: [{ migration: earlier, pageToken: "" }], more: false }),
    },
    groups: {},
    agents: { isUp: async (_ctx: unknown, { host }: { host: string }) => host === "h1" },
    factsOf: networkFacts(neutron, fakeClock()),
  } as unknown as Ports & Parameters<typeof placePorts>[0];
  const ours = [true, false].map((createdByUs): Partial<InstancePort> => {
    const { id } = neutron.addPort({
      networkId: network.id,
      deviceId: SERVER,
      bindingHostId: "h1",
      vifType: "ovs",
    });
    return { portId: id, createdByUs, tag: "nic", vifType: "ovs" };
  });
  const server = aServer({
    id: SERVER,
    hostInfo: { host: "h1", node: "n1", computeNodeUuid: "c1", launchedOn: "h0" } as never,
  });
  const call = (more: Parameters<typeof aCall>[0] = {}): StepCall =>
    aCall({ ...more, instance: { server, ports: ours, ...more.instance } });
  return { neutron, cinder, ports, call, ours, asked, server };
}

function doneOf(result: StepResult): Extract<StepResult, { kind: "done" }> {
  assert.ok(result.kind === "done", JSON.stringify(result.kind === "fail" ? result.error : result.kind));
  return result;
}

describe("reach-host", () => {
  it("begins nothing on a host that is down", async () => {
    const { ports, call, server } = await world();
    doneOf(await reachHost(ports).run(call()));
    const down = { ...server, hostInfo: { ...server.hostInfo, host: "h2" } };
    const result = await reachHost(ports).run(call({ instance: { server: down } }));
    assert.deepEqual([result.kind, result.kind === "fail" && result.error.reason], ["fail", "UNAVAILABLE"]);
  });
});

describe("disconnect-host", () => {
  it("leaves ports and volumes the server's, of no host, and does it again", async () => {
    const { ports, call, neutron, cinder } = await world();
    for (let n = 0; n < 2; n++) {
      const { change } = doneOf(await disconnectHost(ports).run(call()));
      assert.deepEqual(
        [...neutron.ports.values()].map(({ deviceId, bindingHostId }) => [deviceId, bindingHostId]),
        [
          [SERVER, ""],
          [SERVER, ""],
        ],
      );
      assert.deepEqual(
        [...cinder.attachments.values()].map(({ serverId, status }) => [serverId, status]),
        [[SERVER, "reserved"]],
      );
      const [attachmentId] = cinder.attachments.keys();
      const [stored] = change?.more?.blockDevices ?? [];
      assert.deepEqual(
        [stored?.device?.attachmentId, stored?.device?.connectionInfo, stored?.updateMask],
        [attachmentId, "", ["attachment_id", "connection_info"]],
      );
      assert.deepEqual(
        change?.putPorts?.map(({ vifType, createdByUs, tag }) => [vifType, createdByUs, tag]),
        [
          ["", true, "nic"],
          ["", false, "nic"],
        ],
      );
    }
  });

  it("waits for a Block Storage service that is away: what is attached is not gone", async () => {
    const { ports, call, cinder } = await world();
    const before = [...cinder.attachments.keys()];
    cinder.down = true;
    await assert.rejects(async () => disconnectHost(ports).run(call()), {
      reason: "BLOCK_STORAGE_UNAVAILABLE",
    });
    assert.deepEqual([...cinder.attachments.keys()], before);
  });

  it("does without what somebody has deleted", async () => {
    const { ports, call, neutron, cinder } = await world();
    for (const id of [...neutron.ports.keys()]) await neutron.deletePort(testCtx(), id);
    for (const id of [...cinder.attachments.keys()]) await cinder.deleteAttachment(testCtx(), id);
    await cinder.deleteVolume(testCtx(), VOLUME);
    const { change } = doneOf(await disconnectHost(ports).run(call()));
    assert.equal(change?.more?.blockDevices?.[0]?.device?.attachmentId, "");
  });
});

describe("leave-host", () => {
  it("gives back what it holds, and tells that the server is nowhere", async () => {
    const { ports, call, asked } = await world();
    const { change } = doneOf(await leaveHost(ports).run(call()));
    const key = { operation: call().operation.name, fence: 1n };
    const nothing = { projectId: "project", userId: "user", consumerGeneration: 7n, allocations: [] };
    const forbidden = ["release", { ...key, consumerId: SERVER, ownClaimsOnly: true }];
    const ofEarlier = ["release", { consumerId: EARLIER, operation: "earlier", fence: 1n }];
    const all = [["claim", { ...key, claim: { consumerId: SERVER, ...nothing } }], forbidden, ofEarlier];
    assert.deepEqual(asked.splice(0), all);
    // Again, when it holds nothing.
    doneOf(await leaveHost(ports).run(call()));
    assert.deepEqual(asked, [forbidden, ofEarlier]);
    assert.deepEqual(
      [change?.set?.vmState, change?.set?.powerState, change?.more?.replaceHostResources],
      [VmState.VM_STATE_SHELVED_OFFLOADED, PowerState.POWER_STATE_SHUTDOWN, true],
    );
    const { host, node, computeNodeUuid, launchedOn } = change?.set?.hostInfo ?? assert.fail();
    assert.deepEqual([host, node, computeNodeUuid, launchedOn], [undefined, undefined, undefined, "h0"]);
  });
});

describe("place-ports", () => {
  const chosen = { cell: "cell1", host: "h2", node: "n2", computeNodeId: "c2", zone: "west", resources: [] };
  const steps = [finished(claimedHost, { index: 0, host: chosen })];

  it("binds all that the server has to the new host, which is the server's from now on", async () => {
    const { ports, call, neutron, ours } = await world();
    const { change } = doneOf(await placePorts(ports).run(call({ steps })));
    assert.deepEqual(
      [...neutron.ports.values()].map(({ bindingHostId }) => bindingHostId),
      ["h2", "h2"],
    );
    assert.deepEqual(
      change?.ports?.map(({ portId, createdByUs, tag }) => [portId, createdByUs, tag]),
      ours.map(({ portId, createdByUs }) => [portId, createdByUs, "nic"]),
    );
    const { hostInfo, availabilityZone } = change?.set ?? assert.fail();
    assert.deepEqual(
      [hostInfo?.host, hostInfo?.node, hostInfo?.computeNodeUuid, hostInfo?.launchedOn, availabilityZone],
      ["h2", "n2", "c2", "h0", "west"],
    );
    assert.deepEqual(
      [...neutron.ports.values()].map(({ deviceOwner }) => deviceOwner),
      ["compute:west", "compute:west"],
    );
  });

  it("is undone with the zone that the server had before", async () => {
    const { ports, call, server } = await world();
    const here = { ...server, availabilityZone: "east" };
    const { output } = doneOf(await placePorts(ports).run(call({ steps, instance: { server: here } })));
    const placed = { ...finished(claimedHost, { index: 0, host: chosen }), name: "place-ports" };
    const there = { ...server, availabilityZone: "west" };
    const undone = await placePorts(ports).undo?.(
      call({ steps: [...steps, { ...placed, output: encodeJson(output) }], instance: { server: there } }),
    );
    assert.equal(undone?.set?.availabilityZone, "east");
  });

  it("forgets ports that are gone, and those that are another's by now", async () => {
    const { ports, call, neutron, ours } = await world();
    const [first, second] = ours.map(({ portId = "" }) => portId);
    await neutron.deletePort(testCtx(), first ?? "");
    await neutron.updatePort(testCtx(), second ?? "", { deviceId: "another" });
    const { change } = doneOf(await placePorts(ports).run(call({ steps })));
    assert.deepEqual(change?.ports, []);
    assert.equal(neutron.ports.get(second ?? "")?.bindingHostId, "h1");
  });

  it("is undone, again and again, and before it ran", async () => {
    const { ports, call, neutron } = await world();
    await placePorts(ports).run(call({ steps }));
    for (let n = 0; n < 2; n++) {
      const change = await placePorts(ports).undo?.(call({ steps }));
      assert.equal(change?.set?.hostInfo?.host, undefined);
      assert.deepEqual(
        [...neutron.ports.values()].map(({ deviceId, bindingHostId }) => [deviceId, bindingHostId]),
        [
          [SERVER, ""],
          [SERVER, ""],
        ],
      );
    }
  });
});
