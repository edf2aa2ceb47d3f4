import type { IpHex } from "./address.js";
import { transportChecksum } from "./checksum.js";
import { ipProtocol } from "./ip.js";

export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly window: number;
  /** Maximum segment size option; undefined when absent. */
  readonly mss?: number;
  readonly payload: Buffer;
}

const headerBytes = 20;

/** @returns undefined when the header is cut short or its option list is broken */
export function parseTcp(bytes: Buffer): TcpSegment | undefined {
  if (bytes.length < headerBytes) return undefined;
  const dataAt = (bytes.readUInt8(12) >> 4) * 4;
  if (dataAt < headerBytes || dataAt > bytes.length) return undefined;
  const mss = findMss(bytes.subarray(headerBytes, dataAt));
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    sequence: bytes.readUInt32BE(4),
    acknowledgement: bytes.readUInt32BE(8),
    flags: bytes.readUInt8(13),
    window: bytes.readUInt16BE(14),
    payload: bytes.subarray(dataAt),
    ...(mss === undefined ? {} : { mss }),
  };
}

function findMss(options: Buffer): number | undefined {
  for (let at = 0; at < options.length;) {
    const kind = options[at];
    if (kind === 0) return undefined;
    if (kind === 1) {
      at += 1;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) return undefined;
    if (kind === 2 && length === 4) return options.readUInt16BE(at + 2);
    at += length;
  }
  return undefined;
}

export function buildTcp(source: IpHex, destination: IpHex, segment: TcpSegment): Buffer {
  const options =
    segment.mss === undefined ? Buffer.alloc(0) : Buffer.from([2, 4, segment.mss >> 8, segment.mss & 255]);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(segment.sourcePort, 0);
  header.writeUInt16BE(segment.destinationPort, 2);
  header.writeUInt32BE(segment.sequence, 4);
  header.writeUInt32BE(segment.acknowledgement, 8);
  header.writeUInt8(((headerBytes + options.length) / 4) << 4, 12);
  header.writeUInt8(segment.flags, 13);
  header.writeUInt16BE(segment.window, 14);
  const bytes = Buffer.concat([header, options, segment.payload]);
  bytes.writeUInt16BE(transportChecksum(source, destination, ipProtocol.tcp, bytes), 16);
  return bytes;
}

/** Sequence numbers wrap: the signed distance from `b` to `a`, positive when `a` is later. */
export const sequenceDiff = (a: number, b: number): number => (a - b) | 0;

export const sequenceAdd = (a: number, n: number): number => (a + n) >>> 0;
