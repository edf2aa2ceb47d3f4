import assert from "node:assert/strict";
import {
  broadcastOf,
  cidrContains,
  formatIp,
  formatMac,
  isGroupMac,
  linkLocalOf,
  netmaskV4,
  parseCidr,
  parseIp,
  parseMac,
} from "./address.js";
import { buildArp, parseArp } from "./arp.js";
import { checksum, transportChecksum } from "./checksum.js";
import { buildDhcp, encodeRoutes, parseDhcp } from "./dhcp.js";
import { buildEthernet, etherType, parseEthernet } from "./ethernet.js";
import { buildIcmp, parseIcmp } from "./icmp.js";
import { buildIcmpv6, neighborAdvertisement, parseNeighbor } from "./icmpv6.js";
import { buildIpv4, parseIpv4 } from "./ipv4.js";
import { buildIpv6, parseIpv6 } from "./ipv6.js";
import { buildTcp, parseTcp, sequenceAdd, sequenceDiff, tcpFlag } from "./tcp.js";
import { buildUdp, parseUdp } from "./udp.js";
import { parseVxlan, vxlanHeader } from "./vxlan.js";

const mac = parseMac("fa:16:3e:12:34:56");
const [v4a, v4b] = [parseIp("10.0.0.5"), parseIp("10.0.0.9")];
const [v6a, v6b] = [parseIp("2001:db8::5"), parseIp("2001:db8::9")];

