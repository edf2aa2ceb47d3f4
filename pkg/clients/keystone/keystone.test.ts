import assert from "node:assert/strict";
import { MockAgent } from "undici";
import { CommonErrors, KilonovaError } from "../../kernel/index.js";
import type { Clock } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { keystoneClient } from "./client.js";
import { findEndpoint } from "./catalog.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly auth: string;
  readonly subject: string;
}

/**
 * Identity as a function: logs in as service-1, service-2 …; knows `good` and `brief`, not `bad`; is broken
 * for `ugly`.
 */
function identity() {
  const seen: Seen[] = [];
  let logins = 0;
  let accepted = "service-1";
  let nowMs = 1_000_000;
  const iso = (ms: number): string => new Date(ms).toISOString();
  const token = (lifeMs: number): unknown => ({
    token: {
      methods: ["password"],
      issued_at: iso(nowMs),
      expires_at: iso(nowMs + lifeMs),
      user: { id: "u", name: "user", domain: { id: "default", name: "Default" } },
      project: { id: "p", name: "proj", domain: { id: "default", name: "Default" } },
      roles: [{ id: "r", name: "member" }],
      catalog: [
        {
          type: "image",
          name: "glance",
          endpoints: [{ interface: "internal", region: "R", region_id: "R", url: "http://i/" }],
        },
      ],
    },
  });
  const answer = (
    path: string,
    method: string,
    headers: Headers,
  ): { status: number; body?: unknown; headers?: Record<string, string> } => {
    if (method === "POST") {
      accepted = `service-${++logins}`;
      return { status: 201, body: token(3_600_000), headers: { "X-Subject-Token": accepted } };
    }
    if (headers.get("x-auth-token") !== accepted) return { status: 401 };
    if (path === "/v3/projects/here") return { status: 200 };
    if (path === "/v3/projects/hidden") return { status: 403 };
    if (path.startsWith("/v3/projects/")) return { status: 404 };
    const subject = headers.get("x-subject-token");
    return subject === "good" || subject === "brief"
      ? { status: 200, body: token(subject === "good" ? 120_000 : 2_000) }
      : { status: subject === "ugly" ? 500 : 404 };
  };
  const dispatcher = new MockAgent();
  dispatcher.disableNetConnect();
  for (const method of ["GET", "POST"]) {
    dispatcher
      .get("http://id")
      .intercept({ path: () => true, method })
      .reply((sent) => {
        const headers = new Headers(sent.headers as Record<string, string>);
        seen.push({
          method,
          path: sent.path,
          auth: headers.get("x-auth-token") ?? "",
          subject: headers.get("x-subject-token") ?? "",
        });
        const { status, body, headers: out } = answer(sent.path, method, headers);
        return {
          statusCode: status,
          data: body === undefined ? "" : JSON.stringify(body),
          responseOptions: { headers: out ?? {} },
        };
      })
      .persist();
  }
  const clock: Clock = { now: () => BigInt(nowMs) * 1000n, monotonicMs: () => nowMs, sleep: async () => {} };
  const keystone = keystoneClient({
    authUrl: "http://id/v3/",
    region: "R",
    clock,
    random: () => 0,
    dispatcher,
    credentials: {
      username: "nova",
      password: "x",
      userDomainName: "Default",
      projectName: "service",
      projectDomainName: "Default",
    },
  });
  return {
    keystone,
    seen,
    revokeService: () => {
      accepted = "none";
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    lookups: () => seen.filter((one) => one.subject !== "").length,
  };
}

describe("keystone client", () => {
  it("asks once for many callers at the same moment, and then not at all", async () => {
    const { keystone, seen } = identity();
    const infos = await Promise.all(Array.from({ length: 20 }, () => keystone.validate(testCtx(), "good")));
    assert.deepEqual(infos[0]?.actor.roles, ["member"]);
    assert.deepEqual(
      seen.map((one) => `${one.method} ${one.path}`),
      ["POST /v3/auth/tokens", "GET /v3/auth/tokens"],
    );
    await keystone.validate(testCtx(), "good");
    assert.equal(seen.length, 2);
  });

  it("respects a token's end though the answer about it is young", async () => {
    const { keystone, pass, lookups } = identity();
    await keystone.validate(testCtx(), "brief");
    pass(2_001);
    await assert.rejects(keystone.validate(testCtx(), "brief"), reason("TOKEN_INVALID"));
    assert.equal(lookups(), 1);
  });

  it("remembers what is not valid for a short while, and failures not at all", async () => {
    const { keystone, pass, lookups } = identity();
    await assert.rejects(keystone.validate(testCtx(), "bad"), reason("TOKEN_INVALID"));
    await assert.rejects(keystone.validate(testCtx(), "bad"), reason("TOKEN_INVALID"));
    assert.equal(lookups(), 1);
    pass(10_001);
    await assert.rejects(keystone.validate(testCtx(), "bad"), reason("TOKEN_INVALID"));
    assert.equal(lookups(), 2);
    await assert.rejects(keystone.validate(testCtx(), "ugly"), reason("IDENTITY_UNAVAILABLE"));
    await assert.rejects(keystone.validate(testCtx(), "ugly"), reason("IDENTITY_UNAVAILABLE"));
    assert.equal(lookups(), 4);
  });

  it("never sends what cannot be a token", async () => {
    const { keystone, seen } = identity();
    for (const odd of ["", "a b", "a\r\nX: y", "ü", "x".repeat(10_000)])
      await assert.rejects(keystone.validate(testCtx(), odd), reason("TOKEN_INVALID"));
    assert.equal(seen.length, 0);
  });

  it("renews its own token when it is refused, once, and before it ends", async () => {
    const { keystone, seen, revokeService, pass } = identity();
    assert.equal(await keystone.serviceToken(testCtx()), "service-1");
    revokeService();
    await keystone.validate(testCtx(), "good");
    assert.equal(await keystone.serviceToken(testCtx()), "service-2");
    pass(3_600_000 - 59_000);
    assert.equal(await keystone.serviceToken(testCtx()), "service-3");
    assert.equal(seen.filter((one) => one.method === "POST").length, 3);
  });

  it("lets a caller leave without ending the others' work", async () => {
    const { keystone } = identity();
    const controller = new AbortController();
    const leaving = keystone.validate(testCtx({ signal: controller.signal }), "good");
    const staying = keystone.validate(testCtx(), "good");
    controller.abort(CommonErrors.CANCELLED({ what: "test" }));
    await assert.rejects(leaving, reason("CANCELLED"));
    assert.equal((await staying).userName, "user");
  });

  it("knows projects as Nova does: hidden ones exist", async () => {
    const { keystone } = identity();
    assert.deepEqual(
      await Promise.all(["here", "hidden", "nowhere"].map((id) => keystone.projectExists(testCtx(), id))),
      [true, true, false],
    );
    assert.equal(await keystone.session.endpoint(testCtx(), "image"), "http://i");
    await assert.rejects(keystone.session.endpoint(testCtx(), "network"), reason("ENDPOINT_NOT_FOUND"));
  });
});

describe("catalog look-up", () => {
  const catalog = [
    {
      type: "volumev3",
      name: "c",
      endpoints: [
        { interface: "public", regionId: "A", url: "http://a/" },
        { interface: "public", regionId: "B", url: "http://b" },
      ],
    },
  ] as const;
  it("goes by type with aliases, interface and region", () => {
    assert.equal(
      findEndpoint(catalog, { type: "block-storage", interface: "public", region: "B" }),
      "http://b",
    );
    assert.equal(findEndpoint(catalog, { type: "volumev3", interface: "public", region: "" }), "http://a");
    assert.equal(
      findEndpoint(catalog, { type: "volumev3", interface: "internal", region: "" }),
      "http://a",
      "public where there is no internal one",
    );
    assert.equal(findEndpoint(catalog, { type: "volumev3", interface: "public", region: "C" }), undefined);
    assert.equal(findEndpoint(catalog, { type: "image", interface: "public", region: "" }), undefined);
  });
});
