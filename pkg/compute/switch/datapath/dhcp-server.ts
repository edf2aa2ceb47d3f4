import type { IpHex } from "../packet/address.js";
import {
  broadcastOf,
  ipBytes,
  netmaskV4,
  parseCidr,
  parseIp,
  unspecifiedV4,
  versionOf,
} from "../packet/address.js";
import type { ClasslessRoute, DhcpMessage, DhcpType } from "../packet/dhcp.js";
import { dhcpOption, dhcpType, encodeRoutes } from "../packet/dhcp.js";
import type { FixedIp, PortConfig } from "../port-config.js";

export const metadataIp: IpHex = parseIp("169.254.169.254");

/**
 * Lease time in seconds. An address belongs to its port for good; a finite lease makes guests pick up changed
 * options.
 */
const leaseSeconds = 86_400;

/** What DHCP tells the guest of one port; undefined when no subnet of the port has DHCP switched on. */
export interface Lease {
  readonly ip: IpHex;
  readonly serverIp: IpHex;
  readonly options: ReadonlyMap<number, Buffer>;
}

/**
 * Prepares the lease of a port: its first IPv4 address on a subnet with DHCP. @throws on malformed addresses
 */
export function leaseOf(config: PortConfig): Lease | undefined {
  const fixed = config.fixedIps.find((candidate) => candidate.dhcp && versionOf(parseIp(candidate.ip)) === 4);
  if (fixed === undefined) return undefined;
  const ip = parseIp(fixed.ip);
  // Without a gateway the server is the metadata address: it is on every guest's link, by the route below.
  const serverIp = fixed.gateway === undefined ? metadataIp : parseIp(fixed.gateway);
  const options = new Map<number, Buffer>([
    [dhcpOption.serverId, ipBytes(serverIp)],
    [dhcpOption.leaseTime, seconds(leaseSeconds)],
    [dhcpOption.renewalTime, seconds(leaseSeconds / 2)],
    [dhcpOption.rebindingTime, seconds((leaseSeconds * 7) / 8)],
    [dhcpOption.netmask, ipBytes(netmaskV4(fixed.prefixLength))],
    [dhcpOption.broadcast, ipBytes(broadcastOf(ip, fixed.prefixLength))],
    [dhcpOption.mtu, Buffer.from([config.mtu >> 8, config.mtu & 255])],
  ]);
  if (fixed.gateway !== undefined) options.set(dhcpOption.router, ipBytes(parseIp(fixed.gateway)));
  const dns = fixed.dns.map(parseIp).filter((server) => versionOf(server) === 4);
  if (dns.length > 0) options.set(dhcpOption.dns, Buffer.concat(dns.map(ipBytes)));
  if (config.hostname !== "") options.set(dhcpOption.hostname, Buffer.from(config.hostname, "latin1"));
  if (config.domain !== undefined && config.domain !== "")
    options.set(dhcpOption.domain, Buffer.from(config.domain, "latin1"));
  options.set(dhcpOption.classlessRoutes, encodeRoutes(routesOf(fixed)));
  return { ip, serverIp, options };
}

/**
 * Clients that take classless routes ignore the router option, so the default route is among them. @source
 * RFC 3442
 */
function routesOf(fixed: FixedIp): ClasslessRoute[] {
  const gateway = fixed.gateway === undefined ? undefined : parseIp(fixed.gateway);
  const routes: ClasslessRoute[] = [
    { destination: metadataIp, prefixLength: 32, nextHop: gateway ?? unspecifiedV4 },
  ];
  for (const route of fixed.routes) {
    const cidr = parseCidr(route.destination);
    if (cidr.version === 4)
      routes.push({
        destination: cidr.network.toString(16).padStart(8, "0"),
        prefixLength: cidr.prefixLength,
        nextHop: parseIp(route.nextHop),
      });
  }
  if (gateway !== undefined) routes.push({ destination: unspecifiedV4, prefixLength: 0, nextHop: gateway });
  return routes;
}

const seconds = (count: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(count);
  return bytes;
};

/**
 * Answers a client's message. The answer never depends on earlier messages: a port has one address, now and
 * always.
 * @returns undefined where DHCP asks for silence
 * @source RFC 2131 §4.3
 */
export function answerDhcp(lease: Lease, message: DhcpMessage): DhcpMessage | undefined {
  if (message.operation !== "request") return undefined;
  switch (message.type) {
    case dhcpType.discover:
      return granting(lease, message, dhcpType.offer);
    case dhcpType.request:
      return answerRequest(lease, message);
    case dhcpType.inform:
      return informing(lease, message);
    default:
      return undefined; // release and decline: the address stays the port's
  }
}

function answerRequest(lease: Lease, message: DhcpMessage): DhcpMessage | undefined {
  const serverId = message.options.get(dhcpOption.serverId)?.toString("hex");
  if (serverId !== undefined && serverId !== lease.serverIp) return undefined; // it chose another server
  const wanted = message.options.get(dhcpOption.requestedIp)?.toString("hex") ?? message.clientIp;
  return wanted === lease.ip ? granting(lease, message, dhcpType.ack) : refusing(lease, message);
}

const reply = (message: DhcpMessage, type: DhcpType): DhcpMessage => ({
  ...message,
  operation: "reply",
  type,
  yourIp: unspecifiedV4,
  serverIp: unspecifiedV4,
  options: new Map(),
});

const granting = (lease: Lease, message: DhcpMessage, type: DhcpType): DhcpMessage => ({
  ...reply(message, type),
  yourIp: lease.ip,
  serverIp: lease.serverIp,
  options: lease.options,
});

const refusing = (lease: Lease, message: DhcpMessage): DhcpMessage => ({
  ...reply(message, dhcpType.nak),
  clientIp: unspecifiedV4,
  broadcast: true,
  options: new Map([[dhcpOption.serverId, ipBytes(lease.serverIp)]]),
});

/** Settings without an address, for a client that has one. */
function informing(lease: Lease, message: DhcpMessage): DhcpMessage {
  const timing: readonly number[] = [dhcpOption.leaseTime, dhcpOption.renewalTime, dhcpOption.rebindingTime];
  return {
    ...reply(message, dhcpType.ack),
    serverIp: lease.serverIp,
    options: new Map([...lease.options].filter(([code]) => !timing.includes(code))),
  };
}
