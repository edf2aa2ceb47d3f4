import type { Actor } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";

/** How many watches may be open at once. */
export interface WatchLimits {
  readonly maxWatches: number;
  readonly maxWatchesPerProject: number;
  readonly maxWatchesPerUser: number;
}

/** When it may be worth while to come again: watches last. */
const RETRY_MS = 5_000;

/** Counts open watches, so that nobody takes all of them. */
export class WatchPlaces {
  readonly #limits: WatchLimits;
  readonly #open = new Map<string, number>();

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  /** @returns gives the place back. @throws TOO_MANY_WATCHES */
  take({ userId, projectId }: Actor): () => void {
    const { maxWatches, maxWatchesPerProject, maxWatchesPerUser } = this.#limits;
    const places = [
      { key: `user ${userId}`, who: "this user", limit: maxWatchesPerUser },
      { key: `project ${projectId}`, who: "this project", limit: maxWatchesPerProject },
      { key: "all", who: "all users", limit: maxWatches },
    ];
    const full = places.find(({ key, limit }) => (this.#open.get(key) ?? 0) >= limit);
    if (full !== undefined)
      throw ApiErrors.TOO_MANY_WATCHES({ who: full.who, limit: full.limit, retryAfterMs: RETRY_MS });
    for (const { key } of places) this.#add(key, 1);
    let taken = true;
    return () => {
      if (taken) for (const { key } of places) this.#add(key, -1);
      taken = false;
    };
  }

  #add(key: string, by: 1 | -1): void {
    const count = (this.#open.get(key) ?? 0) + by;
    if (count === 0) this.#open.delete(key);
    else this.#open.set(key, count);
  }
}
