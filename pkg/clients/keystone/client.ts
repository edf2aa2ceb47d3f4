import type { Clock } from "../../kernel/index.js";
import { httpClient } from "../../platform/http/index.js";
import type { HttpClientOptions } from "../../platform/http/index.js";
import { KeystoneErrors } from "./errors.js";
import type { EndpointInterface, Keystone } from "./ports.js";
import type { ServiceCredentials } from "./service-session.js";
import { asIdentityFailure, serviceSession } from "./service-session.js";
import type { TokenBeliefOptions } from "./token-validator.js";
import { tokenValidator } from "./token-validator.js";

export interface KeystoneOptions {
  /** `http://host:5000/v3`; a trailing slash does no harm, and a missing `/v3` is added. */
  readonly authUrl: string;
  readonly credentials: ServiceCredentials;
  /** "" takes the first region of the catalog. */
  readonly region: string;
  /** Default `internal`. */
  readonly interface?: EndpointInterface;
  /** Addresses that win over the catalog's, by service type. */
  readonly endpoints?: Readonly<Record<string, string>>;
  readonly belief?: TokenBeliefOptions;
  readonly clock: Clock;
  /** 0..1 */
  readonly random: () => number;
  /** See `HttpClientOptions`. */
  readonly dispatcher?: HttpClientOptions["dispatcher"];
}

const versioned = (url: string): string => `${url.replace(/\/+$/, "").replace(/\/v(2\.0|3)$/, "")}/v3`;

/** Identity over HTTP: works against Keystone and the embedded service alike. */
export function keystoneClient(options: KeystoneOptions): Keystone {
  const { clock, random, credentials, region } = options;
  const authUrl = versioned(options.authUrl);
  const http = httpClient({
    what: "The Identity service",
    clock,
    random,
    ...(options.dispatcher && { dispatcher: options.dispatcher }),
  });
  const session = serviceSession({
    http,
    authUrl,
    credentials,
    clock,
    region,
    interface: options.interface ?? "internal",
    ...(options.endpoints ? { endpoints: options.endpoints } : {}),
  });
  const { validate, forget } = tokenValidator({ http, authUrl, session, clock, ...options.belief });
  return {
    session,
    validate,
    forgetTokens: forget,
    serviceToken: (ctx) => session.token(ctx),
    projectExists: async (ctx, projectId, userToken) => {
      for (let attempt = 0; ; attempt++) {
        const own = userToken ?? (await session.token(ctx));
        const answer = await asIdentityFailure(() =>
          http.call(ctx, {
            method: "GET",
            url: `${authUrl}/projects/${encodeURIComponent(projectId)}`,
            headers: { "X-Auth-Token": own },
          }),
        );
        if (answer.status === 200 || answer.status === 403) return true;
        if (answer.status === 404) return false;
        if (answer.status === 401 && userToken !== undefined) throw KeystoneErrors.TOKEN_REFUSED({});
        if (answer.status !== 401 || attempt > 0)
          throw KeystoneErrors.IDENTITY_UNAVAILABLE({}, { cause: new Error(`status ${answer.status}`) });
        session.discard(own);
      }
    },
  };
}
