import assert from "node:assert/strict";
import { NovaAddressesServiceDefinition } from "../../../gen/kilonova/compat/v1/nova_addresses_service.js";
import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { InstancePort } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import type { FloatingIpInfo, PortInfo } from "../../clients/neutron/ports.js";
import { aNetwork, aPort, anApi, as, administrator, member } from "../testing/an-api.js";

const SERVER = "00000000-0000-4000-8000-000000000001";
const PORT = "aaaaaaaa-0000-4000-8000-000000000001";
const SECOND = "aaaaaaaa-0000-4000-8000-000000000002";
const NETWORK = aNetwork().id;
const OTHER = "22222222-0000-4000-8000-000000000002";
const FLOATING = "192.0.2.9";
const stranger = { ...member, userId: "u2", projectId: "p2" };

const aFloatingIp = (init: Partial<FloatingIpInfo> = {}): FloatingIpInfo => ({
  id: "f1",
  projectId: "p1",
  floatingIpAddress: FLOATING,
  fixedIpAddress: undefined,
  portId: undefined,
  status: "DOWN",
  ...init,
});

/** A server with one port of one address, on a network with two subnets. */
function world({
  port = {},
  lockedBy,
}: { readonly port?: Partial<PortInfo>; readonly lockedBy?: string } = {}) {
  const api = anApi();
  api.networks.push(aNetwork({ subnetIds: ["s1", "s22"] }));
  api.ports.set(PORT, aPort({ id: PORT, deviceId: SERVER, ...port }));
  api.cells.put(
    "cell1",
    {
      id: SERVER,
      hostInfo: ServerHostInfo.fromPartial({ host: "h1" }),
      ...(lockedBy === undefined ? {} : { lock: { lockedBy, reason: "" } }),
    },
    { ports: [InstancePort.fromPartial({ portId: PORT })] },
  );
  const addressesOf = (id = PORT): string[] =>
    (api.ports.get(id)?.fixedIps ?? []).map(({ ipAddress }) => ipAddress);
  const refreshed = (): string | undefined =>
    (api.cells.requests.get("acceptOperation") as AcceptOperationRequest | undefined)?.kind;
  return { api, addressesOf, refreshed, addresses: api.channel.client(NovaAddressesServiceDefinition) };
}

describe("fixed IPs through us", () => {
  it("come from the first subnet that has one, and the server follows", async () => {
    const { api, addresses, addressesOf, refreshed } = world();
    await addresses.addFixedIp(as(member), { serverId: SERVER, networkId: NETWORK });
    assert.deepEqual(addressesOf(), ["10.0.0.9", "10.0.2.77"]);
    assert.equal(refreshed(), "server.refresh-interfaces");
    api.fullSubnets.add("s1");
    await addresses.addFixedIp(as(member), { serverId: SERVER, networkId: NETWORK });
    assert.deepEqual(addressesOf(), ["10.0.0.9", "10.0.2.77", "10.0.3.77"]);
    api.fullSubnets.add("s22");
    await assert.rejects(addresses.addFixedIp(as(member), { serverId: SERVER, networkId: NETWORK }), {
      reason: "NO_MORE_FIXED_IPS",
      kind: "invalid",
      message: `No fixed IP addresses available for network: ${NETWORK}`,
    });
  });

  it("come from networks alone on which the server is, and which the caller may use", async () => {
    const { api, addresses } = world();
    api.networks.push(aNetwork({ id: OTHER }));
    const message = `Network could not be found for instance ${SERVER}.`;
    for (const networkId of [OTHER, "7", "nonsense", SERVER])
      await assert.rejects(addresses.addFixedIp(as(member), { serverId: SERVER, networkId }), { message });
    await assert.rejects(addresses.addFixedIp(as(stranger), { serverId: SERVER, networkId: NETWORK }), {
      reason: "SERVER_NOT_FOUND",
    });
    const outside = world();
    outside.api.networks.splice(0, 1, aNetwork({ projectId: "x", external: true }));
    await assert.rejects(outside.addresses.addFixedIp(as(member), { serverId: SERVER, networkId: NETWORK }), {
      reason: "EXTERNAL_NETWORK",
    });
    outside.api.networks.splice(0, 1, aNetwork({ projectId: "x" }));
    await assert.rejects(outside.addresses.addFixedIp(as(member), { serverId: SERVER, networkId: NETWORK }), {
      reason: "NETWORK_NOT_FOUND",
    });
  });

  it("are taken from the port that has them; others stay", async () => {
    const { api, addresses, addressesOf, refreshed } = world();
    const ips = ["10.0.0.7", "2001:db8::7"].map((ipAddress) => ({ subnetId: "s1", ipAddress }));
    api.ports.set(SECOND, aPort({ id: SECOND, deviceId: SERVER, fixedIps: ips }));
    await addresses.removeFixedIp(as(member), { serverId: SERVER, address: "2001:DB8:0::7" });
    assert.deepEqual([addressesOf(), addressesOf(SECOND)], [["10.0.0.9"], ["10.0.0.7"]]);
    assert.equal(refreshed(), "server.refresh-interfaces");
    await assert.rejects(addresses.removeFixedIp(as(member), { serverId: SERVER, address: "10.0.0.1" }), {
      reason: "FIXED_IP_NOT_FOUND",
      kind: "invalid",
      message: `Instance ${SERVER} does not have fixed IP '10.0.0.1'.`,
    });
    for (const address of ["", "x"])
      await assert.rejects(addresses.removeFixedIp(as(member), { serverId: SERVER, address }), {
        reason: "INVALID_REQUEST",
      });
  });

  it("of another project's port that claims to be of the server stay", async () => {
    const { api, addresses, addressesOf } = world();
    api.ports.set(
      SECOND,
      aPort({
        id: SECOND,
        projectId: "p2",
        deviceId: SERVER,
        fixedIps: [{ subnetId: "s1", ipAddress: "10.0.0.7" }],
      }),
    );
    await assert.rejects(addresses.removeFixedIp(as(member), { serverId: SERVER, address: "10.0.0.7" }), {
      reason: "FIXED_IP_NOT_FOUND",
    });
    assert.deepEqual(addressesOf(SECOND), ["10.0.0.7"]);
  });

  it("stay as they are under a lock, but for administrators", async () => {
    const { addresses, addressesOf } = world({ lockedBy: "owner" });
    const locked = { reason: "INSTANCE_LOCKED", kind: "refused", message: `Instance ${SERVER} is locked` };
    await assert.rejects(addresses.addFixedIp(as(member), { serverId: SERVER, networkId: NETWORK }), locked);
    await assert.rejects(
      addresses.removeFixedIp(as(member), { serverId: SERVER, address: "10.0.0.9" }),
      locked,
    );
    await addresses.removeFixedIp(as(administrator), { serverId: SERVER, address: "10.0.0.9" });
    assert.deepEqual(addressesOf(), []);
  });
});

