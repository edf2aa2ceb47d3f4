import assert from "node:assert/strict";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import {
  aFlavor,
  aReadyApi,
  administrator,
  anImage,
  aNetwork,
  member,
  stranger,
} from "../../pkg/api/testing/an-api.js";
import type { TestApi } from "../../pkg/api/testing/an-api.js";
import { fakeTokens } from "../../pkg/gateway/testing/test-tokens.js";
import { serveTestGateway } from "../../pkg/gateway/testing/test-gateway.js";
import type { Answer, Ask, TestGateway } from "../../pkg/gateway/testing/test-gateway.js";

const SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170";

/** The gateway over HTTP in front of the real api, whose cells service is a fake. */
describe("integration: gateway and api", () => {
  let api: TestApi;
  let gateway: TestGateway;

  beforeEach(async () => {
    api = aReadyApi();
    gateway = await serveTestGateway(api.channel, {
      tokens: fakeTokens({ member, stranger, administrator }),
    });
  });
  afterEach(() => gateway.close());

  const put = (init: { id: string; name?: string; projectId?: string }) =>
    api.cells.put("cell1", {
      vmState: VmState.VM_STATE_ACTIVE,
      flavor: aFlavor(),
      createdAt: { seconds: 1_762_000_000n, nanos: 0 },
      ...init,
    });
  const ask = (path: string, options: Ask = {}): Promise<Answer> => gateway.ask(`/v2.1${path}`, options);
  const create = (server: Record<string, unknown>, version = "2.1"): Promise<Answer> =>
    ask("/servers", {
      method: "POST",
      version,
      body: { server: { name: "vm", flavorRef: "1", imageRef: anImage().id, ...server } },
    });

  it("creates a server and shows it in the words of the API", async () => {
    const answer = await create(
      { networks: [{ uuid: aNetwork().id }], metadata: { role: "web" }, description: "mine" },
      "2.52",
    );
    assert.equal(answer.status, 202, answer.text);
    const { server } = answer.json as {
      server: { id: string; adminPass: string; "OS-DCF:diskConfig": string; security_groups: unknown };
    };
    assert.match(server.adminPass, /^\w{12}$/);
    assert.equal(server["OS-DCF:diskConfig"], "MANUAL");
    assert.deepEqual(server.security_groups, [{ name: "default" }]);
    assert.ok(answer.headers.location?.endsWith(`/v2.1/servers/${server.id}`));
  });

  for (const [what, body, status, text] of [
    ["unknown image", { imageRef: SERVER }, 400, /image/i],
    ["unknown flavor", { flavorRef: "99" }, 400, /Flavor 99/],
    ["unknown key pair", { key_name: "none" }, 400, /key_name/],
    ["unknown network", { networks: [{ uuid: SERVER }] }, 400, /Network/],
    ["no image", { imageRef: "" }, 400, /imageRef/],
    ["bad zone", { availability_zone: "a:b:c:d" }, 400, /availability_zone/],
  ] as const) {
    it(`refuses a create with ${what}`, async () => {
      const answer = await create(body);
      assert.equal(answer.status, status, answer.text);
      assert.match((answer.json as { badRequest: { message: string } }).badRequest.message, text);
    });
  }

  it("hides other projects' servers, and shows hosts to administrators only", async () => {
    put({ id: SERVER });
    assert.equal((await ask(`/servers/${SERVER}`)).status, 200);
    const strange = await ask(`/servers/${SERVER}`, { token: "stranger" });
    assert.deepEqual(
      [strange.status, strange.json],
      [404, { itemNotFound: { code: 404, message: `Instance ${SERVER} could not be found.` } }],
    );
    const shown = async (token: string): Promise<string[]> =>
      Object.keys(
        ((await ask(`/servers/${SERVER}`, { token, version: "2.16" })).json as { server: object }).server,
      ).filter((key) => /SRV-ATTR|host_status/.test(key));
    assert.deepEqual(await shown("member"), []);
    assert.deepEqual((await shown("administrator")).includes("host_status"), true);
  });

  it("keeps links, pages and filters together", async () => {
    for (const digit of ["1", "2", "3"]) put({ id: `${SERVER.slice(0, -1)}${digit}`, name: `vm${digit}` });
    put({ id: SERVER, projectId: "p2" });
    const first = await ask("/servers?limit=2&sort_key=display_name&sort_dir=asc");
    const { servers, servers_links: links } = first.json as {
      servers: { name: string }[];
      servers_links: { href: string }[];
    };
    assert.equal(servers.length, 2, first.text);
    const next = new URL(links[0]?.href ?? "");
    assert.deepEqual([...next.searchParams.keys()], ["limit", "marker", "sort_dir", "sort_key"]);
    const lost = await ask(`/servers?marker=${SERVER.replace("0e", "ff")}`);
    assert.deepEqual([lost.status, Object.keys(lost.json as object)], [400, ["badRequest"]]);
    assert.equal((await ask("/servers?all_tenants=1")).status, 403);
    assert.equal(
      ((await ask("/servers?all_tenants=1", { token: "administrator" })).json as { servers: unknown[] })
        .servers.length,
      4,
    );
    assert.deepEqual((await ask("/servers?limit=0")).json, { servers: [] });
    assert.deepEqual((await ask("/servers?status=NONSENSE")).json, { servers: [] });
  });

  it("maps states, rights and absence to the statuses of the API", async () => {
    put({ id: SERVER });
    const act = (body: unknown, token = "member"): Promise<Answer> =>
      ask(`/servers/${SERVER}/action`, { method: "POST", body, token });
    const start = await act({ "os-start": null });
    assert.ok([202, 409].includes(start.status), start.text);
    assert.equal((await ask("/os-services")).status, 403);
    assert.equal((await ask("/os-hypervisors/detail")).status, 403);
    assert.equal((await ask("/os-services", { token: "administrator" })).status, 200);
    assert.equal((await ask("/flavors/nope")).status, 404);
    assert.equal(
      (await ask("/flavors", { method: "POST", body: { flavor: { name: "f", ram: 1, vcpus: 1, disk: 0 } } }))
        .status,
      403,
    );
    assert.equal((await ask("/flavors/1/os-flavor-access", { token: "administrator" })).status, 404);
    assert.equal((await ask("/flavors/1/os-extra_specs", { token: "nobody" })).status, 403);
    assert.equal((await ask("/os-keypairs/none")).status, 404);
    assert.equal((await ask("/os-availability-zone")).status, 200);
    assert.equal((await ask("/os-availability-zone/detail")).status, 403);
    assert.equal((await ask("/limits?tenant_id=p2")).status, 403);
  });

  it("shows what is known of servers in silent cells", async () => {
    put({ id: SERVER });
    api.cells.silent.add("cell1");
    const listed = await ask("/servers", { version: "2.69" });
    assert.deepEqual(
      (listed.json as { servers: { status?: string }[] }).servers.map(({ status }) => status),
      ["UNKNOWN"],
      listed.text,
    );
    const shown = await ask(`/servers/${SERVER}`, { version: "2.69" });
    assert.equal((shown.json as { server: { status: string } }).server.status, "UNKNOWN", shown.text);
    assert.equal((await ask(`/servers/${SERVER}`, { version: "2.68" })).status, 503);
  }).timeout(120_000);
});
