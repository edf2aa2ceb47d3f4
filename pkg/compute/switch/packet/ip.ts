import type { IpHex } from "./address.js";

export const ipProtocol = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

/** What IPv4 and IPv6 packets have in common, as far as a switch looks at them. */
export interface IpPacket {
  readonly version: 4 | 6;
  readonly source: IpHex;
  readonly destination: IpHex;
  /** Protocol of `payload`; for IPv6 the one after all extension headers. */
  readonly protocol: number;
  /**
   * Set for a part of a fragmented packet. Only the first part (`offset` 0) begins with the transport header.
   */
  readonly fragment: { readonly id: number; readonly offset: number } | undefined;
  readonly hopLimit: number;
  readonly payload: Buffer;
}
