import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock, Ctx } from "../../kernel/index.js";
import { merged, rootCtx } from "../../kernel/index.js";
import type { RightsChange } from "../../model/rights-change.js";
import { concerns } from "../../model/rights-change.js";
import type { HttpClient } from "../../platform/http/index.js";
import { KeystoneErrors } from "./errors.js";
import { HeldTokens, hashOf, keyOf } from "./held-tokens.js";
import type { Bearer } from "./held-tokens.js";
import type { ServiceSession, TokenInfo, TokenValidator } from "./ports.js";
import { abortable, asIdentityFailure } from "./service-session.js";
import { readToken } from "./token-json.js";

export interface TokenBeliefOptions {
  /** How long an answer is believed while Identity can be asked. Default 5,000. */
  readonly revalidateMs?: number;
  /**
   * How long after its last good answer a token is still believed while Identity gives no answer at all; 0
   * refuses at once. Default 60,000.
   */
  readonly graceMs?: number;
  /** How long "not valid" is believed: short, since clocks differ. Default 10,000. */
  readonly negativeTtlMs?: number;
  /** Tokens remembered, and as many that are not valid. Default 10,000. */
  readonly size?: number;
  /** How long a request waits for Identity when it could go on with the grace. Default 2,000. */
  readonly patienceMs?: number;
}

export interface TokenValidatorOptions extends TokenBeliefOptions {
  readonly http: HttpClient;
  readonly authUrl: string;
  readonly session: ServiceSession;
  readonly clock: Clock;
}

/** The validator, and how it is told that rights changed. */
export interface InformedTokenValidator extends TokenValidator {
  forget(change: RightsChange): void;
  /** How many tokens have calls under way. */
  held(): number;
}

const MAX_TOKEN = 8_192;
const LOOKUP_MS = 15_000;
/** While Identity fails, each token asks at most this often. */
const RETRY_MS = 1_000;
/** Share of `revalidateMs` after which a token in use is asked for again, beside the request. */
const REFRESH_SHARE = 0.6;
/** Header values that HTTP and every Identity service can take. */
const PLAUSIBLE = /^[\x21-\x7e]+$/;

/** A good answer. */
interface Believed {
  readonly info: TokenInfo;
  /** When Identity was asked, not when it answered: the answer may be as old as that. */
  readonly askedMs: number;
  /** When Identity last failed to answer about this token since then. */
  failedMs?: number;
}

/** A question under way. */
interface Asking {
  readonly work: Promise<TokenInfo | undefined>;
  /** Changes that came meanwhile: the answer may be older than they are. */
  readonly changes: RightsChange[];
}

type Outcome = { readonly info: TokenInfo | undefined } | { readonly failure: unknown };

/**
 * Asks Identity, and believes its answers for a short while.
 *
 * - A good answer counts for `revalidateMs`; a token in use is asked for again before that, beside its
 *   requests, so that none of them waits.
 * - While Identity gives no answer, the last good one counts for `graceMs`. A refusal ends that at once.
 * - Changes that are told by `forget` count at once.
 * - Tokens with calls under way are asked for again by a timer; see `HeldTokens`.
 *
 * Tokens are remembered by their SHA-256; the text of one is kept only while calls with it are under way.
 */
