import type { AddressPool } from "./model.js";

/** An IP address as a number, which makes ranges and gaps plain arithmetic. */
export interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** A network range: its first and last address, both included. */
export interface Cidr {
  readonly version: 4 | 6;
  readonly prefix: number;
  readonly first: bigint;
  readonly last: bigint;
}

const bitsOf = (version: 4 | 6): number => (version === 4 ? 32 : 128);

/** Reads an address of either version; undefined when it is none. IPv4 needs four plain decimal parts. */
export function parseAddress(text: string): Address | undefined {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

function parseV4(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return { version: 4, value: parts.reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
}

function parseV6(text: string): Address | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = halves.map(readGroups);
  const [left, right] = groups;
  if (!left || (halves.length === 2 && !right)) return undefined;
  const missing = 8 - left.length - (right?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...left, ...Array<number>(missing).fill(0), ...(right ?? [])];
  return { version: 6, value: all.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n) };
}

/** The groups on one side of `::`; the last may be an IPv4 address. */
function readGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const out: number[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    const tail = at === parts.length - 1 && part.includes(".") ? parseV4(part) : undefined;
    if (tail) out.push(Number(tail.value >> 16n), Number(tail.value & 0xffffn));
    else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return out;
}

/** The canonical text: dotted, or RFC 5952's shortest lower-case form. */
export function formatAddress({ version, value }: Address): string {
  if (version === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - 16 * at)) & 0xffffn));
  const run = longestZeroRun(groups);
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(":");
  return run.length < 2
    ? hex(groups)
    : `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Reads `address/prefix`; host bits may be set and are dropped, as Neutron does. */
export function parseCidr(text: string): Cidr | undefined {
  const [address, prefixText, ...rest] = text.split("/");
  const parsed = parseAddress(address ?? "");
  if (!parsed || rest.length > 0 || !/^\d{1,3}$/.test(prefixText ?? "")) return undefined;
  const prefix = Number(prefixText);
  const bits = bitsOf(parsed.version);
  if (prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  const first = parsed.value - (parsed.value % size);
  return { version: parsed.version, prefix, first, last: first + size - 1n };
}

export const formatCidr = (cidr: Cidr): string =>
  `${formatAddress({ version: cidr.version, value: cidr.first })}/${cidr.prefix}`;

export const contains = (cidr: Cidr, address: Address): boolean =>
  cidr.version === address.version && cidr.first <= address.value && address.value <= cidr.last;

export const overlaps = (a: Cidr, b: Cidr): boolean =>
  a.version === b.version && a.first <= b.last && b.first <= a.last;

/**
 * The addresses that hosts may have: without the network and broadcast address of larger IPv4 ranges, without
 * the anycast address of IPv6's.
 */
export function hostRange(cidr: Cidr): { first: bigint; last: bigint } {
  if (cidr.prefix >= bitsOf(cidr.version) - 1) return { first: cidr.first, last: cidr.last };
  return { first: cidr.first + 1n, last: cidr.version === 4 ? cidr.last - 1n : cidr.last };
}

/** Everything for hosts but the gateway. */
export function defaultPools(cidr: Cidr, gateway: Address | undefined): AddressPool[] {
  const { first, last } = hostRange(cidr);
  const text = (value: bigint): string => formatAddress({ version: cidr.version, value });
  const pool = (from: bigint, to: bigint): AddressPool[] =>
    from > to ? [] : [{ start: text(from), end: text(to) }];
  if (!gateway || gateway.value < first || gateway.value > last) return pool(first, last);
  return [...pool(first, gateway.value - 1n), ...pool(gateway.value + 1n, last)];
}

/** The address that a host makes itself from its MAC address (RFC 4291, modified EUI-64). */
export function eui64Address(cidr: Cidr, mac: string): string {
  const octets = mac.split(":").map((part) => Number.parseInt(part, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = octets;
  const id = [a ^ 2, b, c, 0xff, 0xfe, d, e, f].reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
  return formatAddress({ version: 6, value: cidr.first | id });
}

/** Picks an address; undefined when none is free. @param random  0..1 */
export function pickAddress(
  version: 4 | 6,
  pools: readonly AddressPool[],
  taken: ReadonlySet<string>,
  random: () => number,
): string | undefined {
  const ranges = pools.flatMap((pool) => {
    const start = parseAddress(pool.start);
    const end = parseAddress(pool.end);
    return start && end ? [{ start: start.value, size: end.value - start.value + 1n }] : [];
  });
  const total = ranges.reduce((sum, range) => sum + range.size, 0n);
  if (total <= 0n) return undefined;
  // 48 random bits place the start; from there on the first free one, around the end if need be. A full pool
  // is walked once, and it can only be full when it is no larger than the number of ports.
  const from = (BigInt(Math.floor(random() * 2 ** 48)) * total) >> 48n;
  for (let step = 0n; step < total && step <= BigInt(taken.size); step++) {
    const text = formatAddress({ version, value: nth(ranges, (from + step) % total) });
    if (!taken.has(text)) return text;
  }
  return undefined;
}

function nth(ranges: readonly { start: bigint; size: bigint }[], index: bigint): bigint {
  let left = index;
  for (const { start, size } of ranges) {
    if (left < size) return start + left;
    left -= size;
  }
  throw new RangeError("index beyond the pools");
}

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** A unicast MAC address in lower case with colons; undefined when it is none. */
export function parseMac(text: string): string | undefined {
  const mac = text.toLowerCase().replaceAll("-", ":");
  return MAC.test(mac) && Number.parseInt(mac.slice(0, 2), 16) % 2 === 0 && mac !== "00:00:00:00:00:00"
    ? mac
    : undefined;
}

/** A MAC address of OpenStack's own range. */
export const makeMac = (random: () => number): string =>
  `fa:16:3e:${Array.from({ length: 3 }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, "0"),
  ).join(":")}`;
