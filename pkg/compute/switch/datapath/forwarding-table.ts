import { BoundedMap } from "../bounded-map.js";
import type { Mac } from "../packet/address.js";
import { isGroupMac } from "../packet/address.js";

const lifetimeMs = 300_000;
const limit = 8_192;

/**
 * Learned places of MAC addresses in one network. Bounded, so that invented addresses cannot fill the memory.
 */
export class ForwardingTable<Place> {
  readonly #entries = new BoundedMap<Mac, { place: Place; expiresMs: number }>(limit);

  get size(): number {
    return this.#entries.size;
  }

  learn(mac: Mac, place: Place, nowMs: number): void {
    if (isGroupMac(mac)) return;
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
    this.#entries.deleteWhere((entry) => isGone(entry.place));
  }
}
