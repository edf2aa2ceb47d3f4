import type { Authenticated, Ctx, Instant } from "../../kernel/index.js";
import type { RightsChange } from "../../model/rights-change.js";

/** Which of a service's addresses to use; OpenStack keeps three per service and region. */
export type EndpointInterface = "public" | "internal" | "admin";

/** One address of a service as the catalog of a token lists it. */
export interface CatalogEndpoint {
  readonly interface: EndpointInterface;
  readonly regionId: string;
  readonly url: string;
}

/**
 * One service of the catalog. `type` is what callers look for (`image`, `network`, `volumev3`), `name` is
 * decoration.
 */
export interface CatalogService {
  readonly type: string;
  readonly name: string;
  readonly endpoints: readonly CatalogEndpoint[];
}

/**
 * What Identity says about a valid token. Empty strings stand for "not in this token's scope"; the actor's
 * roles hold the closure over implied roles.
 */
export interface TokenInfo extends Authenticated {
  readonly userName: string;
  readonly userDomainId: string;
  readonly userDomainName: string;
  readonly projectName: string;
  readonly projectDomainId: string;
  readonly projectDomainName: string;
  readonly domainName: string;
  readonly methods: readonly string[];
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
  readonly catalog: readonly CatalogService[];
}

/**
 * Turns tokens of users into actors. An answer is believed for a few seconds (`tokenRevalidateMs`), so a
 * revoked token may live that long; `ended` of what is given tells calls under way.
 */
export interface TokenValidator {
  /**
   * @param options.allowExpired accept a token up to Identity's grace period after its end: only when a
   *   service token came with it
   * @throws TOKEN_INVALID (unauthenticated) for unknown, expired and revoked tokens alike
   * @throws IDENTITY_UNAVAILABLE when Identity cannot be asked
   */
  validate(ctx: Ctx, token: string, options?: { readonly allowExpired?: boolean }): Promise<TokenInfo>;
}

/** The credentials of one of our own services: its token and the addresses of the other services. */
export interface ServiceSession {
  /** A token that is valid for at least another minute; renewed in time, one request at a time. */
  token(ctx: Ctx): Promise<string>;
  /** Says that `stale` was refused with 401; the next `token()` is a fresh one. */
  discard(stale: string): void;
  /**
   * Finds a service in the catalog of the service token (or a configured override).
   * @param type  `image`, `network`, `placement`, `volumev3` …; aliases of the same service are tried too
   * @returns the URL without a trailing slash, `%(project_id)s` already filled in by Identity
   * @throws ENDPOINT_NOT_FOUND
   */
  endpoint(ctx: Ctx, type: string): Promise<string>;
}

/** What Kilonova asks of Identity. */
export interface Keystone extends TokenValidator {
  /**
   * Whether a project exists, asked with the caller's own token as Nova does; a 403 counts as "exists".
   * @param userToken  the caller's token; without one the service's is used
   */
  projectExists(ctx: Ctx, projectId: string, userToken?: string): Promise<boolean>;
  /** Identity in this process says that rights changed: what is remembered of these tokens counts no more. */
  forgetTokens(change: RightsChange): void;
  /** The token of our own service user. */
  serviceToken(ctx: Ctx): Promise<string>;
  readonly session: ServiceSession;
}