describe("addresses", () => {
  it("convert to text and back", () => {
    assert.equal(formatMac(mac), "fa:16:3e:12:34:56");
    assert.equal(v4a, "0a000005");
    assert.equal(formatIp(v6a), "2001:db8::5");
    for (const bad of ["fa:16:3e:12:34", "fa-16-3e-12-34-56", ""]) assert.throws(() => parseMac(bad));
    assert.throws(() => parseIp("10.0.0.256"));
  });
  it("know groups, masks, broadcasts and link-local forms", () => {
    assert.equal(isGroupMac(parseMac("01:00:5e:00:00:01")), true);
    assert.equal(isGroupMac(parseMac("ff:ff:ff:ff:ff:ff")), true);
    assert.equal(isGroupMac(mac), false);
    assert.equal(netmaskV4(20), "fffff000");
    assert.equal(netmaskV4(0), "00000000");
    assert.equal(formatIp(broadcastOf(parseIp("10.1.2.3"), 20)), "10.1.15.255");
    assert.equal(formatIp(linkLocalOf(mac)), "fe80::f816:3eff:fe12:3456");
  });
  for (const [cidr, ip, inside] of [
    ["10.0.0.0/8", "10.255.0.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["0.0.0.0/0", "1.2.3.4", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["10.0.0.7/32", "10.0.0.7", true],
    ["10.0.0.7/32", "10.0.0.6", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["::/0", "2001:db8::1", true],
    ["192.168.1.77/24", "192.168.1.3", true],
  ] as const) {
    it(`${ip} is ${inside ? "" : "not "}in ${cidr}`, () =>
      assert.equal(cidrContains(parseCidr(cidr), parseIp(ip)), inside));
  }
});

describe("checksum", () => {
  it("matches the example of RFC 1071", () =>
    assert.equal(checksum(Buffer.from("0001f203f4f5f6f7", "hex")), 0x220d));
  it("takes an odd byte as the upper half of a word", () =>
    assert.equal(checksum(Buffer.from("01", "hex")), 0xfeff));
});

describe("packet formats", () => {
  it("ethernet: reads what it writes, and refuses a runt", () => {
    const frame = parseEthernet(buildEthernet(mac, 0x020000000001, etherType.ipv4, Buffer.from("abc")));
    assert.equal(frame?.destination, mac);
    assert.equal(frame.source, 0x020000000001);
    assert.equal(frame.payload.toString(), "abc");
    assert.equal(parseEthernet(Buffer.alloc(13)), undefined);
  });
  it("arp: reads what it writes, and refuses other hardware", () => {
    const packet = {
      operation: "reply",
      senderMac: mac,
      senderIp: v4a,
      targetMac: 0x020000000001,
      targetIp: v4b,
    } as const;
    const bytes = buildArp(packet);
    assert.deepEqual(parseArp(bytes), packet);
    assert.equal(parseArp(bytes.subarray(0, 27)), undefined);
    bytes.writeUInt16BE(6, 0);
    assert.equal(parseArp(bytes), undefined);
  });
  it("ipv4: reads what it writes with a valid checksum, and cuts Ethernet padding", () => {
    const bytes = buildIpv4(v4a, v4b, 17, Buffer.from("payload"));
    assert.equal(checksum(bytes.subarray(0, 20)), 0);
    const packet = parseIpv4(Buffer.concat([bytes, Buffer.alloc(9)]));
    assert.equal(packet?.payload.toString(), "payload");
    assert.deepEqual(
      [packet.source, packet.destination, packet.protocol, packet.fragment],
      [v4a, v4b, 17, undefined],
    );
  });
  it("ipv4: skips options, reads fragments, refuses lies about lengths", () => {
    const bytes = Buffer.concat([
      buildIpv4(v4a, v4b, 17, Buffer.alloc(0)),
      Buffer.from("01010101aabb", "hex"),
    ]);
    bytes.writeUInt8(0x46, 0);
    bytes.writeUInt16BE(26, 2);
    bytes.writeUInt16BE(0x2001, 6);
    bytes.writeUInt16BE(77, 4);
    assert.equal(parseIpv4(bytes)?.payload.toString("hex"), "aabb");
    assert.deepEqual(parseIpv4(bytes)?.fragment, { id: 77, offset: 8 });
    for (const [at, value] of [
      [2, 99],
      [2, 8],
    ] as const) {
      const lie = Buffer.from(bytes);
      lie.writeUInt16BE(value, at);
      assert.equal(parseIpv4(lie), undefined);
    }
    assert.equal(parseIpv4(buildIpv6(v6a, v6b, 17, Buffer.alloc(0))), undefined);
  });
  it("ipv6: walks extension headers and stops at a later fragment", () => {
    const hopByHop = Buffer.from("3a00000000000000", "hex");
    const packet = parseIpv6(buildIpv6(v6a, v6b, 0, Buffer.concat([hopByHop, Buffer.from("beef", "hex")])));
    assert.equal(packet?.protocol, 58);
    assert.equal(packet.payload.toString("hex"), "beef");
    const later = parseIpv6(buildIpv6(v6a, v6b, 44, Buffer.from("1100001000000007ffff", "hex")));
    assert.deepEqual(later?.fragment, { id: 7, offset: 16 });
    assert.equal(parseIpv6(buildIpv6(v6a, v6b, 0, Buffer.from("3a05", "hex"))), undefined);
    assert.equal(parseIpv6(buildIpv6(v6a, v6b, 0, Buffer.from("3a05000000000000", "hex"))), undefined);
  });
  it("udp: reads what it writes with a valid checksum, over both IP versions", () => {
    for (const [from, to] of [
      [v4a, v4b],
      [v6a, v6b],
    ] as const) {
      const datagram = { sourcePort: 68, destinationPort: 67, payload: Buffer.from("hello") };
      const bytes = buildUdp(from, to, datagram);
      assert.deepEqual(parseUdp(bytes), datagram);
      assert.equal(transportChecksum(from, to, 17, bytes), 0);
    }
    assert.equal(parseUdp(Buffer.from("0044004300ff0000", "hex")), undefined);
  });
  it("icmp: reads what it writes with a valid checksum", () => {
    const message = { type: 8, code: 0, body: Buffer.from("000100026869", "hex") };
    const bytes = buildIcmp(message);
    assert.deepEqual(parseIcmp(bytes), message);
    assert.equal(checksum(bytes), 0);
    assert.equal(parseIcmp(bytes.subarray(0, 7)), undefined);
  });
  it("icmpv6: neighbour advertisements carry target, address and flags; broken options are refused", () => {
    const message = neighborAdvertisement(v6a, mac, true);
    assert.deepEqual(parseNeighbor(message), { target: v6a, linkLayer: mac });
    assert.equal(message.body[0], 0xe0);
    assert.equal(neighborAdvertisement(v6a, mac, false).body[0], 0xa0);
    assert.equal(transportChecksum(v6a, v6b, 58, buildIcmpv6(v6a, v6b, message)), 0);
    const broken = Buffer.from(message.body);
    broken.writeUInt8(0, 21);
    assert.equal(parseNeighbor({ ...message, body: broken }), undefined);
  });
  it("tcp: reads what it writes with a valid checksum, finds MSS among other options", () => {
    const segment = {
      sourcePort: 80,
      destinationPort: 4000,
      sequence: 0xffffffff,
      acknowledgement: 7,
      flags: tcpFlag.syn | tcpFlag.ack,
      window: 512,
      mss: 1400,
      payload: Buffer.from("x"),
    };
    const bytes = buildTcp(v4a, v4b, segment);
    assert.deepEqual(parseTcp(bytes), segment);
    assert.equal(transportChecksum(v4a, v4b, 6, bytes), 0);
    const options = Buffer.from("01030307020405b4", "hex");
    const linux = Buffer.concat([
      buildTcp(v4a, v4b, { ...segment, payload: Buffer.alloc(0) }).subarray(0, 20),
      options,
    ]);
    linux.writeUInt8((28 / 4) << 4, 12);
    assert.equal(parseTcp(linux)?.mss, 1460);
    linux.writeUInt8(15 << 4, 12);
    assert.equal(parseTcp(linux), undefined);
  });
  it("tcp: sequence numbers wrap", () => {
    assert.equal(sequenceAdd(0xfffffffe, 5), 3);
    assert.equal(sequenceDiff(3, 0xfffffffe), 5);
    assert.equal(sequenceDiff(0xfffffffe, 3), -5);
  });
  it("vxlan: has the network's number behind the flag byte", () => {
    const header = vxlanHeader(0xabcdef);
    assert.equal(header.toString("hex"), "08000000abcdef00");
    assert.deepEqual(parseVxlan(Buffer.concat([header, Buffer.from("f")])), {
      vni: 0xabcdef,
      frame: Buffer.from("f"),
    });
    assert.equal(parseVxlan(Buffer.alloc(8)), undefined);
    assert.equal(parseVxlan(header.subarray(0, 7)), undefined);
  });
  it("dhcp: reads what it writes, padded to 300 bytes, with long options in parts", () => {
    const message = {
      operation: "reply",
      type: 5,
      transactionId: 0xdeadbeef,
      broadcast: true,
      clientIp: "00000000",
      yourIp: v4a,
      serverIp: v4b,
      clientMac: mac,
      options: new Map([
        [12, Buffer.from("host")],
        [121, Buffer.alloc(300, 7)],
      ]),
    } as const;
    assert.deepEqual(parseDhcp(buildDhcp(message)), message);
    assert.equal(buildDhcp({ ...message, options: new Map() }).length, 300);
    assert.equal(parseDhcp(Buffer.alloc(300)), undefined);
    const cut = buildDhcp({ ...message, options: new Map() });
    cut.writeUInt8(200, 241);
    assert.equal(parseDhcp(cut), undefined);
  });
  it("dhcp: classless routes hold only the significant bytes of a destination", () => {
    const gateway = parseIp("10.0.0.1");
    assert.equal(
      encodeRoutes([
        { destination: parseIp("169.254.169.254"), prefixLength: 32, nextHop: gateway },
        { destination: parseIp("10.16.0.0"), prefixLength: 12, nextHop: gateway },
        { destination: "00000000", prefixLength: 0, nextHop: gateway },
      ]).toString("hex"),
      "20a9fea9fe0a000001" + "0c0a100a000001" + "000a000001",
    );
  });
});
