import assert from "node:assert/strict";
import { parseIp, parseMac } from "../packet/address.js";
import { buildDhcp, dhcpType } from "../packet/dhcp.js";
import { buildEthernet } from "../packet/ethernet.js";
import { buildIcmpv6, icmpv6Type, neighborAdvertisement } from "../packet/icmpv6.js";
import { ipProtocol } from "../packet/ip.js";
import { vxlanHeader } from "../packet/vxlan.js";
import { arpFrame, echoFrame, end, ipv6Frame, tcpFrame, udpFrame } from "../testing/frames.js";
import { somePort } from "../testing/some-port.js";
import { serviceMac } from "./local-services.js";
import { VirtualSwitch } from "./virtual-switch.js";

const ROUNDS = 60;
const peer = { host: "b", address: "127.0.0.1", port: 5001 };
const own = end(1);
const own6 = { ...own, ip: "2001:db8::1" };
const gateway = { mac: serviceMac(77), ip: "10.77.0.254" };
const metadata = { mac: serviceMac(77), ip: "169.254.169.254" };
const allNodes = { mac: "33:33:00:00:00:01", ip: "ff02::1" };
const icmpv6 = (message: { type: number; code: number; body: Buffer }): Buffer =>
  ipv6Frame(own6, allNodes, ipProtocol.icmpv6, buildIcmpv6(parseIp(own6.ip), parseIp(allNodes.ip), message));

/** A frame for every parser that a guest can reach. */
const seeds: readonly Buffer[] = [
  arpFrame(own, gateway.ip),
  echoFrame(own, gateway),
  echoFrame(own, end(2)),
  udpFrame(own, end(2), [1, 2]),
  tcpFrame(own, metadata, [1_024, 80], { flags: 2 }),
  tcpFrame(own, metadata, [1_024, 80], { flags: 16, payload: Buffer.from("GET / HTTP/1.1\r\n\r\n") }),
  tcpFrame(own, end(2), [1, 22], { flags: 2 }),
  udpFrame(
    { ...own, ip: "0.0.0.0" },
    { mac: "ff:ff:ff:ff:ff:ff", ip: "255.255.255.255" },
    [68, 67],
    buildDhcp({
      operation: "request",
      transactionId: 7,
      broadcast: false,
      clientIp: parseIp("0.0.0.0"),
      yourIp: parseIp("0.0.0.0"),
      serverIp: parseIp("0.0.0.0"),
      clientMac: parseMac(own.mac),
      type: dhcpType.discover,
      options: new Map(),
    }),
  ),
  icmpv6(neighborAdvertisement(parseIp(own6.ip), parseMac(own.mac), true)),
  icmpv6({ type: icmpv6Type.echo, code: 0, body: Buffer.alloc(12) }),
  icmpv6({
    type: icmpv6Type.unreachable,
    code: 0,
    body: Buffer.concat([Buffer.alloc(4), ipv6Frame(own6, allNodes, 17, Buffer.alloc(8)).subarray(14)]),
  }),
  ...[0, 43, 44, 51, 60].map((extension) => ipv6Frame(own6, allNodes, extension, Buffer.alloc(40))),
  buildEthernet(parseMac(end(2).mac), parseMac(own.mac), 0x8100, Buffer.alloc(46)),
];

/** The same numbers in every run. @source Marsaglia, xorshift32 */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Counts every frame in and every reason out: nothing may throw, and nothing may vanish uncounted. */
function scene(portSecurity: boolean) {
  let nowMs = 0;
  const sw = new VirtualSwitch({
    toGuest: () => undefined,
    toPeer: () => {},
    metadata: () => {},
    now: () => ++nowMs,
  });
  const fixedIps = [
    ...somePort(1).fixedIps,
    {
      ip: own6.ip,
      prefixLength: 64,
      gateway: "2001:db8::ff",
      dns: [],
      routes: [],
      dhcp: true,
      ipv6Mode: "slaac" as const,
    },
  ];
  sw.setPort(somePort(1, { portSecurity, fixedIps }));
  sw.setPort(somePort(2));
  sw.setPeers([peer]);
  return sw;
}

describe("frames of a hostile guest or peer", () => {
  for (const portSecurity of [true, false]) {
    const feed = (sw: VirtualSwitch, frame: Buffer): void => {
      sw.fromGuest("port-1", Buffer.from(frame));
      sw.fromTunnel(peer.address, peer.port, Buffer.concat([vxlanHeader(77), frame]));
      sw.fromTunnel(peer.address, peer.port, Buffer.from(frame));
    };
    const settings = portSecurity ? "with port security" : "without port security";

    it(`may end at any byte, ${settings}`, () => {
      const sw = scene(portSecurity);
      for (const seed of seeds)
        for (let bytes = 0; bytes <= seed.length; bytes++) feed(sw, seed.subarray(0, bytes));
      sw.tick();
      const [stats] = sw.portStats(() => true);
      assert.equal(
        stats?.txPackets,
        seeds.reduce((sum, seed) => sum + seed.length + 1, 0),
      );
      assert.ok((stats?.dropsByReason["malformed"] ?? 0) > 100, JSON.stringify(stats));
    });

    it(`may have any bytes changed, or be noise, ${settings}`, () => {
      const sw = scene(portSecurity);
      const next = numbers(portSecurity ? 0x5eed : 0xfeed);
      for (let round = 0; round < ROUNDS; round++) {
        for (const seed of seeds) {
          const frame = Buffer.from(seed);
          for (let change = next(6); change >= 0; change--) frame[12 + next(frame.length - 12)] = next(256);
          feed(sw, frame);
        }
        feed(sw, Buffer.from(Array.from({ length: next(1_500) }, () => next(256))));
        sw.tick();
      }
      assert.equal(sw.portStats(() => true)[0]?.txPackets, ROUNDS * (seeds.length + 1));
    });
  }
});
