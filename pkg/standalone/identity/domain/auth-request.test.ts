import assert from "node:assert/strict";
import { anonymous } from "../../../kernel/index.js";
import { scryptPasswords } from "../adapters/crypto.js";
import { readAuthRequest } from "./auth-request.js";
import { catalogFor } from "./catalog.js";
import { administers, countsInCloud, may } from "./policy.js";

const password = { user: { name: "u", domain: { name: "Default" }, password: "p" } };
const body = (scope?: unknown, identity: object = { methods: ["password"], password }): unknown => ({
  auth: { identity, ...(scope === undefined ? {} : { scope }) },
});

describe("authentication requests", () => {
  it("reads every scope", () => {
    for (const [scope, wanted] of [
      [undefined, { kind: "default" }],
      ["unscoped", { kind: "unscoped" }],
      [{ unscoped: {} }, { kind: "unscoped" }],
      [{ system: { all: true } }, { kind: "system" }],
      [{ domain: { id: "d" } }, { kind: "domain", domain: { id: "d" } }],
      [{ project: { id: "p" } }, { kind: "project", project: { id: "p" } }],
      [
        { project: { name: "p", domain: { name: "D" } } },
        { kind: "project", project: { name: "p", domain: { name: "D" } } },
      ],
    ] as const) {
      const read = readAuthRequest(body(scope));
      assert.ok("scope" in read);
      assert.deepEqual(read.scope, wanted);
    }
  });

  it("reads each method's own section, each method once", () => {
    const read = readAuthRequest(
      body(undefined, { methods: ["password", "token", "password"], password, token: { id: "t" } }),
    );
    assert.ok("proofs" in read);
    assert.deepEqual(
      read.proofs.map((proof) => proof.method),
      ["password", "token"],
    );
    const credential = readAuthRequest(
      body(undefined, {
        methods: ["application_credential"],
        application_credential: { id: "c", secret: "s" },
      }),
    );
    assert.ok("proofs" in credential);
    assert.deepEqual(credential.proofs, [
      { method: "application_credential", secret: "s", credential: { id: "c" } },
    ]);
  });

  it("tells malformed from unknown", () => {
    for (const bad of [
      undefined,
      null,
      5,
      [],
      {},
      { auth: {} },
      body({}),
      body({ project: { name: "p" } }),
      body({ system: { all: false } }),
      body(undefined, { methods: [] }),
      body(undefined, { methods: ["token"] }),
    ]) {
      assert.ok("problem" in readAuthRequest(bad), JSON.stringify(bad));
    }
    assert.deepEqual(readAuthRequest(body(undefined, { methods: ["oauth1"] })), { unknownMethod: "oauth1" });
  });
});

describe("catalog", () => {
  const services = [
    { type: "image", name: "glance", publicUrl: "http://i" },
    {
      type: "volumev3",
      name: "cinderv3",
      publicUrl: "http://v/v3/%(project_id)s",
      adminUrl: "http://a/$(tenant_id)s",
    },
  ];

  it("fills the project in, and leaves out what needs one where there is none", () => {
    const urls = (projectId: string | undefined) =>
      catalogFor(services, "R", projectId, (text) => text).map((one) =>
        one.endpoints.map((endpoint) => endpoint.url),
      );
    assert.deepEqual(urls("p"), [
      ["http://i", "http://i", "http://i"],
      ["http://v/v3/p", "http://v/v3/p", "http://a/p"],
    ]);
    assert.deepEqual(urls(undefined), [["http://i", "http://i", "http://i"], []]);
  });
});

describe("identity policy", () => {
  const actor = { ...anonymous, kind: "user", userId: "u", projectId: "p", domainId: "d" } as const;

  it("gives members what is theirs, system readers all to read, administrators everything", () => {
    const member = { ...actor, roles: ["member", "reader"] };
    assert.deepEqual(
      [
        may(member, { do: "read" }),
        may(member, { do: "read-project", projectId: "p" }),
        may(member, { do: "read-project", projectId: "q" }),
        may(member, { do: "own", userId: "u" }),
        may(member, { do: "own", userId: "v" }),
        may(member, { do: "use-token", userId: "v" }),
      ],
      [false, true, false, true, false, false],
    );
    const auditor = { ...actor, roles: ["reader"], systemScope: true };
    assert.deepEqual([may(auditor, { do: "read" }), may(auditor, { do: "write" })], [true, false]);
    assert.equal(may({ ...actor, roles: ["service"] }, { do: "use-token", userId: "v" }), true);
    assert.equal(may({ ...actor, roles: ["admin"] }, { do: "write" }), true);
  });

  it("lets administrators of a domain administer it, and nothing by where they are not", () => {
    const boss = { ...actor, projectId: "", roles: ["admin", "service"] };
    assert.deepEqual(
      [
        may(boss, { do: "write" }),
        may(boss, { do: "read" }),
        may(boss, { do: "own", userId: "v" }),
        may(boss, { do: "use-token", userId: "v" }),
      ],
      [false, false, false, false],
    );
    assert.deepEqual(
      ["d", "e", undefined].map((domainId) => administers(boss, domainId)),
      [true, false, false],
    );
    assert.equal(administers({ ...actor, roles: ["admin"] }, "d"), false, "in a project");
    assert.equal(administers({ ...boss, roles: ["member"] }, "d"), false);
  });

  it("knows which roles count in the whole cloud, by what they imply too", () => {
    const names = new Map([
      ["a", "admin"],
      ["s", "service"],
      ["m", "member"],
      ["x", "sly"],
    ]);
    const rules = [
      ["x", "m"],
      ["m", "x"],
      ["x", "s"],
    ] as const;
    assert.deepEqual(
      ["a", "s", "x", "m", "r"].map((id) => countsInCloud(id, names, rules)),
      [true, true, true, true, false],
    );
    assert.equal(countsInCloud("m", names, []), false);
  });
});

describe("passwords", () => {
  const passwords = scryptPasswords({ logN: 4, p: 1 });

  it("verifies what it hashed, and nothing else", async () => {
    const stored = await passwords.hash("secret");
    assert.match(stored, /^scrypt\$4\$1\$[\w-]{22}\$[\w-]{43}$/);
    assert.notEqual(stored, await passwords.hash("secret"));
    assert.equal(await passwords.verify("secret", stored), true);
    assert.equal(await passwords.verify("Secret", stored), false);
    for (const none of [null, undefined, "", "plain$text"])
      assert.equal(await passwords.verify("secret", none), false);
  });
});
