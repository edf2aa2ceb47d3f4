import { BoundedMap } from "../bounded-map.js";
import { ipProtocol } from "../packet/ip.js";
import { tcpFlag } from "../packet/tcp.js";
import type { Direction, Flow } from "./flow.js";
import { isTcpOpening } from "./flow.js";

/** How long a conversation is remembered after its last packet, in ms. @source Linux nf_conntrack defaults */
const timeoutsMs = {
  tcpOpening: 60_000, tcpEstablished: 5 * 86_400_000, tcpClosing: 120_000, tcpReset: 10_000,
  udpOneWay: 30_000, udpBothWays: 120_000, other: 30_000, refused: 120_000,
} as const;

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
  /** New rules no longer allow it. Remembered, so that the answering side cannot open it again from its end. */
  refused: boolean;
}

/** Remembers one port's conversations. Bounded: when full, the one unused for longest gives way. */
export class ConnectionTable {
  readonly #entries: BoundedMap<string, Connection>;

  constructor(limit: number) { this.#entries = new BoundedMap(limit); }

  get size(): number { return this.#entries.size; }

  find(key: string, nowMs: number): Connection | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresMs > nowMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  open(flow: Flow, openedBy: Direction, epoch: number, nowMs: number): void {
    const entry: Connection = { opening: flow, openedBy, replied: false, ending: "no", expiresMs: 0, epoch, refused: false };
    this.touch(flow, entry, openedBy, nowMs);
  }

  /** Notes a packet of a known conversation; also moves it to the end of the order in which they give way. */
  touch(flow: Flow, entry: Connection, direction: Direction, nowMs: number): void {
    if (direction !== entry.openedBy) entry.replied = true;
    if (flow.protocol === ipProtocol.tcp) entry.ending = endingOf(entry, flow);
    entry.expiresMs = nowMs + timeoutOf(entry);
    this.#entries.set(flow.key, entry);
  }

  /** Forgets what has expired. @cost O(conversations); call now and then */
  sweep(nowMs: number): void { this.#entries.deleteWhere((entry) => entry.expiresMs <= nowMs); }
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
