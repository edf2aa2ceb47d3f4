import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Cloud } from "./cloud.js";

const BUSY_ATTEMPTS = 8;
/** What clients print when Identity sent them away before anything was done. */
const BUSY_WORDS = /Too many authentications are under way/;
const BUSY_MS = 5_000;

/**
 * Asks Identity, and again when it says that it is busy: it bounds the secrets that it checks at once, and
 * how long somebody waits for his turn, and on a machine that stands still for seconds it asks to come again.
 */
export async function askIdentity(ask: () => Promise<Response>): Promise<Response> {
  let answer = await ask();
  for (let attempts = 1; answer.status === 503 && attempts < BUSY_ATTEMPTS; attempts++) {
    await delay(Number(answer.headers.get("retry-after") ?? 1) * 1_000);
    answer = await ask();
  }
  return answer;
}

/**
 * Runs a client's command, and again when it could not log in because Identity was busy.
 * @param said  what the client printed
 */
export async function onceLoggedIn<T>(run: () => Promise<T>, said: (result: T) => string): Promise<T> {
  let result = await run();
  for (let attempts = 1; BUSY_WORDS.test(said(result)) && attempts < BUSY_ATTEMPTS; attempts++) {
    await delay(BUSY_MS);
    result = await run();
  }
  return result;
}

/**
 * Asks Identity for a token of the user's project, or of the system, with the credentials that the cloud
 * wrote for its users.
 */
export async function tokenOf(
  cloud: Cloud,
  user: "admin" | "demo",
  scope: "project" | "system" = "project",
): Promise<string> {
  const env = cloud.credentials(user);
  const project = { name: env["OS_PROJECT_NAME"], domain: { name: env["OS_PROJECT_DOMAIN_NAME"] } };
  const body = {
    auth: {
      identity: {
        methods: ["password"],
        password: {
          user: {
            name: env["OS_USERNAME"],
            password: env["OS_PASSWORD"],
            domain: { name: env["OS_USER_DOMAIN_NAME"] },
          },
        },
      },
      scope: scope === "project" ? { project } : { system: { all: true } },
    },
  };
  const answer = await askIdentity(() =>
    fetch(`${env["OS_AUTH_URL"]}/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
  const token = answer.headers.get("x-subject-token");
  assert.equal(answer.status, 201, await answer.text());
  assert.ok(token);
  return token;
}

/** Gives a user a role on the system as a whole. */
export async function grantOnSystem(cloud: Cloud, user: "admin" | "demo", role: string): Promise<void> {
  const [{ OS_AUTH_URL: url = "", OS_USERNAME: name = "" }, token] = [
    cloud.credentials(user),
    await tokenOf(cloud, "admin"),
  ];
  const find = async (kind: "users" | "roles", wanted: string): Promise<string> => {
    const found = await getJson<Record<string, { id: string }[]>>(`${url}/${kind}?name=${wanted}`, token);
    return found[kind]?.[0]?.id ?? assert.fail(`there is no ${wanted} among the ${kind}`);
  };
  const path = `system/users/${await find("users", name)}/roles/${await find("roles", role)}`;
  const answer = await fetch(`${url}/${path}`, { method: "PUT", headers: { "x-auth-token": token } });
  assert.equal(answer.status, 204, await answer.text());
}

/** Reads JSON from one of the cloud's REST services. @throws on any status but 200 */
export async function getJson<T>(
  url: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<T> {
  const answer = await fetch(url, { headers: { "x-auth-token": token, ...headers } });
  const text = await answer.text();
  assert.equal(answer.status, 200, `GET ${url}: ${text}`);
  return JSON.parse(text) as T;
}
