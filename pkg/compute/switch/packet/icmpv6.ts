import type { IpHex, Mac } from "./address.js";
import { ipBytes } from "./address.js";
import { transportChecksum } from "./checksum.js";
import type { IcmpMessage } from "./icmp.js";
import { ipProtocol } from "./ip.js";

export const icmpv6Type = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echo: 128,
  echoReply: 129,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
} as const;

/** Option 1 or 2 of neighbour discovery: whose link-layer address follows. */
const linkLayerOption = { source: 1, target: 2 } as const;

export function buildIcmpv6(source: IpHex, destination: IpHex, message: IcmpMessage): Buffer {
  const bytes = Buffer.concat([Buffer.from([message.type, message.code, 0, 0]), message.body]);
  bytes.writeUInt16BE(transportChecksum(source, destination, ipProtocol.icmpv6, bytes), 2);
  return bytes;
}

export interface NeighborMessage {
  readonly target: IpHex;
  /** The sender's (solicitation) or target's (advertisement) link-layer address, when told. */
  readonly linkLayer: Mac | undefined;
}

/** Reads the body of a neighbour solicitation or advertisement. @returns undefined when malformed */
export function parseNeighbor(message: IcmpMessage): NeighborMessage | undefined {
  if (message.code !== 0 || message.body.length < 20) return undefined;
  const wanted =
    message.type === icmpv6Type.neighborSolicitation ? linkLayerOption.source : linkLayerOption.target;
  let linkLayer: Mac | undefined;
  for (let at = 20; at < message.body.length;) {
    const bytes = (message.body[at + 1] ?? 0) * 8;
    if (bytes === 0 || at + bytes > message.body.length) return undefined;
    if (message.body[at] === wanted && bytes === 8) linkLayer = message.body.readUIntBE(at + 2, 6);
    at += bytes;
  }
  return { target: message.body.toString("hex", 4, 20), linkLayer };
}

/**
 * A router's answer to a neighbour solicitation for `target`. @param solicited  false when asked from `::`
 */
export function neighborAdvertisement(target: IpHex, mac: Mac, solicited: boolean): IcmpMessage {
  const body = Buffer.alloc(28);
  body.writeUInt8(0xa0 | (solicited ? 0x40 : 0), 0); // router, override
  ipBytes(target).copy(body, 4);
  writeLinkLayer(body, 20, linkLayerOption.target, mac);
  return { type: icmpv6Type.neighborAdvertisement, code: 0, body };
}

export interface RouterAdvertisement {
  readonly mac: Mac;
  readonly mtu: number;
  /** Seconds for which the sender is a default router; 0 when it is none. */
  readonly routerLifetimeS: number;
  /** Addresses come from DHCPv6. */
  readonly managed: boolean;
  /** Other settings come from DHCPv6. */
  readonly otherConfig: boolean;
  readonly prefixes: readonly {
    readonly prefix: IpHex;
    readonly prefixLength: number;
    readonly autonomous: boolean;
  }[];
}

/** @source RFC 4861 §4.2, §4.6 */
export function routerAdvertisement(ra: RouterAdvertisement): IcmpMessage {
  const head = Buffer.alloc(12);
  head.writeUInt8(64, 0);
  head.writeUInt8((ra.managed ? 0x80 : 0) | (ra.otherConfig ? 0x40 : 0), 1);
  head.writeUInt16BE(ra.routerLifetimeS, 2);
  const options = Buffer.alloc(16);
  writeLinkLayer(options, 0, linkLayerOption.source, ra.mac);
  options.writeUInt8(5, 8);
  options.writeUInt8(1, 9);
  options.writeUInt32BE(ra.mtu, 12);
  const prefixes = ra.prefixes.map(({ prefix, prefixLength, autonomous }) => {
    const option = Buffer.alloc(32);
    option.writeUInt8(3, 0);
    option.writeUInt8(4, 1);
    option.writeUInt8(prefixLength, 2);
    option.writeUInt8(0x80 | (autonomous ? 0x40 : 0), 3);
    option.writeUInt32BE(86_400, 4);
    option.writeUInt32BE(14_400, 8);
    ipBytes(prefix).copy(option, 16);
    return option;
  });
  return { type: icmpv6Type.routerAdvertisement, code: 0, body: Buffer.concat([head, options, ...prefixes]) };
}

function writeLinkLayer(body: Buffer, at: number, type: number, mac: Mac): void {
  body.writeUInt8(type, at);
  body.writeUInt8(1, at + 1);
  body.writeUIntBE(mac, at + 2, 6);
}
