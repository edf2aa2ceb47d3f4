import type { IpHex } from "./address.js";
import { transportChecksum } from "./checksum.js";
import { ipProtocol } from "./ip.js";

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Buffer;
}

const headerBytes = 8;

/** @returns undefined when the datagram is shorter than it says */
export function parseUdp(bytes: Buffer): UdpDatagram | undefined {
  if (bytes.length < headerBytes) return undefined;
  const length = bytes.readUInt16BE(4);
  if (length < headerBytes || length > bytes.length) return undefined;
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    payload: bytes.subarray(headerBytes, length),
  };
}

export function buildUdp(source: IpHex, destination: IpHex, datagram: UdpDatagram): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(datagram.sourcePort, 0);
  header.writeUInt16BE(datagram.destinationPort, 2);
  header.writeUInt16BE(headerBytes + datagram.payload.length, 4);
  const bytes = Buffer.concat([header, datagram.payload]);
  // 0 would mean "no checksum", so it is sent as its other form
  bytes.writeUInt16BE(transportChecksum(source, destination, ipProtocol.udp, bytes) || 0xffff, 6);
  return bytes;
}
