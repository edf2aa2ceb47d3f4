import type { IpHex, Mac } from "./address.js";
import { ipBytes } from "./address.js";

export const dhcpType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;
export type DhcpType = (typeof dhcpType)[keyof typeof dhcpType];

export const dhcpOption = {
  netmask: 1,
  router: 3,
  dns: 6,
  hostname: 12,
  domain: 15,
  mtu: 26,
  broadcast: 28,
  requestedIp: 50,
  leaseTime: 51,
  messageType: 53,
  serverId: 54,
  renewalTime: 58,
  rebindingTime: 59,
  classlessRoutes: 121,
  microsoftRoutes: 249,
  end: 255,
} as const;

export const dhcpServerPort = 67;
export const dhcpClientPort = 68;

const magicCookie = 0x63825363;
const fixedBytes = 236;

export interface DhcpMessage {
  readonly operation: "request" | "reply";
  readonly type: DhcpType;
  readonly transactionId: number;
  /** The client can only hear broadcasts for now. */
  readonly broadcast: boolean;
  readonly clientIp: IpHex;
  readonly yourIp: IpHex;
  readonly serverIp: IpHex;
  readonly clientMac: Mac;
  /** Other options by code; the message type has its own field. */
  readonly options: ReadonlyMap<number, Buffer>;
}

/** @returns undefined for anything but a DHCP message of an Ethernet client (plain BOOTP included) */
export function parseDhcp(bytes: Buffer): DhcpMessage | undefined {
  if (bytes.length < fixedBytes + 4 || bytes.readUInt32BE(fixedBytes) !== magicCookie) return undefined;
  const operation = bytes.readUInt8(0);
  if ((operation !== 1 && operation !== 2) || bytes.readUInt8(1) !== 1 || bytes.readUInt8(2) !== 6)
    return undefined;
  const options = parseOptions(bytes.subarray(fixedBytes + 4));
  const type = Object.values(dhcpType).find((value) => value === options?.get(dhcpOption.messageType)?.[0]);
  if (options === undefined || type === undefined) return undefined;
  options.delete(dhcpOption.messageType);
  return {
    operation: operation === 1 ? "request" : "reply",
    type,
    transactionId: bytes.readUInt32BE(4),
    broadcast: (bytes.readUInt8(10) & 0x80) !== 0,
    clientIp: bytes.toString("hex", 12, 16),
    yourIp: bytes.toString("hex", 16, 20),
    serverIp: bytes.toString("hex", 20, 24),
    clientMac: bytes.readUIntBE(28, 6),
    options,
  };
}

function parseOptions(bytes: Buffer): Map<number, Buffer> | undefined {
  const options = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const code = bytes.readUInt8(at);
    if (code === dhcpOption.end) break;
    if (code === 0) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) return undefined;
    const value = bytes.subarray(at + 2, at + 2 + length);
    // RFC 3396: long options come in parts
    options.set(code, Buffer.concat([options.get(code) ?? Buffer.alloc(0), value]));
    at += 2 + length;
  }
  return options;
}

export function buildDhcp(message: DhcpMessage): Buffer {
  const fixed = Buffer.alloc(fixedBytes + 4);
  fixed.writeUInt8(message.operation === "request" ? 1 : 2, 0);
  fixed.writeUInt8(1, 1);
  fixed.writeUInt8(6, 2);
  fixed.writeUInt32BE(message.transactionId, 4);
  fixed.writeUInt16BE(message.broadcast ? 0x8000 : 0, 10);
  ipBytes(message.clientIp).copy(fixed, 12);
  ipBytes(message.yourIp).copy(fixed, 16);
  ipBytes(message.serverIp).copy(fixed, 20);
  fixed.writeUIntBE(message.clientMac, 28, 6);
  fixed.writeUInt32BE(magicCookie, fixedBytes);
  const parts = [fixed, encodeOption(dhcpOption.messageType, Buffer.from([message.type]))];
  for (const [code, value] of message.options) parts.push(encodeOption(code, value));
  parts.push(Buffer.from([dhcpOption.end]));
  const bytes = Buffer.concat(parts);
  // shortest that old clients take
  return bytes.length >= 300 ? bytes : Buffer.concat([bytes, Buffer.alloc(300 - bytes.length)]);
}

function encodeOption(code: number, value: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at === 0 || at < value.length; at += 255) {
    const part = value.subarray(at, at + 255);
    parts.push(Buffer.from([code, part.length]), part);
  }
  return Buffer.concat(parts);
}

/**
 * One route of option 121. `nextHop` 0.0.0.0 means that the destination is on the link itself. @source RFC
 * 3442
 */
export interface ClasslessRoute {
  readonly destination: IpHex;
  readonly prefixLength: number;
  readonly nextHop: IpHex;
}

export const encodeRoutes = (routes: readonly ClasslessRoute[]): Buffer =>
  Buffer.concat(
    routes.map((route) =>
      Buffer.concat([
        Buffer.from([route.prefixLength]),
        ipBytes(route.destination).subarray(0, Math.ceil(route.prefixLength / 8)),
        ipBytes(route.nextHop),
      ]),
    ),
  );
