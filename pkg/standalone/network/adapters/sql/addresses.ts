import type { Transaction } from "kysely";
import {
  contains,
  eui64Address,
  formatAddress,
  parseAddress,
  parseCidr,
  pickAddress,
} from "../../domain/addresses.js";
import type { FixedIp } from "../../domain/model.js";
import { E } from "../../errors.js";
import { subnetsOf } from "./subnets.js";
import type { AddressedSubnet } from "./subnets.js";
import type { NetworkTables } from "./tables.js";

type Tx = Transaction<NetworkTables>;

/** What a port wants to be addressed by: a subnet, an address, or both. */
export interface AddressWish {
  readonly subnetId?: string | undefined;
  readonly ipAddress?: string | undefined;
}

interface Target {
  readonly id: string;
  readonly networkId: string;
  readonly macAddress: string;
  readonly deviceOwner: string;
}

/**
 * Gives a port its addresses, keeping the ones it has that are still wanted. The primary key (subnet,
 * address) is what keeps two ports from having the same one.
 * @param wishes   undefined: one of each IP version, as the network's subnets allow
 * @param current  what the port has
 * @param random   0..1
 * @throws INVALID_IP_FOR_NETWORK, INVALID_IP_FOR_SUBNET, INVALID_INPUT, IP_ADDRESS_ALREADY_ALLOCATED,
 *   IP_ADDRESS_GENERATION_FAILURE
 */
export async function assignAddresses(
  tx: Tx,
  port: Target,
  wishes: readonly AddressWish[] | undefined,
  current: readonly FixedIp[],
  random: () => number,
): Promise<FixedIp[]> {
  const resolved = resolveWishes(await subnetsOf(tx, port.networkId), port, wishes);
  const unused = [...current];
  const kept = new Map<number, FixedIp>();
  for (const exact of [true, false]) {
    for (const [at, wish] of resolved.entries()) {
      if (kept.has(at) || (wish.ipAddress !== undefined) !== exact) continue;
      const found = unused.findIndex(
        (ip) => ip.subnetId === wish.subnet.id && (!exact || ip.ipAddress === wish.ipAddress),
      );
      const [ip] = found < 0 ? [] : unused.splice(found, 1);
      if (ip) kept.set(at, ip);
    }
  }
  for (const ip of unused)
    await tx
      .deleteFrom("network_fixed_ip")
      .where("subnet_id", "=", ip.subnetId)
      .where("ip_address", "=", ip.ipAddress)
      .where("port_id", "=", port.id)
      .execute();
  const out: FixedIp[] = [];
  for (const [at, wish] of resolved.entries()) {
    out.push(kept.get(at) ?? (await takeAddress(tx, port, wish, at, random)));
  }
  return out;
}

/** A wish and the subnets that can fulfil it; without an address, any of the alternatives'. */
export interface ResolvedWish {
  readonly subnet: AddressedSubnet;
  readonly ipAddress: string | undefined;
  readonly alternatives: readonly AddressedSubnet[];
}

/**
 * What a port's wishes mean on its network.
 * @param wishes  undefined: one of each IP version, as the subnets allow
 * @throws INVALID_IP_FOR_NETWORK, INVALID_IP_FOR_SUBNET, INVALID_INPUT, ALLOCATION_ON_AUTO_ADDRESS_SUBNET
 */
export const resolveWishes = (
  subnets: readonly AddressedSubnet[],
  port: Target,
  wishes: readonly AddressWish[] | undefined,
): ResolvedWish[] =>
  wishes === undefined ? defaults(subnets, port) : withOwnAddresses(subnets, port, wishes);

/**
 * A port that has addresses at all also has the one it makes itself in each subnet whose router tells the
 * prefix, asked for or not; routers' own ports are the ones that tell.
 */
function withOwnAddresses(
  subnets: readonly AddressedSubnet[],
  port: Target,
  wishes: readonly AddressWish[],
): ResolvedWish[] {
  const resolved = wishes.map((wish) => resolve(wish, port, subnets));
  if (resolved.length === 0 || isRouter(port)) return resolved;
  const missing = subnets.filter(
    (subnet) => isSlaac(subnet) && !resolved.some((one) => one.subnet.id === subnet.id),
  );
  return [...resolved, ...missing.map((subnet) => ownAddress(subnet, port))];
}

const ownAddress = (subnet: AddressedSubnet, port: Target): ResolvedWish => ({
  subnet,
  ipAddress: slaacAddress(subnet, port),
  alternatives: [subnet],
});

const isRouter = ({ deviceOwner }: Target): boolean => deviceOwner.startsWith("network:router");

/**
 * The address to try first: in a subnet with room it is free. Undefined when there is none to choose from.
 */
export function firstChoice({ subnet, ipAddress }: ResolvedWish, random: () => number): FixedIp | undefined {
  const address = ipAddress ?? pickAddress(subnet.ipVersion, subnet.allocationPools, NOTHING_TAKEN, random);
  return address === undefined ? undefined : { subnetId: subnet.id, ipAddress: address };
}

/**
 * One IPv4 and one IPv6 address where there are such subnets, from any of them; each subnet with router
 * advertisements gives one more.
 */
