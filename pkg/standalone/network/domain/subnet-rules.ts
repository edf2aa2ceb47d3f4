import { E } from "../errors.js";
import {
  contains,
  defaultPools,
  formatAddress,
  formatCidr,
  hostRange,
  overlaps,
  parseAddress,
  parseCidr,
} from "./addresses.js";
import type { Cidr } from "./addresses.js";
import type { AddressPool, HostRoute, Subnet } from "./model.js";

/** The addressing part of a subnet, as asked for; absent parts get their defaults. */
export interface SubnetWish {
  readonly ipVersion: 4 | 6;
  readonly cidr: string;
  /** null: none. undefined: the first address. */
  readonly gatewayIp: string | null | undefined;
  readonly pools: readonly AddressPool[] | undefined;
}

export interface SubnetPlan {
  readonly cidr: string;
  readonly gatewayIp: string | null;
  readonly pools: readonly AddressPool[];
}

/**
 * Works out a new subnet's range, gateway and pools.
 * @param others  ranges of the network's other subnets
 * @throws INVALID_INPUT (with the words "overlaps with another subnet" that tempest looks for),
 *   GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS
 */
export function planSubnet(wish: SubnetWish, networkId: string, others: readonly string[]): SubnetPlan {
  const cidr = parseCidr(wish.cidr);
  if (!cidr) throw E.INVALID_INPUT({ problem: `'${wish.cidr}' is not a valid IP subnet` });
  if (cidr.version !== wish.ipVersion)
    throw E.INVALID_INPUT({ problem: `IP version ${wish.ipVersion} does not match cidr ${wish.cidr}` });
  if (cidr.prefix === 0) throw E.INVALID_INPUT({ problem: "0 is not allowed as CIDR prefix length" });
  const text = formatCidr(cidr);
  for (const other of others) {
    const range = parseCidr(other);
    if (range && overlaps(range, cidr))
      throw E.INVALID_INPUT({
        problem: `Requested subnet with cidr: ${text} for network: ${networkId} overlaps with another subnet`,
      });
  }
  const gatewayIp = planGateway(cidr, wish.gatewayIp);
  const pools =
    wish.pools === undefined
      ? defaultPools(cidr, gatewayIp === null ? undefined : parseAddress(gatewayIp))
      : checkPools(cidr, wish.pools);
  refuseGatewayInPools(gatewayIp, pools);
  return { cidr: text, gatewayIp, pools };
}

/** @throws INVALID_INPUT when it lies outside or is no host's address */
export function planGateway(cidr: Cidr, wish: string | null | undefined): string | null {
  if (wish === null) return null;
  const { first, last } = hostRange(cidr);
  if (wish === undefined) return formatAddress({ version: cidr.version, value: first });
  const address = parseAddress(wish);
  if (!address) throw E.INVALID_INPUT({ problem: `'${wish}' is not a valid IP address` });
  const linkLocal = address.version === 6 && address.value >> 118n === 0x3fan;
  const inside = contains(cidr, address) && address.value >= first && address.value <= last;
  if (address.version !== cidr.version || (!inside && !linkLocal))
    throw E.INVALID_INPUT({ problem: "Gateway is not valid on subnet" });
  return formatAddress(address);
}

/** @throws INVALID_INPUT for pools outside of the range, upside down or overlapping */
export function checkPools(cidr: Cidr, pools: readonly AddressPool[]): AddressPool[] {
  const { first, last } = hostRange(cidr);
  const ranges = pools
    .map((pool) => {
      const start = parseAddress(pool.start);
      const end = parseAddress(pool.end);
      if (start?.version !== cidr.version || end?.version !== cidr.version)
        throw E.INVALID_INPUT({ problem: `The allocation pool ${pool.start}-${pool.end} is not valid` });
      if (start.value > end.value)
        throw E.INVALID_INPUT({
          problem: `The start of the allocation pool ${pool.start}-${pool.end} is greater than its end`,
        });
      if (start.value < first || end.value > last)
        throw E.INVALID_INPUT({
          problem: `The allocation pool ${pool.start}-${pool.end} spans beyond the subnet cidr ${formatCidr(cidr)}`,
        });
      return { start: start.value, end: end.value };
    })
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  for (const [at, range] of ranges.entries()) {
    const next = ranges[at + 1];
    if (next && next.start <= range.end)
      throw E.INVALID_INPUT({ problem: "Found overlapping allocation pools" });
  }
  const text = (value: bigint): string => formatAddress({ version: cidr.version, value });
  return ranges.map(({ start, end }) => ({ start: text(start), end: text(end) }));
}

/** @throws GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS */
export function refuseGatewayInPools(gatewayIp: string | null, pools: readonly AddressPool[]): void {
  const gateway = gatewayIp === null ? undefined : parseAddress(gatewayIp);
  if (!gateway) return;
  for (const pool of pools) {
    const start = parseAddress(pool.start);
    const end = parseAddress(pool.end);
    if (
      start &&
      end &&
      start.version === gateway.version &&
      start.value <= gateway.value &&
      gateway.value <= end.value
    ) {
      throw E.GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS({ ip: formatAddress(gateway) });
    }
  }
}

/** @throws INVALID_INPUT */
export function checkAddresses(texts: readonly string[], what: string): string[] {
  return texts.map((text) => {
    const address = parseAddress(text);
    if (!address) throw E.INVALID_INPUT({ problem: `'${text}' is not a valid ${what}` });
    return formatAddress(address);
  });
}

/** @throws INVALID_INPUT */
export function checkRoutes(routes: readonly HostRoute[]): HostRoute[] {
  return routes.map(({ destination, nexthop }) => {
    const range = parseCidr(destination);
    const hop = parseAddress(nexthop);
    if (!range || !hop || range.version !== hop.version)
      throw E.INVALID_INPUT({ problem: `The host route ${destination} via ${nexthop} is not valid` });
    return { destination: formatCidr(range), nexthop: formatAddress(hop) };
  });
}

/** Hosts make their own address from 64 bits, so a range in which they do has 64 for the network. */
const EUI64_PREFIX = 64;

/**
 * How an IPv6 subnet's hosts learn their addresses. @throws INVALID_INPUT for modes that contradict each
 * other or the rest of the subnet
 */
export function checkV6Modes({
  ipVersion,
  cidr,
  enableDhcp,
  ipv6RaMode,
  ipv6AddressMode,
}: Pick<Subnet, "ipVersion" | "cidr" | "enableDhcp" | "ipv6RaMode" | "ipv6AddressMode">): void {
  const modes = [ipv6RaMode, ipv6AddressMode].filter((mode) => mode !== null);
  if (modes.length === 0) return;
  if (ipVersion === 4)
    throw E.INVALID_INPUT({ problem: "ipv6_ra_mode and ipv6_address_mode are for IPv6 subnets" });
  if (!enableDhcp)
    throw E.INVALID_INPUT({
      problem: "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False",
    });
  if (modes.length === 2 && ipv6RaMode !== ipv6AddressMode)
    throw E.INVALID_INPUT({ problem: "ipv6_ra_mode and ipv6_address_mode must be the same" });
  if (!modes.includes("dhcpv6-stateful") && parseCidr(cidr)?.prefix !== EUI64_PREFIX) {
    throw E.INVALID_INPUT({
      problem: `Invalid CIDR ${cidr} for IPv6 address mode, which requires the prefix to be /${EUI64_PREFIX}`,
    });
  }
}
