import assert from "node:assert/strict";
import { broadcastMac, formatIp, linkLocalOf, parseIp, parseMac } from "../packet/address.js";
import { buildEthernet, etherType } from "../packet/ethernet.js";
import { buildIcmpv6, icmpv6Type, neighborAdvertisement } from "../packet/icmpv6.js";
import { ipProtocol } from "../packet/ip.js";
import { arpFrame, end, ipv6Frame, udpFrame } from "../testing/frames.js";
import { buildUdp } from "../packet/udp.js";
import { somePort } from "../testing/some-port.js";
import type { DropReason } from "./counters.js";
import { makeGuard } from "./guard.js";
import { parseFrame } from "./parsed-frame.js";

const own = end(1);
const other = end(2);
const v6 = "2001:db8::1";
const linkLocal = formatIp(linkLocalOf(parseMac(own.mac)));
const port = somePort(1, {
  fixedIps: [
    { ip: own.ip, prefixLength: 24, dns: [], routes: [], dhcp: true },
    { ip: v6, prefixLength: 64, dns: [], routes: [], dhcp: false },
  ],
  allowedAddressPairs: [{ ip: "10.99.0.0/16" }, { ip: "10.77.0.200", macAddress: "00:00:5e:00:01:01" }],
});
const allNodes = { mac: "33:33:00:00:00:01", ip: "ff02::1" };

const icmpv6 = (
  from: { mac: string; ip: string },
  message: { type: number; code: number; body: Buffer },
): Buffer =>
  ipv6Frame(from, allNodes, ipProtocol.icmpv6, buildIcmpv6(parseIp(from.ip), parseIp(allNodes.ip), message));
const raw = (type: number, payload: Buffer): Buffer =>
  buildEthernet(broadcastMac, parseMac(own.mac), type, payload);
const rarp = (mac: string): Buffer =>
  raw(
    etherType.rarp,
    Buffer.concat([Buffer.alloc(8), Buffer.from(mac.replaceAll(":", ""), "hex"), Buffer.alloc(14)]),
  );
const solicitation = (linkLayer: string): { type: number; code: number; body: Buffer } => ({
  type: icmpv6Type.neighborSolicitation,
  code: 0,
  body: Buffer.concat([
    Buffer.alloc(4),
    Buffer.from(parseIp("2001:db8::2"), "hex"),
    Buffer.from([1, 1]),
    Buffer.from(linkLayer.replaceAll(":", ""), "hex"),
  ]),
});
const duplicateQuestion = (target: string): { type: number; code: number; body: Buffer } => ({
  type: icmpv6Type.neighborSolicitation,
  code: 0,
  body: Buffer.concat([Buffer.alloc(4), Buffer.from(parseIp(target), "hex")]),
});
const udp6 = (ports: readonly [number, number]): Buffer =>
  ipv6Frame(
    { ...own, ip: linkLocal },
    allNodes,
    ipProtocol.udp,
    buildUdp(parseIp(linkLocal), parseIp(allNodes.ip), {
      sourcePort: ports[0],
      destinationPort: ports[1],
      payload: Buffer.alloc(4),
    }),
  );
const icmpv6Bytes = (message: { type: number; code: number; body: Buffer }): Buffer =>
  buildIcmpv6(parseIp(v6), parseIp(allNodes.ip), message);
/** A fragment of an ICMPv6 message. @param offset  bytes, a multiple of 8 */
const fragment6 = (offset: number, more: boolean, bytes: Buffer): Buffer => {
  const header = Buffer.from([ipProtocol.icmpv6, 0, 0, 0, 0, 0, 0, 7]);
  header.writeUInt16BE(offset | (more ? 1 : 0), 2);
  return ipv6Frame({ ...own, ip: v6 }, allNodes, 44, Buffer.concat([header, bytes]));
};

