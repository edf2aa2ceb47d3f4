import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { placementGateway } from "../../pkg/gateway-placement/index.js";
import { anonymous, defineErrors, silentLogger } from "../../pkg/kernel/index.js";
import { testPlacement } from "../../pkg/placement/testing/test-placement.js";
import type { TestPlacement } from "../../pkg/placement/testing/test-placement.js";
import { listen } from "../../pkg/platform/http/index.js";
import type { HttpServer } from "../../pkg/platform/http/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";

const E = defineErrors("identity", {
  TOKEN_INVALID: ["unauthenticated", (_p: Record<string, never>) => "The token is not valid."],
});
interface Shown {
  readonly [key: string]: unknown;
}
/** The fields of answers that cases look into. */
interface Json extends Shown {
  readonly uuid: string;
  readonly name: string;
  readonly generation: number;
  readonly usages: unknown;
  readonly root_provider_uuid: string;
  readonly project_id: string;
  readonly consumer_type: string;
  readonly errors: readonly [
    {
      readonly code: string;
      readonly status: number;
      readonly detail: string;
      readonly request_id: string;
      readonly max_version: string;
    },
  ];
  readonly resource_providers: readonly Shown[];
  readonly resource_classes: readonly { readonly name: string }[];
  readonly inventories: Shown;
  readonly allocation_requests: readonly Shown[];
  readonly provider_summaries: Readonly<
    Record<
      string,
      { readonly resources: Readonly<Record<string, unknown>>; readonly traits: readonly string[] }
    >
  >;
}
const ROLES: Readonly<Record<string, readonly string[]>> = {
  admin: ["admin"],
  service: ["service"],
  member: ["member", "reader"],
};

