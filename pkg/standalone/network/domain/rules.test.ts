import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import type { Port } from "./model.js";
import { portEvents } from "./port-events.js";
import { checkRule, ruleIdentity } from "./rule-checks.js";
import type { RuleWish } from "./rule-checks.js";
import { planSubnet } from "./subnet-rules.js";

const refuses =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

describe("subnet plans", () => {
  const plan = (
    cidr: string,
    more: Partial<Parameters<typeof planSubnet>[0]> = {},
    others: readonly string[] = [],
  ) => planSubnet({ ipVersion: 4, cidr, gatewayIp: undefined, pools: undefined, ...more }, "net", others);

  it("takes the first address as the gateway unless told otherwise", () => {
    assert.deepEqual(plan("10.0.0.9/24"), {
      cidr: "10.0.0.0/24",
      gatewayIp: "10.0.0.1",
      pools: [{ start: "10.0.0.2", end: "10.0.0.254" }],
    });
    assert.deepEqual(plan("10.0.0.0/24", { gatewayIp: null }).pools, [
      { start: "10.0.0.1", end: "10.0.0.254" },
    ]);
    assert.equal(plan("fd00::/64", { ipVersion: 6 }).gatewayIp, "fd00::1");
    assert.equal(plan("fd00::/64", { ipVersion: 6, gatewayIp: "fe80::1" }).gatewayIp, "fe80::1");
  });

  it("refuses what cannot be", () => {
    for (const bad of [
      () => plan("0.0.0.0/0"),
      () => plan("10.0.0.0/24", { ipVersion: 6 }),
      () => plan("10.0.0.0/24", {}, ["10.0.0.128/25"]),
      () => plan("10.0.0.0/24", { gatewayIp: "10.0.0.255" }),
      () => plan("10.0.0.0/24", { pools: [{ start: "10.0.0.9", end: "10.0.0.3" }] }),
      () => plan("10.0.0.0/24", { pools: [{ start: "10.0.0.3", end: "10.0.1.3" }] }),
      () =>
        plan("10.0.0.0/24", {
          pools: [
            { start: "10.0.0.3", end: "10.0.0.9" },
            { start: "10.0.0.9", end: "10.0.0.20" },
          ],
        }),
    ])
      assert.throws(bad, refuses("INVALID_INPUT"));
    assert.throws(
      () => plan("10.0.0.0/24", { pools: [{ start: "10.0.0.1", end: "10.0.0.9" }] }),
      refuses("GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS"),
    );
  });
});

describe("security group rules", () => {
  const wish: RuleWish = {
    direction: "ingress",
    ethertype: "IPv4",
    protocol: "tcp",
    portRangeMin: 22,
    portRangeMax: 22,
    remoteIpPrefix: null,
    remoteGroupId: null,
  };

  it("brings rules into one form", () => {
    assert.equal(checkRule({ ...wish, remoteIpPrefix: "10.1.2.3" }).remoteIpPrefix, "10.1.2.3/32");
    assert.equal(
      checkRule({ ...wish, protocol: "any", portRangeMin: null, portRangeMax: null }).protocol,
      null,
    );
    assert.equal(ruleIdentity({ ...wish, protocol: "6" }), ruleIdentity(wish));
    assert.notEqual(ruleIdentity({ ...wish, protocol: "udp" }), ruleIdentity(wish));
    assert.equal(
      checkRule({ ...wish, protocol: "ICMP", portRangeMin: 8, portRangeMax: null }).protocol,
      "icmp",
    );
  });

  it("refuses rules without meaning", () => {
    for (const bad of [
      { portRangeMin: null },
      { portRangeMin: 30 },
      { portRangeMax: 70_000 },
      { protocol: "gre" },
      { protocol: "256" },
      { protocol: "ipv6-icmp", portRangeMin: null, portRangeMax: null },
      { protocol: "icmp", portRangeMin: 300, portRangeMax: null },
      { protocol: "icmp", portRangeMin: null, portRangeMax: 3 },
      { remoteIpPrefix: "::/0" },
      { remoteIpPrefix: "10.0.0.0/8", remoteGroupId: "g" },
      { protocol: "constructor" },
    ])
      assert.throws(
        () => checkRule({ ...wish, ...bad }),
        refuses("SECURITY_GROUP_RULE_INVALID"),
        JSON.stringify(bad),
      );
  });
});

describe("port events", () => {
  const port: Port = {
    id: "p",
    name: "",
    description: "",
    projectId: "x",
    tags: [],
    revision: 1,
    createdAt: 0n,
    updatedAt: 0n,
    networkId: "n",
    macAddress: "fa:16:3e:00:00:01",
    adminStateUp: true,
    status: "DOWN",
    deviceId: "server",
    deviceOwner: "compute:nova",
    portSecurityEnabled: true,
    allowedAddressPairs: [],
    extraDhcpOpts: [],
    dnsName: "",
    hostId: "",
    vnicType: "normal",
    bindingProfile: {},
    fixedIps: [],
    securityGroupIds: [],
  };
  const on = (host: string): Port => ({ ...port, hostId: host, status: "ACTIVE" });
  const names = (before: Port | undefined, after: Port | undefined): string[] =>
    portEvents(before, after).map((event) => `${event.name} ${event.host}`);

  it("tells what happened to a server's port", () => {
    assert.deepEqual(names(undefined, port), []);
    assert.deepEqual(names(undefined, on("a")), ["network-vif-plugged a"]);
    assert.deepEqual(names(port, on("a")), ["network-vif-plugged a"]);
    assert.deepEqual(names(on("a"), on("a")), []);
    assert.deepEqual(names(on("a"), on("b")), ["network-vif-plugged b"]);
    assert.deepEqual(names(on("a"), port), ["network-vif-unplugged a"]);
    assert.deepEqual(names(on("a"), undefined), ["network-vif-deleted a"]);
    assert.deepEqual(names(on("a"), { ...on("a"), fixedIps: [{ subnetId: "s", ipAddress: "10.0.0.1" }] }), [
      "network-changed a",
    ]);
  });

  it("says nothing about ports that are no server's", () => {
    assert.deepEqual(names({ ...on("a"), deviceOwner: "network:dhcp" }, undefined), []);
    assert.deepEqual(names({ ...port, deviceId: "" }, { ...on("a"), deviceId: "" }), []);
  });
});
