import assert from "node:assert/strict";
import { KNOWN, UNKNOWN, aGateway } from "./testing/a-gateway.js";
import type { Reply, TestGateway } from "./testing/a-gateway.js";

const shown = (reply: Reply, ...names: readonly string[]): (string | null)[] =>
  names.map((name) => reply.headers.get(name));
const consumer = "33333333-3333-4333-8333-333333333333";
const allocation = (more: object): string =>
  JSON.stringify({
    allocations: { [KNOWN]: { resources: { VCPU: 1 } } },
    project_id: "p1",
    user_id: "u1",
    consumer_generation: null,
    ...more,
  });

describe("placement's REST gateway", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await aGateway();
  });
  after(() => gateway.close());
  beforeEach(() => {
    gateway.asked.length = 0;
  });
  const status = async (...args: Parameters<TestGateway["call"]>): Promise<number> =>
    (await gateway.call(...args)).status;

  describe("the version document", () => {
    it("negotiates as every route, without a token", async () => {
      const plain = await gateway.call("GET", "/", 14, { token: "" });
      assert.deepEqual(
        [plain.status, ...shown(plain, "openstack-api-version", "vary", "cache-control", "last-modified")],
        [200, "placement 1.14", "openstack-api-version", null, null],
      );
      assert.equal(await status("GET", "/", "placement 1.99", { token: "" }), 406);
      assert.equal(await status("GET", "/", "placement x", { token: "" }), 400);
    });
    it("has cache headers from 1.15", async () => {
      const reply = await gateway.call("GET", "/", 15, { token: "" });
      assert.equal(reply.headers.get("cache-control"), "no-cache");
      assert.ok(reply.headers.get("last-modified"));
    });
    it("allows no other method", async () => {
      for (const method of ["POST", "PUT", "DELETE"]) {
        const reply = await gateway.call(method, "/", 0, { token: "" });
        assert.deepEqual([reply.status, ...shown(reply, "allow")], [405, "GET"], method);
      }
    });
  });

  describe("what is refused first", () => {
    const cases: readonly [name: string, expected: number, ...Parameters<TestGateway["call"]>][] = [
      ["an unknown path before its Accept", 404, "GET", "/nope", 39, { headers: { Accept: "text/plain" } }],
      [
        "an unknown path before its content type",
        404,
        "POST",
        "/nope",
        39,
        { body: "{}", headers: { "Content-Type": "text/plain" } },
      ],
      [
        "an unknown method before its content type",
        405,
        "PUT",
        "/resource_providers",
        39,
        { body: "{}", headers: { "Content-Type": "text/plain" } },
      ],
      [
        "a broken body, whatever is accepted",
        400,
        "POST",
        "/resource_providers",
        39,
        { body: "{", headers: { Accept: "text/plain" } },
      ],
      [
        "a content type before a broken body",
        415,
        "POST",
        "/resource_providers",
        39,
        { body: "{", headers: { "Content-Type": "text/plain" } },
      ],
      ["a body without its type", 415, "PUT", `/resource_providers/${KNOWN}/inventories`, 39],
      ["Accept on a list", 406, "GET", "/resource_providers", 39, { headers: { Accept: "text/plain" } }],
      ["Accept before rights", 406, "GET", "/traits", 39, { token: "reader", headers: { Accept: "text/x" } }],
      ["a content type before rights", 415, "POST", "/resource_providers", 39, { token: "reader" }],
      ["rights before a broken body", 403, "POST", "/resource_providers", 39, { token: "reader", body: "{" }],
    ];
    for (const [name, expected, ...args] of cases)
      it(name, async () => assert.equal(await status(...args), expected));

    it("does not look at bodies and types that no route asks for", async () => {
      const odd = { body: "{", headers: { "Content-Type": "text/plain", Accept: "text/plain" } };
      assert.equal(await status("PUT", "/traits/CUSTOM_T", 39, odd), 204);
      assert.equal(await status("PUT", "/resource_classes/CUSTOM_C", 39, odd), 201);
      assert.equal(await status("DELETE", `/allocations/${consumer}`, 39, odd), 204);
      assert.equal(await status("GET", "/traits/CUSTOM_T", 39, { headers: { Accept: "text/plain" } }), 204);
    });
    it("a provider that does not exist before what is wrong with the body", async () => {
      for (const [method, path] of [
        ["PUT", "inventories"],
        ["POST", "inventories"],
        ["PUT", "inventories/VCPU"],
        ["PUT", "aggregates"],
        ["PUT", ""],
      ] as const) {
        const at = (id: string): string => `/resource_providers/${id}${path === "" ? "" : `/${path}`}`;
        for (const body of ["{", `{"nope": 1}`]) {
          assert.equal(await status(method, at(UNKNOWN), 39, { body }), 404, `${method} ${path} ${body}`);
          assert.equal(await status(method, at(KNOWN), 39, { body }), 400, `${method} ${path} ${body}`);
        }
      }
      const full = JSON.stringify({ total: 1, reserved: 1, resource_class: "VCPU" });
      const inventories = (id: string): string => `/resource_providers/${id}/inventories`;
      assert.equal(await status("POST", inventories(UNKNOWN), 25, { body: full }), 404);
      assert.equal(await status("POST", inventories(KNOWN), 25, { body: full }), 400);
    });
  });

  describe("answers", () => {
    it("are JSON without a character set", async () => {
      for (const path of ["/traits", "/nope"])
        assert.equal((await gateway.call("GET", path, 39)).headers.get("content-type"), "application/json");
    });
    it("name what was made by its whole URL", async () => {
      const body = JSON.stringify({ total: 1, resource_class: "VCPU" });
      const made = await gateway.call("POST", `/resource_providers/${KNOWN}/inventories`, 39, { body });
      assert.deepEqual(
        [made.status, ...shown(made, "location")],
        [201, `${gateway.url}/resource_providers/${KNOWN}/inventories/VCPU`],
      );
      const trait = await gateway.call("PUT", "/traits/CUSTOM_T", 39);
      assert.deepEqual(shown(trait, "location"), [`${gateway.url}/traits/CUSTOM_T`]);
    });
    it("say when things changed for a trait that is there, not for a new class", async () => {
      const trait = await gateway.call("PUT", "/traits/CUSTOM_T", 15);
      assert.deepEqual([trait.status, ...shown(trait, "cache-control")], [204, "no-cache"]);
      assert.ok(trait.headers.get("last-modified"));
      const old = await gateway.call("PUT", "/traits/CUSTOM_T", 14);
      assert.deepEqual(shown(old, "cache-control", "last-modified"), [null, null]);
      const created = await gateway.call("PUT", "/resource_classes/CUSTOM_C", 15);
      assert.deepEqual(
        [created.status, ...shown(created, "cache-control", "last-modified")],
        [201, null, null],
      );
    });
    it("give aggregates back as they were sent", async () => {
      const aggregates = [UNKNOWN, KNOWN.replaceAll("-", "").toUpperCase()];
      const { text } = await gateway.call("PUT", `/resource_providers/${KNOWN}/aggregates`, 18, {
        body: JSON.stringify(aggregates),
      });
      assert.deepEqual(JSON.parse(text), { aggregates });
    });
  });

  describe("queries", () => {
    const candidates = async (query: string, minor = 39): Promise<Record<string, unknown> | undefined> => {
      const reply = await gateway.call("GET", `/allocation_candidates?${query}`, minor);
      assert.equal(reply.status, 200, reply.text);
      return gateway.asked.at(-1)?.request;
    };
    it("takes the first limit and the first group_policy", async () => {
      const request = await candidates(
        "resources_a=VCPU:1&resources_b=VCPU:1&limit=5&limit=7&group_policy=isolate&group_policy=none",
      );
      assert.deepEqual([request?.["limit"], request?.["groupPolicy"]], [5, "isolate"]);
      for (const query of ["limit=1&limit=x", "limit=0", "group_policy=none&group_policy=x", "group_policy="])
        assert.equal(await status("GET", `/allocation_candidates?resources=VCPU:1&${query}`, 39), 400, query);
    });
    it("trims what same_subtree lists, and refuses the unsuffixed group there", async () => {
      const groups = "resources-a=VCPU:1&resources-b=VGPU:1&group_policy=none";
      const request = await candidates(`${groups}&same_subtree=-a,-b%20`);
      assert.deepEqual(request?.["sameSubtree"], [{ suffixes: ["-a", "-b"] }]);
      const reply = await gateway.call("GET", `/allocation_candidates?${groups}&same_subtree=-a,`, 39);
      assert.equal(reply.status, 400);
      assert.match(reply.text, /placement\.query\.bad_value/);
    });
    it("takes several member_of from 1.24 only", async () => {
      const twice = `member_of=${KNOWN}&member_of=${UNKNOWN}`;
      for (const [path, minor] of [
        [`/resource_providers?${twice}`, 3],
        [`/allocation_candidates?resources=VCPU:1&${twice}`, 21],
      ] as const) {
        assert.equal(await status("GET", path, minor), 400, path);
        assert.equal(await status("GET", path, 23), 400, path);
        assert.equal(await status("GET", path, 24), 200, path);
      }
    });
    it("checks what usages are asked for", async () => {
      const usages = (query: string, minor = 38): Promise<number> => status("GET", `/usages?${query}`, minor);
      const long = "x".repeat(256);
      for (const query of [
        "project_id=",
        `project_id=${long}`,
        "project_id=p1&user_id=",
        `project_id=p1&user_id=${long}`,
        "project_id=p1&consumer_type=instance",
        "project_id=p1&consumer_type=",
        `project_id=p1&consumer_type=${"X".repeat(256)}`,
      ])
        assert.equal(await usages(query), 400, query);
      for (const query of ["INSTANCE", "all", "unknown"])
        assert.equal(await usages(`project_id=p1&consumer_type=${query}`), 200, query);
      assert.equal(await usages(`project_id=p1&user_id=${long.slice(1)}`, 9), 200);
    });
  });

  it("refuses mappings that say nothing", async () => {
    const put = (mappings: object): Promise<number> =>
      status("PUT", `/allocations/${consumer}`, 34, { body: allocation({ mappings }) });
    assert.deepEqual([await put({}), await put({ "": [KNOWN] }), await put({ _a: [] })], [400, 204, 400]);
  });
  it("renames a class from 1.2 to 1.6", async () => {
    const body = JSON.stringify({ name: "CUSTOM_NEW" });
    const renamed = await gateway.call("PUT", "/resource_classes/CUSTOM_OLD", 6, { body });
    assert.deepEqual(JSON.parse(renamed.text), {
      name: "CUSTOM_NEW",
      links: [{ rel: "self", href: "/resource_classes/CUSTOM_NEW" }],
    });
    assert.deepEqual(gateway.asked, [
      { method: "renameResourceClass", request: { name: "CUSTOM_OLD", newName: "CUSTOM_NEW" } },
    ]);
    assert.equal(await status("PUT", "/resource_classes/CUSTOM_OLD", 2, { body: `{"name": "VCPU"}` }), 400);
    assert.equal(await status("PUT", "/resource_classes/CUSTOM_OLD", 1, { body }), 404);
  });

  describe("pages of browsers", () => {
    const preflight = (headers: Record<string, string>): Promise<Reply> =>
      gateway.call("OPTIONS", "/resource_providers", 0, { token: "", headers });
    const asks = { "Access-Control-Request-Method": "GET", Origin: "http://page.example" };
    const allow = "access-control-allow-origin";
    it("may call from the configured origins", async () => {
      const yes = await preflight({ ...asks, "Access-Control-Request-Headers": "openstack-api-version" });
      assert.deepEqual(
        [yes.status, ...shown(yes, allow, "access-control-allow-headers", "access-control-allow-methods")],
        [200, "http://page.example", "openstack-api-version", "GET"],
      );
      const get = await gateway.call("GET", "/", 0, { headers: { Origin: "http://page.example" } });
      assert.deepEqual(shown(get, allow, "access-control-expose-headers", "vary"), [
        "http://page.example",
        "X-OpenStack-Request-ID",
        "Origin, openstack-api-version",
      ]);
    });
    it("and from nowhere else, with no other header or method", async () => {
      for (const headers of [
        { ...asks, Origin: "http://other.example" },
        { ...asks, "Access-Control-Request-Headers": "x-other" },
        { ...asks, "Access-Control-Request-Method": "CONNECT" },
      ]) {
        const no = await preflight(headers);
        assert.deepEqual([no.status, ...shown(no, allow)], [200, null], JSON.stringify(headers));
      }
      const get = await gateway.call("GET", "/", 0, { headers: { Origin: "http://other.example" } });
      assert.deepEqual([get.status, ...shown(get, allow)], [200, null]);
    });
  });
});
