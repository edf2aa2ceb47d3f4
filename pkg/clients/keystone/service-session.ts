import type { Clock, Ctx, Instant } from "../../kernel/index.js";
import { KilonovaError, rootCtx, whenAborted } from "../../kernel/index.js";
import type { HttpClient } from "../../platform/http/index.js";
import { findEndpoint } from "./catalog.js";
import { KeystoneErrors } from "./errors.js";
import type { EndpointInterface, ServiceSession, TokenInfo } from "./ports.js";
import { readToken } from "./token-json.js";

/** The service user of this deployment. */
export interface ServiceCredentials {
  readonly username: string;
  readonly password: string;
  readonly userDomainName: string;
  readonly projectName: string;
  readonly projectDomainName: string;
}

export interface ServiceSessionOptions {
  readonly http: HttpClient;
  /** `http://host:5000/v3` */
  readonly authUrl: string;
  readonly credentials: ServiceCredentials;
  readonly clock: Clock;
  readonly region: string;
  readonly interface: EndpointInterface;
  /** Addresses that win over the catalog's, by service type. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

/** A token is renewed when less than this is left of it. */
const RENEW_MICROS = 60n * 1_000_000n;
const LOGIN_MS = 20_000;

interface Login {
  readonly secret: string;
  readonly info: TokenInfo;
}

/** Logs in on first use and again when needed; callers at the same moment share one login. */
export function serviceSession(options: ServiceSessionOptions): ServiceSession {
  let current: Login | undefined;
  let pending: Promise<Login> | undefined;

  const login = async (ctx: Ctx): Promise<Login> => {
    if (current && isFresh(current.info.expiresAt, options.clock.now())) return current;
    // Shared by all who wait, so it must not end with the request that happened to come first.
    pending ??= logIn(options, rootCtx({ requestId: ctx.requestId, log: ctx.log, span: ctx.span }))
      .then((made) => (current = made))
      .finally(() => {
        pending = undefined;
      });
    return abortable(ctx, pending);
  };
  return {
    token: async (ctx) => (await login(ctx)).secret,
    discard: (stale) => {
      if (current?.secret === stale) current = undefined;
    },
    endpoint: async (ctx, type) => {
      const fixed = options.endpoints?.[type];
      if (fixed !== undefined) return fixed.replace(/\/+$/, "");
      const found = findEndpoint((await login(ctx)).info.catalog, {
        type,
        interface: options.interface,
        region: options.region,
      });
      if (found === undefined) throw KeystoneErrors.ENDPOINT_NOT_FOUND({ service: type });
      return found;
    },
  };
}

const isFresh = (expiresAt: Instant, now: Instant): boolean => expiresAt - now > RENEW_MICROS;

async function logIn({ http, authUrl, credentials }: ServiceSessionOptions, ctx: Ctx): Promise<Login> {
  const { username, password, userDomainName, projectName, projectDomainName } = credentials;
  const answer = await asIdentityFailure(() =>
    http.call(ctx, {
      method: "POST",
      url: `${authUrl}/auth/tokens`,
      timeoutMs: LOGIN_MS,
      repeatable: true,
      json: {
        auth: {
          identity: {
            methods: ["password"],
            password: { user: { name: username, domain: { name: userDomainName }, password } },
          },
          scope: { project: { name: projectName, domain: { name: projectDomainName } } },
        },
      },
    }),
  );
  if (answer.status === 401 || answer.status === 403) {
    ctx.log.error("keystone.service.login.refused", { username, projectName });
    throw KeystoneErrors.SERVICE_LOGIN_FAILED({});
  }
  const secret = answer.headers["x-subject-token"];
  if (answer.status !== 201 || secret === undefined)
    throw KeystoneErrors.IDENTITY_UNAVAILABLE({}, { cause: new Error(`status ${answer.status}`) });
  return { secret, info: readToken(answer.json) };
}

/** To a caller it is all one why Identity did not answer. */
export async function asIdentityFailure<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    if (error instanceof KilonovaError && (error.kind === "unavailable" || error.kind === "deadline"))
      throw KeystoneErrors.IDENTITY_UNAVAILABLE({}, { cause: error });
    throw error;
  }
}

/** Waits for shared work as long as this caller may. */
export async function abortable<T>(ctx: Ctx, work: Promise<T>): Promise<T> {
  const { signal } = ctx;
  let leave = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = whenAborted(signal, () =>
      reject(
        signal.reason instanceof KilonovaError
          ? signal.reason
          : KeystoneErrors.IDENTITY_UNAVAILABLE({}, { cause: signal.reason }),
      ),
    );
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    leave();
    // Whoever leaves first must not make the work's later failure unhandled.
    work.catch(() => {});
  }
}
