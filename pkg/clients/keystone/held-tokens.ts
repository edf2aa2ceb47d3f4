import { randomUUID } from "node:crypto";
import type { Clock, Ctx, Logger } from "../../kernel/index.js";
import { isAwaited, rootCtx } from "../../kernel/index.js";
import type { RightsChange } from "../../model/rights-change.js";
import { concerns } from "../../model/rights-change.js";
import { KeystoneErrors } from "./errors.js";
import type { TokenInfo } from "./ports.js";

/** Marks answers that also count for ended tokens. */
const EXPIRED = "e:";

/** Under what a token is remembered. @param hash  base64 of its SHA-256 */
export const keyOf = (hash: string, allowExpired: boolean): string =>
  allowExpired ? `${EXPIRED}${hash}` : hash;
export const hashOf = (key: string): string => (key.startsWith(EXPIRED) ? key.slice(EXPIRED.length) : key);

/** What the timer of held tokens works with. */
export interface HoldOptions {
  /** How often the held tokens are looked through. */
  readonly everyMs: number;
  /** Whether the token should be asked for again. */
  isDue(key: string): boolean;
  /** Asks, and calls `confirm` or `end`; never throws. */
  ask(ctx: Ctx, bearer: Bearer): Promise<void>;
  /** Without a good answer for this long a token counts as ended. */
  readonly maxSilenceMs: number;
}

/** One token as a caller brought it. */
export interface Bearer {
  readonly key: string;
  readonly token: string;
  readonly allowExpired: boolean;
}

interface Held {
  readonly bearer: Bearer;
  readonly userId: string;
  readonly controller: AbortController;
  readonly log: Logger;
  /** All that calls under way may count on. */
  readonly roles: Set<string>;
  info: TokenInfo;
  /** When the last good answer was asked for. */
  goodMs: number;
  usedMs: number;
}

/** Questions that a look at the held tokens asks at once. */
const AT_ONCE = 16;

/**
 * Tokens with calls under way: one signal and one question per token, however many calls hang on it. A token
 * is held as long as somebody listens to its signal; one timer serves all and stops when there is none.
 */
export class HeldTokens {
  readonly #held = new Map<string, Held>();
  readonly #clock: Clock;
  readonly #options: HoldOptions;
  #timer: ReturnType<typeof setInterval> | undefined;
  #looking = false;

  constructor(clock: Clock, options: HoldOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** How many tokens are held. */
  get size(): number {
    return this.#held.size;
  }

  /** The signal that fires when this token ends, or loses one of the roles that it has now. */
  hold(ctx: Ctx, bearer: Bearer, info: TokenInfo, askedMs: number | undefined): AbortSignal {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#held.get(bearer.key);
    if (known) {
      known.usedMs = nowMs;
      for (const role of info.actor.roles) known.roles.add(role);
      return known.controller.signal;
    }
    const controller = new AbortController();
    this.#held.set(bearer.key, {
      bearer,
      userId: info.actor.userId,
      controller,
      log: ctx.log,
      roles: new Set(info.actor.roles),
      info,
      goodMs: askedMs ?? nowMs,
      usedMs: nowMs,
    });
    this.#timer ??= setInterval(() => void this.look(), this.#options.everyMs).unref();
    return controller.signal;
  }

  /** Identity said again that the token is good. Calls that counted on a role which is lost end. */
  confirm(key: string, info: TokenInfo, askedMs: number): void {
    const held = this.#held.get(key);
    if (!held) return;
    const lost = [...held.roles].some((role) => !info.actor.roles.includes(role));
    if (lost) return this.end(key);
    held.info = info;
    held.goodMs = askedMs;
  }

  /** The token counts no longer. */
  end(key: string, reason: Error = KeystoneErrors.TOKEN_INVALID({})): void {
    const held = this.#held.get(key);
    if (!held) return;
    this.#held.delete(key);
    held.controller.abort(reason);
  }

  /** Asks at once for all that a change may concern. */
  recheck(change: RightsChange): void {
    for (const held of this.#held.values())
      if (concerns(change, hashOf(held.bearer.key), held.userId)) void this.#ask(held);
  }

  /** Lets go of what nobody uses, ends what is over, and asks for what is due. */
  async look(): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const due: Held[] = [];
    for (const [key, held] of this.#held) {
      const idle = nowMs - held.usedMs >= this.#options.everyMs;
      // Who was just given the signal may not listen yet.
      if (idle && !isAwaited(held.controller.signal)) this.#held.delete(key);
      else if (!held.bearer.allowExpired && held.info.expiresAt <= this.#clock.now()) this.end(key);
      else if (nowMs - held.goodMs >= this.#options.maxSilenceMs)
        this.end(key, KeystoneErrors.IDENTITY_UNAVAILABLE({}));
      else if (this.#options.isDue(key)) due.push(held);
    }
    if (this.#held.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    if (this.#looking) return;
    this.#looking = true;
    const next = due[Symbol.iterator]();
    const worker = async (): Promise<void> => {
      for (const held of next) await this.#ask(held);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.#looking = false;
  }

  #ask({ bearer, log }: Held): Promise<void> {
    return this.#options.ask(rootCtx({ requestId: `req-${randomUUID()}`, log }), bearer);
  }
}
