import type { ArpPacket } from "../packet/arp.js";
import { parseArp } from "../packet/arp.js";
import type { EthernetFrame } from "../packet/ethernet.js";
import { etherType, parseEthernet } from "../packet/ethernet.js";
import type { IpPacket } from "../packet/ip.js";
import { parseIpv4 } from "../packet/ipv4.js";
import { parseIpv6 } from "../packet/ipv6.js";

/** A frame with what it carries, as far as the switch understands it. */
export interface ParsedFrame extends EthernetFrame {
  readonly arp: ArpPacket | undefined;
  readonly ip: IpPacket | undefined;
}

/** @returns undefined when the frame claims to carry ARP or IP and does not, or has no header */
export function parseFrame(raw: Buffer): ParsedFrame | undefined {
  const frame = parseEthernet(raw);
  if (frame === undefined) return undefined;
  switch (frame.type) {
    case etherType.arp: {
      const arp = parseArp(frame.payload);
      return arp && { ...frame, arp, ip: undefined };
    }
    case etherType.ipv4:
    case etherType.ipv6: {
      const ip = frame.type === etherType.ipv4 ? parseIpv4(frame.payload) : parseIpv6(frame.payload);
      return ip && { ...frame, arp: undefined, ip };
    }
    default:
      return { ...frame, arp: undefined, ip: undefined };
  }
}
