import assert from "node:assert/strict";
import type { IpPacket } from "../packet/ip.js";
import { ipProtocol } from "../packet/ip.js";
import { buildIcmp, icmpType } from "../packet/icmp.js";
import { buildIcmpv6, icmpv6Type } from "../packet/icmpv6.js";
import { buildIpv4, parseIpv4 } from "../packet/ipv4.js";
import { buildIpv6, parseIpv6 } from "../packet/ipv6.js";
import { parseIp } from "../packet/address.js";
import { buildTcp, tcpFlag } from "../packet/tcp.js";
import { buildUdp } from "../packet/udp.js";
import type { SecurityRule } from "../port-config.js";
import { defaultGroupRules } from "../port-config.js";
import type { Direction } from "./flow.js";
import { PortFirewall } from "./port-firewall.js";
import { compileRules } from "./rules.js";

const [own, friend, stranger] = ["10.0.0.5", "10.0.0.6", "192.0.2.1"];
const isMember = (groupId: string, ip: string): boolean => groupId === "default" && ip === parseIp(friend);

function packet(from: string, to: string, protocol: number, payload: Buffer): IpPacket {
  const parsed = parseIpv4(buildIpv4(parseIp(from), parseIp(to), protocol, payload));
  assert.ok(parsed);
  return parsed;
}
const tcp = (
  from: string,
  to: string,
  ports: readonly [number, number],
  flags: number = tcpFlag.ack,
): IpPacket =>
  packet(
    from,
    to,
    ipProtocol.tcp,
    buildTcp(parseIp(from), parseIp(to), {
      sourcePort: ports[0],
      destinationPort: ports[1],
      sequence: 0,
      acknowledgement: 0,
      flags,
      window: 1,
      payload: Buffer.alloc(0),
    }),
  );
const udp = (from: string, to: string, ports: readonly [number, number]): IpPacket =>
  packet(
    from,
    to,
    ipProtocol.udp,
    buildUdp(parseIp(from), parseIp(to), {
      sourcePort: ports[0],
      destinationPort: ports[1],
      payload: Buffer.alloc(0),
    }),
  );
const icmp = (from: string, to: string, type: number, body: Buffer = Buffer.alloc(4), code = 0): IpPacket =>
  packet(from, to, ipProtocol.icmp, buildIcmp({ type, code, body }));

const firewall = (rules: readonly SecurityRule[]): PortFirewall =>
  new PortFirewall(compileRules(rules), isMember);
const ingress = (over: Partial<SecurityRule> = {}): SecurityRule => ({
  direction: "ingress",
  ethertype: "IPv4",
  ...over,
});
const egress = (over: Partial<SecurityRule> = {}): SecurityRule => ({
  direction: "egress",
  ethertype: "IPv4",
  ...over,
});

describe("security group rules", () => {
  for (const [name, rule, direction, what, allowed] of [
    ["no rule", undefined, "ingress", udp(stranger, own, [1, 2]), false],
    ["any ingress", ingress(), "ingress", udp(stranger, own, [1, 2]), true],
    ["ingress does not open egress", ingress(), "egress", udp(own, stranger, [1, 2]), false],
    ["other ethertype", ingress({ ethertype: "IPv6" }), "ingress", udp(stranger, own, [1, 2]), false],
    ["protocol", ingress({ protocol: 17 }), "ingress", udp(stranger, own, [1, 2]), true],
    ["other protocol", ingress({ protocol: 6 }), "ingress", udp(stranger, own, [1, 2]), false],
    [
      "first port",
      ingress({ protocol: 6, portRangeMin: 80, portRangeMax: 90 }),
      "ingress",
      tcp(stranger, own, [5, 80]),
      true,
    ],
    [
      "last port",
      ingress({ protocol: 6, portRangeMin: 80, portRangeMax: 90 }),
      "ingress",
      tcp(stranger, own, [5, 90]),
      true,
    ],
    [
      "port outside",
      ingress({ protocol: 6, portRangeMin: 80, portRangeMax: 90 }),
      "ingress",
      tcp(stranger, own, [5, 91]),
      false,
    ],
    [
      "source port does not count",
      ingress({ protocol: 6, portRangeMin: 80, portRangeMax: 90 }),
      "ingress",
      tcp(stranger, own, [80, 91]),
      false,
    ],
    [
      "egress looks at the remote port",
      egress({ protocol: 6, portRangeMin: 443, portRangeMax: 443 }),
      "egress",
      tcp(own, stranger, [5, 443]),
      true,
    ],
    ["network", ingress({ remoteCidr: "192.0.2.0/24" }), "ingress", udp(stranger, own, [1, 2]), true],
    [
      "other network",
      ingress({ remoteCidr: "198.51.100.0/24" }),
      "ingress",
      udp(stranger, own, [1, 2]),
      false,
    ],
    ["group member", ingress({ remoteGroupId: "default" }), "ingress", udp(friend, own, [1, 2]), true],
    ["no group member", ingress({ remoteGroupId: "default" }), "ingress", udp(stranger, own, [1, 2]), false],
    ["icmp type", ingress({ protocol: 1, portRangeMin: 8 }), "ingress", icmp(stranger, own, 8), true],
    ["other icmp type", ingress({ protocol: 1, portRangeMin: 13 }), "ingress", icmp(stranger, own, 8), false],
    [
      "icmp code",
      ingress({ protocol: 1, portRangeMin: 8, portRangeMax: 1 }),
      "ingress",
      icmp(stranger, own, 8),
      false,
    ],
    [
      "ports on a protocol without any",
      ingress({ portRangeMin: 1, portRangeMax: 9 }),
      "ingress",
      packet(stranger, own, 47, Buffer.alloc(8)),
      false,
    ],
    [
      "protocol by number",
      ingress({ protocol: 47 }),
      "ingress",
      packet(stranger, own, 47, Buffer.alloc(8)),
      true,
    ],
    ["a broken header", ingress(), "ingress", packet(stranger, own, 6, Buffer.alloc(3)), false],
  ] as const satisfies readonly (readonly [
    string,
    SecurityRule | undefined,
    Direction,
    IpPacket,
    boolean,
  ])[]) {
    it(`${name}: ${allowed ? "lets through" : "stops"}`, () => {
      assert.equal(firewall(rule === undefined ? [] : [rule]).allows(direction, what, 0), allowed);
    });
  }
});

