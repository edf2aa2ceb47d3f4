import { checksum } from "./checksum.js";

export const icmpType = {
  echoReply: 0,
  unreachable: 3,
  redirect: 5,
  echo: 8,
  timeExceeded: 11,
  parameterProblem: 12,
  timestamp: 13,
  timestampReply: 14,
  information: 15,
  informationReply: 16,
  addressMask: 17,
  addressMaskReply: 18,
} as const;

export interface IcmpMessage {
  readonly type: number;
  readonly code: number;
  readonly body: Buffer;
}

const headerBytes = 4;

/** Reads ICMP and ICMPv6 alike. @returns undefined when too short for even the shortest message */
export function parseIcmp(bytes: Buffer): IcmpMessage | undefined {
  if (bytes.length < headerBytes + 4) return undefined;
  return { type: bytes.readUInt8(0), code: bytes.readUInt8(1), body: bytes.subarray(headerBytes) };
}

/** Builds an ICMP (IPv4) message; the checksum of ICMPv6 is another one, see `buildIcmpv6`. */
export function buildIcmp(message: IcmpMessage): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(message.type, 0);
  header.writeUInt8(message.code, 1);
  header.writeUInt16BE(checksum(header, message.body), 2);
  return Buffer.concat([header, message.body]);
}
