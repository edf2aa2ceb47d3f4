import type { IpHex } from "../packet/address.js";
import { icmpType, parseIcmp } from "../packet/icmp.js";
import { icmpv6Type } from "../packet/icmpv6.js";
import type { IpPacket } from "../packet/ip.js";
import { ipProtocol } from "../packet/ip.js";
import { parseIpv4 } from "../packet/ipv4.js";
import { parseIpv6 } from "../packet/ipv6.js";
import { parseTcp, tcpFlag } from "../packet/tcp.js";
import { parseUdp } from "../packet/udp.js";
import { icmpEnds } from "./icmp-query.js";

/** As the guest sees it: ingress comes to it, egress leaves it. */
export type Direction = "ingress" | "egress";

/**
 * Who talks to whom by a packet, from one port's point of view; both directions of a conversation give the
 * same `key`.
 */
export interface Flow {
  readonly key: string;
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly remoteIp: IpHex;
  /** Rules look at the destination's port, whichever end that is; undefined for protocols without ports. */
  readonly destinationPort: number | undefined;
  readonly icmp: { readonly type: number; readonly code: number } | undefined;
  readonly tcpFlags: number;
  /** Whether answers may come to it: an ICMP message that asks nothing opens no conversation. */
  readonly opens: boolean;
  /** An ICMP error is about another conversation: that one's key. */
  readonly relatedKey: string | undefined;
}

/** @returns undefined when the transport header is broken */
export function flowOf(packet: IpPacket, direction: Direction): Flow | undefined {
  const ends = endsOf(packet);
  if (ends === undefined) return undefined;
  const outward = direction === "egress";
  const localIp = outward ? packet.source : packet.destination;
  const remoteIp = outward ? packet.destination : packet.source;
  const localPort = outward ? ends.source : ends.destination;
  const remotePort = outward ? ends.destination : ends.source;
  return {
    key: keyOf(packet.protocol, localIp, localPort, remoteIp, remotePort),
    version: packet.version,
    protocol: packet.protocol,
    remoteIp,
    destinationPort: ends.hasPorts ? ends.destination : undefined,
    icmp: ends.icmp,
    tcpFlags: ends.tcpFlags,
    opens: ends.opens,
    relatedKey:
      ends.icmp && isIcmpError(packet.version, ends.icmp.type) ? relatedKeyOf(packet, outward) : undefined,
  };
}

const keyOf = (
  protocol: number,
  localIp: IpHex,
  localPort: number,
  remoteIp: IpHex,
  remotePort: number,
): string => `${protocol} ${localIp} ${localPort} ${remoteIp} ${remotePort}`;

interface Ends {
  readonly source: number;
  readonly destination: number;
  readonly hasPorts: boolean;
  readonly icmp: Flow["icmp"];
  readonly tcpFlags: number;
  readonly opens: boolean;
}

function endsOf(packet: IpPacket): Ends | undefined {
  switch (packet.protocol) {
    case ipProtocol.tcp: {
      const segment = parseTcp(packet.payload);
      return (
        segment && {
          source: segment.sourcePort,
          destination: segment.destinationPort,
          hasPorts: true,
          icmp: undefined,
          tcpFlags: segment.flags,
          opens: true,
        }
      );
    }
    case ipProtocol.udp: {
      // The first fragment holds less than its length field says, so only the ports are looked at there.
      const whole = packet.fragment === undefined ? parseUdp(packet.payload) : portsOnly(packet.payload);
      return (
        whole && {
          source: whole.sourcePort,
          destination: whole.destinationPort,
          hasPorts: true,
          icmp: undefined,
          tcpFlags: 0,
          opens: true,
        }
      );
    }
    case ipProtocol.icmp:
    case ipProtocol.icmpv6: {
      const message = parseIcmp(packet.payload);
      if (!message) return undefined;
      const ends = icmpEnds(packet.version, message.type, message.body.readUInt16BE(0));
      return {
        source: ends?.source ?? message.type,
        destination: ends?.destination ?? message.type,
        hasPorts: false,
        icmp: { type: message.type, code: message.code },
        tcpFlags: 0,
        opens: ends?.isAnswer === false,
      };
    }
    default:
      return { source: 0, destination: 0, hasPorts: false, icmp: undefined, tcpFlags: 0, opens: true };
  }
}

const portsOnly = (bytes: Buffer): { sourcePort: number; destinationPort: number } | undefined =>
  bytes.length < 8
    ? undefined
    : { sourcePort: bytes.readUInt16BE(0), destinationPort: bytes.readUInt16BE(2) };

/**
 * The key of the conversation that an ICMP error quotes. The quoted packet went the other way than the error.
 */
function relatedKeyOf(error: IpPacket, errorGoesOut: boolean): string | undefined {
  const quoted = error.payload.subarray(8);
  const packet = error.version === 4 ? parseIpv4(withTrueLength(quoted)) : parseIpv6(withTrueLength(quoted));
  if (!packet || packet.payload.length < 8) return undefined;
  const isIcmp = packet.protocol === ipProtocol.icmp || packet.protocol === ipProtocol.icmpv6;
  const ends = isIcmp
    ? icmpEnds(packet.version, packet.payload.readUInt8(0), packet.payload.readUInt16BE(4))
    : { source: packet.payload.readUInt16BE(0), destination: packet.payload.readUInt16BE(2) };
  if (ends === undefined) return undefined;
  return errorGoesOut
    ? keyOf(packet.protocol, packet.destination, ends.destination, packet.source, ends.source)
    : keyOf(packet.protocol, packet.source, ends.source, packet.destination, ends.destination);
}

/** A quoted packet is cut short; its length field is lowered to what is there so that it can be parsed. */
function withTrueLength(quoted: Buffer): Buffer {
  const copy = Buffer.from(quoted);
  if (copy.length >= 20 && copy.readUInt8(0) >> 4 === 4)
    copy.writeUInt16BE(Math.min(copy.length, copy.readUInt16BE(2)), 2);
  if (copy.length >= 40 && copy.readUInt8(0) >> 4 === 6)
    copy.writeUInt16BE(Math.min(copy.length - 40, copy.readUInt16BE(4)), 4);
  return copy;
}

const isIcmpError = (version: 4 | 6, type: number): boolean =>
  version === 4
    ? type === icmpType.unreachable || type === icmpType.timeExceeded || type === icmpType.parameterProblem
    : type >= icmpv6Type.unreachable && type <= icmpv6Type.parameterProblem;

/** The first packet of a TCP conversation. */
export const isTcpOpening = (flow: Flow): boolean =>
  (flow.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
