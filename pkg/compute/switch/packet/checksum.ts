import type { IpHex } from "./address.js";
import { ipBytes } from "./address.js";

/** The Internet checksum over any number of pieces, each of even length except the last. @source RFC 1071 */
export function checksum(...pieces: readonly Buffer[]): number {
  let sum = 0;
  for (const piece of pieces) {
    for (let i = 0; i + 1 < piece.length; i += 2) sum += piece.readUInt16BE(i);
    if (piece.length % 2 === 1) sum += (piece[piece.length - 1] ?? 0) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The checksum of TCP, UDP and ICMPv6, which covers the addresses too; the field itself must hold 0. */
export function transportChecksum(
  source: IpHex,
  destination: IpHex,
  protocol: number,
  segment: Buffer,
): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(segment.length, 0);
  tail.writeUInt32BE(protocol, 4);
  return checksum(ipBytes(source), ipBytes(destination), tail, segment);
}
