import assert from "node:assert/strict";
import { CommonErrors, KilonovaError } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { handmadeCloud, tokenBody } from "../testing/handmade-cloud.js";
import type { HandmadeCloud, HandmadeCloudOptions } from "../testing/handmade-cloud.js";
import { cutShort, htmlError, silence } from "../testing/handmade-server.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;
const TOKENS = "/v3/auth/tokens";
const unauthorized = {
  status: 401,
  headers: { "WWW-Authenticate": 'Keystone uri="http://id/v3"' },
  body: {
    error: {
      code: 401,
      title: "Unauthorized",
      message: "The request you have made requires authentication.",
    },
  },
};
const notFound = {
  status: 404,
  body: { error: { code: 404, title: "Not Found", message: "Could not find token." } },
};

describe("keystone client on the wire", () => {
  let cloud: HandmadeCloud;
  const open = async (options: Partial<HandmadeCloudOptions> = {}): Promise<HandmadeCloud> =>
    (cloud = await handmadeCloud({ catalog: () => [], ...options }));
  const valid = () => ({ status: 200, body: tokenBody(Number(cloud.clock.now() / 1_000n), 600_000) });
  afterEach(() => cloud.close());

  it("tells unknown tokens from an Identity that does not work", async () => {
    const { server, keystone } = await open();
    const asked = (answer: Parameters<typeof server.on>[1], token: string): Promise<unknown> => {
      server.on(`GET ${TOKENS}`, answer);
      return keystone.validate(testCtx(), token);
    };
    await assert.rejects(asked(notFound, "unknown"), reason("TOKEN_INVALID"));
    await assert.rejects(
      asked(
        { status: 500, body: { error: { code: 500, title: "Internal Server Error", message: "secret" } } },
        "broken",
      ),
      reason("IDENTITY_UNAVAILABLE"),
    );
    await assert.rejects(
      asked(htmlError(503, "Service Unavailable"), "down"),
      reason("IDENTITY_UNAVAILABLE"),
    );
    await assert.rejects(asked(htmlError(404, "Not Found"), "html"), reason("TOKEN_INVALID"));
    await assert.rejects(
      asked({ status: 200, body: "<html>a captive portal</html>" }, "portal"),
      reason("UNEXPECTED_ANSWER"),
    );
    await assert.rejects(
      asked({ status: 200, body: { token: { expires_at: "soon" } } }, "odd"),
      reason("UNEXPECTED_ANSWER"),
    );
    await assert.rejects(
      asked({ status: 300, body: { versions: { values: [{ id: "v3.14", status: "stable" }] } } }, "versions"),
      reason("IDENTITY_UNAVAILABLE"),
    );
    await assert.rejects(asked(cutShort(200, '{"token":', 1_000), "cut"), reason("IDENTITY_UNAVAILABLE"));
  });

  it("waits out a 503 as long as Identity asks, also when logging in", async () => {
    const { server, keystone, slept } = await open();
    const login = {
      status: 201,
      headers: { "X-Subject-Token": "late" },
      body: tokenBody(Date.parse("2026-11-22T12:00:00Z"), 3_600_000),
    };
    server
      .on(`POST ${TOKENS}`, htmlError(503, "Service Unavailable", { "Retry-After": "3" }), login)
      .on(`GET ${TOKENS}`, htmlError(503, "Service Unavailable", { "Retry-After": "1" }), valid());
    assert.equal((await keystone.validate(testCtx(), "t")).userName, "nova");
    assert.deepEqual(slept, [3_000, 1_000]);
    assert.equal(server.to(`GET ${TOKENS}`)[0]?.headers["x-auth-token"], "late");
  });

  it("logs in again once when its own token ended before its time", async () => {
    const { server, keystone, logins } = await open();
    server.on(`GET ${TOKENS}`, unauthorized, valid());
    await keystone.validate(testCtx(), "t");
    assert.deepEqual(
      server.to(`GET ${TOKENS}`).map(({ headers }) => headers["x-auth-token"]),
      ["token-1", "token-2"],
    );
    server.on(`GET ${TOKENS}`, unauthorized);
    await assert.rejects(keystone.validate(testCtx(), "other"), reason("IDENTITY_UNAVAILABLE"));
    assert.equal(logins(), 3);
    server.on("GET /v3/projects/p", unauthorized, { status: 200, body: { project: { id: "p" } } });
    assert.equal(await keystone.projectExists(testCtx(), "p"), true);
    server.on("GET /v3/projects/p", unauthorized);
    await assert.rejects(keystone.projectExists(testCtx(), "p", "the user's"), reason("TOKEN_REFUSED"));
  });

  it("renews a token in time, by the clock of the token", async () => {
    const { keystone, pass, logins } = await open({ lifeMs: 120_000 });
    assert.equal(await keystone.serviceToken(testCtx()), "token-1");
    pass(59_000);
    assert.equal(await keystone.serviceToken(testCtx()), "token-1");
    pass(2_000);
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => keystone.serviceToken(testCtx()))), [
      "token-2",
      "token-2",
      "token-2",
    ]);
    assert.equal(logins(), 2);
  });

  it("says whose fault a failed login is", async () => {
    const { server, keystone } = await open();
    for (const [answer, expected] of [
      [unauthorized, "SERVICE_LOGIN_FAILED"],
      [
        { status: 403, body: { error: { code: 403, title: "Forbidden", message: "x" } } },
        "SERVICE_LOGIN_FAILED",
      ],
      [htmlError(502, "Bad Gateway"), "IDENTITY_UNAVAILABLE"],
      [{ status: 201, body: {} }, "IDENTITY_UNAVAILABLE"],
      [{ status: 201, headers: { "X-Subject-Token": "t" }, body: "not json" }, "UNEXPECTED_ANSWER"],
      [cutShort(201, "{", 100, { "X-Subject-Token": "t" }), "IDENTITY_UNAVAILABLE"],
    ] as const) {
      server.on(`POST ${TOKENS}`, answer);
      await assert.rejects(keystone.serviceToken(testCtx()), reason(expected), expected);
    }
    await server.close();
    await assert.rejects(keystone.serviceToken(testCtx()), reason("IDENTITY_UNAVAILABLE"));
    cloud = await handmadeCloud({ catalog: () => [] });
  });

  it("lets a caller go at its own deadline, while slow work goes on for the others", async () => {
    const { server, keystone } = await open();
    let answer = (): void => {};
    server.on(`GET ${TOKENS}`, (_req, res) => {
      answer = () => {
        res.writeHead(200);
        res.end(JSON.stringify(valid().body));
      };
    });
    const hurried = new AbortController();
    const early = keystone.validate(testCtx({ signal: hurried.signal }), "t");
    const patient = keystone.validate(testCtx(), "t");
    while (server.to(`GET ${TOKENS}`).length === 0) await new Promise(setImmediate);
    hurried.abort(CommonErrors.DEADLINE_EXCEEDED({ what: "The request" }));
    await assert.rejects(early, reason("DEADLINE_EXCEEDED"));
    answer();
    assert.equal((await patient).userName, "nova");
    assert.equal(server.to(`GET ${TOKENS}`).length, 1);
    server.on(`POST ${TOKENS}`, silence);
    keystone.session.discard("token-1");
    const gone = AbortSignal.abort(CommonErrors.CANCELLED({ what: "The request" }));
    await assert.rejects(keystone.serviceToken(testCtx({ signal: gone })), reason("CANCELLED"));
  });

  it("finds Identity with and without its version, and where it was moved to on the same host", async () => {
    for (const authUrl of ["SERVER", "SERVER/", "SERVER/v3", "SERVER/v3/", "SERVER/v2.0"]) {
      const { keystone, close } = await open({ keystone: { authUrl } });
      assert.equal(await keystone.serviceToken(testCtx()), "token-1", authUrl);
      await close();
    }
    const { server, keystone } = await open();
    server
      .on("GET /v3/projects/p", { status: 308, headers: { Location: "/identity/v3/projects/p" } })
      .on("GET /identity/v3/projects/p", { status: 200, body: { project: { id: "p" } } });
    assert.equal(await keystone.projectExists(testCtx(), "p"), true);
  });

  it("reads every sort of token and catalog", async () => {
    const endpoint = (name: string, region: string, url: string) => ({ interface: name, region, url });
    const { server, keystone } = await open({
      catalog: () => [
        {
          type: "image",
          endpoints: [
            endpoint("public", "RegionTwo", "http://two/v2"),
            endpoint("public", "RegionOne", "http://pub/"),
            endpoint("internal", "RegionOne", "http://int/v2/"),
          ],
        },
        { type: "network", endpoints: [endpoint("internalURL", "RegionOne", "http://net:9696/v2.0")] },
        { type: "placement", endpoints: [endpoint("public", "RegionOne", "http://only-public")] },
        { type: "block-storage", endpoints: [endpoint("internal", "RegionOne", "http://vol/v3/p-1")] },
        { type: "compute", endpoints: [endpoint("admin", "RegionOne", "http://admin-only")] },
      ],
    });
    const at = (type: string): Promise<string> => keystone.session.endpoint(testCtx(), type);
    assert.deepEqual(
      [await at("image"), await at("network"), await at("placement"), await at("volumev3")],
      ["http://int/v2", "http://net:9696/v2.0", "http://only-public", "http://vol/v3/p-1"],
    );
    await assert.rejects(at("compute"), reason("ENDPOINT_NOT_FOUND"));
    await assert.rejects(at("object-store"), reason("ENDPOINT_NOT_FOUND"));

    const now = Number(cloud.clock.now() / 1_000n);
    const info = async (token: string, more: object) => {
      server.on(`GET ${TOKENS}`, { status: 200, body: tokenBody(now, 60_000, [], more) });
      return keystone.validate(testCtx(), token);
    };
    const system = await info("s", { project: undefined, system: { all: true }, is_domain: undefined });
    assert.deepEqual(
      [system.actor.systemScope, system.actor.projectId, system.actor.domainId],
      [true, "", "default"],
    );
    const domain = await info("d", { project: undefined, domain: { id: "d-1", name: "D" } });
    assert.deepEqual([domain.actor.domainId, domain.domainName, domain.projectName], ["d-1", "D", ""]);
    const unscoped = await info("u", { project: undefined, roles: undefined, catalog: undefined });
    assert.deepEqual([unscoped.actor.roles, unscoped.catalog], [[], []]);
    const federated = await info("f", { user: { id: "u", name: "n", "OS-FEDERATION": { groups: [] } } });
    assert.equal(federated.userDomainId, "");
  });

  it("uses the region and interface that it was told", async () => {
    const { keystone } = await open({
      keystone: { region: "RegionTwo", interface: "public", endpoints: { network: "http://fixed/" } },
      catalog: () => [
        {
          type: "image",
          endpoints: ["RegionOne", "RegionTwo"].flatMap((region) =>
            ["public", "internal"].map((name) => ({
              interface: name,
              region,
              url: `http://${name}.${region}`,
            })),
          ),
        },
      ],
    });
    assert.equal(await keystone.session.endpoint(testCtx(), "image"), "http://public.RegionTwo");
    assert.equal(await keystone.session.endpoint(testCtx(), "network"), "http://fixed");
  });
});
