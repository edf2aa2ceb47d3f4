import ipaddr from "ipaddr.js";

/** A MAC address as a 48-bit integer: cheap to compare and to use as a map key. */
export type Mac = number;

/**
 * An IP address as lower-case hex digits of its bytes: 8 for IPv4, 32 for IPv6. Cheap to cut from a packet.
 */
export type IpHex = string;

export interface Cidr {
  readonly version: 4 | 6;
  readonly network: bigint;
  readonly prefixLength: number;
}

export const broadcastMac: Mac = 0xffffffffffff;
export const unspecifiedV4: IpHex = "00000000";
export const broadcastV4: IpHex = "ffffffff";
export const unspecifiedV6: IpHex = "0".repeat(32);

/** Group bit of the first byte: broadcast and multicast. Bit operators would cut a Mac to 32 bits. */
export const isGroupMac = (mac: Mac): boolean => Math.floor(mac / 2 ** 40) % 2 === 1;

/** @throws on anything but six colon-separated bytes */
export function parseMac(text: string): Mac {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) throw new Error(`not a MAC address: ${text}`);
  return Number.parseInt(text.replaceAll(":", ""), 16);
}

export const formatMac = (mac: Mac): string =>
  mac.toString(16).padStart(12, "0").match(/../g)?.join(":") ?? "";

/** @throws on text that is no IPv4 or IPv6 address */
export const parseIp = (text: string): IpHex => Buffer.from(ipaddr.parse(text).toByteArray()).toString("hex");

export const formatIp = (ip: IpHex): string => ipaddr.fromByteArray([...Buffer.from(ip, "hex")]).toString();

export const versionOf = (ip: IpHex): 4 | 6 => (ip.length === 8 ? 4 : 6);

export const ipBytes = (ip: IpHex): Buffer => Buffer.from(ip, "hex");

/** @throws on text that is no network in CIDR form; host bits are cleared */
export function parseCidr(text: string): Cidr {
  const [address, prefixLength] = ipaddr.parseCIDR(text);
  const version = address.kind() === "ipv4" ? 4 : 6;
  const value = BigInt(`0x${Buffer.from(address.toByteArray()).toString("hex")}`);
  return { version, network: value & maskOf(version, prefixLength), prefixLength };
}

export const cidrContains = (cidr: Cidr, ip: IpHex): boolean =>
  versionOf(ip) === cidr.version &&
  (BigInt(`0x${ip}`) & maskOf(cidr.version, cidr.prefixLength)) === cidr.network;

/** @returns e.g. `ffffff00` for 24 */
export const netmaskV4 = (prefixLength: number): IpHex =>
  maskOf(4, prefixLength).toString(16).padStart(8, "0");

export const broadcastOf = (ip: IpHex, prefixLength: number): IpHex =>
  (BigInt(`0x${ip}`) | (~maskOf(4, prefixLength) & 0xffffffffn)).toString(16).padStart(8, "0");

/** The link-local IPv6 address that a host makes of its MAC address. @source RFC 4291, appendix A */
export function linkLocalOf(mac: Mac): IpHex {
  const hex = mac.toString(16).padStart(12, "0");
  const first = (Number.parseInt(hex.slice(0, 2), 16) ^ 2).toString(16).padStart(2, "0");
  return `fe80000000000000${first}${hex.slice(2, 6)}fffe${hex.slice(6)}`;
}

function maskOf(version: 4 | 6, prefixLength: number): bigint {
  const bits = version === 4 ? 32n : 128n;
  return ((1n << BigInt(prefixLength)) - 1n) << (bits - BigInt(prefixLength));
}