describe("stateful firewall", () => {
  it("lets answers back in, and nothing else", () => {
    const wall = firewall(defaultGroupRules("default"));
    assert.equal(wall.allows("ingress", tcp(stranger, own, [443, 5000]), 0), false);
    assert.equal(wall.allows("egress", tcp(own, stranger, [5000, 443], tcpFlag.syn), 0), true);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [443, 5000], tcpFlag.syn | tcpFlag.ack), 0), true);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [443, 5001]), 0), false);
    assert.equal(wall.allows("ingress", tcp(friend, own, [9, 22], tcpFlag.syn), 0), true);
  });

  it("forgets: UDP soon, an established TCP connection only after days, a closed one quickly", () => {
    const wall = firewall([egress()]);
    wall.allows("egress", udp(own, stranger, [5, 53]), 0);
    assert.equal(wall.allows("ingress", udp(stranger, own, [53, 5]), 29_000), true);
    assert.equal(wall.allows("ingress", udp(stranger, own, [53, 5]), 120_000), true);
    assert.equal(wall.allows("ingress", udp(stranger, own, [53, 5]), 400_000), false);
    wall.allows("egress", tcp(own, stranger, [6, 80], tcpFlag.syn), 0);
    wall.allows("ingress", tcp(stranger, own, [80, 6], tcpFlag.syn | tcpFlag.ack), 10);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [80, 6]), 86_400_000), true);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [80, 6], tcpFlag.rst), 86_400_000), true);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [80, 6]), 86_411_000), false);
  });

  it("matches echo replies by their id", () => {
    const wall = firewall([egress()]);
    wall.allows("egress", icmp(own, stranger, icmpType.echo, Buffer.from([0, 7, 0, 1])), 0);
    assert.equal(
      wall.allows("ingress", icmp(stranger, own, icmpType.echoReply, Buffer.from([0, 7, 0, 1])), 0),
      true,
    );
    assert.equal(
      wall.allows("ingress", icmp(stranger, own, icmpType.echoReply, Buffer.from([0, 8, 0, 1])), 0),
      false,
    );
  });

  it("takes a question under the same id as the guest's own for a new conversation", () => {
    const wall = firewall([egress()]);
    const body = Buffer.from([0, 7, 0, 1]);
    wall.allows("egress", icmp(own, stranger, icmpType.echo, body), 0);
    assert.equal(wall.allows("ingress", icmp(stranger, own, icmpType.echo, body), 0), false);
    assert.equal(wall.allows("ingress", icmp(stranger, own, icmpType.echoReply, body), 0), true);
  });

  it("lets the answers to all questions of ICMP back in, and nothing on account of a message that asks nothing", () => {
    const wall = firewall([egress()]);
    wall.allows("egress", icmp(own, stranger, icmpType.timestamp, Buffer.alloc(16)), 0);
    assert.equal(
      wall.allows("ingress", icmp(stranger, own, icmpType.timestampReply, Buffer.alloc(16)), 0),
      true,
    );
    assert.equal(wall.allows("egress", icmp(own, stranger, icmpType.redirect), 0), true);
    assert.equal(wall.allows("ingress", icmp(stranger, own, icmpType.redirect), 0), false);
    assert.equal(wall.connections, 1);
  });

  it("lets neighbour discovery through without rules, but a router's advertisements and redirects only with one", () => {
    const icmpv6 = (type: number): IpPacket => {
      const [from, to] = [parseIp("fe80::9"), parseIp("ff02::1")];
      return (
        parseIpv6(
          buildIpv6(
            from,
            to,
            ipProtocol.icmpv6,
            buildIcmpv6(from, to, { type, code: 0, body: Buffer.alloc(20) }),
          ),
        ) ?? assert.fail("malformed")
      );
    };
    const [closed, open] = [
      firewall([]),
      firewall([ingress({ ethertype: "IPv6", protocol: ipProtocol.icmpv6 })]),
    ];
    for (const type of [icmpv6Type.neighborSolicitation, icmpv6Type.neighborAdvertisement])
      assert.equal(closed.allows("ingress", icmpv6(type), 0), true);
    for (const type of [icmpv6Type.routerAdvertisement, icmpv6Type.redirect]) {
      assert.deepEqual(
        [closed, open].map((wall) => wall.allows("ingress", icmpv6(type), 0)),
        [false, true],
      );
    }
  });

  it("lets errors about a running conversation in, and no others", () => {
    const wall = firewall([egress()]);
    const sent = buildIpv4(
      parseIp(own),
      parseIp(stranger),
      17,
      buildUdp(parseIp(own), parseIp(stranger), {
        sourcePort: 5,
        destinationPort: 53,
        payload: Buffer.alloc(50),
      }),
    );
    const unreachable = icmp(
      "192.0.2.254",
      own,
      icmpType.unreachable,
      Buffer.concat([Buffer.alloc(4), sent.subarray(0, 28)]),
      3,
    );
    assert.equal(wall.allows("ingress", unreachable, 0), false);
    wall.allows("egress", udp(own, stranger, [5, 53]), 0);
    assert.equal(wall.allows("ingress", unreachable, 0), true);
  });

  it("lets errors about a ping in, and none about a conversation that new rules no longer allow", () => {
    const about = (sent: Buffer): IpPacket =>
      icmp(stranger, own, icmpType.unreachable, Buffer.concat([Buffer.alloc(4), sent.subarray(0, 28)]), 3);
    const ping = about(
      buildIpv4(
        parseIp(own),
        parseIp(stranger),
        ipProtocol.icmp,
        buildIcmp({ type: icmpType.echo, code: 0, body: Buffer.from([0, 7, 0, 1]) }),
      ),
    );
    const answer = about(
      buildIpv4(
        parseIp(own),
        parseIp(stranger),
        17,
        buildUdp(parseIp(own), parseIp(stranger), {
          sourcePort: 53,
          destinationPort: 5,
          payload: Buffer.alloc(0),
        }),
      ),
    );
    const wall = firewall([egress(), ingress({ protocol: 17 })]);
    wall.allows("egress", icmp(own, stranger, icmpType.echo, Buffer.from([0, 7, 0, 1])), 0);
    wall.allows("ingress", udp(stranger, own, [5, 53]), 0);
    assert.deepEqual(
      [ping, answer].map((error) => wall.allows("ingress", error, 0)),
      [true, true],
    );
    wall.setRules(compileRules([egress()]));
    assert.deepEqual(
      [ping, answer].map((error) => wall.allows("ingress", error, 1)),
      [true, false],
    );
  });

  it("treats later fragments like their first", () => {
    const wall = firewall([ingress({ protocol: 17, portRangeMin: 53, portRangeMax: 53 })]);
    const part = (offset: number, port: number): IpPacket => ({
      ...udp(stranger, own, [1, port]),
      fragment: { id: port, offset },
    });
    assert.equal(wall.allows("ingress", part(1480, 53), 0), false);
    assert.equal(wall.allows("ingress", part(0, 53), 0), true);
    assert.equal(wall.allows("ingress", part(1480, 53), 0), true);
    assert.equal(wall.allows("ingress", part(0, 54), 0), false);
    assert.equal(wall.allows("ingress", part(1480, 54), 0), false);
    assert.equal(wall.allows("ingress", part(1480, 53), 31_000), false);
  });

  it("cuts running conversations when a rule goes, even if the guest could answer under another", () => {
    const wall = firewall([egress(), ingress({ protocol: 6 })]);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [9, 22], tcpFlag.syn), 0), true);
    assert.equal(wall.allows("egress", tcp(own, stranger, [22, 9], tcpFlag.syn | tcpFlag.ack), 0), true);
    wall.setRules(compileRules([egress()]));
    assert.equal(wall.allows("egress", tcp(own, stranger, [22, 9]), 1), false);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [9, 22]), 2), false);
    wall.setRules(compileRules([egress(), ingress({ protocol: 6 })]));
    assert.equal(wall.allows("ingress", tcp(stranger, own, [9, 22]), 3), true);
  });

  it("keeps conversations that the new rules allow as well", () => {
    const wall = firewall([egress()]);
    wall.allows("egress", tcp(own, stranger, [5, 80], tcpFlag.syn), 0);
    wall.setRules(compileRules([egress({ protocol: 6 })]));
    assert.equal(wall.allows("ingress", tcp(stranger, own, [80, 5], tcpFlag.syn | tcpFlag.ack), 1), true);
  });

  it("picks up a TCP connection that is older than the switch", () => {
    const wall = firewall([egress()]);
    assert.equal(wall.allows("egress", tcp(own, stranger, [5, 80]), 0), true);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [80, 5]), 0), true);
  });

  /** A successor that took up what `before` kept, under rules that admit no stranger's first packet. */
  const successor = (before: PortFirewall, nowMs: number, rules = [egress()]): PortFirewall => {
    const wall = firewall(rules);
    wall.restore(before.kept(nowMs), 0);
    return wall;
  };

  it("goes on with answered conversations after a restart, from the side that did not open them, and with nothing else", () => {
    const before = firewall([egress()]);
    for (const [from, to] of [
      [tcp(own, stranger, [5, 80], tcpFlag.syn), tcp(stranger, own, [80, 5], tcpFlag.syn | tcpFlag.ack)],
      [udp(own, stranger, [6, 53]), udp(stranger, own, [53, 6])],
    ] as const) {
      assert.deepEqual(
        [before.allows("egress", from, 0), before.unkept, before.allows("ingress", to, 1), before.unkept],
        [true, false, true, true],
      );
      before.kept(1);
    }
    before.allows("egress", udp(own, stranger, [7, 53]), 1);
    const wall = successor(before, 1_000);
    assert.equal(wall.connections, 2);
    assert.equal(wall.allows("ingress", tcp(stranger, own, [80, 5]), 0), true);
    assert.equal(wall.allows("ingress", udp(stranger, own, [53, 6]), 0), true);
    for (const unknown of [
      tcp(stranger, own, [80, 7]),
      tcp(stranger, own, [81, 5]),
      tcp(stranger, own, [9, 22], tcpFlag.syn),
      udp(stranger, own, [53, 7]),
    ]) {
      assert.equal(wall.allows("ingress", unknown, 0), false);
    }
  });

  it("asks the rules of now about what it takes up, and forgets it when its time is over", () => {
    const before = firewall([egress()]);
    before.allows("egress", udp(own, stranger, [6, 53]), 0);
    before.allows("ingress", udp(stranger, own, [53, 6]), 0);
    const answer = udp(stranger, own, [53, 6]);
    assert.equal(successor(before, 0, []).allows("ingress", answer, 0), false);
    assert.equal(successor(before, 100_000).allows("ingress", answer, 19_000), true);
    assert.equal(successor(before, 100_000).allows("ingress", answer, 21_000), false);
    assert.equal(successor(before, 120_000).connections, 0);
  });

  it("has something new to keep once an answered conversation ends, or a good part of its time went by", () => {
    const wall = firewall([egress()]);
    const spoke = (direction: Direction, what: IpPacket, nowMs: number): boolean => {
      wall.allows(direction, what, nowMs);
      const is = wall.unkept;
      if (is) wall.kept(nowMs);
      return is;
    };
    assert.deepEqual(
      [spoke("egress", udp(own, stranger, [6, 53]), 0), spoke("ingress", udp(stranger, own, [53, 6]), 0)],
      [false, true],
    );
    assert.deepEqual(
      [
        spoke("egress", udp(own, stranger, [6, 53]), 29_000),
        spoke("egress", udp(own, stranger, [6, 53]), 31_000),
      ],
      [false, true],
    );
    spoke("egress", tcp(own, stranger, [5, 80], tcpFlag.syn), 31_000);
    assert.equal(spoke("ingress", tcp(stranger, own, [80, 5], tcpFlag.syn | tcpFlag.ack), 31_000), true);
    assert.equal(spoke("egress", tcp(own, stranger, [5, 80]), 60_000), false);
    assert.equal(spoke("egress", tcp(own, stranger, [5, 80], tcpFlag.fin | tcpFlag.ack), 60_000), true);
  });

  it("holds a bounded number of conversations", () => {
    const wall = firewall([egress()]);
    for (let i = 0; i < 20_000; i += 1) wall.allows("egress", udp(own, stranger, [1 + (i % 60_000), 53]), 0);
    assert.equal(wall.connections, 16_384);
    assert.equal(wall.allows("ingress", udp(stranger, own, [53, 20_000]), 0), true);
    assert.equal(wall.allows("ingress", udp(stranger, own, [53, 1]), 0), false);
  });
});
