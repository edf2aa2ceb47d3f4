import { createHash } from "node:crypto";
import type { Actor } from "../../kernel/index.js";
import type { Admit } from "../rpc/index.js";
import type { SharingConfig } from "./config.js";
import { SharingErrors } from "./errors.js";
import { Gate, nothing } from "./gate.js";
import { keyOf } from "./key.js";
import { KeyedLimits } from "./keyed-limits.js";

/** Of the time that a project counts as active: so much earlier than meant it may count as silent. */
const TOUCH_SHARE = 0.05;

/**
 * Shares a process among the projects whose users call it. A project alone may have much under way; as soon
 * as another is active, both have little, so that whoever asks finds the process nearly free. One object per
 * process: whoever is active at one door counts at all of them.
 */
export class Sharing {
  readonly #config: SharingConfig;
  /** When a project was last heard of, the longest silent first. */
  readonly #active = new Map<string, number>();
  readonly #waits = new KeyedLimits();
  readonly #now: () => number;

  constructor(config: SharingConfig, now: () => number = () => performance.now()) {
    this.#config = config;
    this.#now = now;
  }

  /**
   * The turns at one door. Requests that cause others at another door (compute asks for networks) never wait
   * for themselves: each door counts its own.
   */
  gate(): Gate {
    return new Gate(
      this.#config,
      { share: () => this.#share(), touch: (key) => this.#touch(key) },
      this.#now,
    );
  }

  /**
   * Lets a call wait for as long as it likes.
   * @returns gives the place back
   * @throws TOO_MANY_WAITS
   */
  wait(actor: Actor, token: string): () => void {
    const key = keyOf(actor);
    if (key === undefined || !this.#config.enabled) return nothing;
    const { waitsPerProject, waitsPerToken } = this.#config;
    const ofProject = this.#waits.take(`project ${key}`, waitsPerProject);
    if (!ofProject)
      throw SharingErrors.TOO_MANY_WAITS({ of: "project", limit: waitsPerProject, retryAfterMs: 1_000 });
    const ofToken = this.#waits.take(`token ${digestOf(token)}`, waitsPerToken);
    if (!ofToken) {
      ofProject();
      throw SharingErrors.TOO_MANY_WAITS({ of: "token", limit: waitsPerToken, retryAfterMs: 1_000 });
    }
    return () => {
      ofProject();
      ofToken();
    };
  }

  /**
   * Lets calls in at a public gRPC port: by turns, or among those that wait. Streams have limits of their
   * own.
   */
  atDoor(gate: Gate): Admit {
    return (ctx, { actor, token, method }) => {
      if (method.streaming) return nothing;
      return method.waits ? this.wait(actor, token) : gate.enter(actor, ctx.signal);
    };
  }

  /** Requests that each project may have under way now. @cost constant, over time */
  #share(): number {
    const { activeMs, concurrency, sharedConcurrency } = this.#config;
    const silentSince = this.#now() - activeMs;
    for (const [key, heardMs] of this.#active) {
      if (heardMs >= silentSince) break;
      this.#active.delete(key);
    }
    const projects = this.#active.size;
    return projects <= 1 ? concurrency : Math.max(1, Math.floor(sharedConcurrency / projects));
  }

  #touch(key: string): void {
    const now = this.#now();
    // Each move to the end has its price, and requests come by thousands.
    if (now - (this.#active.get(key) ?? -Infinity) < this.#config.activeMs * TOUCH_SHARE) return;
    this.#active.delete(key);
    this.#active.set(key, now);
  }
}

/** Tokens are secrets: they are no keys of maps. */
const digestOf = (token: string): string => createHash("sha256").update(token).digest("base64");
