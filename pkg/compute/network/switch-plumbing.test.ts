import assert from "node:assert/strict";
import { InstancePort, InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { fakeNeutron } from "../../clients/neutron/testing/fake-neutron.js";
import { rootCtx } from "../../kernel/index.js";
import type { LostPort } from "../agent/ports.js";
import type { GroupMembers, PortConfig, Switch } from "../switch/index.js";
import { SwitchPlumbing } from "./switch-plumbing.js";

const ctx = rootCtx({ requestId: "req-plumbing" });

/**
 * A plumbing before a switch that only keeps what it is told, with one port of a server in group `web`, which
 * admits members of `web`.
 */
function scene() {
  const neutron = fakeNeutron();
  const network = neutron.addNetwork();
  const rule = {
    id: "r",
    securityGroupId: "",
    direction: "ingress",
    ethertype: "IPv4",
    protocol: "tcp",
    portRangeMin: 80,
    portRangeMax: 80,
    remoteIpPrefix: undefined,
    description: "",
  } as const;
  neutron.addSecurityGroup({ id: "web", rules: [{ ...rule, remoteGroupId: "web" }] });
  neutron.addSecurityGroup({
    id: "open",
    rules: [
      {
        ...rule,
        protocol: undefined,
        portRangeMin: undefined,
        portRangeMax: undefined,
        remoteGroupId: undefined,
      },
    ],
  });
  const port = neutron.addPort({
    networkId: network.id,
    fixedIps: [{ subnetId: "s", ipAddress: "10.0.0.5" }],
    securityGroupIds: ["web"],
  });
  const told = {
    ports: new Map<string, PortConfig>(),
    groups: [] as readonly GroupMembers[],
    settings: 0,
    groupings: 0,
  };
  const sw: Switch = {
    tunnelPort: 0,
    setPeers: async () => {},
    stats: async () => assert.fail("not asked"),
    close: async () => {},
    setPort: async (config) => {
      told.ports.set(config.portId, config);
      told.settings += 1;
    },
    removePort: async (id) => {
      told.ports.delete(id);
    },
    setGroups: async (groups) => {
      told.groups = groups;
      told.groupings += 1;
    },
  };
  const plumbing = new SwitchPlumbing({ switch: sw, neutron, domain: "" });
  const lost: LostPort[] = [];
  plumbing.onLost((one) => lost.push(one));
  const record = InstanceRecord.fromPartial({
    server: { id: "server", hostname: "guest" },
    ports: [
      InstancePort.fromPartial({
        portId: port.id,
        networkId: network.id,
        macAddress: port.macAddress,
        segmentationId: 5,
        portSecurity: true,
        securityGroupIds: ["web"],
        addresses: [
          { ipAddress: "10.0.0.5", prefixLength: 24, version: 4 },
          { ipAddress: "fd00::5", prefixLength: 64, version: 6, ipv6AddressMode: "slaac" },
        ],
      }),
    ],
  });
  const change = (now: Partial<typeof port>): void => {
    neutron.addPort({ ...port, ...now });
  };
  return {
    neutron,
    network,
    port,
    told,
    plumbing,
    lost,
    record,
    change,
    config: (): PortConfig => told.ports.get(port.id) ?? assert.fail("no port"),
  };
}

describe("plumbing between Network service and switch", () => {
  it("tells the switch a port with the rules of its groups, and the mode of its IPv6 addresses", async () => {
    const s = scene();
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    assert.deepEqual(s.config().securityRules, [
      {
        direction: "ingress",
        ethertype: "IPv4",
        protocol: 6,
        portRangeMin: 80,
        portRangeMax: 80,
        remoteGroupId: "web",
      },
    ]);
    assert.deepEqual(
      [s.config().adminStateUp, s.config().portSecurity, s.config().allowedAddressPairs],
      [true, true, []],
    );
    assert.deepEqual(
      s.config().fixedIps.map(({ ip, ipv6Mode }) => [ip, ipv6Mode]),
      [
        ["10.0.0.5", undefined],
        ["fd00::5", "slaac"],
      ],
    );
    assert.deepEqual(s.told.groups, [{ groupId: "web", addresses: ["10.0.0.5"] }]);
  });

  for (const [name, change, wanted] of [
    ["administrative state", { adminStateUp: false }, { adminStateUp: false }],
    [
      "port security",
      { portSecurityEnabled: false, securityGroupIds: [] },
      { portSecurity: false, securityGroupIds: [], securityRules: [] },
    ],
    [
      "allowed address pairs",
      {
        allowedAddressPairs: [
          { ipAddress: "10.9.0.0/16", macAddress: undefined },
          { ipAddress: "10.0.0.9", macAddress: "fa:16:3e:00:00:09" },
        ],
      },
      { allowedAddressPairs: [{ ip: "10.9.0.0/16" }, { ip: "10.0.0.9", macAddress: "fa:16:3e:00:00:09" }] },
    ],
    [
      "security groups",
      { securityGroupIds: ["open"] },
      { securityGroupIds: ["open"], securityRules: [{ direction: "ingress", ethertype: "IPv4" }] },
    ],
  ] as const) {
    it(`follows a change of ${name} while the guest runs, and has it at once when it starts`, async () => {
      for (const running of [true, false]) {
        const s = scene();
        if (running) await s.plumbing.plug(ctx, s.record, () => "/socket");
        s.change(change);
        if (running) await s.plumbing.refresh(ctx);
        else await s.plumbing.plug(ctx, s.record, () => "/socket");
        const config = s.config();
        assert.deepEqual({ ...config, ...wanted }, config);
      }
    });
  }

  it("counts the pairs of a group's members as members", async () => {
    const s = scene();
    s.neutron.addPort({
      networkId: s.network.id,
      fixedIps: [{ subnetId: "s", ipAddress: "10.0.0.6" }],
      securityGroupIds: ["web"],
      allowedAddressPairs: [{ ipAddress: "10.8.0.0/24", macAddress: undefined }],
    });
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    assert.deepEqual(s.told.groups, [{ groupId: "web", addresses: ["10.0.0.5", "10.0.0.6", "10.8.0.0/24"] }]);
  });

  it("tells nothing twice, in whatever order the service lists it", async () => {
    const s = scene();
    const rules = ["a", "b"].map(
      (id, i) =>
        ({
          id,
          securityGroupId: "web",
          direction: "ingress",
          ethertype: "IPv4",
          protocol: "tcp",
          portRangeMin: i,
          portRangeMax: i,
          remoteIpPrefix: undefined,
          remoteGroupId: "web",
          description: "",
        }) as const,
    );
    s.neutron.addSecurityGroup({ id: "web", rules });
    const other = s.neutron.addPort({
      networkId: s.network.id,
      fixedIps: [{ subnetId: "s", ipAddress: "10.0.0.4" }],
      securityGroupIds: ["web"],
    });
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    s.neutron.addSecurityGroup({ id: "web", rules: rules.toReversed() });
    await s.neutron.deletePort(ctx, other.id);
    s.neutron.addPort(other);
    await s.plumbing.refresh(ctx);
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    assert.deepEqual([s.told.settings, s.told.groupings], [1, 1]);
    await s.neutron.deletePort(ctx, other.id);
    await s.plumbing.refresh(ctx);
    assert.deepEqual(
      [s.told.settings, s.told.groupings, s.told.groups],
      [1, 2, [{ groupId: "web", addresses: ["10.0.0.5"] }]],
    );
  });

  it("leaves a port that did not change as it is", async () => {
    const s = scene();
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    const before = s.config();
    await s.plumbing.refresh(ctx);
    assert.deepEqual([s.told.settings, s.config()], [1, before]);
    await s.plumbing.unplug(ctx, [], "server");
    await s.plumbing.refresh(ctx);
    assert.deepEqual([s.told.ports.size, s.lost], [0, []]);
  });

  for (const [what, end] of [
    ["is deleted", (s) => s.neutron.deletePort(ctx, s.port.id)],
    ["belongs to another server", async (s) => s.change({ deviceId: "another" })],
    [
      "is set down and then deleted",
      async (s) => {
        s.change({ adminStateUp: false });
        await s.plumbing.refresh(ctx);
        await s.neutron.deletePort(ctx, s.port.id);
      },
    ],
  ] as readonly (readonly [string, (s: ReturnType<typeof scene>) => Promise<void>])[]) {
    it(`lets nothing pass at a port that ${what}, and tells of it`, async () => {
      const s = scene();
      await s.plumbing.plug(ctx, s.record, () => "/socket");
      await end(s);
      await s.plumbing.refresh(ctx);
      assert.deepEqual([s.told.ports.size, s.lost], [0, [{ serverId: "server", portId: s.port.id }]]);
    });

    it(`does not bring back a port that ${what}, however often the guest is started`, async () => {
      const s = scene();
      await end(s);
      for (let times = 1; times <= 2; times++) {
        await s.plumbing.plug(ctx, s.record, () => "/socket");
        assert.deepEqual([s.told.ports.size, s.lost.length], [0, times]);
      }
    });
  }

  it("goes on with what it knows while the Network service cannot be asked", async () => {
    const s = scene();
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    const before = s.config();
    s.neutron.down = true;
    await assert.rejects(s.plumbing.refresh(ctx), { reason: "NETWORK_UNAVAILABLE" });
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    assert.deepEqual([s.config(), s.told.settings, s.lost], [before, 1, []]);
  });

  it("counts a port that says no device as its server's", async () => {
    const s = scene();
    s.change({ deviceId: "server" });
    await s.plumbing.plug(ctx, s.record, () => "/socket");
    s.change({ deviceId: "" });
    await s.plumbing.refresh(ctx);
    assert.deepEqual([s.told.ports.size, s.lost], [1, []]);
  });
});
