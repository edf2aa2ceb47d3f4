import assert from "node:assert/strict";
import type { GuestSubnet } from "./index.js";
import { networkData } from "./network-data.js";
import { ipv4Netmask, ipv6Netmask, splitCidr } from "./netmask.js";
import { someGuest } from "./testing/some-guest.js";

const nicWith = (...subnets: GuestSubnet[]) => someGuest().networks.map((n) => ({ ...n, subnets }));
const v4: GuestSubnet = {
  subnetId: "s4",
  version: 4,
  ip: "10.0.0.5",
  prefix: 24,
  dhcp: false,
  gateway: "10.0.0.1",
  dns: ["9.9.9.9"],
  routes: [],
};
const v6: GuestSubnet = {
  subnetId: "s6",
  version: 6,
  ip: "fd00::5",
  prefix: 64,
  dhcp: false,
  dns: ["9.9.9.9", "fd00::53"],
  routes: [],
};

describe("network_data.json", () => {
  it("describes a static address with its routes", () => {
    assert.deepEqual(networkData(someGuest().networks), {
      links: [
        {
          id: "tap0a1b2c3d-4e",
          vif_id: "0a1b2c3d-4e5f-4000-8000-000000000001",
          type: "ovs",
          mtu: 1450,
          ethernet_mac_address: "fa:16:3e:00:00:01",
        },
      ],
      networks: [
        {
          id: "network0",
          link: "tap0a1b2c3d-4e",
          network_id: "net-1",
          type: "ipv4",
          ip_address: "10.0.0.5",
          netmask: "255.255.255.0",
          routes: [
            { network: "0.0.0.0", netmask: "0.0.0.0", gateway: "10.0.0.1" },
            { network: "10.9.0.0", netmask: "255.255.0.0", gateway: "10.0.0.9" },
          ],
          services: [{ type: "dns", address: "9.9.9.9" }],
        },
      ],
      services: [{ type: "dns", address: "9.9.9.9" }],
    });
  });

  it("sends the guest to DHCP and hides the MTU when a server answers there", () => {
    const doc = networkData(nicWith({ ...v4, dhcp: true }));
    assert.deepEqual(doc["networks"], [
      { id: "network0", link: "tap0a1b2c3d-4e", network_id: "net-1", type: "ipv4_dhcp" },
    ]);
    assert.equal((doc["links"] as { mtu: unknown }[])[0]?.mtu, null);
  });

  it("tells the first v4 and the first v6 subnet of a link, and each name server once", () => {
    const doc = networkData(nicWith(v6, v4, { ...v4, ip: "10.0.1.5" }));
    assert.deepEqual(
      (doc["networks"] as { id: string; type: string; ip_address: string }[]).map((n) => [
        n.id,
        n.type,
        n.ip_address,
      ]),
      [
        ["network0", "ipv4", "10.0.0.5"],
        ["network1", "ipv6", "fd00::5"],
      ],
    );
    assert.equal((doc["services"] as unknown[]).length, 2);
  });

  it("leaves out links without addresses", () => {
    assert.deepEqual(networkData(nicWith()), { links: [], networks: [], services: [] });
  });

  it("names IPv6 modes and unknown vif types", () => {
    const slaac = networkData(
      nicWith({ ...v6, ipv6AddressMode: "slaac" }).map((n) => ({ ...n, vifType: "kilonova" })),
    );
    assert.equal((slaac["networks"] as { type: string }[])[0]?.type, "ipv6_slaac");
    assert.equal((slaac["links"] as { type: string }[])[0]?.type, "phy");
  });
});

describe("netmasks", () => {
  for (const [prefix, mask] of [
    [0, "0.0.0.0"],
    [8, "255.0.0.0"],
    [20, "255.255.240.0"],
    [32, "255.255.255.255"],
  ] as const) {
    it(`/${prefix} is ${mask}`, () => assert.equal(ipv4Netmask(prefix), mask));
  }
  for (const [prefix, mask] of [
    [0, "::"],
    [48, "ffff:ffff:ffff::"],
    [60, "ffff:ffff:ffff:fff0::"],
    [112, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0"],
    [128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  ] as const) {
    it(`/${prefix} is ${mask}`, () => assert.equal(ipv6Netmask(prefix), mask));
  }
  it("reads a bare address as a single host", () => {
    assert.deepEqual(splitCidr("10.0.0.1"), { address: "10.0.0.1", prefix: 32 });
    assert.deepEqual(splitCidr("fd00::/8"), { address: "fd00::", prefix: 8 });
  });
});