describe("placement over REST (PostgreSQL)", () => {
  let placement: TestPlacement;
  let server: HttpServer;
  before(async () => {
    placement = await testPlacement();
    const app = placementGateway({
      env: { log: silentLogger, ids: systemIds, requestTimeoutMs: 10_000 },
      identityUrl: "http://identity",
      clock: systemClock,
      placement: placement.as("gateway"),
      authenticate: async (_ctx, token) => {
        const roles = ROLES[token];
        if (roles === undefined) throw E.TOKEN_INVALID({});
        return { actor: { ...anonymous, kind: "user", userId: "u1", projectId: "p1", roles } };
      },
    });
    server = await listen(app, { host: "127.0.0.1", port: 0, log: silentLogger });
  });
  after(async () => {
    await server.close(100);
    await placement.close();
  });

  interface Reply {
    readonly status: number;
    readonly json: Json;
    readonly headers: Headers;
  }
  const call = async (
    method: string,
    path: string,
    minor: number | string,
    body?: unknown,
    more: { token?: string; headers?: Record<string, string> } = {},
  ): Promise<Reply> => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: {
        ...(more.token === "" ? {} : { "X-Auth-Token": more.token ?? "admin" }),
        "OpenStack-API-Version": typeof minor === "number" ? `placement 1.${minor}` : minor,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...more.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      json: (text === "" ? undefined : JSON.parse(text)) as Json,
    };
  };
  const provider = async (
    inventories: Record<string, object> = { VCPU: { total: 8 }, MEMORY_MB: { total: 1024 } },
    parent?: string,
  ): Promise<string> => {
    const { json } = await call("POST", "/resource_providers", 39, {
      name: `p-${randomUUID()}`,
      ...(parent ? { parent_provider_uuid: parent } : {}),
    });
    if (Object.keys(inventories).length > 0) {
      const put = await call("PUT", `/resource_providers/${json.uuid}/inventories`, 39, {
        resource_provider_generation: 0,
        inventories,
      });
      assert.equal(put.status, 200, JSON.stringify(put.json));
    }
    return json.uuid;
  };
  const allocate = (
    consumer: string,
    rp: string,
    resources: Record<string, number>,
    generation: number | null = null,
    minor = 39,
  ) =>
    call("PUT", `/allocations/${consumer}`, minor, {
      allocations: { [rp]: { resources } },
      project_id: "p1",
      user_id: "u1",
      consumer_generation: generation,
      ...(minor >= 38 ? { consumer_type: "INSTANCE" } : {}),
    });

  describe("protocol", () => {
    const cases: [string, () => Promise<Reply>, number][] = [
      ["shows versions to anyone", () => call("GET", "/", 0, undefined, { token: "" }), 200],
      ["wants a token", () => call("GET", "/resource_providers", 0, undefined, { token: "" }), 401],
      ["refuses a bad token", () => call("GET", "/resource_providers", 0, undefined, { token: "bad" }), 401],
      ["refuses members", () => call("GET", "/resource_providers", 0, undefined, { token: "member" }), 403],
      [
        "lets a project's reader see its usages",
        () => call("GET", "/usages?project_id=p1", 9, undefined, { token: "member" }),
        200,
      ],
      [
        "and no other project's",
        () => call("GET", "/usages?project_id=p2", 9, undefined, { token: "member" }),
        403,
      ],
      ["keeps reshaping for services", () => call("POST", "/reshaper", 30, {}), 403],
      ["refuses a malformed version", () => call("GET", "/resource_providers", "placement x"), 400],
      ["refuses a version too new", () => call("GET", "/resource_providers", "placement 1.40"), 406],
      ["knows latest", () => call("GET", "/resource_providers", "placement latest"), 200],
      ["does not find unknown paths", () => call("GET", "/nope", 0), 404],
      [
        "does not find a route before its version",
        () => call("GET", "/allocation_candidates?resources=VCPU:1", 9),
        404,
      ],
      ["refuses unknown methods", () => call("PUT", "/resource_providers", 0, {}), 405],
      [
        "refuses other content types",
        () => call("POST", "/resource_providers", 0, {}, { headers: { "Content-Type": "text/plain" } }),
        415,
      ],
      ["refuses unknown keys", () => call("POST", "/resource_providers", 0, { name: "x", nope: 1 }), 400],
      ["refuses unknown query keys", () => call("GET", "/resource_providers?nope=1", 39), 400],
    ];
    for (const [name, run, status] of cases) it(name, async () => assert.equal((await run()).status, status));

    it("gives errors a code from 1.23, and says which versions there are", async () => {
      const { json, headers } = await call("GET", `/resource_providers/${randomUUID()}`, 23);
      assert.equal(json.errors[0].code, "placement.undefined_code");
      assert.equal(json.errors[0].status, 404);
      assert.match(json.errors[0].request_id, /^req-/);
      assert.equal(headers.get("openstack-api-version"), "placement 1.23");
      assert.equal(
        (await call("GET", "/resource_providers", "placement 1.99")).json.errors[0].max_version,
        "1.39",
      );
    });
    it("tells when things changed from 1.15", async () => {
      assert.equal((await call("GET", "/traits", 14)).headers.get("last-modified"), null);
      assert.ok((await call("GET", "/traits", 15)).headers.get("last-modified"));
    });
  });

  describe("providers", () => {
    it("answers creation with the provider from 1.20, with its URL before", async () => {
      const old = await call("POST", "/resource_providers", 19, { name: randomUUID() });
      assert.deepEqual([old.status, old.json], [201, undefined]);
      assert.match(old.headers.get("location") ?? "", /^http:\/\/127[^/]*\/resource_providers\//);
      const { status, json } = await call("POST", "/resource_providers", 39, { name: randomUUID() });
      assert.equal(status, 200);
      assert.equal(json.root_provider_uuid, json.uuid);
      assert.equal(json.parent_provider_uuid, null);
      assert.equal(json.generation, 0);
    });
    it("refuses a name twice", async () => {
      const name = randomUUID();
      await call("POST", "/resource_providers", 39, { name });
      const { status, json } = await call("POST", "/resource_providers", 39, { name });
      assert.deepEqual([status, json.errors[0].code], [409, "placement.duplicate_name"]);
      assert.equal(json.errors[0].detail, `Conflicting resource provider name: ${name} already exists.`);
      const other = await provider({});
      const renamed = await call("PUT", `/resource_providers/${other}`, 39, { name });
      assert.equal(
        renamed.json.errors[0].detail,
        `Conflicting resource provider name: ${name} already exists.`,
      );
      const again = await call("POST", "/resource_providers", 39, { name: randomUUID(), uuid: other });
      assert.equal(
        again.json.errors[0].detail,
        `Conflicting resource provider uuid: ${other} already exists.`,
      );
    });
    it("keeps traits and aggregates in the order in which they were sent", async () => {
      const rp = await provider();
      const traits = ["STORAGE_DISK_SSD", "HW_CPU_X86_AVX"];
      await call("PUT", `/resource_providers/${rp}/traits`, 39, { traits, resource_provider_generation: 1 });
      const { json } = await call("GET", `/allocation_candidates?resources=VCPU:1&in_tree=${rp}`, 39);
      assert.deepEqual(json.provider_summaries[rp]?.traits, traits);
      const aggregates = ["bbbbbbbb-0000-4000-8000-000000000000", "aaaaaaaa-0000-4000-8000-000000000000"];
      const put = await call("PUT", `/resource_providers/${rp}/aggregates`, 18, aggregates);
      assert.deepEqual(put.json, { aggregates });
    });
    it("moves a subtree from 1.37 only, never below itself", async () => {
      const [a, b] = [await provider({}), await provider({})];
      const child = await provider({}, a),
        grandchild = await provider({}, child);
      const name = (await call("GET", `/resource_providers/${child}`, 39)).json.name;
      assert.equal(
        (await call("PUT", `/resource_providers/${child}`, 36, { name, parent_provider_uuid: b })).status,
        400,
      );
      assert.equal(
        (await call("PUT", `/resource_providers/${child}`, 37, { name, parent_provider_uuid: grandchild }))
          .status,
        400,
      );
      assert.equal(
        (await call("PUT", `/resource_providers/${child}`, 37, { name, parent_provider_uuid: b })).status,
        200,
      );
      assert.equal((await call("GET", `/resource_providers/${grandchild}`, 39)).json.root_provider_uuid, b);
      assert.equal(
        (await call("GET", `/resource_providers?in_tree=${grandchild}`, 39)).json.resource_providers.length,
        3,
      );
      assert.equal(
        (await call("DELETE", `/resource_providers/${b}`, 39)).json.errors[0].code,
        "placement.resource_provider.cannot_delete_parent",
      );
    });
    it("guards inventories by generation and by use", async () => {
      const rp = await provider();
      const stale = await call("PUT", `/resource_providers/${rp}/inventories`, 39, {
        resource_provider_generation: 0,
        inventories: {},
      });
      assert.deepEqual([stale.status, stale.json.errors[0].code], [409, "placement.concurrent_update"]);
      assert.equal((await allocate(randomUUID(), rp, { VCPU: 1 })).status, 204);
      const used = await call("PUT", `/resource_providers/${rp}/inventories`, 39, {
        resource_provider_generation: 2,
        inventories: {},
      });
      assert.deepEqual([used.status, used.json.errors[0].code], [409, "placement.inventory.inuse"]);
      const one = await call("DELETE", `/resource_providers/${rp}/inventories/VCPU`, 39);
      assert.deepEqual([one.status, one.json.errors[0].code], [409, "placement.concurrent_update"]);
      assert.equal((await call("DELETE", `/resource_providers/${rp}/inventories/MEMORY_MB`, 39)).status, 204);
      assert.equal((await call("DELETE", `/resource_providers/${rp}/inventories`, 4)).status, 405);
      assert.equal(
        (await call("DELETE", `/resource_providers/${rp}`, 39)).json.errors[0].code,
        "placement.resource_provider.inuse",
      );
    });
    it("bumps the generation for aggregates from 1.19 only", async () => {
      const rp = await provider({}),
        aggregate = randomUUID();
      assert.deepEqual((await call("PUT", `/resource_providers/${rp}/aggregates`, 18, [aggregate])).json, {
        aggregates: [aggregate],
      });
      const { json } = await call("PUT", `/resource_providers/${rp}/aggregates`, 19, {
        aggregates: [aggregate],
        resource_provider_generation: 0,
      });
      assert.deepEqual(json, { aggregates: [aggregate], resource_provider_generation: 1 });
      assert.equal(
        (await call("GET", `/resource_providers?member_of=in:${aggregate},${randomUUID()}`, 39)).json
          .resource_providers.length,
        1,
      );
    });
  });

  describe("allocations", () => {
    it("wants null for a new consumer and its generation after, and forgets an emptied one", async () => {
      const rp = await provider(),
        consumer = randomUUID();
      assert.equal(
        (await allocate(consumer, rp, { VCPU: 2 }, 1)).json.errors[0].code,
        "placement.concurrent_update",
      );
      assert.equal((await allocate(consumer, rp, { VCPU: 2 }, null)).status, 204);
      const conflict = await allocate(consumer, rp, { VCPU: 3 }, null);
      assert.match(conflict.json.errors[0].detail, /consumer generation conflict/);
      assert.deepEqual((await call("GET", `/allocations/${consumer}`, 39)).json, {
        allocations: { [rp]: { generation: 2, resources: { VCPU: 2 } } },
        project_id: "p1",
        user_id: "u1",
        consumer_generation: 1,
        consumer_type: "INSTANCE",
      });
      const emptied = await call("PUT", `/allocations/${consumer}`, 39, {
        allocations: {},
        project_id: "p1",
        user_id: "u1",
        consumer_generation: 1,
        consumer_type: "INSTANCE",
      });
      assert.equal(emptied.status, 204);
      assert.deepEqual((await call("GET", `/allocations/${consumer}`, 39)).json, { allocations: {} });
      assert.equal((await allocate(consumer, rp, { VCPU: 2 }, null)).status, 204);
      assert.equal((await call("DELETE", `/allocations/${consumer}`, 39)).status, 204);
      assert.equal((await call("DELETE", `/allocations/${consumer}`, 39)).status, 404);
    });
    it("takes the list of the first versions", async () => {
      const rp = await provider(),
        consumer = randomUUID();
      const { status } = await call("PUT", `/allocations/${consumer}`, 0, {
        allocations: [{ resource_provider: { uuid: rp }, resources: { VCPU: 1 } }],
      });
      assert.equal(status, 204);
      assert.equal(
        (await call("GET", `/allocations/${consumer}`, 12)).json.project_id,
        "00000000-0000-0000-0000-000000000000",
      );
    });
    it("moves several consumers at once or none", async () => {
      const rp = await provider({ VCPU: { total: 4 } });
      const [one, other] = [randomUUID(), randomUUID()];
      const body = (amount: number) => ({
        allocations: { [rp]: { resources: { VCPU: amount } } },
        project_id: "p1",
        user_id: "u1",
        consumer_generation: null,
        consumer_type: "INSTANCE",
      });
      assert.equal(
        (await call("POST", "/allocations", 38, { [one]: body(2), [other]: body(3) })).status,
        409,
      );
      assert.deepEqual((await call("GET", `/resource_providers/${rp}/usages`, 38)).json.usages, { VCPU: 0 });
      assert.equal(
        (await call("POST", "/allocations", 38, { [one]: body(2), [other]: body(2) })).status,
        204,
      );
      assert.deepEqual((await call("GET", `/resource_providers/${rp}/usages`, 38)).json.usages, { VCPU: 4 });
    });
    it("tells unknown providers and classes from full ones", async () => {
      const rp = await provider();
      assert.equal((await allocate(randomUUID(), randomUUID(), { VCPU: 1 })).status, 400);
      assert.equal((await allocate(randomUUID(), rp, { CUSTOM_NOPE: 1 })).status, 400);
      assert.equal((await allocate(randomUUID(), rp, { DISK_GB: 1 })).status, 409);
      assert.equal((await allocate(randomUUID(), rp, { VCPU: 9 })).status, 409);
    });
    it("sums usage by type from 1.38", async () => {
      const rp = await provider();
      const project = randomUUID();
      await call("PUT", `/allocations/${randomUUID()}`, 39, {
        allocations: { [rp]: { resources: { VCPU: 2 } } },
        project_id: project,
        user_id: "u1",
        consumer_generation: null,
        consumer_type: "INSTANCE",
      });
      await call("PUT", `/allocations/${randomUUID()}`, 28, {
        allocations: { [rp]: { resources: { VCPU: 1 } } },
        project_id: project,
        user_id: "u1",
        consumer_generation: null,
      });
      assert.deepEqual((await call("GET", `/usages?project_id=${project}`, 37)).json, {
        usages: { VCPU: 3 },
      });
      assert.deepEqual((await call("GET", `/usages?project_id=${project}`, 38)).json, {
        usages: { INSTANCE: { VCPU: 2, consumer_count: 1 }, unknown: { VCPU: 1, consumer_count: 1 } },
      });
      assert.deepEqual((await call("GET", `/usages?project_id=${project}&consumer_type=all`, 38)).json, {
        usages: { all: { VCPU: 3, consumer_count: 2 } },
      });
    });
  });

  describe("candidates", () => {
    it("offers what can be put back as an allocation", async () => {
      const trait = `CUSTOM_T${randomUUID().replaceAll("-", "").toUpperCase()}`;
      assert.equal((await call("PUT", `/traits/${trait}`, 39)).status, 201);
      assert.equal((await call("PUT", `/traits/${trait}`, 39)).status, 204);
      const rp = await provider();
      await call("PUT", `/resource_providers/${rp}/traits`, 39, {
        traits: [trait],
        resource_provider_generation: 1,
      });
      assert.equal((await call("DELETE", `/traits/${trait}`, 39)).status, 409);
      const { json } = await call(
        "GET",
        `/allocation_candidates?resources=VCPU:2,MEMORY_MB:64&required=${trait}`,
        39,
      );
      assert.deepEqual(json.allocation_requests, [
        { allocations: { [rp]: { resources: { VCPU: 2, MEMORY_MB: 64 } } }, mappings: { "": [rp] } },
      ]);
      assert.deepEqual(json.provider_summaries[rp]?.resources["VCPU"], { capacity: 8, used: 0 });
      const put = await call("PUT", `/allocations/${randomUUID()}`, 39, {
        ...json.allocation_requests[0],
        project_id: "p1",
        user_id: "u1",
        consumer_generation: null,
        consumer_type: "INSTANCE",
      });
      assert.equal(put.status, 204);
    });
    const bad: [string, number, string][] = [
      ["", 36, "placement.query.missing_value"],
      ["resources=VCPU:1&root_required=CUSTOM_A&root_required=CUSTOM_B", 35, "placement.query.duplicate_key"],
      ["resources=VCPU:1&same_subtree=_a", 36, "placement.query.bad_value"],
      ["resources1=VCPU:1&resources2=VCPU:1", 39, "placement.query.bad_value"],
      ["resources=VCPU:0", 39, "placement.undefined_code"],
      ["resources_x=VCPU:1", 32, "placement.undefined_code"],
      ["resources=VCPU:1&required=NOT_A_TRAIT", 39, "placement.undefined_code"],
    ];
    for (const [query, minor, code] of bad) {
      it(`refuses '${query}' at 1.${minor}`, async () => {
        const { status, json } = await call("GET", `/allocation_candidates?${query}`, minor);
        assert.deepEqual([status, json.errors[0].code], [400, code]);
      });
    }
  });

  it("moves inventories and allocations in one step", async () => {
    const root = await provider({ VCPU: { total: 4 }, VGPU: { total: 2 } });
    const child = await provider({}, root);
    const consumer = randomUUID();
    await allocate(consumer, root, { VCPU: 1, VGPU: 1 });
    const body = (generation: number) => ({
      inventories: {
        [root]: { resource_provider_generation: generation, inventories: { VCPU: { total: 4 } } },
        [child]: { resource_provider_generation: 0, inventories: { VGPU: { total: 2 } } },
      },
      allocations: {
        [consumer]: {
          allocations: { [root]: { resources: { VCPU: 1 } }, [child]: { resources: { VGPU: 1 } } },
          project_id: "p1",
          user_id: "u1",
          consumer_generation: 1,
          consumer_type: "INSTANCE",
        },
      },
    });
    assert.equal(
      (await call("POST", "/reshaper", 39, body(1), { token: "service" })).json.errors[0].code,
      "placement.concurrent_update",
    );
    const dropped = { ...body(2), allocations: {} };
    assert.equal(
      (await call("POST", "/reshaper", 39, dropped, { token: "service" })).json.errors[0].code,
      "placement.inventory.inuse",
    );
    assert.equal((await call("POST", "/reshaper", 39, body(2), { token: "service" })).status, 204);
    const generationOf = async (id: string): Promise<number> =>
      (await call("GET", `/resource_providers/${id}`, 39)).json.generation;
    assert.deepEqual([await generationOf(root), await generationOf(child)], [5, 3], "three steps each");
    const away = {
      inventories: { [child]: { resource_provider_generation: 3, inventories: {} } },
      allocations: {
        [consumer]: {
          allocations: { [root]: { resources: { VCPU: 1 } } },
          project_id: "p1",
          user_id: "u1",
          consumer_generation: 2,
          consumer_type: "INSTANCE",
        },
      },
    };
    const dry = { ...away, allocations: {} };
    assert.equal((await call("POST", "/reshaper", 39, dry, { token: "service" })).status, 409);
    assert.deepEqual([await generationOf(root), await generationOf(child)], [5, 3], "as if nothing was");
    assert.deepEqual((await call("GET", `/resource_providers/${child}/usages`, 39)).json.usages, { VGPU: 1 });
    assert.deepEqual(
      Object.keys((await call("GET", `/resource_providers/${root}/inventories`, 39)).json.inventories),
      ["VCPU"],
    );
    assert.equal((await call("POST", "/reshaper", 39, away, { token: "service" })).status, 204);
    assert.deepEqual([await generationOf(root), await generationOf(child)], [6, 4], "one step each");
  });

  it("lists, makes and drops resource classes", async () => {
    const name = `CUSTOM_C${randomUUID().replaceAll("-", "").toUpperCase()}`;
    assert.equal((await call("POST", "/resource_classes", 2, { name })).status, 201);
    assert.equal((await call("POST", "/resource_classes", 2, { name })).status, 409);
    assert.equal((await call("PUT", `/resource_classes/${name}`, 7)).status, 204);
    const { json } = await call("GET", "/resource_classes", 39);
    assert.equal(json.resource_classes[0]?.name, "VCPU");
    assert.ok(json.resource_classes.some((one) => one.name === name));
    assert.equal((await call("DELETE", "/resource_classes/VCPU", 39)).status, 400);
    assert.equal((await call("DELETE", `/resource_classes/${name}`, 39)).status, 204);
    assert.equal((await call("GET", `/resource_classes/${name}`, 39)).status, 404);
  });

  it("renames a resource class with everything of it, from 1.2 to 1.6", async () => {
    const names = [1, 2, 3].map(() => `CUSTOM_C${randomUUID().replaceAll("-", "").toUpperCase()}`);
    const [from = "", to = "", taken = ""] = names;
    for (const name of [from, taken]) await call("PUT", `/resource_classes/${name}`, 7);
    const rp = await provider({ [from]: { total: 4 } });
    const consumer = randomUUID();
    await allocate(consumer, rp, { [from]: 3 });
    const rename = async (name: string, body: string): Promise<number> =>
      (await call("PUT", `/resource_classes/${name}`, 6, { name: body })).status;
    assert.deepEqual(
      [await rename("VCPU", to), await rename(to, "CUSTOM_X"), await rename(from, taken)],
      [400, 404, 409],
    );
    assert.equal(await rename(from, to), 200);
    assert.equal((await call("GET", `/resource_classes/${from}`, 39)).status, 404);
    assert.deepEqual((await call("GET", `/resource_providers/${rp}/usages`, 39)).json.usages, { [to]: 3 });
    const fits = await call("GET", `/allocation_candidates?resources=${to}:1`, 39);
    assert.equal(fits.json.allocation_requests.length, 1);
    assert.equal(
      (await call("GET", `/allocation_candidates?resources=${to}:2`, 39)).json.allocation_requests.length,
      0,
    );
    assert.equal((await allocate(consumer, rp, { [to]: 4 }, 1)).status, 204);
  });

  it("keeps a consumer's type when a client below 1.38 writes", async () => {
    const rp = await provider();
    const consumer = randomUUID();
    assert.equal((await allocate(consumer, rp, { VCPU: 1 })).status, 204);
    assert.equal((await allocate(consumer, rp, { VCPU: 2 }, 1, 28)).status, 204);
    assert.equal((await call("GET", `/allocations/${consumer}`, 38)).json.consumer_type, "INSTANCE");
  });

  it("answers a hopeless question at once, and one that is too hard with 503", async () => {
    const root = await provider({});
    for (let child = 0; child < 12; child++) await provider({ VGPU: { total: 100 } }, root);
    const ask = (amounts: readonly number[]): Promise<Reply> => {
      const query = amounts.map((amount, at) => `resources${at + 1}=VGPU:${amount}`).join("&");
      return call("GET", `/allocation_candidates?${query}&group_policy=none&limit=10&in_tree1=${root}`, 39);
    };
    const hopeless = await ask(Array.from({ length: 13 }, () => 51));
    assert.deepEqual([hopeless.status, hopeless.json.allocation_requests], [200, []]);
    const hard = await ask(Array.from({ length: 36 }, (_, at) => 26 + ((at * 7919) % 15)));
    assert.equal(hard.status, 503);
    assert.match(hard.json.errors[0].detail, /ended at its budget/);
  });
});
