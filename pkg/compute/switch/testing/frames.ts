import type { Mac } from "../packet/address.js";
import { broadcastMac, parseIp, parseMac } from "../packet/address.js";
import { buildArp } from "../packet/arp.js";
import { buildEthernet, etherType } from "../packet/ethernet.js";
import { buildIcmp, icmpType } from "../packet/icmp.js";
import { ipProtocol } from "../packet/ip.js";
import { buildIpv4 } from "../packet/ipv4.js";
import { buildIpv6 } from "../packet/ipv6.js";
import type { TcpSegment } from "../packet/tcp.js";
import { buildTcp } from "../packet/tcp.js";
import { buildUdp } from "../packet/udp.js";

/** One end of a conversation, in text form as people write it. */
export interface End {
  readonly mac: string;
  readonly ip: string;
}

/** `somePort(n)`'s addresses. */
export const end = (n: number): End => ({
  mac: `fa:16:3e:00:00:${n.toString(16).padStart(2, "0")}`,
  ip: `10.77.0.${n}`,
});

const macOf = (text: string | Mac): Mac => (typeof text === "number" ? text : parseMac(text));

const ipv4Frame = (
  from: End,
  to: { mac: string | Mac; ip: string },
  protocol: number,
  payload: Buffer,
): Buffer =>
  buildEthernet(
    macOf(to.mac),
    parseMac(from.mac),
    etherType.ipv4,
    buildIpv4(parseIp(from.ip), parseIp(to.ip), protocol, payload),
  );

export const ipv6Frame = (
  from: End,
  to: { mac: string | Mac; ip: string },
  protocol: number,
  payload: Buffer,
): Buffer =>
  buildEthernet(
    macOf(to.mac),
    parseMac(from.mac),
    etherType.ipv6,
    buildIpv6(parseIp(from.ip), parseIp(to.ip), protocol, payload),
  );

export const udpFrame = (
  from: End,
  to: { mac: string | Mac; ip: string },
  ports: readonly [number, number],
  payload: Buffer = Buffer.from("data"),
): Buffer =>
  ipv4Frame(
    from,
    to,
    ipProtocol.udp,
    buildUdp(parseIp(from.ip), parseIp(to.ip), { sourcePort: ports[0], destinationPort: ports[1], payload }),
  );

export const tcpFrame = (
  from: End,
  to: { mac: string | Mac; ip: string },
  ports: readonly [number, number],
  part: Partial<TcpSegment>,
): Buffer =>
  ipv4Frame(
    from,
    to,
    ipProtocol.tcp,
    buildTcp(parseIp(from.ip), parseIp(to.ip), {
      sourcePort: ports[0],
      destinationPort: ports[1],
      sequence: 0,
      acknowledgement: 0,
      flags: 0,
      window: 65_535,
      payload: Buffer.alloc(0),
      ...part,
    }),
  );

export const echoFrame = (
  from: End,
  to: { mac: string | Mac; ip: string },
  type: number = icmpType.echo,
  id = 7,
): Buffer =>
  ipv4Frame(
    from,
    to,
    ipProtocol.icmp,
    buildIcmp({ type, code: 0, body: Buffer.from([id >> 8, id & 255, 0, 1, 104, 105]) }),
  );

export const arpFrame = (
  from: End,
  targetIp: string,
  over: { senderMac?: string; senderIp?: string } = {},
): Buffer =>
  buildEthernet(
    broadcastMac,
    parseMac(from.mac),
    etherType.arp,
    buildArp({
      operation: "request",
      senderMac: parseMac(over.senderMac ?? from.mac),
      senderIp: parseIp(over.senderIp ?? from.ip),
      targetMac: 0,
      targetIp: parseIp(targetIp),
    }),
  );
