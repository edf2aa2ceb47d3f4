import type { Mac } from "../packet/address.js";
import { isGroupMac } from "../packet/address.js";

const lifetimeMs = 300_000;
const limit = 8_192;

/** Learned places of MAC addresses in one network. Bounded, so that invented addresses cannot fill the memory. */
export class ForwardingTable<Place> {
  readonly #entries = new Map<Mac, { place: Place; expiresMs: number }>();

  get size(): number { return this.#entries.size; }

  learn(mac: Mac, place: Place, nowMs: number): void {
    if (isGroupMac(mac)) return;
    this.#entries.delete(mac); // the oldest stay in front
    if (this.#entries.size >= limit) for (const oldest of this.#entries.keys()) { this.#entries.delete(oldest); break; }
    this.#entries.set(mac, { place, expiresMs: nowMs + lifetimeMs });
  }

  find(mac: Mac, nowMs: number): Place | undefined {
    const entry = this.#entries.get(mac);
    if (entry === undefined || entry.expiresMs > nowMs) return entry?.place;
    this.#entries.delete(mac);
    return undefined;
  }

  /** Forgets everything learned about a place that has gone. */
  forget(isGone: (place: Place) => boolean): void {
    for (const [mac, entry] of this.#entries) if (isGone(entry.place)) this.#entries.delete(mac);
  }
}
