import type { IpHex } from "./address.js";
import { ipBytes } from "./address.js";
import type { IpPacket } from "./ip.js";

const headerBytes = 40;
const extension = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  authentication: 51,
  destinationOptions: 60,
} as const;

/** @returns undefined when lengths, version or the chain of extension headers make no sense */
export function parseIpv6(bytes: Buffer): IpPacket | undefined {
  if (bytes.length < headerBytes || bytes.readUInt8(0) >> 4 !== 6) return undefined;
  const totalBytes = headerBytes + bytes.readUInt16BE(4);
  if (totalBytes > bytes.length) return undefined;
  const rest = skipExtensions(bytes.subarray(headerBytes, totalBytes), bytes.readUInt8(6));
  if (rest === undefined) return undefined;
  return {
    version: 6,
    source: bytes.toString("hex", 8, 24),
    destination: bytes.toString("hex", 24, 40),
    hopLimit: bytes.readUInt8(7),
    ...rest,
  };
}

/**
 * Walks the extension headers up to the transport header, or up to the fragment header of a later fragment.
 */
function skipExtensions(
  bytes: Buffer,
  first: number,
): Pick<IpPacket, "protocol" | "fragment" | "payload"> | undefined {
  let protocol = first;
  let at = 0;
  let fragment: IpPacket["fragment"];
  for (;;) {
    if (
      protocol !== extension.hopByHop &&
      protocol !== extension.routing &&
      protocol !== extension.fragment &&
      protocol !== extension.authentication &&
      protocol !== extension.destinationOptions
    )
      break;
    if (at + 8 > bytes.length) return undefined;
    const next = bytes.readUInt8(at);
    if (protocol === extension.fragment) {
      const word = bytes.readUInt16BE(at + 2);
      const offset = word & 0xfff8;
      if (offset > 0 || (word & 1) === 1) fragment = { id: bytes.readUInt32BE(at + 4), offset };
      at += 8;
    } else {
      const units = bytes.readUInt8(at + 1);
      at += protocol === extension.authentication ? (units + 2) * 4 : (units + 1) * 8;
    }
    protocol = next;
    if (fragment !== undefined && fragment.offset > 0) break;
  }
  return at > bytes.length ? undefined : { protocol, fragment, payload: bytes.subarray(at) };
}

export function buildIpv6(
  source: IpHex,
  destination: IpHex,
  protocol: number,
  payload: Buffer,
  hopLimit = 64,
): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(payload.length, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(hopLimit, 7);
  ipBytes(source).copy(header, 8);
  ipBytes(destination).copy(header, 24);
  return Buffer.concat([header, payload]);
}
