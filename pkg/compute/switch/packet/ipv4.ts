import type { IpHex } from "./address.js";
import { ipBytes } from "./address.js";
import { checksum } from "./checksum.js";
import type { IpPacket } from "./ip.js";

const headerBytes = 20;

/**
 * @returns undefined when lengths or version contradict each other; Ethernet padding behind the packet is cut
 *   off
 */
export function parseIpv4(bytes: Buffer): IpPacket | undefined {
  if (bytes.length < headerBytes || bytes.readUInt8(0) >> 4 !== 4) return undefined;
  const ownBytes = (bytes.readUInt8(0) & 15) * 4;
  const totalBytes = bytes.readUInt16BE(2);
  if (ownBytes < headerBytes || totalBytes < ownBytes || totalBytes > bytes.length) return undefined;
  const fragmentWord = bytes.readUInt16BE(6);
  const moreFragments = (fragmentWord & 0x2000) !== 0;
  const offset = (fragmentWord & 0x1fff) * 8;
  return {
    version: 4,
    source: bytes.toString("hex", 12, 16),
    destination: bytes.toString("hex", 16, 20),
    protocol: bytes.readUInt8(9),
    hopLimit: bytes.readUInt8(8),
    fragment: moreFragments || offset > 0 ? { id: bytes.readUInt16BE(4), offset } : undefined,
    payload: bytes.subarray(ownBytes, totalBytes),
  };
}

export function buildIpv4(source: IpHex, destination: IpHex, protocol: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(headerBytes + payload.length, 2);
  header.writeUInt16BE(0x4000, 6); // do not fragment: what we send fits the port's MTU
  header.writeUInt8(64, 8);
  header.writeUInt8(protocol, 9);
  ipBytes(source).copy(header, 12);
  ipBytes(destination).copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, payload]);
}
