import { isIPv4, isIPv6 } from "node:net";

/**
 * The one text of an address: dotted, or RFC 5952's shortest lower-case form, dotted at its end for a mapped
 * IPv4 address (what `inet_ntop`, and so Nova, shows). Undefined for what is no address; zones are none.
 *
 * Not ipaddr.js: it reads `::1.2.3.4` as `::ffff:1.2.3.4`.
 */
export function canonicalIp(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const short = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const bytes = mapped.slice(1).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return `::ffff:${bytes.join(".")}`;
}

/** The same of a field that may be empty; what is no address stays, for whoever refuses it. */
export const canonicalIpOr = (text: string): string => canonicalIp(text) ?? text;
