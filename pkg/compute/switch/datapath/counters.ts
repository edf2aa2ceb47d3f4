/** Why a frame was not delivered. */
const dropReasons = [
  "malformed",
  "oversize",
  "admin-down",
  "spoofed-mac",
  "spoofed-arp",
  "spoofed-ip",
  "forbidden-type",
  "rogue-dhcp",
  "rogue-router",
  "security-group",
  "unrouted",
  "not-connected",
  "queue-full",
] as const;
export type DropReason = (typeof dropReasons)[number];

/** Counts the frames of one port. */
export class Counters {
  rxBytes = 0;
  rxPackets = 0;
  rxDrops = 0;
  txBytes = 0;
  txPackets = 0;
  txDrops = 0;
  readonly drops = new Map<DropReason, number>();

  /** The guest received a frame. */
  received(bytes: number): void {
    this.rxBytes += bytes;
    this.rxPackets += 1;
  }
  /** The guest sent a frame, delivered or not. */
  sent(bytes: number): void {
    this.txBytes += bytes;
    this.txPackets += 1;
  }

  drop(direction: "rx" | "tx", reason: DropReason): void {
    if (direction === "rx") this.rxDrops += 1;
    else this.txDrops += 1;
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }
}
