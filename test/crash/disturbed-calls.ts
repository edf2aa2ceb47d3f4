import { CommonErrors } from "../../pkg/kernel/index.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import type { Tap } from "./tap.js";

/**
 * How one call is disturbed: its request is late, its answer is late, the service is away for it, or its
 * answer is lost.
 */
export const WAYS = ["request late", "answer late", "refused once", "answer lost"] as const;
export type Way = (typeof WAYS)[number];

/**
 * The n-th call (from 0) of a method under one request id. Calls of one request are the same in each
 * undisturbed run.
 */
export interface CallName {
  readonly method: string;
  readonly nth: number;
}

interface Disturbance {
  readonly call: CallName;
  readonly way: Way;
  readonly reached: () => void;
  readonly released: Promise<void>;
}

/** A disturbance that was set up: `reached` resolves when the call is there; late ones wait for `release`. */
export interface Held {
  readonly reached: Promise<void>;
  release(): void;
}

/**
 * Reads change nothing, and caches make their number vary; ownership is confirmed only where time is short.
 */
const isRead = (method: string): boolean => /^(get|list|extensions|quota|confirm)/.test(method);

/**
 * Counts the calls that a conductor makes for each request, and disturbs one of each request that it was told
 * to.
 */
export class DisturbedCalls implements Tap {
  readonly #calls = new Map<string, CallName[]>();
  readonly #underway = new Map<string, number>();
  readonly #disturbances = new Map<string, Disturbance>();

  /** Calls of a request so far, in their order. */
  of(requestId: string): readonly CallName[] {
    return this.#calls.get(requestId) ?? [];
  }

  /** Calls of a request that have not been answered. */
  underway(requestId: string): number {
    return this.#underway.get(requestId) ?? 0;
  }

  disturb(requestId: string, call: CallName, way: Way): Held {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const reached = new Promise<void>((resolve) => {
      this.#disturbances.set(requestId, { call, way, reached: resolve, released });
    });
    return { reached, release };
  }

  async around(ctx: Ctx, method: string, call: () => Promise<unknown>): Promise<unknown> {
    if (isRead(method)) return call();
    const { requestId } = ctx;
    const name = { method, nth: this.of(requestId).filter((one) => one.method === method).length };
    this.#calls.set(requestId, [...this.of(requestId), name]);
    this.#underway.set(requestId, this.underway(requestId) + 1);
    try {
      return await this.#disturbed(requestId, name, call);
    } finally {
      this.#underway.set(requestId, this.underway(requestId) - 1);
    }
  }

  async #disturbed(requestId: string, name: CallName, call: () => Promise<unknown>): Promise<unknown> {
    const found = this.#disturbances.get(requestId);
    if (found?.call.method !== name.method || found.call.nth !== name.nth) return call();
    this.#disturbances.delete(requestId);
    if (found.way === "request late") {
      found.reached();
      await found.released;
    }
    if (found.way === "refused once") {
      found.reached();
      throw CommonErrors.UNAVAILABLE({ what: "The service" });
    }
    const answer = await call();
    found.reached();
    if (found.way === "answer late") await found.released;
    if (found.way === "answer lost") throw CommonErrors.UNAVAILABLE({ what: "The service" });
    return answer;
  }
}
