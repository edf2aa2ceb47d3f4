import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

const BUSY_ATTEMPTS = 8;
const BUSY_MS = 5_000;

export interface Answer {
  readonly status: number;
  readonly token: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Calls of an OpenStack REST API with a token. */
export class Rest {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, headers: Readonly<Record<string, string>> = {}) {
    this.#base = base;
    this.#headers = headers;
  }

  /** The same in a microversion of Compute. */
  in(version: string): Rest {
    return new Rest(this.#base, { ...this.#headers, "OpenStack-API-Version": `compute ${version}` });
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const bytes = body instanceof Uint8Array;
    const response = await fetch(`${this.#base}${path}`, {
      method,
      signal: AbortSignal.timeout(90_000),
      headers: {
        ...this.#headers,
        ...(body === undefined
          ? {}
          : { "Content-Type": bytes ? "application/octet-stream" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: bytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      token: response.headers.get("x-subject-token") ?? "",
      body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {},
    };
  }

  /** Fails the test unless the answer has the status. @returns the body's member */
  async expect<T>(status: number, member: string, method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return (member === "" ? answer.body : answer.body[member]) as T;
  }
}

/** Logs in; a token of the project. */
export async function login(
  identityUrl: string,
  user: string,
  project: string,
  password: string,
): Promise<string> {
  const domain = { name: "Default" };
  const ask = (): Promise<Answer> =>
    new Rest(identityUrl).call("POST", "/v3/auth/tokens", {
      auth: {
        identity: { methods: ["password"], password: { user: { name: user, domain, password } } },
        scope: { project: { name: project, domain } },
      },
    });
  let answer = await ask();
  // Identity bounds the passwords that it checks at once; on a busy machine it asks to come again.
  for (let attempts = 1; answer.status === 503 && attempts < BUSY_ATTEMPTS; attempts++) {
    await delay(BUSY_MS);
    answer = await ask();
  }
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.token;
}
