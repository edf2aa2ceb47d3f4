import type { IpHex, Mac } from "./address.js";
import { ipBytes } from "./address.js";

export interface ArpPacket {
  readonly operation: "request" | "reply";
  readonly senderMac: Mac;
  readonly senderIp: IpHex;
  readonly targetMac: Mac;
  readonly targetIp: IpHex;
}

const arpBytes = 28;

/** @returns undefined for anything but a whole request or reply about IPv4 over Ethernet */
export function parseArp(bytes: Buffer): ArpPacket | undefined {
  if (bytes.length < arpBytes) return undefined;
  if (bytes.readUInt16BE(0) !== 1 || bytes.readUInt16BE(2) !== 0x0800 || bytes.readUInt16BE(4) !== 0x0604)
    return undefined;
  const operation = bytes.readUInt16BE(6);
  if (operation !== 1 && operation !== 2) return undefined;
  return {
    operation: operation === 1 ? "request" : "reply",
    senderMac: bytes.readUIntBE(8, 6),
    senderIp: bytes.toString("hex", 14, 18),
    targetMac: bytes.readUIntBE(18, 6),
    targetIp: bytes.toString("hex", 24, 28),
  };
}

export function buildArp(packet: ArpPacket): Buffer {
  const bytes = Buffer.alloc(arpBytes);
  bytes.writeUInt16BE(1, 0);
  bytes.writeUInt16BE(0x0800, 2);
  bytes.writeUInt16BE(0x0604, 4);
  bytes.writeUInt16BE(packet.operation === "request" ? 1 : 2, 6);
  bytes.writeUIntBE(packet.senderMac, 8, 6);
  ipBytes(packet.senderIp).copy(bytes, 14);
  bytes.writeUIntBE(packet.targetMac, 18, 6);
  ipBytes(packet.targetIp).copy(bytes, 24);
  return bytes;
}
