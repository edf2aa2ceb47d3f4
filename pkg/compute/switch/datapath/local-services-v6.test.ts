import assert from "node:assert/strict";
import { formatIp, linkLocalOf, parseIp, parseMac } from "../packet/address.js";
import { parseEthernet } from "../packet/ethernet.js";
import type { IcmpMessage } from "../packet/icmp.js";
import { parseIcmp } from "../packet/icmp.js";
import { buildIcmpv6, icmpv6Type, parseNeighbor } from "../packet/icmpv6.js";
import { transportChecksum } from "../packet/checksum.js";
import { ipProtocol } from "../packet/ip.js";
import type { IpPacket } from "../packet/ip.js";
import { parseIpv6 } from "../packet/ipv6.js";
import type { FixedIp } from "../port-config.js";
import { end, ipv6Frame } from "../testing/frames.js";
import { somePort } from "../testing/some-port.js";
import { serviceMac } from "./local-services.js";
import { VirtualSwitch } from "./virtual-switch.js";

const own = { mac: end(1).mac, ip: formatIp(linkLocalOf(parseMac(end(1).mac))) };
const subnet: FixedIp = {
  ip: "2001:db8:77::f816:3eff:fe00:1",
  prefixLength: 64,
  gateway: "2001:db8:77::1",
  dns: [],
  routes: [],
  dhcp: true,
  ipv6Mode: "slaac",
};
const routers = { mac: "33:33:00:00:00:02", ip: "ff02::2" };

/** What the guest of a port with the given subnets gets back for one ICMPv6 message. */
function exchange(
  fixedIps: readonly FixedIp[],
  to: { mac: string; ip: string },
  message: IcmpMessage,
): { packet: IpPacket; message: IcmpMessage; mac: number } | undefined {
  const out: Buffer[] = [];
  const sw = new VirtualSwitch({
    toGuest: (_portId, frame) => {
      out.push(frame);
      return undefined;
    },
    toPeer: () => undefined,
    metadata: () => undefined,
    now: () => 0,
  });
  sw.setPort(somePort(1, { fixedIps }));
  sw.fromGuest(
    "port-1",
    ipv6Frame(own, to, ipProtocol.icmpv6, buildIcmpv6(parseIp(own.ip), parseIp(to.ip), message)),
  );
  const frame = out[0] && parseEthernet(out[0]);
  if (frame === undefined) return undefined;
  const packet = parseIpv6(frame.payload);
  const answer = packet && parseIcmp(packet.payload);
  assert.ok(packet && answer);
  assert.equal(transportChecksum(packet.source, packet.destination, ipProtocol.icmpv6, packet.payload), 0);
  assert.equal(frame.source, serviceMac(77));
  return { packet, message: answer, mac: frame.destination };
}

const solicit = (target: string): IcmpMessage => ({
  type: icmpv6Type.neighborSolicitation,
  code: 0,
  body: Buffer.concat([Buffer.alloc(4), Buffer.from(parseIp(target), "hex")]),
});
const solicitRouter: IcmpMessage = { type: icmpv6Type.routerSolicitation, code: 0, body: Buffer.alloc(4) };

describe("local services over IPv6", () => {
  it("answer neighbour solicitations for the gateway only", () => {
    const answer = exchange(
      [subnet],
      { mac: "33:33:ff:00:00:01", ip: "ff02::1:ff00:1" },
      solicit("2001:db8:77::1"),
    );
    assert.deepEqual(answer && parseNeighbor(answer.message), {
      target: parseIp("2001:db8:77::1"),
      linkLayer: serviceMac(77),
    });
    assert.equal(answer?.packet.destination, parseIp(own.ip));
    assert.equal(answer.packet.hopLimit, 255);
    assert.equal(
      exchange([subnet], { mac: "33:33:ff:00:00:02", ip: "ff02::1:ff00:2" }, solicit("2001:db8:77::2")),
      undefined,
    );
  });

  for (const [mode, flags, autonomous] of [
    ["slaac", 0x00, 0xc0],
    ["dhcpv6-stateless", 0x40, 0xc0],
    ["dhcpv6-stateful", 0x80, 0x80],
  ] as const) {
    it(`advertise the prefix of a subnet in mode ${mode}`, () => {
      const answer = exchange([{ ...subnet, ipv6Mode: mode }], routers, solicitRouter);
      assert.equal(answer?.message.type, icmpv6Type.routerAdvertisement);
      assert.equal(answer.packet.source, linkLocalOf(serviceMac(77)));
      const { body } = answer.message;
      assert.equal(body[1], flags);
      assert.equal(body.readUInt16BE(2), 1_800);
      assert.equal(body.readUInt32BE(24), 1450);
      const prefix = body.subarray(28);
      assert.deepEqual(
        [prefix[0], prefix[2], prefix[3], prefix.toString("hex", 16)],
        [3, 64, autonomous, parseIp("2001:db8:77::")],
      );
    });
  }

  it("are no router where the subnet has no gateway, and silent where it has no mode", () => {
    const { gateway: _gateway, ...isolated } = subnet;
    assert.equal(exchange([isolated], routers, solicitRouter)?.message.body.readUInt16BE(2), 0);
    const { ipv6Mode: _mode, ...silent } = subnet;
    assert.equal(exchange([silent], routers, solicitRouter), undefined);
  });

  it("answer pings to the gateway", () => {
    const echo = { type: icmpv6Type.echo, code: 0, body: Buffer.from([0, 7, 0, 1, 1, 2]) };
    assert.deepEqual(
      exchange([subnet], { mac: "fa:16:3f:00:00:4d", ip: formatIp(linkLocalOf(serviceMac(77))) }, echo)
        ?.message,
      { ...echo, type: icmpv6Type.echoReply },
    );
  });
});
