import type { Mac } from "./address.js";

export const etherType = { ipv4: 0x0800, arp: 0x0806, rarp: 0x8035, vlan: 0x8100, ipv6: 0x86dd } as const;

export const ethernetHeaderBytes = 14;

export interface EthernetFrame {
  readonly destination: Mac;
  readonly source: Mac;
  readonly type: number;
  readonly payload: Buffer;
  /** The whole frame as it came; forwarding sends these bytes on. */
  readonly raw: Buffer;
}

/** @returns undefined for a frame that is too short to have a header */
export function parseEthernet(raw: Buffer): EthernetFrame | undefined {
  if (raw.length < ethernetHeaderBytes) return undefined;
  return {
    destination: raw.readUIntBE(0, 6),
    source: raw.readUIntBE(6, 6),
    type: raw.readUInt16BE(12),
    payload: raw.subarray(ethernetHeaderBytes),
    raw,
  };
}

export function buildEthernet(destination: Mac, source: Mac, type: number, payload: Buffer): Buffer {
  const header = Buffer.allocUnsafe(ethernetHeaderBytes);
  header.writeUIntBE(destination, 0, 6);
  header.writeUIntBE(source, 6, 6);
  header.writeUInt16BE(type, 12);
  return Buffer.concat([header, payload]);
}