function defaults(subnets: readonly AddressedSubnet[], port: Target): ResolvedWish[] {
  const managed = ([4, 6] as const).flatMap((version): ResolvedWish[] => {
    const alternatives = subnets.filter((subnet) => subnet.ipVersion === version && !isSlaac(subnet));
    return alternatives[0] === undefined
      ? []
      : [{ subnet: alternatives[0], ipAddress: undefined, alternatives }];
  });
  return [...managed, ...subnets.filter(isSlaac).map((subnet) => ownAddress(subnet, port))];
}

const isSlaac = (subnet: AddressedSubnet): boolean =>
  subnet.ipv6AddressMode === "slaac" || subnet.ipv6AddressMode === "dhcpv6-stateless";

function resolve(wish: AddressWish, port: Target, subnets: readonly AddressedSubnet[]): ResolvedWish {
  const named =
    wish.subnetId === undefined ? undefined : subnets.find((subnet) => subnet.id === wish.subnetId);
  if (wish.subnetId !== undefined && !named)
    throw E.INVALID_INPUT({
      problem: `Failed to create port on network ${port.networkId}, because fixed_ips included invalid subnet ${wish.subnetId}`,
    });
  if (wish.ipAddress === undefined) {
    if (!named) throw E.INVALID_INPUT({ problem: "IP allocation requires subnet_id or ip_address" });
    return {
      subnet: named,
      ipAddress: isSlaac(named) ? slaacAddress(named, port) : undefined,
      alternatives: [named],
    };
  }
  const address = parseAddress(wish.ipAddress);
  if (!address) throw E.INVALID_INPUT({ problem: `'${wish.ipAddress}' is not a valid IP address` });
  const holds = (subnet: AddressedSubnet): boolean => {
    const cidr = parseCidr(subnet.cidr);
    const edge =
      cidr !== undefined &&
      cidr.version === 4 &&
      cidr.prefix < 31 &&
      (address.value === cidr.first || address.value === cidr.last);
    return cidr !== undefined && contains(cidr, address) && !edge;
  };
  if (named && !holds(named)) throw E.INVALID_IP_FOR_SUBNET({ ip: wish.ipAddress });
  const subnet = named ?? subnets.find(holds);
  if (!subnet) throw E.INVALID_IP_FOR_NETWORK({ ip: wish.ipAddress });
  const ipAddress = formatAddress(address);
  if (isSlaac(subnet) && !isRouter(port) && ipAddress !== slaacAddress(subnet, port))
    throw E.ALLOCATION_ON_AUTO_ADDRESS_SUBNET({ ip: ipAddress, subnet: subnet.id });
  return { subnet, ipAddress, alternatives: [subnet] };
}

function slaacAddress(subnet: AddressedSubnet, port: Target): string {
  const cidr = parseCidr(subnet.cidr);
  if (!cidr) throw E.INVALID_INPUT({ problem: `'${subnet.cidr}' is not a valid IP subnet` });
  return eui64Address(cidr, port.macAddress);
}

/** Stores one address for a port. @throws IP_ADDRESS_ALREADY_ALLOCATED, IP_ADDRESS_GENERATION_FAILURE */
export async function takeAddress(
  tx: Tx,
  port: Target,
  wish: ResolvedWish,
  position: number,
  random: () => number,
): Promise<FixedIp> {
  if (wish.ipAddress !== undefined) {
    if (!(await claim(tx, port.id, wish.subnet.id, wish.ipAddress, position)))
      throw E.IP_ADDRESS_ALREADY_ALLOCATED({ ip: wish.ipAddress, subnet: wish.subnet.id });
    return { subnetId: wish.subnet.id, ipAddress: wish.ipAddress };
  }
  for (const subnet of wish.alternatives) {
    const lucky = await takeByChance(tx, port, subnet, position, random);
    if (lucky) return lucky;
    const taken = new Set(
      (
        await tx
          .selectFrom("network_fixed_ip")
          .select("ip_address")
          .where("subnet_id", "=", subnet.id)
          .execute()
      ).map((row) => row.ip_address),
    );
    const address = pickAddress(subnet.ipVersion, subnet.allocationPools, taken, random);
    if (address !== undefined && (await claim(tx, port.id, subnet.id, address, position)))
      return { subnetId: subnet.id, ipAddress: address };
  }
  throw E.IP_ADDRESS_GENERATION_FAILURE({ network: port.networkId });
}

const NOTHING_TAKEN: ReadonlySet<string> = new Set();
const CHANCES = 4;

/**
 * Tries a few addresses without looking at which are taken: in a subnet with room the first try succeeds,
 * however many ports there are.
 */
async function takeByChance(
  tx: Tx,
  port: Target,
  subnet: AddressedSubnet,
  position: number,
  random: () => number,
): Promise<FixedIp | undefined> {
  for (let chance = 0; chance < CHANCES; chance++) {
    const ipAddress = pickAddress(subnet.ipVersion, subnet.allocationPools, NOTHING_TAKEN, random);
    if (ipAddress !== undefined && (await claim(tx, port.id, subnet.id, ipAddress, position)))
      return { subnetId: subnet.id, ipAddress };
  }
  return undefined;
}

async function claim(
  tx: Tx,
  portId: string,
  subnetId: string,
  ipAddress: string,
  position: number,
): Promise<boolean> {
  const done = await tx
    .insertInto("network_fixed_ip")
    .values({ subnet_id: subnetId, ip_address: ipAddress, port_id: portId, position })
    .onConflict((oc) => oc.columns(["subnet_id", "ip_address"]).doNothing())
    .returning("ip_address")
    .execute();
  return done.length > 0;
}
