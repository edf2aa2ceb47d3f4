import assert from "node:assert/strict";
import type { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { NeutronErrors } from "../../clients/neutron/errors.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { fakeClock } from "../../testkit/clock.js";
import { networkFacts } from "../adapters/network-facts.js";
import { instancePort } from "../domain/ports.js";
import { SERVER, aCall } from "../testing/a-call.js";
import { readPorts } from "./read-ports.js";

async function world() {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork({ name: "private" });
  neutron.addSubnet({ networkId: network.id });
  const factsOf = networkFacts(neutron, fakeClock());
  const fixedIps = [{ subnetId: network.subnetIds[0] ?? "", ipAddress: "10.0.0.5" }];
  const port = neutron.addPort({ networkId: network.id, deviceId: SERVER, fixedIps });
  const facts = await factsOf(aCall().ctx, network.id);
  const known = instancePort(port, facts, { createdByUs: true, tag: "nic", vifModel: "e1000" });
  const read = async (more: Partial<InstancePort> = {}) => {
    const ports = [{ ...known, ...more }];
    const result = await readPorts({ neutron, factsOf }).run(aCall({ instance: { ports } }));
    assert.ok(result.kind === "done");
    return result;
  };
  return { neutron, port, known, read };
}

describe("read-ports", () => {
  it("changes nothing when nothing is otherwise", async () => {
    const { read } = await world();
    const { output, change } = await read();
    assert.deepEqual([output, change], [{ changed: [], gone: [] }, undefined]);
  });

  it("brings addresses into the record, and keeps what only the record knows", async () => {
    const { neutron, port, known, read } = await world();
    const [first] = port.fixedIps;
    assert.ok(first);
    await neutron.updatePort(aCall().ctx, port.id, { fixedIps: [first, { ipAddress: "10.0.0.6" }] });
    const { output, change } = await read();
    assert.deepEqual(output, { changed: [port.id], gone: [] });
    const [now] = change?.putPorts ?? [];
    assert.deepEqual(
      [now?.addresses.map(({ ipAddress }) => ipAddress), now?.tag, now?.createdByUs, now?.vifModel],
      [["10.0.0.5", "10.0.0.6"], known.tag, true, "e1000"],
    );
  });

  it("brings floating IPs into the record, and takes them out again", async () => {
    const { neutron, port, read } = await world();
    const ip = { id: "f1", projectId: "p1", floatingIpAddress: "192.0.2.9", status: "DOWN" };
    neutron.floatingIps.push({ ...ip, portId: undefined, fixedIpAddress: undefined });
    assert.deepEqual((await read()).output, { changed: [], gone: [] });
    await neutron.updateFloatingIp(aCall().ctx, "f1", { portId: port.id, fixedIpAddress: "10.0.0.5" });
    const { output, change } = await read();
    assert.deepEqual(output, { changed: [port.id], gone: [] });
    assert.deepEqual(
      change?.putPorts?.[0]?.addresses.map(({ floatingIps }) => floatingIps),
      [["192.0.2.9"]],
    );
  });

  it("does without floating IPs where the Network service knows none", async () => {
    const { neutron, read } = await world();
    neutron.listFloatingIps = async () => {
      throw NeutronErrors.NOT_FOUND({ id: "floatingips" });
    };
    assert.deepEqual((await read()).output, { changed: [], gone: [] });
  });

  it("brings the names of other security groups into the record", async () => {
    const { neutron, port, read } = await world();
    const [web, db] = ["web", "db"].map((name) => neutron.addSecurityGroup({ name }).id);
    await neutron.updatePort(aCall().ctx, port.id, { securityGroupIds: [web ?? "", db ?? ""] });
    const { change } = await read();
    assert.deepEqual(
      [change?.set?.securityGroups, change?.putPorts?.[0]?.securityGroupIds],
      [
        ["web", "db"],
        [web, db],
      ],
    );
  });

  it("brings them also when the port has its groups already: a move had read them", async () => {
    const { neutron, port, read } = await world();
    const web = neutron.addSecurityGroup({ name: "web" }).id;
    await neutron.updatePort(aCall().ctx, port.id, { securityGroupIds: [web] });
    const { change } = await read({ securityGroupIds: [web] });
    assert.deepEqual([change?.set?.securityGroups, change?.putPorts], [["web"], []]);
  });

  it("names ports that are gone or another server's, which stay in the record until the host knows", async () => {
    const { neutron, port, read } = await world();
    // One that nobody has is not gone.
    await neutron.updatePort(aCall().ctx, port.id, { deviceId: "" });
    assert.deepEqual((await read()).output, { changed: [], gone: [] });
    await neutron.updatePort(aCall().ctx, port.id, { deviceId: "another" });
    assert.deepEqual((await read()).output, { changed: [], gone: [port.id] });
    await neutron.deletePort(aCall().ctx, port.id);
    const { output, change } = await read();
    assert.deepEqual([output, change], [{ changed: [], gone: [port.id] }, undefined]);
  });
});