export function tokenValidator(options: TokenValidatorOptions): InformedTokenValidator {
  const { clock, negativeTtlMs = 10_000, size = 10_000 } = options;
  const { revalidateMs = 5_000, graceMs = 60_000, patienceMs = 2_000 } = options;
  const good = new LRUCache<string, Believed>({ max: size });
  const refusedUntilMs = new LRUCache<string, number>({ max: size });
  const pending = new Map<string, Asking>();
  let lastAnswerMs = -Infinity;
  const age = (since: number): number => clock.monotonicMs() - since;

  const held = new HeldTokens(clock, {
    everyMs: Math.min(1_000, revalidateMs / 5),
    isDue: (key) => {
      const known = good.get(key);
      return !known || (age(known.askedMs) >= revalidateMs * REFRESH_SHARE && mayAsk(known));
    },
    ask: async (ctx, bearer) => {
      await outcomeOf(ask(ctx, bearer));
    },
    maxSilenceMs: Math.max(revalidateMs, graceMs),
  });

  /** Asks unless somebody is asking already; the answer is noted before it is given. */
  const ask = (ctx: Ctx, bearer: Bearer): Promise<TokenInfo | undefined> => {
    const { key } = bearer;
    const running = pending.get(key);
    if (running) return running.work;
    const askedMs = clock.monotonicMs();
    const changes: RightsChange[] = [];
    // Shared by all who ask for this token now, so it does not end with the first of them.
    const { requestId, globalRequestId, log, span } = ctx;
    const work = lookUp(options, rootCtx({ requestId, globalRequestId, log, span }), bearer).then(
      (info) => {
        lastAnswerMs = clock.monotonicMs();
        const userId = info?.actor.userId;
        if (!changes.some((change) => userId === undefined || concerns(change, hashOf(key), userId)))
          note(key, askedMs, info);
        else if (!info) drop(key);
        return info;
      },
      (error: unknown) => {
        const known = good.get(key);
        if (known) known.failedMs = clock.monotonicMs();
        throw error;
      },
    );
    const asking: Asking = { work, changes };
    pending.set(key, asking);
    void work
      .catch(() => {}) // Whoever waits is told.
      .then(() => {
        if (pending.get(key) === asking) pending.delete(key);
      });
    return work;
  };

  const note = (key: string, askedMs: number, info: TokenInfo | undefined): void => {
    if (info) {
      refusedUntilMs.delete(key);
      good.set(key, { info, askedMs });
      held.confirm(key, info, askedMs);
    } else {
      drop(key);
      refusedUntilMs.set(key, clock.monotonicMs() + negativeTtlMs);
    }
  };

  const drop = (key: string): void => {
    good.delete(key);
    held.end(key);
  };

  const mayAsk = ({ failedMs }: Believed): boolean => failedMs === undefined || age(failedMs) >= RETRY_MS;

  /** Whether Identity seems to be away: it failed lately, and has answered nobody since. */
  const isFailing = ({ failedMs }: Believed): boolean =>
    failedMs !== undefined && failedMs >= lastAnswerMs && age(failedMs) < revalidateMs;

  const current = async (ctx: Ctx, bearer: Bearer): Promise<TokenInfo | undefined> => {
    const known = good.get(bearer.key);
    if (!known) {
      if ((refusedUntilMs.get(bearer.key) ?? 0) > clock.monotonicMs()) return undefined;
      return abortable(ctx, ask(ctx, bearer));
    }
    const ageMs = age(known.askedMs);
    const inGrace = ageMs < graceMs;
    if (ageMs < revalidateMs || (inGrace && isFailing(known))) {
      if (ageMs >= revalidateMs * REFRESH_SHARE && mayAsk(known)) ask(ctx, bearer).catch(() => {});
      return known.info;
    }
    const outcome = await outcomeOf(
      abortable(ctx, inGrace ? atMost(patienceMs, ask(ctx, bearer)) : ask(ctx, bearer)),
    );
    if ("info" in outcome) return outcome.info;
    if (!inGrace || ctx.signal.aborted || good.get(bearer.key) !== known) throw outcome.failure;
    // Whoever comes next need not wait in vain again.
    known.failedMs = clock.monotonicMs();
    ctx.log.warn("keystone.token.believed", { ageMs: Math.round(ageMs), error: outcome.failure });
    return known.info;
  };

  return {
    validate: async (ctx, token, { allowExpired = false } = {}) => {
      if (token.length === 0 || token.length > MAX_TOKEN || !PLAUSIBLE.test(token))
        throw KeystoneErrors.TOKEN_INVALID({});
      const hash = createHash("sha256").update(token).digest("base64");
      const bearer: Bearer = { key: keyOf(hash, allowExpired), token, allowExpired };
      const info = await current(ctx, bearer);
      if (!info || (!allowExpired && info.expiresAt <= clock.now())) {
        held.end(bearer.key);
        throw KeystoneErrors.TOKEN_INVALID({});
      }
      return merged(info, { ended: held.hold(ctx, bearer, info, good.get(bearer.key)?.askedMs) });
    },
    held: () => held.size,
    forget: (change) => {
      // Also a refused token may be good now.
      refusedUntilMs.clear();
      for (const [key, { info }] of good.entries())
        if (concerns(change, hashOf(key), info.actor.userId)) good.delete(key);
      // Nobody who comes from now on shares an answer from before.
      for (const asking of pending.values()) asking.changes.push(change);
      pending.clear();
      held.recheck(change);
    },
  };
}

const outcomeOf = (work: Promise<TokenInfo | undefined>): Promise<Outcome> =>
  work.then(
    (info) => ({ info }),
    (failure: unknown) => ({ failure }),
  );

/** Waits for shared work for a while only. @throws IDENTITY_UNAVAILABLE */
async function atMost<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(KeystoneErrors.IDENTITY_UNAVAILABLE({})), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

/** @returns undefined when Identity does not know the token */
async function lookUp(
  { http, authUrl, session }: TokenValidatorOptions,
  ctx: Ctx,
  { token, allowExpired }: Bearer,
): Promise<TokenInfo | undefined> {
  for (let attempt = 0; ; attempt++) {
    const own = await session.token(ctx);
    const answer = await asIdentityFailure(() =>
      http.call(ctx, {
        method: "GET",
        url: `${authUrl}/auth/tokens`,
        timeoutMs: LOOKUP_MS,
        query: { allow_expired: allowExpired ? "1" : undefined },
        headers: { "X-Auth-Token": own, "X-Subject-Token": token, "OpenStack-Identity-Access-Rules": "1.0" },
      }),
    );
    if (answer.status === 200) return readToken(answer.json);
    if (answer.status === 404) return undefined;
    if (answer.status !== 401 || attempt > 0)
      throw KeystoneErrors.IDENTITY_UNAVAILABLE({}, { cause: new Error(`status ${answer.status}`) });
    session.discard(own);
  }
}
