import { BoundedMap } from "../bounded-map.js";
import type { IpPacket } from "../packet/ip.js";
import { ipProtocol } from "../packet/ip.js";
import { icmpv6Type } from "../packet/icmpv6.js";
import type { Connection, KeptConversation } from "./conntrack.js";
import { ConnectionTable } from "./conntrack.js";
import type { Direction, Flow } from "./flow.js";
import { flowOf, isTcpOpening } from "./flow.js";
import type { IsMember, RuleSet } from "./rules.js";

const connectionLimit = 16_384;
const fragmentLimit = 256;
const fragmentTimeoutMs = 30_000;
const sweepIntervalMs = 30_000;

/** Neighbour discovery, and multicast listener queries and reports, without which it breaks. */
const discoveryTypes: readonly number[] = [
  icmpv6Type.routerSolicitation,
  icmpv6Type.neighborSolicitation,
  icmpv6Type.neighborAdvertisement,
  130,
  131,
  132,
  143,
];

/**
 * Security groups of one port: rules decide about the first packet of a conversation, the rest follows it.
 */
export class PortFirewall {
  #rules: RuleSet;
  readonly #isMember: IsMember;
  readonly #connections = new ConnectionTable(connectionLimit);
  /** Verdicts on packets whose first fragment was seen: only that one shows the ports. */
  readonly #fragments = new BoundedMap<string, { allowed: boolean; expiresMs: number }>(fragmentLimit);
  #epoch = 0;
  #nextSweepMs = 0;

  constructor(rules: RuleSet, isMember: IsMember) {
    this.#rules = rules;
    this.#isMember = isMember;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Whether `kept` would give something new. */
  get unkept(): boolean {
    return this.#connections.unkept;
  }
  kept(nowMs: number): readonly KeptConversation[] {
    return this.#connections.kept(nowMs);
  }
  /**
   * Takes up conversations of an earlier switch; the first packet of each asks the rules whether it may still
   * begin as it did.
   */
  restore(kept: readonly KeptConversation[], nowMs: number): void {
    this.#connections.restore(kept, nowMs);
  }

  /** Takes new rules; running conversations go on only if the new rules would let them begin. */
  setRules(rules: RuleSet): void {
    this.#rules = rules;
    this.#epoch += 1;
  }

  /** Group members changed: conversations must be allowed anew. */
  membersChanged(): void {
    this.#epoch += 1;
  }

  allows(direction: Direction, packet: IpPacket, nowMs: number): boolean {
    this.#sweep(nowMs);
    if (packet.fragment === undefined) return this.#judge(direction, packet, nowMs);
    const id = `${direction} ${packet.protocol} ${packet.fragment.id} ${packet.source} ${packet.destination}`;
    if (packet.fragment.offset > 0) {
      const first = this.#fragments.get(id);
      return first !== undefined && first.expiresMs > nowMs && first.allowed;
    }
    const allowed = this.#judge(direction, packet, nowMs);
    this.#fragments.set(id, { allowed, expiresMs: nowMs + fragmentTimeoutMs });
    return allowed;
  }

  #judge(direction: Direction, packet: IpPacket, nowMs: number): boolean {
    const flow = flowOf(packet, direction);
    if (flow === undefined) return false;
    if (isNeighborDiscovery(flow)) return true; // the sender's guard has checked who says what
    const known = this.#connections.find(flow.key, nowMs);
    if (known !== undefined && !(known.refused && (direction === known.openedBy || isTcpOpening(flow)))) {
      if (known.epoch !== this.#epoch) this.#judgeAgain(known);
      this.#connections.touch(flow, known, direction, nowMs);
      return !known.refused;
    }
    if (flow.relatedKey !== undefined && this.#isRunning(flow.relatedKey, nowMs)) return true;
    if (!this.#rules.allows(direction, flow, this.#isMember)) return false;
    // A TCP packet in the middle of an unknown conversation opens one too: it began before this switch did.
    if (flow.opens) this.#connections.open(flow, direction, this.#epoch, nowMs);
    return true;
  }

  /** Whether there is such a conversation, and the rules still allow it. */
  #isRunning(key: string, nowMs: number): boolean {
    const known = this.#connections.find(key, nowMs);
    if (known === undefined) return false;
    if (known.epoch !== this.#epoch) this.#judgeAgain(known);
    return !known.refused;
  }

  /** After a change of rules: may the conversation still begin as it did? */
  #judgeAgain(known: Connection): void {
    known.epoch = this.#epoch;
    known.refused = !this.#rules.allows(known.openedBy, known.opening, this.#isMember);
  }

  #sweep(nowMs: number): void {
    if (nowMs < this.#nextSweepMs) return;
    this.#nextSweepMs = nowMs + sweepIntervalMs;
    this.#connections.sweep(nowMs);
    this.#fragments.deleteWhere((verdict) => verdict.expiresMs <= nowMs);
  }
}

/**
 * Router advertisements and redirects are not among it: the switch's own never pass here, and a router among
 * the guests (port security off) is heard by those whose rules admit it.
 */
const isNeighborDiscovery = (flow: Flow): boolean =>
  flow.protocol === ipProtocol.icmpv6 && flow.icmp !== undefined && discoveryTypes.includes(flow.icmp.type);
