import type { Instant } from "../../../kernel/index.js";

/** How long after its end a token may still be accepted next to a service token. */
export const GRACE_MICROS = 48n * 3_600_000_000n;

/** What a token hangs on, as it is stored; null where the token has no such thing. */
export interface TokenFacts {
  readonly scope: "unscoped" | "project" | "domain" | "system";
  readonly expires_at: Instant;
  readonly user_enabled: boolean;
  /** Of the user's domain. */
  readonly home_enabled: boolean;
  readonly project_enabled: boolean | null;
  readonly project_domain_enabled: boolean | null;
  readonly domain_enabled: boolean | null;
  readonly credential_expires_at: Instant | null;
}

/**
 * Whether a stored token still counts, apart from its roles. @param allowExpired  for 48 hours after its end
 */
export function isAlive(token: TokenFacts, now: Instant, allowExpired: boolean): boolean {
  if (now >= (allowExpired ? token.expires_at + GRACE_MICROS : token.expires_at)) return false;
  if (!token.user_enabled || !token.home_enabled) return false;
  if (token.credential_expires_at !== null && token.credential_expires_at <= now) return false;
  if (token.scope === "project")
    return token.project_enabled === true && token.project_domain_enabled === true;
  return token.scope !== "domain" || token.domain_enabled === true;
}
