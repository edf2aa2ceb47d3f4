import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock, Ctx } from "../../kernel/index.js";
import { rootCtx } from "../../kernel/index.js";
import type { HttpClient } from "../../platform/http/index.js";
import { KeystoneErrors } from "./errors.js";
import type { ServiceSession, TokenInfo, TokenValidator } from "./ports.js";
import { abortable, asIdentityFailure } from "./service-session.js";
import { readToken } from "./token-json.js";

export interface TokenCacheOptions {
  /** How long an answer is believed; at most 300 s. Default 300,000. */
  readonly ttlMs?: number;
  /** How long "not valid" is believed: short, since clocks differ. Default 10,000. */
  readonly negativeTtlMs?: number;
  /** Tokens remembered. Default 10,000. */
  readonly size?: number;
}

export interface TokenValidatorOptions extends TokenCacheOptions {
  readonly http: HttpClient;
  readonly authUrl: string;
  readonly session: ServiceSession;
  readonly clock: Clock;
}

const MAX_TTL_MS = 300_000;
const MAX_TOKEN = 8_192;
const LOOKUP_MS = 15_000;
/** Header values that HTTP and every Identity service can take. */
const PLAUSIBLE = /^[\x21-\x7e]+$/;

interface Known {
  readonly info: TokenInfo | undefined;
  readonly untilMs: number;
}

/** Asks Identity and remembers; a token itself is never kept, only its SHA-256. */
export function tokenValidator(options: TokenValidatorOptions): TokenValidator {
  const { clock, negativeTtlMs = 10_000, size = 10_000 } = options;
  const ttlMs = Math.min(options.ttlMs ?? MAX_TTL_MS, MAX_TTL_MS);
  const known = new LRUCache<string, Known>({ max: size });
  const pending = new Map<string, Promise<TokenInfo | undefined>>();

  const ask = async (
    ctx: Ctx,
    key: string,
    token: string,
    allowExpired: boolean,
  ): Promise<TokenInfo | undefined> => {
    const info = await lookUp(options, ctx, token, allowExpired);
    known.set(key, { info, untilMs: clock.monotonicMs() + (info ? ttlMs : negativeTtlMs) });
    return info;
  };
  return {
    validate: async (ctx, token, { allowExpired = false } = {}) => {
      if (token.length === 0 || token.length > MAX_TOKEN || !PLAUSIBLE.test(token))
        throw KeystoneErrors.TOKEN_INVALID({});
      const key = `${allowExpired ? "e" : ""}${createHash("sha256").update(token).digest("base64")}`;
      const hit = known.get(key);
      let info: TokenInfo | undefined;
      if (hit && hit.untilMs > clock.monotonicMs()) {
        info = hit.info;
      } else {
        let work = pending.get(key);
        if (!work) {
          // Shared by all who ask for this token now, so it does not end with the first of them.
          const own = rootCtx({
            requestId: ctx.requestId,
            globalRequestId: ctx.globalRequestId,
            log: ctx.log,
            span: ctx.span,
          });
          work = ask(own, key, token, allowExpired).finally(() => pending.delete(key));
          pending.set(key, work);
        }
        info = await abortable(ctx, work);
      }
      if (!info || (!allowExpired && info.expiresAt <= clock.now())) throw KeystoneErrors.TOKEN_INVALID({});
      return info;
    },
  };
}

/** @returns undefined when Identity does not know the token */
async function lookUp(
  { http, authUrl, session }: TokenValidatorOptions,
  ctx: Ctx,
  token: string,
  allowExpired: boolean,
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
