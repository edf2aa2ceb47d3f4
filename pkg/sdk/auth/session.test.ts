import assert from "node:assert/strict";
import { KilonovaError } from "../errors.js";
import { CountingIdentity } from "../testing/scripted-cloud.js";
import { loginBody } from "./auth.js";
import { Session } from "./session.js";

describe("a login of the SDK", () => {
  it("is made once, however many ask at once", async () => {
    const identity = new CountingIdentity();
    const session = identity.session();
    const tokens = await Promise.all([session.token(), session.token(), session.endpoint("compute-rpc")]);
    assert.deepEqual(tokens, ["token-1", "token-1", "http://compute:8770"]);
    assert.equal(identity.logins, 1);
  });

  it("is renewed before its token ends", async () => {
    const identity = new CountingIdentity();
    const session = identity.session();
    const { now } = Date;
    try {
      const began = now();
      const seen: string[] = [];
      for (const share of [0, 0.89, 0.91]) {
        Date.now = () => began + share * identity.lifeMs;
        seen.push(await session.token());
      }
      assert.deepEqual(seen, ["token-1", "token-1", "token-2"]);
    } finally {
      Date.now = now;
    }
  });

  it("is not made anew for a token that was replaced meanwhile", async () => {
    const identity = new CountingIdentity();
    const session = identity.session();
    const old = await session.token();
    assert.equal(session.refuse(old), true);
    assert.equal(await session.token(), "token-2");
    assert.equal(session.refuse(old), true);
    assert.equal(await session.token(), "token-2");
  });

  it("says whether the password or Identity is at fault, and tries again afterwards", async () => {
    const identity = new CountingIdentity();
    const session = identity.session();
    for (const [status, code] of [
      [401, "UNAUTHENTICATED"],
      [503, "UNAVAILABLE"],
      [429, "UNAVAILABLE"],
    ] as const) {
      identity.status = status;
      await assert.rejects(session.token(), (error) => error instanceof KilonovaError && error.code === code);
    }
    identity.status = 201;
    assert.equal(await session.token(), "token-4");
  });

  it("finds endpoints by interface and region", async () => {
    const catalog = ["one", "two"].map((region) => ({
      interface: "internal",
      region,
      url: `http://${region}`,
    }));
    const answer = () =>
      Promise.resolve(
        new Response(JSON.stringify({ token: { catalog: [{ type: "image", endpoints: catalog }] } })),
      );
    const auth = { authUrl: "http://identity", token: "t" };
    const session = new Session(auth, answer, { region: "two", interface: "internal" });
    assert.equal(await session.endpoint("image"), "http://two");
    const other = new Session(auth, answer, { region: "two" });
    await assert.rejects(other.endpoint("image"), /names no public endpoint of image in region two/);
  });

  it("has one body for each kind of credentials", () => {
    const base = { authUrl: "http://identity" };
    const domain = { name: "Default" };
    const project = { projectName: "p", projectDomainName: "Default" };
    assert.deepEqual(
      loginBody({ ...base, ...project, username: "u", userDomainName: "Default", password: "x" }),
      {
        auth: {
          identity: { methods: ["password"], password: { user: { name: "u", domain, password: "x" } } },
          scope: { project: { name: "p", domain } },
        },
      },
    );
    const applicationCredential = { applicationCredentialId: "id", applicationCredentialSecret: "s" };
    assert.deepEqual(loginBody({ ...base, ...project, ...applicationCredential }), {
      auth: {
        identity: { methods: ["application_credential"], application_credential: { id: "id", secret: "s" } },
      },
    });
    assert.deepEqual(loginBody({ ...base, token: "t", projectId: "p" }), {
      auth: { identity: { methods: ["token"], token: { id: "t" } }, scope: { project: { id: "p" } } },
    });
    assert.throws(() => loginBody(base), /neither a password/);
  });
});
