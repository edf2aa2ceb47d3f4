import assert from "node:assert/strict";
import { silentLogger } from "../../pkg/kernel/index.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;

/** Everything of one domain that somebody could touch. */
interface Realm {
  readonly domain: string;
  readonly user: string;
  readonly project: string;
  readonly credential: string;
  /** A token of the user in its project. */
  readonly token: string;
}

describe("standalone identity: administrators of a domain", () => {
  let t: TestCloud;
  let base: string;
  let cloudAdmin: string;
  let own: Realm;
  let other: Realm;
  /** The token of the administrator of the own domain. */
  let domainAdmin: string;
  let roles: ReadonlyMap<string, string>;

  const call = (
    method: string,
    path: string,
    token: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ) =>
    t.raw(`${base}${path}`, {
      method,
      token,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const make = async (path: string, kind: string, fields: Json, token = cloudAdmin): Promise<string> => {
    const made = await call("POST", path, token, { [kind]: fields });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return (made.body[kind] as { id: string }).id;
  };
  const role = (name: string): string => roles.get(name) ?? assert.fail(name);
  const login = async (user: string, scope: unknown): Promise<string> => {
    const answer = await t.raw(`${base}/auth/tokens`, {
      method: "POST",
      body: JSON.stringify({
        auth: {
          identity: { methods: ["password"], password: { user: { id: user, password: "pw" } } },
          scope,
        },
      }),
    });
    return answer.headers.get("x-subject-token") ?? assert.fail(String(answer.status));
  };
  const realm = async (name: string): Promise<Realm> => {
    const domain = await make("/domains", "domain", { name: `domain-${name}` });
    const user = await make("/users", "user", { name: `user-${name}`, password: "pw", domain_id: domain });
    const project = await make("/projects", "project", { name: `project-${name}`, domain_id: domain });
    const path = `/projects/${project}/users/${user}/roles/${role("member")}`;
    assert.equal((await call("PUT", path, cloudAdmin)).status, 204);
    const token = await login(user, { project: { id: project } });
    const credential = await make(
      `/users/${user}/application_credentials`,
      "application_credential",
      { name: `credential-${name}` },
      token,
    );
    return { domain, user, project, credential, token };
  };

  before(async () => {
    t = await testCloud();
    base = `${t.cloud.urls.identity}/v3`;
    cloudAdmin = await t.login("admin");
    const found = (await call("GET", "/roles", cloudAdmin)).body["roles"] as { id: string; name: string }[];
    roles = new Map(found.map(({ id, name }) => [name, id]));
    own = await realm("own");
    other = await realm("other");
    const boss = await make("/users", "user", { name: "boss", password: "pw", domain_id: own.domain });
    for (const name of ["admin", "service"])
      await call("PUT", `/domains/${own.domain}/users/${boss}/roles/${role(name)}`, cloudAdmin);
    domainAdmin = await login(boss, { domain: { id: own.domain } });
  });
  after(() => t.close());

  /** Routes that tell what belongs to no domain, or only what is the caller's own. */
  const open = new Set([
    "GET /v3",
    "POST /v3/auth/tokens",
    ...["catalog", "projects", "domains", "system"].map((what) => `GET /v3/auth/${what}`),
    ...["users", "projects", "domains", "roles", "groups", "role_assignments", "role_inferences"].map(
      (what) => `GET /v3/${what}`,
    ),
    "GET /v3/roles/:id",
    "GET /v3/roles/:prior/implies",
    "GET /v3/roles/:prior/implies/:implied",
    ...["services", "endpoints", "regions"].flatMap((what) => [`GET /v3/${what}`, `GET /v3/${what}/:id`]),
  ]);

  /** All routes of the service, as Express has them. */
  const routesOf = (stack: readonly Layer[]): string[] =>
    stack.flatMap(({ route, handle }) =>
      route
        ? Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${String(route.path)}`)
        : routesOf(handle?.stack ?? []),
    );
  interface Layer {
    readonly route?: { readonly path: unknown; readonly methods: object } | undefined;
    readonly handle?: { readonly stack?: readonly Layer[] };
  }

  const fill = (path: string): string => {
    const kind = path.split("/")[2] ?? "";
    const ids: Readonly<Record<string, string>> = {
      target: kind === "projects" ? other.project : other.domain,
      user: other.user,
      role: role("member"),
      credential: other.credential,
      tag: "tag",
      prior: role("member"),
      implied: role("reader"),
      id:
        { users: other.user, projects: other.project, domains: other.domain, roles: role("reader") }[kind] ??
        "RegionOne",
    };
    return path.replaceAll(/:(\w+)/g, (_all, name: string) => ids[name] ?? assert.fail(`${path}: ${name}`));
  };
  const bodies: Readonly<Record<string, () => Json>> = {
    "POST /v3/users": () => ({ user: { name: "planted", password: "pw", domain_id: other.domain } }),
    "PATCH /v3/users/:id": () => ({ user: { password: "stolen" } }),
    "POST /v3/users/:id/password": () => ({ user: { original_password: "pw", password: "stolen" } }),
    "POST /v3/users/:id/application_credentials": () => ({ application_credential: { name: "planted" } }),
    "POST /v3/projects": () => ({ project: { name: "planted", domain_id: other.domain } }),
    "PATCH /v3/projects/:id": () => ({ project: { enabled: false } }),
    "PUT /v3/projects/:id/tags": () => ({ tags: ["planted"] }),
    "POST /v3/domains": () => ({ domain: { name: "planted" } }),
    "PATCH /v3/domains/:id": () => ({ domain: { enabled: false } }),
    "POST /v3/roles": () => ({ role: { name: "planted" } }),
    "PATCH /v3/roles/:id": () => ({ role: { name: "renamed" } }),
  };
  const foreignWords = (): string[] => [
    other.domain,
    other.user,
    other.project,
    other.credential,
    "domain-other",
    "user-other",
    "project-other",
    "credential-other",
  ];

  it("are refused on every route for what lies in another domain, and shown nothing of it", async () => {
    const env = { log: silentLogger, ids: systemIds, requestTimeoutMs: 1_000 };
    const { router } = t.cloud.identity.app(env) as unknown as { router: { stack: readonly Layer[] } };
    const routes = [...new Set(routesOf(router.stack))].filter((route) => route.includes(" /v3"));
    assert.ok(routes.length > 60, String(routes.length));
    for (const route of routes) {
      const [method = "", path = ""] = route.split(" ");
      const headers = { "X-Subject-Token": other.token };
      const target = fill(path).replace(/^\/v3/, "");
      const answer = await call(method, target, domainAdmin, bodies[route]?.(), headers);
      if (!open.has(route)) assert.equal(answer.status, 403, `${route}: ${JSON.stringify(answer.body)}`);
      // A list's own address repeats what was asked for; nothing else may.
      const { links: _self, ...told } = answer.body;
      for (const word of foreignWords())
        assert.ok(!JSON.stringify(told).includes(word), `${route} tells ${word}`);
    }
    for (const query of ["domain_id", "id"])
      for (const list of ["users", "projects"]) {
        const value = query === "id" ? other[list === "users" ? "user" : "project"] : other.domain;
        const { body } = await call("GET", `/${list}?${query}=${value}`, domainAdmin);
        assert.deepEqual(body[list], [], `${list}?${query}`);
      }
    const assignments = await call("GET", `/role_assignments?user.id=${other.user}`, domainAdmin);
    assert.deepEqual(assignments.body["role_assignments"], []);
    await login(other.user, { project: { id: other.project } });
    assert.equal(
      (await call("GET", "/auth/tokens", other.token, undefined, { "X-Subject-Token": other.token })).status,
      200,
    );
  });

  it("do everything for users and projects of their own", async () => {
    const user = await make("/users", "user", { name: "new", password: "pw" }, domainAdmin);
    const project = await make("/projects", "project", { name: "new" }, domainAdmin);
    const grant = `/projects/${project}/users/${user}/roles/${role("member")}`;
    assert.equal((await call("PUT", grant, domainAdmin)).status, 204);
    assert.equal((await call("GET", grant, domainAdmin)).status, 204);
    await login(user, { project: { id: project } });
    const patched = await call("PATCH", `/users/${user}`, domainAdmin, { user: { password: "pw" } });
    assert.equal(patched.status, 200);
    assert.equal((patched.body["user"] as Json)["domain_id"], own.domain);
    const listed = (await call("GET", "/users", domainAdmin)).body["users"] as { id: string }[];
    assert.ok(listed.some(({ id }) => id === user) && listed.some(({ id }) => id === own.user));
    const held = (await call("GET", `/role_assignments?user.id=${user}`, domainAdmin)).body[
      "role_assignments"
    ];
    assert.equal((held as unknown[]).length, 1);
    assert.equal((await call("DELETE", grant, domainAdmin)).status, 204);
    assert.equal((await call("DELETE", `/users/${user}`, domainAdmin)).status, 204);
    assert.equal((await call("DELETE", `/projects/${project}`, domainAdmin)).status, 204);
  });

  it("neither give a role that counts in the whole cloud nor touch who has one", async () => {
    const made = await make("/roles", "role", { name: "sly" });
    assert.equal((await call("PUT", `/roles/${made}/implies/${role("service")}`, cloudAdmin)).status, 201);
    const at = (id: string, user = own.user) => `/projects/${own.project}/users/${user}/roles/${id}`;
    for (const id of [role("admin"), role("service"), made])
      assert.equal((await call("PUT", at(id), domainAdmin)).status, 403);
    assert.equal((await call("PUT", at(role("manager")), domainAdmin)).status, 204);
    assert.equal(
      (await call("PUT", `/system/users/${own.user}/roles/${role("reader")}`, domainAdmin)).status,
      403,
    );

    const chief = await make("/users", "user", { name: "chief", password: "pw", domain_id: own.domain });
    assert.equal((await call("PUT", at(role("admin"), chief), cloudAdmin)).status, 204);
    for (const [method, path, body] of [
      ["PATCH", `/users/${chief}`, { user: { password: "stolen" } }],
      ["DELETE", `/users/${chief}`, undefined],
      ["DELETE", at(role("admin"), chief), undefined],
    ] as const)
      assert.equal((await call(method, path, domainAdmin, body)).status, 403, `${method} ${path}`);
    await login(chief, { project: { id: own.project } });
  });

  it("are nobody in particular outside of Identity", async () => {
    const { actor } = await t.keystone.validate(testCtx(), domainAdmin);
    assert.deepEqual([actor.domainId, actor.projectId, actor.roles], [own.domain, "", []]);
    const made = await t.raw(`${t.cloud.urls.network}/v2.0/networks`, {
      method: "POST",
      token: domainAdmin,
      body: JSON.stringify({ network: { name: "planted", project_id: other.project } }),
    });
    assert.ok(made.status === 403 || made.status === 400, String(made.status));
  });
});
