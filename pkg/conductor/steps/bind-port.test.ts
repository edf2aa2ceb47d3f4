import assert from "node:assert/strict";
import { AttachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { fakeClock } from "../../testkit/clock.js";
import { aServer } from "../../cells/testing/records.js";
import { networkFacts } from "../adapters/network-facts.js";
import type { StepCall } from "../engine/kind.js";
import { SERVER, aCall } from "../testing/a-call.js";
import { bindPort, boundPort, decodedPort } from "./bind-port.js";
import { releasePort } from "./release-port.js";

type Call = StepCall<AttachInterfaceInput>;

function world() {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const step = bindPort({ neutron, factsOf: networkFacts(neutron, fakeClock()) });
  return { neutron, network, step };
}

const server = aServer({ id: SERVER, hostInfo: { host: "h1" } as never });
const asked = (input: Partial<AttachInterfaceInput>, more: Parameters<typeof aCall>[0] = {}): Call => ({
  ...aCall({ ...more, instance: { server, ...more.instance } }),
  input: AttachInterfaceInput.fromPartial(input),
});

describe("bind-port", () => {
  it("makes a port on the server's host, and finds it again", async () => {
    const { neutron, network, step } = world();
    const call = asked({ networkId: network.id, fixedIp: "10.0.0.77", tag: "nic" });
    const result = await step.run(call);
    await step.run(call);
    assert.ok(result.kind === "done");
    assert.equal(result.change, undefined);
    const output = boundPort.schema.parse(result.output);
    const port = decodedPort(output);
    assert.deepEqual([...neutron.ports.keys()], [output.portId]);
    const stored = neutron.ports.get(output.portId);
    assert.deepEqual([stored?.bindingHostId, stored?.deviceId], ["h1", SERVER]);
    assert.deepEqual(
      [port.createdByUs, port.tag, port.networkLabel, port.addresses[0]?.ipAddress],
      [true, "nic", "private", "10.0.0.77"],
    );
  });

  it("has one port when a second process makes it at the same moment", async () => {
    const { neutron, network, step } = world();
    const call = asked({ networkId: network.id, fixedIp: "10.0.0.77" }, { firstStart: true });
    const ends = await Promise.all([step.run(call), step.run(call)]);
    const [first, second] = ends.map((end) =>
      end.kind === "done" ? boundPort.schema.parse(end.output).portId : undefined,
    );
    assert.equal(first, second);
    assert.deepEqual([...neutron.ports.keys()], [first]);
  });

  it("takes over a free port, and leaves it free when it is undone", async () => {
    const { neutron, network, step } = world();
    const port = neutron.addPort({ networkId: network.id });
    const call = asked({ portId: port.id });
    assert.equal((await step.run(call)).kind, "done");
    assert.equal(neutron.ports.get(port.id)?.deviceId, SERVER);
    await step.undo?.(call);
    assert.deepEqual(
      [neutron.ports.get(port.id)?.deviceId, neutron.ports.get(port.id)?.bindingHostId],
      ["", ""],
    );
  });

  it("refuses a port that the server has already, and leaves it alone", async () => {
    const { neutron, network, step } = world();
    const port = neutron.addPort({ networkId: network.id, deviceId: SERVER, bindingHostId: "h1" });
    const call = asked({ portId: port.id }, { instance: { ports: [{ portId: port.id }] } });
    const result = await step.run(call);
    assert.ok(result.kind === "fail");
    assert.equal(result.error.reason, "PORT_IN_USE");
    await step.undo?.(call);
    assert.equal(neutron.ports.get(port.id)?.deviceId, SERVER);
  });

  it("deletes what it made and no other port of the server when it is undone, also before it ran", async () => {
    const { neutron, network, step } = world();
    const other = neutron.addPort({ networkId: network.id, deviceId: SERVER });
    const call = asked({ networkId: network.id });
    await step.undo?.(call);
    await step.run(call);
    assert.equal(neutron.ports.size, 2);
    await step.undo?.(call);
    await step.undo?.(call);
    assert.deepEqual([...neutron.ports.keys()], [other.id]);
  });

  it("does not free a port that another server has got meanwhile, or that is gone", async () => {
    const { neutron, network, step } = world();
    const port = neutron.addPort({ networkId: network.id, deviceId: "another" });
    await step.undo?.(asked({ portId: port.id }));
    assert.equal(neutron.ports.get(port.id)?.deviceId, "another");
    await step.undo?.(asked({ portId: "none" }));
  });

  it("waits with its undo for a Network service that is away, and fails where the host cannot bind", async () => {
    const { neutron, network, step } = world();
    const port = neutron.addPort({ networkId: network.id, deviceId: SERVER });
    neutron.down = true;
    await assert.rejects(async () => step.undo?.(asked({ portId: port.id })), {
      reason: "NETWORK_UNAVAILABLE",
    });
    neutron.down = false;
    const { updatePort } = neutron;
    neutron.updatePort = async (...told) => ({ ...(await updatePort(...told)), vifType: "binding_failed" });
    const result = await step.run(asked({ portId: port.id }));
    assert.equal(result.kind === "fail" && result.error.reason, "PORT_BINDING_FAILED");
  });
});

describe("release-port", () => {
  it("deletes a port that came with the server and frees one of its user's; the record loses it", async () => {
    const { neutron, network } = world();
    const ours = neutron.addPort({ networkId: network.id, deviceId: SERVER });
    const users = neutron.addPort({ networkId: network.id, deviceId: SERVER, bindingHostId: "h1" });
    const ports = [{ portId: ours.id, createdByUs: true }, { portId: users.id }];
    for (const { portId } of ports) {
      const call = { ...aCall({ instance: { ports } }), input: { portId } };
      const result = await releasePort(neutron).run(call as never);
      assert.ok(result.kind === "done");
      assert.deepEqual(result.change, { removePorts: [portId] });
    }
    assert.deepEqual([...neutron.ports.keys()], [users.id]);
    assert.equal(neutron.ports.get(users.id)?.deviceId, "");
  });
});
