import type { DropReason } from "./counters.js";

/** Traffic of one port since it was set, as the guest sees it: rx is what it received, tx what it sent. */
export interface PortStats {
  readonly portId: string;
  readonly instanceUuid: string;
  readonly macAddress: string;
  /** Whether QEMU is connected. */
  readonly connected: boolean;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxDrops: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txDrops: number;
  /** Both directions; reasons that never occurred are absent. */
  readonly dropsByReason: Readonly<Partial<Record<DropReason, number>>>;
  /** Conversations that the security groups keep in mind. */
  readonly trackedConnections: number;
}

/** Packets between this host and others. */
export interface TunnelStats {
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Sent by somebody who is no peer. */
  readonly unknownPeerDrops: number;
  readonly malformedDrops: number;
  /** No port here is in that network: usual, since broadcasts go to every host. */
  readonly unknownNetworkDrops: number;
  /** Claimed to come from a port of this very host. */
  readonly spoofedDrops: number;
  /** Could not be sent in time. */
  readonly queueDrops: number;
}