describe("anti-spoofing", () => {
  for (const [name, frame, wanted] of [
    ["its own address", udpFrame(own, other, [1, 2]), undefined],
    ["another MAC address", udpFrame({ ...own, mac: other.mac }, other, [1, 2]), "spoofed-mac"],
    ["another IP address", udpFrame({ ...own, ip: "10.77.0.9" }, other, [1, 2]), "spoofed-ip"],
    [
      "no address, asking a DHCP server",
      udpFrame({ ...own, ip: "0.0.0.0" }, { mac: broadcastMac, ip: "255.255.255.255" }, [68, 67]),
      undefined,
    ],
    ["no address, for anything else", udpFrame({ ...own, ip: "0.0.0.0" }, other, [68, 69]), "spoofed-ip"],
    ["an allowed network", udpFrame({ ...own, ip: "10.99.3.4" }, other, [1, 2]), undefined],
    ["an allowed pair", udpFrame({ mac: "00:00:5e:00:01:01", ip: "10.77.0.200" }, other, [1, 2]), undefined],
    [
      "an allowed pair's MAC with its own IP",
      udpFrame({ ...own, mac: "00:00:5e:00:01:01" }, other, [1, 2]),
      "spoofed-ip",
    ],
    ["answers of a DHCP server", udpFrame(own, other, [67, 68]), "rogue-dhcp"],
    ["answers of a DHCP server from another port", udpFrame(own, other, [6_700, 68]), "rogue-dhcp"],
    ["answers of a DHCPv6 server", udp6([547, 546]), "rogue-dhcp"],
    ["answers of a DHCPv6 server from another port", udp6([5_470, 546]), "rogue-dhcp"],
    ["a question to a DHCPv6 server", udp6([546, 547]), undefined],
    ["a true ARP request", arpFrame(own, other.ip), undefined],
    ["an ARP probe", arpFrame(own, own.ip, { senderIp: "0.0.0.0" }), undefined],
    ["an ARP probe for another's address", arpFrame(own, other.ip, { senderIp: "0.0.0.0" }), "spoofed-arp"],
    ["ARP in another's name", arpFrame(own, other.ip, { senderIp: "10.77.0.254" }), "spoofed-arp"],
    ["ARP with another MAC inside", arpFrame(own, other.ip, { senderMac: other.mac }), "spoofed-arp"],
    ["QEMU's announcement after migration", rarp(own.mac), undefined],
    ["an announcement of another", rarp(other.mac), "spoofed-arp"],
    ["a VLAN tag", raw(etherType.vlan, Buffer.alloc(50)), "forbidden-type"],
    ["an unknown protocol", raw(0x88cc, Buffer.alloc(50)), "forbidden-type"],
    [
      "its IPv6 address",
      icmpv6({ ...own, ip: v6 }, { type: icmpv6Type.echo, code: 0, body: Buffer.alloc(4) }),
      undefined,
    ],
    ["its link-local address", icmpv6({ ...own, ip: linkLocal }, solicitation(own.mac)), undefined],
    [
      "another IPv6 address",
      icmpv6({ ...own, ip: "2001:db8::2" }, { type: icmpv6Type.echo, code: 0, body: Buffer.alloc(4) }),
      "spoofed-ip",
    ],
    ["no IPv6 address yet", icmpv6({ ...own, ip: "::" }, duplicateQuestion(v6)), undefined],
    [
      "a question for duplicates of another's IPv6 address",
      icmpv6({ ...own, ip: "::" }, duplicateQuestion("2001:db8::2")),
      "spoofed-arp",
    ],
    [
      "no IPv6 address, for a ping",
      icmpv6({ ...own, ip: "::" }, { type: icmpv6Type.echo, code: 0, body: Buffer.alloc(4) }),
      "spoofed-ip",
    ],
    [
      "a fragmented neighbour solicitation",
      fragment6(0, true, icmpv6Bytes(solicitation(own.mac))),
      "malformed",
    ],
    [
      "a router advertisement's first fragment",
      fragment6(
        0,
        true,
        icmpv6Bytes({ type: icmpv6Type.routerAdvertisement, code: 0, body: Buffer.alloc(12) }),
      ),
      "rogue-router",
    ],
    ["a first fragment without its ICMPv6 header", fragment6(0, true, Buffer.alloc(0)), "malformed"],
    [
      "a later fragment whose bytes look like an advertisement",
      fragment6(
        1_448,
        false,
        icmpv6Bytes(neighborAdvertisement(parseIp("2001:db8::2"), parseMac(other.mac), true)),
      ),
      undefined,
    ],
    [
      "a neighbour solicitation with another MAC inside",
      icmpv6({ ...own, ip: v6 }, solicitation(other.mac)),
      "spoofed-arp",
    ],
    [
      "a neighbour advertisement of its own address",
      icmpv6({ ...own, ip: v6 }, neighborAdvertisement(parseIp(v6), parseMac(own.mac), true)),
      undefined,
    ],
    [
      "a neighbour advertisement of another's",
      icmpv6({ ...own, ip: v6 }, neighborAdvertisement(parseIp("2001:db8::2"), parseMac(own.mac), true)),
      "spoofed-arp",
    ],
    [
      "a router advertisement",
      icmpv6(
        { ...own, ip: linkLocal },
        { type: icmpv6Type.routerAdvertisement, code: 0, body: Buffer.alloc(12) },
      ),
      "rogue-router",
    ],
    [
      "a redirect",
      icmpv6({ ...own, ip: linkLocal }, { type: icmpv6Type.redirect, code: 0, body: Buffer.alloc(36) }),
      "rogue-router",
    ],
  ] as const satisfies readonly (readonly [string, Buffer, DropReason | undefined])[]) {
    it(`${wanted === undefined ? "lets" : "stops"} ${name}`, () => {
      const parsed = parseFrame(frame);
      assert.ok(parsed);
      assert.equal(makeGuard(port).refuse(parsed), wanted);
      assert.equal(makeGuard({ ...port, portSecurity: false }).refuse(parsed), undefined);
    });
  }
});
