import type { Cidr, IpHex, Mac } from "../packet/address.js";
import {
  cidrContains,
  linkLocalOf,
  parseCidr,
  parseIp,
  parseMac,
  unspecifiedV4,
  unspecifiedV6,
} from "../packet/address.js";
import { dhcpClientPort, dhcpServerPort } from "../packet/dhcp.js";
import { etherType } from "../packet/ethernet.js";
import { parseIcmp } from "../packet/icmp.js";
import { icmpv6Type, parseNeighbor } from "../packet/icmpv6.js";
import type { IpPacket } from "../packet/ip.js";
import { ipProtocol } from "../packet/ip.js";
import { parseUdp } from "../packet/udp.js";
import type { PortConfig } from "../port-config.js";
import type { DropReason } from "./counters.js";
import type { ParsedFrame } from "./parsed-frame.js";

const dhcpv6 = { clientPort: 546, serverPort: 547 } as const;
/**
 * Types that a guest may send before it has an IPv6 address: it looks for routers and duplicates, and joins
 * multicast groups.
 */
const typesWithoutSource: readonly number[] = [
  icmpv6Type.routerSolicitation,
  icmpv6Type.neighborSolicitation,
  131,
  132,
  143,
];

/** Checks that a guest speaks only for itself. */
export interface Guard {
  /** @returns why the frame must not pass, or undefined */
  refuse(frame: ParsedFrame): DropReason | undefined;
}

/** The addresses that one MAC address may use. */
interface Identity {
  readonly mac: Mac;
  readonly ips: ReadonlySet<IpHex>;
  readonly networks: readonly Cidr[];
}

/** @throws on addresses in the configuration that are none */
export function makeGuard(config: PortConfig): Guard {
  if (!config.portSecurity) return { refuse: () => undefined };
  const identities = identitiesOf(config);
  return { refuse: (frame) => refuse(identities, frame) };
}

function identitiesOf(config: PortConfig): ReadonlyMap<Mac, Identity> {
  const own = parseMac(config.macAddress);
  const pairs = [
    ...config.fixedIps.map((fixed) => ({ mac: own, ip: fixed.ip })),
    ...(config.allowedAddressPairs ?? []).map((pair) => ({
      mac: pair.macAddress === undefined ? own : parseMac(pair.macAddress),
      ip: pair.ip,
    })),
  ];
  const identities = new Map<Mac, Identity>();
  for (const mac of new Set([own, ...pairs.map((pair) => pair.mac)])) {
    const texts = pairs.filter((pair) => pair.mac === mac).map((pair) => pair.ip);
    identities.set(mac, {
      mac,
      ips: new Set([linkLocalOf(mac), ...texts.filter((ip) => !ip.includes("/")).map(parseIp)]),
      networks: texts.filter((ip) => ip.includes("/")).map(parseCidr),
    });
  }
  return identities;
}

function refuse(identities: ReadonlyMap<Mac, Identity>, frame: ParsedFrame): DropReason | undefined {
  const identity = identities.get(frame.source);
  if (identity === undefined) return "spoofed-mac";
  if (frame.ip !== undefined) return refuseIp(identity, frame.ip);
  if (frame.arp !== undefined) {
    const { senderMac, senderIp, targetIp } = frame.arp;
    if (senderMac !== identity.mac) return "spoofed-arp";
    // A probe (no sender) for another's address would make its owner give it up.
    return owns(identity, senderIp === unspecifiedV4 ? targetIp : senderIp) ? undefined : "spoofed-arp";
  }
  // QEMU announces a guest that has just migrated by RARP; its payload holds the address again, as sender.
  if (frame.type === etherType.rarp)
    return frame.payload.length >= 14 && frame.payload.readUIntBE(8, 6) === identity.mac
      ? undefined
      : "spoofed-arp";
  return "forbidden-type";
}

function refuseIp(identity: Identity, packet: IpPacket): DropReason | undefined {
  if (packet.fragment !== undefined && packet.fragment.offset > 0)
    return owns(identity, packet.source) ? undefined : "spoofed-ip"; // useless without its first part
  const rogue = refuseServer(packet);
  if (rogue !== undefined) return rogue;
  if (!owns(identity, packet.source) && !mayLackSource(packet)) return "spoofed-ip";
  return packet.version === 6 && packet.protocol === ipProtocol.icmpv6
    ? refuseNeighbor(identity, packet)
    : undefined;
}

/**
 * Guests give neither addresses nor routes to others. Clients take a server's answer from any port, so where
 * it goes decides.
 */
function refuseServer(packet: IpPacket): DropReason | undefined {
  if (packet.protocol === ipProtocol.udp && packet.payload.length >= 4) {
    const sourcePort = packet.payload.readUInt16BE(0);
    const destinationPort = packet.payload.readUInt16BE(2);
    if (packet.version === 4 && destinationPort === dhcpClientPort) return "rogue-dhcp";
    if (packet.version === 6 && (sourcePort === dhcpv6.serverPort || destinationPort === dhcpv6.clientPort))
      return "rogue-dhcp";
  }
  if (packet.version === 6 && packet.protocol === ipProtocol.icmpv6) {
    const type = packet.payload[0];
    if (type === icmpv6Type.routerAdvertisement || type === icmpv6Type.redirect) return "rogue-router";
  }
  return undefined;
}

const owns = (identity: Identity, ip: IpHex): boolean =>
  identity.ips.has(ip) || identity.networks.some((network) => cidrContains(network, ip));

/** A guest without an address yet may ask for one, and check that nobody has it. */
function mayLackSource(packet: IpPacket): boolean {
  if (packet.version === 4) {
    return (
      packet.source === unspecifiedV4 &&
      packet.protocol === ipProtocol.udp &&
      parseUdp(packet.payload)?.destinationPort === dhcpServerPort
    );
  }
  return (
    packet.source === unspecifiedV6 &&
    packet.protocol === ipProtocol.icmpv6 &&
    typesWithoutSource.includes(packet.payload[0] ?? -1)
  );
}

/** Neighbour discovery is IPv6's ARP: what is said about an address must be about one's own. */
function refuseNeighbor(identity: Identity, packet: IpPacket): DropReason | undefined {
  const message = parseIcmp(packet.payload);
  if (message === undefined) return "malformed";
  const isAdvertisement = message.type === icmpv6Type.neighborAdvertisement;
  if (!isAdvertisement && message.type !== icmpv6Type.neighborSolicitation) return undefined;
  const neighbor = parseNeighbor(message);
  if (neighbor === undefined || packet.fragment !== undefined) return "malformed"; // @source RFC 6980 §5
  if (neighbor.linkLayer !== undefined && neighbor.linkLayer !== identity.mac) return "spoofed-arp";
  // Asking from no address claims the target: one for another's address would make its owner give it up.
  const claims = isAdvertisement || packet.source === unspecifiedV6;
  return claims && !owns(identity, neighbor.target) ? "spoofed-arp" : undefined;
}
