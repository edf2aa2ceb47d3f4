import assert from "node:assert/strict";
import type { NetworkInfo, Neutron } from "../../clients/neutron/ports.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { fakeGlance } from "../../clients/glance/testing/fake-glance.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { networkFacts } from "../adapters/network-facts.js";
import { portName } from "../domain/ports.js";
import type { StepCall } from "../engine/kind.js";
import { OPERATION, SERVER, aCall, finished } from "../testing/a-call.js";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { allocateNetworks } from "./allocate-networks.js";
import { claimedHost } from "./destinations.js";
import { releaseNetworks } from "./release-networks.js";

const host = { cell: "cell1", host: "h1", node: "n1", computeNodeId: "c1", zone: "nova", resources: [] };
const claimed = finished(claimedHost, { index: 0, host });

function world(): {
  neutron: ReturnType<typeof fakeNeutron>;
  network: NetworkInfo;
  step: ReturnType<typeof allocateNetworks>;
} {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id, dnsNameservers: ["9.9.9.9"], gatewayIp: "10.0.0.1" });
  return {
    neutron,
    network,
    step: allocateNetworks({ neutron, factsOf: networkFacts(neutron, fakeClock()) }),
  };
}
const images = fakeGlance();
/** Nothing has a volume. */
const volumes = {
  cinder: fakeCinder(),
  records: { listBlockDevices: async () => ({ blockDevices: [], nextPageToken: "" }) },
};
const resting = { settleOperation: async () => ({ atRest: true }) };
const wanting = (
  networks: { networkId?: string; portId?: string }[],
  more: Parameters<typeof aCall>[0] = {},
): StepCall => aCall({ steps: [claimed], instance: { spec: { networks } }, ...more });

describe("allocate-networks", () => {
  it("makes a bound port that tells everything about its network", async () => {
    const { neutron, network, step } = world();
    const result = await step.run(wanting([{ networkId: network.id }]));
    assert.ok(result.kind === "done");
    const [port] = result.change?.ports ?? [];
    assert.deepEqual(
      [port?.networkLabel, port?.mtu, port?.segmentationId, port?.createdByUs],
      ["private", network.mtu, network.segmentationId, true],
    );
    assert.deepEqual(
      [port?.addresses[0]?.gatewayIp, port?.addresses[0]?.dnsServers, port?.addresses[0]?.prefixLength],
      ["10.0.0.1", ["9.9.9.9"], 24],
    );
    assert.equal(neutron.ports.get(port?.portId ?? "")?.bindingHostId, "h1");
    assert.equal(result.change?.set?.hostInfo?.host, "h1");
  });

  it("finds the ports of a start that was cut short", async () => {
    const { neutron, network, step } = world();
    await step.run(wanting([{ networkId: network.id }]));
    await step.run(wanting([{ networkId: network.id }]));
    assert.equal(neutron.ports.size, 1);
  });

  it("has one port when a second process makes it at the same moment", async () => {
    const { neutron, network } = world();
    // Neither sees the other's port before it makes its own.
    const blind = (): Neutron => {
      let looks = 0;
      return {
        ...neutron,
        listPorts: async (...asked) => (looks++ === 0 ? [] : neutron.listPorts(...asked)),
      };
    };
    const ends = await Promise.all(
      [blind(), blind()].map((one) =>
        allocateNetworks({ neutron: one, factsOf: networkFacts(neutron, fakeClock()) }).run(
          wanting([{ networkId: network.id }, { networkId: network.id }]),
        ),
      ),
    );
    assert.equal(neutron.ports.size, 2);
    const [first, second] = ends.map((end) =>
      end.kind === "done" ? end.change?.ports?.map(({ portId }) => portId) : undefined,
    );
    assert.deepEqual(first, second);
    assert.deepEqual(first?.toSorted(), [...neutron.ports.keys()].toSorted());
  });

  it("takes another address when a port of others has the one that it would take", async () => {
    const { neutron, network, step } = world();
    const call = wanting([{ networkId: network.id }]);
    await step.run(call);
    const [made] = neutron.ports.values();
    assert.ok(made);
    await neutron.deletePort(testCtx(), made.id);
    const theirs = neutron.addPort({ networkId: network.id, macAddress: made.macAddress });
    await step.run(call);
    const ours = [...neutron.ports.values()].filter(({ deviceId }) => deviceId === SERVER);
    assert.equal(ours.length, 1);
    assert.notEqual(ours[0]?.macAddress, theirs.macAddress);
  });

  it("does not look for them when nobody can have started before", async () => {
    const { neutron, network } = world();
    const silent: Neutron = {
      ...neutron,
      listPorts: () => {
        throw new Error("looked");
      },
    };
    const step = allocateNetworks({ neutron: silent, factsOf: networkFacts(neutron, fakeClock()) });
    assert.equal((await step.run(wanting([{ networkId: network.id }], { firstStart: true }))).kind, "done");
  });

  it("takes over a port of the user's, unless another server has it", async () => {
    const { neutron, network, step } = world();
    const free = neutron.addPort({ networkId: network.id });
    const taken = neutron.addPort({ networkId: network.id, deviceId: "another" });
    assert.equal((await step.run(wanting([{ portId: free.id }]))).kind, "done");
    assert.equal(neutron.ports.get(free.id)?.deviceId, SERVER);
    await assert.rejects(step.run(wanting([{ portId: taken.id }])), { reason: "PORT_IN_USE" });
  });

  it("goes back for another host when a port cannot be bound to this one", async () => {
    const { neutron, network } = world();
    const unbound: Neutron = {
      ...neutron,
      createPort: async (ctx, port) => ({
        ...(await neutron.createPort(ctx, port)),
        vifType: "binding_failed",
      }),
    };
    const result = await allocateNetworks({
      neutron: unbound,
      factsOf: networkFacts(neutron, fakeClock()),
    }).run(wanting([{ networkId: network.id }]));
    assert.ok(result.kind === "fail");
    assert.deepEqual([result.error.reason, result.backTo], ["PORT_BINDING_FAILED", "claim-host"]);
  });

  it("fails only when nothing is being made any more", async () => {
    const { neutron, network } = world();
    const taken = neutron.addPort({ networkId: network.id, deviceId: "another" });
    const slow: Neutron = {
      ...neutron,
      createPort: async (ctx, port) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return neutron.createPort(ctx, port);
      },
    };
    const call = wanting([{ portId: taken.id }, { networkId: network.id }]);
    const step = allocateNetworks({ neutron: slow, factsOf: networkFacts(neutron, fakeClock()) });
    await assert.rejects(step.run(call), { reason: "PORT_IN_USE" });
    await step.undo?.(call);
    assert.deepEqual([...neutron.ports.keys()], [taken.id]);
  });

  it("is undone: what it made is deleted, what it took over is free again, the host is forgotten", async () => {
    const { neutron, network, step } = world();
    const given = neutron.addPort({ networkId: network.id });
    const call = wanting([{ networkId: network.id }, { portId: given.id }]);
    await step.run(call);
    const change = await step.undo?.(call);
    assert.deepEqual([...neutron.ports.keys()], [given.id]);
    assert.deepEqual(
      [neutron.ports.get(given.id)?.deviceId, neutron.ports.get(given.id)?.bindingHostId],
      ["", ""],
    );
    assert.deepEqual(change?.ports, []);
  });
});

