import assert from "node:assert/strict";
import type { Cloud } from "./cloud.js";

/** Asks Identity for a project-scoped token, with the credentials that the cloud wrote for its users. */
export async function tokenOf(cloud: Cloud, user: "admin" | "demo"): Promise<string> {
  const env = cloud.credentials(user);
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
      scope: { project: { name: env["OS_PROJECT_NAME"], domain: { name: env["OS_PROJECT_DOMAIN_NAME"] } } },
    },
  };
  const answer = await fetch(`${env["OS_AUTH_URL"]}/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const token = answer.headers.get("x-subject-token");
  assert.equal(answer.status, 201, await answer.text());
  assert.ok(token);
  return token;
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
