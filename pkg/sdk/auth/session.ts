import { KilonovaError, errorOf } from "../errors.js";
import type { Auth } from "./auth.js";
import { loginBody } from "./auth.js";

/** As much of `fetch` as is used here. */
export type Fetch = (url: string, init: FetchInit) => Promise<Response>;
/** What is sent. */
export interface FetchInit {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

/** Where services are looked for. */
export interface Place {
  readonly region?: string | undefined;
  /** Default "public". */
  readonly interface?: string | undefined;
}

interface CatalogEntry {
  readonly type: string;
  readonly endpoints: readonly { interface: string; region_id?: string; region?: string; url: string }[];
}
interface Login {
  readonly token: string;
  /** From when on it is renewed, in ms since 1970. */
  readonly renewAt: number;
  readonly catalog: readonly CatalogEntry[];
}

/** A token is renewed when so much of its life is over. */
const RENEW_AT_SHARE = 0.9;
const LOGIN_TIMEOUT_MS = 30_000;

/** A login that lasts: gives a token that is valid, and knows where services are. */
export class Session {
  readonly #auth: Auth;
  readonly #fetch: Fetch;
  readonly #place: Place;
  #login: Promise<Login> | undefined;
  #current: Login | undefined;

  constructor(auth: Auth, fetch: Fetch, place: Place = {}) {
    this.#auth = auth;
    this.#fetch = fetch;
    this.#place = place;
  }

  /** @throws KilonovaError UNAUTHENTICATED when Identity refuses, UNAVAILABLE when it does not answer */
  async token(signal?: AbortSignal): Promise<string> {
    return (await this.#valid(signal)).token;
  }

  /** Told that a token was refused. @returns whether another one is to be had */
  refuse(token: string): boolean {
    if (this.#current?.token === token) this.#current = undefined;
    // A login with a token gives no more than that token is good for.
    return this.#auth.password !== undefined || this.#auth.applicationCredentialSecret !== undefined;
  }

  /** The address of a service, by its type in the catalog. @throws KilonovaError NOT_FOUND */
  async endpoint(type: string, signal?: AbortSignal): Promise<string> {
    const { interface: wanted = "public", region } = this.#place;
    const { catalog } = await this.#valid(signal);
    const found = catalog
      .filter((entry) => entry.type === type)
      .flatMap((entry) => entry.endpoints)
      .find(
        (one) =>
          one.interface === wanted && (region === undefined || region === (one.region_id ?? one.region)),
      );
    if (found) return found.url.replace(/\/+$/, "");
    const where = region === undefined ? "" : ` in region ${region}`;
    throw new KilonovaError(`the service catalog names no ${wanted} endpoint of ${type}${where}`, {
      code: "NOT_FOUND",
      reason: "ENDPOINT_NOT_FOUND",
    });
  }

  /** Asks another service of the cloud over REST, such as `("image", "/v2/images")`, with a valid token. */
  async fetch(type: string, path: string, init: FetchInit = {}): Promise<Response> {
    const url = (await this.endpoint(type, init.signal)) + path;
    const ask = async (token: string): Promise<Response> =>
      this.#fetch(url, { ...init, headers: { ...init.headers, "x-auth-token": token } });
    const token = await this.token(init.signal);
    const answer = await ask(token);
    return answer.status === 401 && this.refuse(token) ? ask(await this.token(init.signal)) : answer;
  }

  /** However many ask at once, one login is made. */
  async #valid(signal: AbortSignal | undefined): Promise<Login> {
    signal?.throwIfAborted();
    if (this.#current && Date.now() < this.#current.renewAt) return this.#current;
    this.#login ??= this.#logIn().finally(() => (this.#login = undefined));
    this.#current = await this.#login;
    return this.#current;
  }

  async #logIn(): Promise<Login> {
    const base = this.#auth.authUrl.replace(/\/+$/, "").replace(/(\/v3)?$/, "/v3");
    const answer = await this.#fetch(`${base}/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(loginBody(this.#auth)),
      signal: AbortSignal.timeout(LOGIN_TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw refusal(`Identity does not answer: ${errorOf(cause).message}`, "UNAVAILABLE", cause);
    });
    if (!answer.ok) {
      const code =
        answer.status === 401
          ? "UNAUTHENTICATED"
          : answer.status >= 500 || answer.status === 429
            ? "UNAVAILABLE"
            : undefined;
      throw refusal(`Identity answered ${answer.status}`, code ?? "FAILED_PRECONDITION");
    }
    const { token } = (await answer.json()) as {
      token: { issued_at: string; expires_at: string | null; catalog?: CatalogEntry[] };
    };
    const lifeMs = Date.parse(token.expires_at ?? "") - Date.parse(token.issued_at);
    // By this machine's clock, which may go wrong: the life counts, not the end.
    return {
      token: answer.headers.get("x-subject-token") ?? "",
      renewAt: Number.isNaN(lifeMs) ? Infinity : Date.now() + lifeMs * RENEW_AT_SHARE,
      catalog: token.catalog ?? [],
    };
  }
}

const refusal = (
  text: string,
  code: "UNAUTHENTICATED" | "UNAVAILABLE" | "FAILED_PRECONDITION",
  cause?: unknown,
) => new KilonovaError(text, { code, reason: code }, cause);
