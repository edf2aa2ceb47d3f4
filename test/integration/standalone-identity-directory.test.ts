import assert from "node:assert/strict";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;
type Made = Json & { readonly id: string };

/** Who and what exists, with all that a client may attach to it. */
describe("standalone identity's directory", () => {
  let t: TestCloud;
  let base: string;
  let admin: string;
  let demo: string;

  before(async () => {
    t = await testCloud();
    base = `${t.cloud.urls.identity}/v3`;
    admin = await t.login("admin");
    demo = await t.login("demo");
  });
  after(() => t.close());

  const send = (method: string, path: string, body?: unknown, token = admin) =>
    t.raw(`${base}${path}`, { method, token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const made = async (path: string, kind: string, body: Json): Promise<Made> => {
    const answer = await send("POST", path, { [kind]: body });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body[kind] as Made;
  };
  const got = async (path: string, kind: string): Promise<Json> =>
    (await send("GET", path)).body[kind] as Json;
  const refused = async (answer: ReturnType<typeof send>, status: number): Promise<string> => {
    const { status: code, body } = await answer;
    assert.equal(code, status, JSON.stringify(body));
    const error = body["error"] as { code: number; message: string };
    assert.equal(error.code, status);
    return error.message;
  };
  const projects = async (query: string): Promise<string[]> =>
    ((await send("GET", `/projects?${query}`)).body["projects"] as { name: string }[]).map((one) => one.name);

  it("keeps attributes that it does not know, beside its own", async () => {
    for (const [path, kind, body] of [
      ["/projects", "project", {}],
      ["/users", "user", {}],
      ["/domains", "domain", {}],
      ["/roles", "role", {}],
    ] as const) {
      const thing = await made(path, kind, {
        name: `extra-${kind}`,
        ...body,
        cost_center: "42",
        nested: { a: [1] },
        constructor: "c",
      });
      assert.deepEqual(
        [thing["cost_center"], thing["nested"], thing["constructor"]],
        ["42", { a: [1] }, "c"],
        kind,
      );
      const patched = (
        await send("PATCH", `${path}/${thing.id}`, { [kind]: { cost_center: null, more: "m" } })
      ).body[kind] as Json;
      assert.deepEqual(
        [Object.hasOwn(patched, "cost_center"), patched["more"], patched["name"]],
        [false, "m", `extra-${kind}`],
        kind,
      );
      for (const own of ["id", "links"])
        await refused(send("PATCH", `${path}/${thing.id}`, { [kind]: { [own]: "x" } }), 400);
      await send("PATCH", `${path}/${thing.id}`, { [kind]: { enabled: false } });
      assert.equal((await send("DELETE", `${path}/${thing.id}`)).status, 204, kind);
      await refused(send("PATCH", `${path}/${thing.id}`, { [kind]: { name: "gone" } }), 404);
      await refused(send("DELETE", `${path}/${thing.id}`), 404);
    }
  });

  it("neither changes nor deletes what is immutable", async () => {
    for (const [path, kind] of [
      ["/projects", "project"],
      ["/domains", "domain"],
      ["/roles", "role"],
    ] as const) {
      const { id, ...thing } = await made(path, kind, { name: `rock-${kind}`, options: { immutable: true } });
      assert.deepEqual(thing["options"], { immutable: true });
      assert.match(
        await refused(send("PATCH", `${path}/${id}`, { [kind]: { description: "x" } }), 403),
        /immutable/,
      );
      assert.match(await refused(send("DELETE", `${path}/${id}`), 403), /immutable/);
      await refused(send("PATCH", `${path}/${id}`, { [kind]: { options: { nonsense: 1 } } }), 400);
      assert.deepEqual(
        (
          (
            await send("PATCH", `${path}/${id}`, {
              [kind]: { options: { immutable: null }, description: "soft" },
            })
          ).body[kind] as Json
        )["options"],
        {},
      );
      if (kind === "domain") await send("PATCH", `${path}/${id}`, { domain: { enabled: false } });
      assert.equal((await send("DELETE", `${path}/${id}`)).status, 204);
    }
  });

  it("finds projects by their tags, which many may change at once", async () => {
    const one = await made("/projects", "project", { name: "tagged-1", tags: ["red", "blue", "red"] });
    const two = await made("/projects", "project", { name: "tagged-2", tags: ["red"] });
    assert.deepEqual(one["tags"], ["red", "blue"]);
    assert.deepEqual(
      [
        await projects("tags=red,blue"),
        await projects("tags-any=blue,red"),
        await projects("tags=red&not-tags=blue"),
      ],
      [["tagged-1"], ["tagged-1", "tagged-2"], ["tagged-2"]],
    );
    assert.equal((await projects("not-tags-any=red,blue")).includes("demo"), true);
    const path = `/projects/${two.id}/tags`;
    const puts = await Promise.all(["a", "b", "c", "d"].map((tag) => send("PUT", `${path}/${tag}`)));
    assert.deepEqual(
      puts.map((answer) => answer.status),
      [201, 201, 201, 201],
    );
    assert.deepEqual(((await send("GET", path)).body["tags"] as string[]).sort(), [
      "a",
      "b",
      "c",
      "d",
      "red",
    ]);
    assert.equal((await send("GET", `${path}/a`)).status, 204);
    assert.equal((await send("DELETE", `${path}/a`)).status, 204);
    await refused(send("GET", `${path}/a`), 404);
    await refused(send("DELETE", `${path}/a`), 404);
    await refused(send("PUT", path, { tags: ["with,comma"] }), 400);
    await refused(send("PUT", path, { tags: ["own"] }, demo), 403);
    assert.deepEqual((await send("PUT", path, { tags: ["own"] })).body["tags"], ["own"]);
    assert.equal((await send("DELETE", path)).status, 204);
    assert.deepEqual((await got(`/projects/${two.id}`, "project"))["tags"], []);
  });

  it("keeps families of projects together", async () => {
    const top = await made("/projects", "project", { name: "top" });
    const child = await made("/projects", "project", { name: "child", parent_id: top.id });
    const leaf = await made("/projects", "project", { name: "leaf", parent_id: child.id });
    assert.deepEqual([top["parent_id"], leaf["domain_id"]], ["default", "default"]);
    assert.deepEqual((await got(`/projects/${leaf.id}?parents_as_ids`, "project"))["parents"], {
      [child.id]: { [top.id]: null },
    });
    assert.deepEqual((await got(`/projects/${top.id}?subtree_as_ids`, "project"))["subtree"], {
      [child.id]: { [leaf.id]: null },
    });
    assert.deepEqual(
      ((await got(`/projects/${top.id}?subtree_as_list`, "project"))["subtree"] as { project: Json }[]).map(
        (one) => one.project["name"],
      ),
      ["child", "leaf"],
    );
    assert.match(await refused(send("DELETE", `/projects/${child.id}`), 403), /not a leaf/);
    await refused(send("POST", "/projects", { project: { name: "orphan", parent_id: "no-such" } }), 404);
    const other = await made("/domains", "domain", { name: "elsewhere" });
    await refused(
      send("POST", "/projects", { project: { name: "torn", parent_id: top.id, domain_id: other.id } }),
      400,
    );
    await refused(send("PATCH", `/projects/${top.id}`, { project: { domain_id: other.id } }), 400);
    await refused(send("PATCH", `/projects/${leaf.id}`, { project: { parent_id: top.id } }), 400);

    const role = ((await send("GET", "/roles?name=reader")).body["roles"] as Made[])[0]?.id ?? "";
    const user = t.cloud.seeded.users.demo;
    for (const id of [top.id, leaf.id])
      assert.equal((await send("PUT", `/projects/${id}/users/${user}/roles/${role}`)).status, 204);
    const assigned = (await send("GET", `/role_assignments?scope.project.id=${top.id}&include_subtree=1`))
      .body["role_assignments"] as { scope: { project: Made } }[];
    assert.deepEqual(assigned.map((one) => one.scope.project.id).sort(), [top.id, leaf.id].sort());
    await refused(send("GET", "/role_assignments?include_subtree=1"), 400);
    await refused(send("GET", "/role_assignments?include_subtree=1&scope.project.id=no-such"), 404);

    const member = await made("/users", "user", {
      name: "in-leaf",
      password: "pw",
      default_project_id: leaf.id,
    });
    for (const id of [leaf.id, child.id, top.id])
      assert.equal((await send("DELETE", `/projects/${id}`)).status, 204);
    assert.equal(Object.hasOwn(await got(`/users/${member.id}`, "user"), "default_project_id"), false);
  });

  it("lets administrators say which role implies which, but not in circles", async () => {
    const role = async (name: string): Promise<Made> =>
      ((await send("GET", `/roles?name=${name}`)).body["roles"] as Made[])[0] ??
      made("/roles", "role", { name });
    const [boss, clerk, reader, top] = [
      await role("boss"),
      await role("clerk"),
      await role("reader"),
      await role("admin"),
    ];
    const imply = (prior: Made, implied: Made, method = "PUT", token = admin) =>
      send(method, `/roles/${prior.id}/implies/${implied.id}`, undefined, token);
    assert.equal((await imply(boss, clerk)).status, 201);
    assert.equal((await imply(clerk, reader)).status, 201);
    assert.equal((await imply(clerk, reader)).status, 201);
    assert.match(await refused(imply(clerk, boss), 400), /imply itself/);
    await refused(imply(boss, boss), 400);
    await refused(imply(boss, top), 403);
    await refused(imply(boss, reader, "PUT", demo), 403);
    assert.equal((await imply(boss, clerk, "GET")).status, 200);
    await refused(imply(boss, reader, "GET"), 404);
    const listed = (await send("GET", `/roles/${boss.id}/implies`)).body["role_inference"] as {
      implies: Made[];
    };
    assert.deepEqual(
      listed.implies.map((one) => one["name"]),
      ["clerk"],
    );

    const { demo: project } = t.cloud.seeded.projects;
    const { id: user } = await made("/users", "user", { name: "underling", password: "pw" });
    await send("PUT", `/projects/${project}/users/${user}/roles/${boss.id}`);
    const names = async (): Promise<string[]> => {
      const answer = await t.raw(`${base}/auth/tokens`, {
        method: "POST",
        body: JSON.stringify({
          auth: {
            identity: { methods: ["password"], password: { user: { id: user, password: "pw" } } },
            scope: { project: { id: project } },
          },
        }),
      });
      return (answer.body["token"] as { roles: { name: string }[] }).roles.map((one) => one.name);
    };
    assert.deepEqual(await names(), ["boss", "clerk", "reader"]);
    assert.equal((await imply(boss, clerk, "DELETE")).status, 204);
    assert.deepEqual(await names(), ["boss"]);
    await refused(imply(boss, clerk, "DELETE"), 404);
  });

  it("takes users' options, but none that it does not hold to", async () => {
    const user = await made("/users", "user", {
      name: "locked",
      password: "old-password",
      options: { lock_password: true, ignore_password_expiry: true },
    });
    assert.deepEqual(user["options"], { lock_password: true, ignore_password_expiry: true });
    await refused(
      send("POST", "/users", { user: { name: "mfa", options: { multi_factor_auth_enabled: true } } }),
      400,
    );
    await refused(send("PATCH", `/users/${user.id}`, { user: { domain_id: "elsewhere" } }), 400);
    assert.equal(
      (await send("PATCH", `/users/${user.id}`, { user: { domain_id: "default", email: "l@example.org" } }))
        .status,
      200,
    );
    const login = async (password: string): Promise<string> =>
      (
        await t.raw(`${base}/auth/tokens`, {
          method: "POST",
          body: JSON.stringify({
            auth: {
              identity: { methods: ["password"], password: { user: { id: user.id, password } } },
            },
          }),
        })
      ).headers.get("x-subject-token") ?? "";
    const change = async (password: string) =>
      send(
        "POST",
        `/users/${user.id}/password`,
        { user: { original_password: password, password: "new-password" } },
        await login("old-password"),
      );
    await refused(change("old-password"), 403);
    assert.equal(
      (await send("PATCH", `/users/${user.id}`, { user: { options: { lock_password: false } } })).status,
      200,
    );
    await refused(change("wrong"), 401);
    assert.equal((await change("old-password")).status, 204);
    assert.notEqual(await login("new-password"), "");
    await refused(send("GET", "/auth/catalog", undefined, await login("new-password")), 403);
  });

  it("refuses application credentials that have ended before they began", async () => {
    const path = `/users/${t.cloud.seeded.users.demo}/application_credentials`;
    assert.match(
      await refused(
        send(
          "POST",
          path,
          { application_credential: { name: "late", expires_at: "2020-01-01T00:00:00Z" } },
          demo,
        ),
        400,
      ),
      /future/,
    );
    await refused(
      send("POST", path, { application_credential: { name: "odd", expires_at: "soon" } }, demo),
      400,
    );
    await refused(
      send(
        "POST",
        path,
        { application_credential: { name: "narrow", access_rules: [{ path: "/v3" }] } },
        demo,
      ),
      400,
    );
    assert.equal((await send("POST", path, { application_credential: { name: "once" } }, demo)).status, 201);
    await refused(send("POST", path, { application_credential: { name: "once" } }, demo), 409);
    await refused(send("POST", path, { application_credential: { name: "for-demo" } }), 403);
  });
});
