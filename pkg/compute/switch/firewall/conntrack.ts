import { BoundedMap } from "../bounded-map.js";
import { ipProtocol } from "../packet/ip.js";
import { tcpFlag } from "../packet/tcp.js";
import type { Direction, Flow } from "./flow.js";
import { isTcpOpening } from "./flow.js";

/** How long a conversation is remembered after its last packet, in ms. @source Linux nf_conntrack defaults */
const timeoutsMs = {
  tcpOpening: 60_000,
  tcpEstablished: 5 * 86_400_000,
  tcpClosing: 120_000,
  tcpReset: 10_000,
  udpOneWay: 30_000,
  udpBothWays: 120_000,
  other: 30_000,
  refused: 120_000,
} as const;

export const longestTimeoutMs = timeoutsMs.tcpEstablished;
/** Time of an expiry's shift, in parts of the timeout, that is not worth another saving. */
const savedSlack = 1 / 4;

/** A conversation that a rule has let through. */
export interface Connection {
  /** The packet that opened it, and its direction: what the rules were asked about. */
  readonly opening: Flow;
  readonly openedBy: Direction;
  /** Whether the other side has answered. */
  replied: boolean;
  ending: "no" | "closing" | "reset";
  expiresMs: number;
  /** Which edition of the rules judged it; after a change they must be asked again. */
  epoch: number;
  /**
   * New rules no longer allow it. Remembered, so that the answering side cannot open it again from its end.
   */
  refused: boolean;
  /** `expiresMs` as it was last handed out for keeping; 0 when never. */
  keptMs: number;
}

/** What of a conversation outlives the switch. Whether the rules still allow it is asked anew. */
export interface KeptConversation {
  readonly opening: Pick<Flow, "key" | "version" | "protocol" | "remoteIp" | "destinationPort" | "icmp">;
  readonly openedBy: Direction;
  readonly ending: Connection["ending"];
  /** Milliseconds until it is forgotten. */
  readonly leftMs: number;
}

/** Judged by no edition of the rules. */
const unjudged = -1;

/** Remembers one port's conversations. Bounded: when full, the one unused for longest gives way. */
export class ConnectionTable {
  readonly #entries: BoundedMap<string, Connection>;

  #unkept = false;

  constructor(limit: number) {
    this.#entries = new BoundedMap(limit);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether `kept` would give something new. */
  get unkept(): boolean {
    return this.#unkept;
  }

  /**
   * What should outlive the switch: conversations with answers. Those without need no memory: their next
   * packet opens them again.
   * @cost O(conversations)
   */
  kept(nowMs: number): readonly KeptConversation[] {
    this.#unkept = false;
    const kept: KeptConversation[] = [];
    for (const entry of this.#entries.values()) {
      if (!entry.replied || entry.expiresMs <= nowMs) continue;
      entry.keptMs = entry.expiresMs;
      const { key, version, protocol, remoteIp, destinationPort, icmp } = entry.opening;
      kept.push({
        opening: { key, version, protocol, remoteIp, destinationPort, icmp },
        openedBy: entry.openedBy,
        ending: entry.ending,
        leftMs: entry.expiresMs - nowMs,
      });
    }
    return kept;
  }

  /** Takes up what an earlier switch kept. A conversation that is known already stays as it is. */
  restore(kept: readonly KeptConversation[], nowMs: number): void {
    for (const { opening, openedBy, ending, leftMs } of kept) {
      if (leftMs <= 0 || this.#entries.get(opening.key) !== undefined) continue;
      const entry: Connection = {
        opening: { ...opening, tcpFlags: 0, opens: true, relatedKey: undefined },
        openedBy,
        replied: true,
        ending,
        expiresMs: 0,
        epoch: unjudged,
        refused: false,
        keptMs: 0,
      };
      entry.expiresMs = nowMs + Math.min(leftMs, timeoutOf(entry));
      entry.keptMs = entry.expiresMs;
      this.#entries.set(opening.key, entry);
    }
  }

  find(key: string, nowMs: number): Connection | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresMs > nowMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  open(flow: Flow, openedBy: Direction, epoch: number, nowMs: number): void {
    const entry: Connection = {
      opening: flow,
      openedBy,
      replied: false,
      ending: "no",
      expiresMs: 0,
      epoch,
      refused: false,
      keptMs: 0,
    };
    this.touch(flow, entry, openedBy, nowMs);
  }

  /** Notes a packet of a known conversation; also moves it to the end of the order in which they give way. */
  touch(flow: Flow, entry: Connection, direction: Direction, nowMs: number): void {
    if (direction !== entry.openedBy) entry.replied = true;
    if (flow.protocol === ipProtocol.tcp) entry.ending = endingOf(entry, flow);
    const timeoutMs = timeoutOf(entry);
    entry.expiresMs = nowMs + timeoutMs;
    if (entry.replied && Math.abs(entry.expiresMs - entry.keptMs) > timeoutMs * savedSlack)
      this.#unkept = true;
    this.#entries.set(flow.key, entry);
  }

  /** Forgets what has expired. @cost O(conversations); call now and then */
  sweep(nowMs: number): void {
    this.#entries.deleteWhere((entry) => entry.expiresMs <= nowMs);
  }
}

function endingOf(entry: Connection, flow: Flow): Connection["ending"] {
  if ((flow.tcpFlags & tcpFlag.rst) !== 0) return "reset";
  if (isTcpOpening(flow)) return "no"; // the same ports are used anew
  return (flow.tcpFlags & tcpFlag.fin) !== 0 && entry.ending === "no" ? "closing" : entry.ending;
}

function timeoutOf(entry: Connection): number {
  if (entry.refused) return timeoutsMs.refused;
  switch (entry.opening.protocol) {
    case ipProtocol.tcp:
      if (entry.ending === "reset") return timeoutsMs.tcpReset;
      if (entry.ending === "closing") return timeoutsMs.tcpClosing;
      return entry.replied ? timeoutsMs.tcpEstablished : timeoutsMs.tcpOpening;
    case ipProtocol.udp:
      return entry.replied ? timeoutsMs.udpBothWays : timeoutsMs.udpOneWay;
    default:
      return timeoutsMs.other;
  }
}