describe("floating IPs through us", () => {
  const target = ({ portId, fixedIpAddress }: FloatingIpInfo) => [portId, fixedIpAddress];

  it("lead to the server's first IPv4 address, or to the one that is asked for, and then nowhere", async () => {
    const fixedIps = ["2001:db8::9", "10.0.0.9", "10.0.0.7"].map((ipAddress) => ({
      subnetId: "s1",
      ipAddress,
    }));
    const { api, addresses, refreshed } = world({ port: { fixedIps }, lockedBy: "owner" });
    api.floatingIps.push(aFloatingIp());
    const shown = () => api.floatingIps.map(target);
    await addresses.addFloatingIp(as(member), { serverId: SERVER, address: FLOATING });
    assert.deepEqual(shown(), [[PORT, "10.0.0.9"]]);
    assert.equal(refreshed(), "server.refresh-interfaces");
    await addresses.addFloatingIp(as(member), {
      serverId: SERVER,
      address: FLOATING,
      fixedAddress: "10.0.0.7",
    });
    assert.deepEqual(shown(), [[PORT, "10.0.0.7"]]);
    await addresses.removeFloatingIp(as(member), { serverId: SERVER, address: FLOATING });
    assert.deepEqual(shown(), [[undefined, undefined]]);
    await assert.rejects(addresses.removeFloatingIp(as(member), { serverId: SERVER, address: FLOATING }), {
      reason: "FLOATING_IP_NOT_OF_SERVER",
      kind: "refused",
      message: `Floating IP ${FLOATING} is not associated with instance ${SERVER}.`,
    });
  });

  const refused: readonly (readonly [string, Partial<PortInfo>, object, string])[] = [
    ["without ports", { deviceId: "" }, {}, "Instance network is not ready yet"],
    ["without addresses", { fixedIps: [] }, {}, "No fixed IPs associated to instance"],
    [
      "to an address of somebody else's",
      {},
      { fixedAddress: "10.0.0.1" },
      "Specified fixed address not assigned to instance",
    ],
    [
      "without an IPv4 address",
      { fixedIps: [{ subnetId: "s1", ipAddress: "2001:db8::9" }] },
      {},
      `Unable to associate floating IP ${FLOATING} to any fixed IPs for instance ${SERVER}. Instance has no fixed IPv4 addresses to associate.`,
    ],
  ];
  for (const [what, port, asked, message] of refused)
    it(`lead nowhere ${what}, in Nova's words`, async () => {
      const { api, addresses } = world({ port });
      api.floatingIps.push(aFloatingIp());
      const request = { serverId: SERVER, address: FLOATING, ...asked };
      await assert.rejects(addresses.addFloatingIp(as(member), request), { kind: "invalid", message });
      assert.deepEqual(api.floatingIps.map(target), [[undefined, undefined]]);
    });

  it("are those of the caller's project", async () => {
    const { api, addresses } = world();
    api.floatingIps.push(aFloatingIp({ projectId: "p2", portId: PORT }));
    const asked = { serverId: SERVER, address: FLOATING };
    await assert.rejects(addresses.addFloatingIp(as(member), asked), {
      kind: "missing",
      message: "floating IP not found",
    });
    await assert.rejects(addresses.removeFloatingIp(as(member), asked), {
      kind: "missing",
      message: `Floating IP not found for address ${FLOATING}.`,
    });
    assert.deepEqual(api.floatingIps.map(target), [[PORT, undefined]]);
    await addresses.removeFloatingIp(as(administrator), asked);
    assert.deepEqual(api.floatingIps.map(target), [[undefined, undefined]]);
  });

  it("of which there are two, or which the Network service does not lead there, are refused", async () => {
    const { api, addresses } = world();
    api.floatingIps.push(
      aFloatingIp(),
      aFloatingIp({ id: "f2", portId: PORT, floatingIpAddress: "192.0.2.10" }),
    );
    const asked = { serverId: SERVER, address: FLOATING };
    await assert.rejects(addresses.addFloatingIp(as(member), asked), {
      kind: "invalid",
      message: "another one leads there",
    });
    api.floatingIps.push(aFloatingIp({ id: "f3" }));
    const twice = `Multiple floating IPs are found for address ${FLOATING}.`;
    await assert.rejects(addresses.addFloatingIp(as(member), asked), {
      kind: "invalid",
      message: `Unable to associate floating IP ${FLOATING} to fixed IP 10.0.0.9 for instance ${SERVER}. Error: ${twice}`,
    });
    await assert.rejects(addresses.removeFloatingIp(as(member), asked), { kind: "refused", message: twice });
  });
});