describe("release-networks", () => {
  it("deletes what came with the server or with its pre-empted boot, and frees the rest", async () => {
    const { neutron, network } = world();
    const own = neutron.addPort({ networkId: network.id, deviceId: SERVER });
    const victims = neutron.addPort({
      networkId: network.id,
      deviceId: SERVER,
      name: portName(OPERATION, 0),
    });
    const users = neutron.addPort({ networkId: network.id, deviceId: SERVER, name: "mine" });
    const call = aCall({
      instance: { ports: [{ portId: own.id, createdByUs: true }] },
      operation: { preempts: `operations/${SERVER}/${OPERATION}` },
    });
    await releaseNetworks({ neutron, images, ...volumes, operations: resting }).run(call);
    assert.deepEqual([...neutron.ports.keys()], [users.id]);
    assert.equal(neutron.ports.get(users.id)?.deviceId, "");
    assert.ok(!neutron.ports.has(victims.id));
  });

  it("waits for the end of the victim's step that may still be making ports, and for no other", async () => {
    const { neutron, network } = world();
    let atRest = false;
    const step = releaseNetworks({
      neutron,
      images,
      ...volumes,
      operations: { settleOperation: async () => ({ atRest }) },
    });
    const preempting = (unfenced: boolean): StepCall =>
      aCall({
        operation: {
          preempts: `operations/${SERVER}/${OPERATION}`,
          preemptedSteps: [{ ...claimed, name: "one", unfenced, state: "running" }],
        },
      });
    assert.deepEqual(await step.run(preempting(true)), {
      kind: "park",
      signal: "victim-at-rest",
      wakeAfterMs: 1_000,
      consumed: [],
      host: "",
    });
    assert.equal((await step.run(preempting(false))).kind, "done");
    neutron.addPort({ networkId: network.id, deviceId: SERVER, name: portName(OPERATION, 0) });
    atRest = true;
    assert.equal((await step.run(preempting(true))).kind, "done");
    assert.equal(neutron.ports.size, 0);
  });

  it("waits for victims of other lanes as well, and releases what they made", async () => {
    const { neutron, network } = world();
    const other = `operations/${SERVER}/09000000-0000-4000-8000-000000000002`;
    const busy = new Set([other]);
    const step = releaseNetworks({
      neutron,
      images,
      ...volumes,
      operations: { settleOperation: async (_ctx, { name }) => ({ atRest: !busy.has(name ?? "") }) },
    });
    const steps = [{ ...claimed, name: "one", unfenced: true, state: "running" }];
    const call = aCall({
      operation: {
        preempts: `operations/${SERVER}/${OPERATION}`,
        preemptedSteps: steps,
        alsoPreempted: [
          { name: other, kind: "test.plug", input: Buffer.alloc(0), steps, otherFields: Buffer.alloc(0) },
        ],
      },
    });
    assert.equal((await step.run(call)).kind, "park");
    busy.clear();
    for (const id of [OPERATION, "09000000-0000-4000-8000-000000000002"])
      neutron.addPort({ networkId: network.id, deviceId: SERVER, name: portName(id, 0) });
    assert.equal((await step.run(call)).kind, "done");
    assert.equal(neutron.ports.size, 0);
  });

  it("says that it could not end while ports keep coming", async () => {
    const { neutron, network } = world();
    const stubborn: Neutron = { ...neutron, deletePort: async () => {} };
    neutron.addPort({ networkId: network.id, deviceId: SERVER, name: portName(OPERATION, 0) });
    await assert.rejects(
      releaseNetworks({ neutron: stubborn, images, ...volumes, operations: resting }).run(
        aCall({ operation: { preempts: `operations/${SERVER}/${OPERATION}` } }),
      ),
      { kind: "unavailable" },
    );
  });
});
