import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import { checkAddressPairs, checkPortSecurity } from "./port-security.js";
import { checkNewLeg, checkNextHops, leadsThrough } from "./router-rules.js";
import { checkV6Modes } from "./subnet-rules.js";

const refuses =
  (reason: string, text = "") =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason && error.message.includes(text);

describe("router rules", () => {
  const legs = [
    { subnetId: "a", cidr: "10.0.0.0/24" },
    { subnetId: "b", cidr: "fd00::/64" },
  ];

  it("let a router into each range once", () => {
    checkNewLeg({ subnetId: "c", cidr: "10.0.1.0/24" }, legs);
    assert.throws(
      () => checkNewLeg({ subnetId: "a", cidr: "10.0.0.0/24" }, legs),
      refuses("BAD_REQUEST", "Router already has a port on subnet a"),
    );
    assert.throws(
      () => checkNewLeg({ subnetId: "c", cidr: "10.0.0.128/25" }, legs),
      refuses("BAD_REQUEST", "overlaps with cidr 10.0.0.0/24 of subnet a"),
    );
    assert.throws(
      () => checkNewLeg({ subnetId: "c", cidr: "fd00::/16" }, legs),
      refuses("BAD_REQUEST", "overlaps"),
    );
  });

  it("let routes lead only where the router is connected", () => {
    const route = { destination: "0.0.0.0/0", nexthop: "10.0.0.7" };
    checkNextHops(
      [route],
      legs.map((leg) => leg.cidr),
    );
    assert.throws(() => checkNextHops([route], ["10.0.1.0/24"]), refuses("INVALID_ROUTES", "10.0.0.7"));
    assert.deepEqual(
      [
        leadsThrough([route], "10.0.0.0/24"),
        leadsThrough([route], "10.0.1.0/24"),
        leadsThrough([], "10.0.0.0/24"),
      ],
      [true, false, false],
    );
  });
});

describe("port security", () => {
  const open = { portSecurityEnabled: false, securityGroupIds: [], allowedAddressPairs: [] };

  it("is needed for groups and further addresses", () => {
    checkPortSecurity(open, true);
    checkPortSecurity(
      {
        portSecurityEnabled: true,
        securityGroupIds: ["g"],
        allowedAddressPairs: [{ ip_address: "10.0.0.1" }],
      },
      false,
    );
    assert.throws(
      () => checkPortSecurity({ ...open, securityGroupIds: ["g"] }, true),
      refuses("PORT_SECURITY_AND_IP_REQUIRED_FOR_SECURITY_GROUPS"),
    );
    assert.throws(
      () => checkPortSecurity({ ...open, securityGroupIds: ["g"] }, false),
      refuses("PORT_SECURITY_PORT_HAS_SECURITY_GROUP"),
    );
    assert.throws(
      () => checkPortSecurity({ ...open, allowedAddressPairs: [{ ip_address: "10.0.0.1" }] }, false),
      refuses("ADDRESS_PAIR_AND_PORT_SECURITY_REQUIRED"),
    );
  });

  it("takes a pair without a MAC address for one with the port's", () => {
    const mac = "fa:16:3e:00:00:01";
    checkAddressPairs(
      [{ ip_address: "10.0.0.1" }, { ip_address: "10.0.0.1", mac_address: "fa:16:3e:00:00:02" }],
      mac,
    );
    assert.throws(
      () =>
        checkAddressPairs([{ ip_address: "10.0.0.1" }, { ip_address: "10.0.0.1", mac_address: mac }], mac),
      refuses("DUPLICATE_ADDRESS_PAIR_IN_REQUEST", "10.0.0.1"),
    );
  });
});

describe("IPv6 modes", () => {
  const v6 = {
    ipVersion: 6,
    cidr: "fd00::/64",
    enableDhcp: true,
    ipv6RaMode: null,
    ipv6AddressMode: null,
  } as const;

  it("fit each other, DHCP and the range", () => {
    checkV6Modes({ ...v6, ipVersion: 4, cidr: "10.0.0.0/24" });
    checkV6Modes({ ...v6, enableDhcp: false, cidr: "fd00::/80" });
    checkV6Modes({ ...v6, ipv6RaMode: "slaac", ipv6AddressMode: "slaac" });
    checkV6Modes({ ...v6, cidr: "fd00::/80", ipv6AddressMode: "dhcpv6-stateful" });
    for (const [bad, text] of [
      [{ ipVersion: 4, cidr: "10.0.0.0/24", ipv6RaMode: "slaac" }, "are for IPv6"],
      [{ enableDhcp: false, ipv6RaMode: "slaac" }, "enable_dhcp"],
      [{ ipv6RaMode: "slaac", ipv6AddressMode: "dhcpv6-stateful" }, "must be the same"],
      [{ cidr: "fd00::/80", ipv6AddressMode: "slaac" }, "/64"],
    ] as const)
      assert.throws(() => checkV6Modes({ ...v6, ...bad }), refuses("INVALID_INPUT", text), text);
  });
});
