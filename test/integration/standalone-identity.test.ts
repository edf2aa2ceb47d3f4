import assert from "node:assert/strict";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { seedStandalone } from "../../pkg/standalone/seed.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { passwords, testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;

describe("standalone identity", () => {
  let t: TestCloud;
  let base: string;
  let admin: string;

  before(async () => {
    t = await testCloud();
    base = `${t.cloud.urls.identity}/v3`;
    admin = await t.login("admin");
  });
  after(() => t.close());

  const post = (path: string, body: unknown, token = admin) =>
    t.raw(`${base}${path}`, { method: "POST", body: JSON.stringify(body), token });
  const auth = (body: unknown) =>
    t.raw(`${base}/auth/tokens`, { method: "POST", body: JSON.stringify(body) });
  const byPassword = (name: string, password: string, scope?: unknown): Json => ({
    auth: {
      identity: {
        methods: ["password"],
        password: { user: { name, domain: { name: "Default" }, password } },
      },
      ...(scope === undefined ? {} : { scope }),
    },
  });
  const newUser = async (name: string, projectId?: string): Promise<string> => {
    const made = await post("/users", {
      user: { name, password: "pw", ...(projectId === undefined ? {} : { default_project_id: projectId }) },
    });
    assert.equal(made.status, 201);
    return (made.body["user"] as { id: string }).id;
  };
  const roleId = async (name: string): Promise<string> => {
    const found = await t.raw(`${base}/roles?name=${name}`, { token: admin });
    return (found.body["roles"] as { id: string }[])[0]?.id ?? "";
  };

  it("gives a member the roles that member implies, and a catalog with the project filled in", async () => {
    const info = await t.keystone.validate(testCtx(), await t.login("demo"));
    assert.deepEqual([...info.actor.roles].sort(), ["member", "reader"]);
    assert.equal(info.projectName, "demo");
    assert.equal(info.actor.systemScope, false);
    const volume = info.catalog.find((service) => service.type === "volumev3");
    assert.equal(volume?.endpoints[0]?.url, `http://127.0.0.1:8776/v3/${info.actor.projectId}`);
    assert.equal(volume?.endpoints.length, 3);
  });

  it("writes out admin's closure, and scopes to the system", async () => {
    const answer = await auth(byPassword("admin", passwords.admin, { system: { all: true } }));
    assert.equal(answer.status, 201);
    const token = answer.body["token"] as { system: unknown; roles: { name: string }[] };
    assert.deepEqual(token.system, { all: true });
    assert.deepEqual(
      token.roles.map((role) => role.name),
      ["admin", "manager", "member", "reader"],
    );
    const info = await t.keystone.validate(testCtx(), answer.headers.get("x-subject-token") ?? "");
    assert.equal(info.actor.systemScope, true);
  });

  it("answers every failed login alike", async () => {
    const causes = [
      byPassword("admin", "wrong"),
      byPassword("nobody", "wrong"),
      byPassword("demo", passwords.demo, { project: { name: "admin", domain: { id: "default" } } }),
      byPassword("demo", passwords.demo, { project: { id: "no-such-project" } }),
      byPassword("demo", passwords.demo, { system: { all: true } }),
      { auth: { identity: { methods: ["token"], token: { id: "no-such-token" } } } },
      { auth: { identity: { methods: ["totp"], totp: {} } } },
    ];
    const bodies = new Set<string>();
    for (const cause of causes) {
      const answer = await auth(cause);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get("www-authenticate"), `Keystone uri="${base}"`);
      bodies.add(JSON.stringify(answer.body));
    }
    assert.equal(bodies.size, 1);
  });

  it("answers malformed bodies with 400 in Keystone's form", async () => {
    for (const body of [
      "{",
      "[]",
      "null",
      "{}",
      JSON.stringify({ auth: { identity: { methods: ["password"] } } }),
      JSON.stringify(byPassword("a\0b", "x")),
      JSON.stringify(byPassword("a", "x", { project: {} })),
    ]) {
      const answer = await t.raw(`${base}/auth/tokens`, { method: "POST", body });
      assert.equal(answer.status, 400, body);
      assert.equal((answer.body["error"] as Json)["title"], "Bad Request");
    }
    for (const path of ["/projects/%00", "/users?name=%00", "/projects/%ff"])
      assert.equal((await t.raw(`${base}${path}`, { token: admin })).status, 400, path);
    assert.equal(
      (
        await t.raw(`${base}/auth/tokens`, {
          method: "POST",
          body: JSON.stringify({ pad: "x".repeat(300_000) }),
        })
      ).status,
      413,
    );
  });

  it("rescopes a token without giving it more time", async () => {
    const first = await auth(byPassword("admin", passwords.admin));
    const again = await auth({
      auth: {
        identity: { methods: ["token"], token: { id: first.headers.get("x-subject-token") } },
        scope: { project: { name: "demo", domain: { id: "default" } } },
      },
    });
    assert.equal(again.status, 201);
    const [a, b] = [first.body["token"], again.body["token"]] as [Json, Json];
    assert.equal(a["expires_at"], b["expires_at"]);
    assert.deepEqual(b["methods"], ["password", "token"]);
    assert.equal((b["project"] as Json)["name"], "demo");
    assert.equal((b["audit_ids"] as string[])[1], (a["audit_ids"] as string[])[0]);
  });

  it("lets users validate their own token only, services any", async () => {
    const demo = await t.login("demo");
    const look = (by: string, subject: string) =>
      t.raw(`${base}/auth/tokens`, { token: by, headers: { "X-Subject-Token": subject } });
    assert.equal((await look(demo, demo)).status, 200);
    assert.equal((await look(demo, admin)).status, 403);
    assert.equal((await look(await t.login("nova"), demo)).status, 200);
    assert.equal((await look(admin, "nonsense")).status, 404);
    assert.equal((await look("nonsense", demo)).status, 401);
  });

  it("revokes: deleted tokens, new passwords, disabled users and lost roles end tokens at once", async () => {
    const projectId = t.cloud.seeded.projects.demo;
    const userId = await newUser("mayfly", projectId);
    const grant = `/projects/${projectId}/users/${userId}/roles/${await roleId("member")}`;
    const put = () => t.raw(`${base}${grant}`, { method: "PUT", token: admin });
    assert.equal((await put()).status, 204);
    assert.equal((await put()).status, 204);
    const login = async (password: string): Promise<string> =>
      (await auth(byPassword("mayfly", password, { project: { id: projectId } }))).headers.get(
        "x-subject-token",
      ) ?? "";
    const alive = async (token: string): Promise<boolean> =>
      (await t.raw(`${base}/auth/catalog`, { token })).status === 200;
    const ends = async (password: string, act: (token: string) => Promise<unknown>): Promise<void> => {
      const token = await login(password);
      assert.equal(await alive(token), true);
      await act(token);
      assert.equal(await alive(token), false);
    };
    await ends("pw", (token) =>
      t.raw(`${base}/auth/tokens`, { method: "DELETE", token, headers: { "X-Subject-Token": token } }),
    );
    await ends("pw", () =>
      t.raw(`${base}/users/${userId}`, {
        method: "PATCH",
        token: admin,
        body: JSON.stringify({ user: { password: "pw2" } }),
      }),
    );
    await ends("pw2", () => t.raw(`${base}${grant}`, { method: "DELETE", token: admin }));
    await put();
    await ends("pw2", () =>
      t.raw(`${base}/users/${userId}`, {
        method: "PATCH",
        token: admin,
        body: JSON.stringify({ user: { enabled: false } }),
      }),
    );
    assert.equal(await login("pw2"), "");
  });

  it("keeps members away from what is not theirs", async () => {
    const demo = await t.login("demo");
    const { projects, users } = t.cloud.seeded;
    for (const [path, status] of [
      [`/projects/${projects.demo}`, 200],
      [`/projects/${projects.admin}`, 403],
      ["/projects", 403],
      ["/users", 403],
      ["/roles", 403],
      [`/users/${users.demo}`, 200],
      [`/users/${users.admin}`, 403],
      [`/users/${users.demo}/projects`, 200],
      ["/role_assignments", 403],
      ["/services", 403],
      ["/regions", 200],
      ["/auth/projects", 200],
      ["/domains/default", 200],
      ["/domains", 403],
    ] as const)
      assert.equal((await t.raw(`${base}${path}`, { token: demo })).status, status, path);
    assert.equal((await post("/users", { user: { name: "x", password: "x" } }, demo)).status, 403);
    assert.equal(await t.keystone.projectExists(testCtx(), projects.admin, demo), true);
    assert.equal(await t.keystone.projectExists(testCtx(), "no-such-project"), false);
  });

  it("refuses duplicates with 409 and makes nothing twice under concurrency", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        post("/projects", { project: { name: "contended", domain_id: "default" } }),
      ),
    );
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [201, ...Array<number>(7).fill(409)]);
    assert.equal((await post("/roles", { role: { name: "member" } })).status, 409);
    assert.equal((await post("/users", { user: { name: "admin", password: "x" } })).status, 409);
    assert.equal(
      (await post("/projects", { project: { name: "lost", domain_id: "no-such-domain" } })).status,
      404,
    );
  });

  it("deletes projects with their assignments and tokens, and domains only when disabled", async () => {
    const domain = (await post("/domains", { domain: { name: "D" } })).body["domain"] as { id: string };
    const project = (await post("/projects", { project: { name: "P", domain_id: domain.id } })).body[
      "project"
    ] as { id: string };
    const admins = `/projects/${project.id}/users/${t.cloud.seeded.users.admin}/roles/${await roleId("admin")}`;
    assert.equal((await t.raw(`${base}${admins}`, { method: "PUT", token: admin })).status, 204);
    const token =
      (await auth(byPassword("admin", passwords.admin, { project: { id: project.id } }))).headers.get(
        "x-subject-token",
      ) ?? "";
    assert.equal(
      (await t.raw(`${base}/projects/${project.id}`, { method: "DELETE", token: admin })).status,
      204,
    );
    assert.equal((await t.raw(`${base}/auth/catalog`, { token })).status, 401);
    assert.equal(
      (await t.raw(`${base}/domains/${domain.id}`, { method: "DELETE", token: admin })).status,
      403,
    );
    await t.raw(`${base}/domains/${domain.id}`, {
      method: "PATCH",
      token: admin,
      body: JSON.stringify({ domain: { enabled: false } }),
    });
    assert.equal(
      (await t.raw(`${base}/domains/${domain.id}`, { method: "DELETE", token: admin })).status,
      204,
    );
  });

  it("issues tokens for application credentials, bound to their project and roles", async () => {
    const demo = await t.login("demo");
    const path = `/users/${t.cloud.seeded.users.demo}/application_credentials`;
    const made = await post(
      path,
      { application_credential: { name: "robot", roles: [{ name: "reader" }] } },
      demo,
    );
    assert.equal(made.status, 201);
    const { id, secret } = made.body["application_credential"] as { id: string; secret: string };
    const proof = {
      identity: { methods: ["application_credential"], application_credential: { id, secret } },
    };
    const answer = await auth({ auth: proof });
    assert.equal(answer.status, 201);
    assert.deepEqual(
      (answer.body["token"] as { roles: { name: string }[] }).roles.map((role) => role.name),
      ["reader"],
    );
    const robot = answer.headers.get("x-subject-token") ?? "";
    assert.equal((await post(path, { application_credential: { name: "second" } }, robot)).status, 403);
    assert.equal((await auth({ auth: { ...proof, scope: { system: { all: true } } } })).status, 401);
    assert.equal((await t.raw(`${base}${path}/${id}`, { method: "DELETE", token: demo })).status, 204);
    assert.equal((await t.raw(`${base}/auth/catalog`, { token: robot })).status, 401);
    assert.equal(
      (await post(path, { application_credential: { name: "third", roles: [{ name: "admin" }] } }, demo))
        .status,
      400,
    );
  });

  it("lists role assignments, effective ones with what they imply", async () => {
    const user = t.cloud.seeded.users.demo;
    const direct = await t.raw(`${base}/role_assignments?user.id=${user}&include_names`, { token: admin });
    const names = (answer: { body: Json }): string[] =>
      (answer.body["role_assignments"] as { role: { name: string } }[]).map((one) => one.role.name);
    assert.deepEqual(names(direct), ["member"]);
    assert.deepEqual(
      names(
        await t.raw(`${base}/role_assignments?user.id=${user}&include_names&effective`, { token: admin }),
      ),
      ["member", "reader"],
    );
  });

  it("ends tokens in time, and accepts an ended one only when asked to, for 48 hours", async () => {
    let ahead = 0n;
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    const later = await testCloud({ clock });
    try {
      const token = await later.login("demo");
      const look = async (path: string): Promise<number> =>
        (
          await later.raw(`${later.cloud.urls.identity}/v3/auth/tokens${path}`, {
            token: await later.login("nova"),
            headers: { "X-Subject-Token": token },
          })
        ).status;
      assert.equal(await look(""), 200);
      ahead = 3_601_000_000n;
      assert.deepEqual([await look(""), await look("?allow_expired=1")], [404, 200]);
      ahead += 48n * 3_600_000_000n;
      assert.equal(await look("?allow_expired=1"), 404);
      assert.ok((await later.cloud.identity.parts.tokens.purge(testCtx(), clock.now())) > 0);
    } finally {
      await later.close();
    }
  });

  it("finds everything seeded after a restart", async () => {
    const again = await t.restart();
    assert.deepEqual(again.seeded, t.cloud.seeded);
    const services = { identity: again.identity, image: again.image, network: again.network };
    assert.deepEqual(await seedStandalone(testCtx(), services, { passwords }), t.cloud.seeded);
  });
});
