import assert from "node:assert/strict";
import { PROJECT } from "../../../pkg/gateway/testing/test-tokens.js";
import { SERVER_ID } from "../../../pkg/gateway/testing/samples.js";
import { startTestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import type { Answer, TestGateway } from "../../../pkg/gateway/testing/test-gateway.js";
import { ForceDeleteServerResponse } from "../../../gen/kilonova/api/v1/server_actions.js";
import {
  ListAvailabilityZonesResponse,
  ListComputeServicesResponse,
  ListHypervisorsResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { DeleteServerResponse, StopServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { fixture } from "./fixture.js";

const varyLines = (answer: Answer): string[] =>
  answer.rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === "vary" ? [answer.rawHeaders[index + 1] ?? ""] : [],
  );
const versionOf = (answer: Answer): (string | string[] | undefined)[] => [
  answer.headers["openstack-api-version"],
  answer.headers["x-openstack-nova-api-version"],
];

describe("golden: gateway headers and documents", () => {
  let gateway: TestGateway;
  before(async () => {
    const servers = {
      ...fixture.servers,
      deleteServer: async () => DeleteServerResponse.fromPartial({}),
      stopServer: async () => StopServerResponse.fromPartial({}),
      forceDeleteServer: async () => ForceDeleteServerResponse.fromPartial({}),
    };
    gateway = await startTestGateway(
      { ...fixture, servers },
      { linkPrefix: "http://openstack.example.com", identityUrl: "http://identity.example.com" },
    );
  });
  after(() => gateway.close());

  it("tells how many cells did not answer, where a list may lack something", async () => {
    const silent = { unreachableCells: ["cell2"] };
    const gatewayOfTwo = await startTestGateway({
      ...fixture,
      availabilityZones: {
        listAvailabilityZones: async () => ListAvailabilityZonesResponse.fromPartial(silent),
      },
      hypervisors: {
        ...fixture.hypervisors,
        listHypervisors: async () => ListHypervisorsResponse.fromPartial(silent),
      },
      computeServices: {
        ...fixture.computeServices,
        listComputeServices: async () =>
          ListComputeServicesResponse.fromPartial({
            ...silent,
            downCellServices: [{ binary: "nova-compute", host: "h2" }],
          }),
      },
    });
    const ask = (path: string, version: string): Promise<Answer> =>
      gatewayOfTwo.ask(path, { version, token: "admin" });
    for (const path of [
      "/os-availability-zone",
      "/os-hypervisors",
      "/os-hypervisors/detail",
      "/os-services",
    ]) {
      const answer = await ask(`/v2.1${path}`, "2.68");
      assert.deepEqual([answer.status, answer.headers["x-kilonova-unreachable-cells"]], [200, "1"], path);
    }
    const rows = async (version: string): Promise<unknown> => (await ask("/v2.1/os-services", version)).json;
    assert.deepEqual(await rows("2.68"), { services: [] });
    assert.deepEqual(await rows("2.69"), {
      services: [{ binary: "nova-compute", host: "h2", status: "UNKNOWN" }],
    });
    const whole = await gateway.ask("/v2.1/os-availability-zone", { token: "admin" });
    assert.equal(whole.headers["x-kilonova-unreachable-cells"], undefined);
    await gatewayOfTwo.close();
  });

  it("tells the version in force, also of faults, and two Vary lines", async () => {
    for (const path of ["/v2.1/servers", `/v2.1/flavors/1/os-extra_specs/none`, "/v2.1"]) {
      const answer = await gateway.ask(path, { version: "2.53" });
      assert.deepEqual(versionOf(answer), ["compute 2.53", "2.53"], path);
      assert.deepEqual(varyLines(answer), ["OpenStack-API-Version", "X-OpenStack-Nova-API-Version"], path);
    }
  });

  it("takes who asks from the token alone: headers about identity are not passed on", async () => {
    const claims = {
      "x-user-id": "root",
      "x-project-id": "other",
      "x-tenant-id": "other",
      "x-domain-id": "default",
      "x-roles": "admin",
      "x-role": "admin",
      "x-is-admin-project": "True",
      "x-identity-status": "Confirmed",
      "x-service-roles": "service",
      "openstack-system-scope": "all",
    };
    const seen = async (headers: Record<string, string>) => {
      const answer = await gateway.ask("/v2.1/servers", { version: "2.53", headers });
      assert.deepEqual(versionOf(answer), ["compute 2.53", "2.53"]);
      return [answer.status, answer.text, gateway.calls.at(-1)?.ctx.actor];
    };
    assert.deepEqual(await seen(claims), await seen({}));
    assert.equal(gateway.calls.at(-1)?.ctx.actor.projectId, PROJECT);
    for (const name of ["x-openstack-nova-api-version", "X-OpenStack-Nova-API-Version"])
      assert.deepEqual(versionOf(await gateway.ask("/v2.1/servers", { headers: { [name]: "2.60" } })), [
        "compute 2.60",
        "2.60",
      ]);
  });

  it("turns latest into a number", async () => {
    assert.deepEqual(versionOf(await gateway.ask("/v2.1/servers", { version: "latest" })), [
      "compute 2.104",
      "2.104",
    ]);
  });

  it("echoes the version of a 406, and tells none where it is malformed, ignored or not yet known", async () => {
    assert.deepEqual(versionOf(await gateway.ask("/v2.1/servers", { version: "2.999" })), [
      "compute 2.999",
      "2.999",
    ]);
    for (const [path, version, token] of [
      ["/v2.1/servers", "2.x", "member"],
      ["/v2/servers", "2.53", "member"],
      ["/v2.1/servers", "2.53", null],
      ["/v2.1/nonsense", "2.53", "member"],
      ["/", "2.53", null],
      ["/v9", "2.53", null],
    ] as const) {
      const answer = await gateway.ask(path, { version, token });
      assert.deepEqual(versionOf(answer), [undefined, undefined], path);
      assert.deepEqual(varyLines(answer), [], path);
    }
  });

  it("lists versions at / for everybody, whatever is asked and without request ids", async () => {
    const answer = await gateway.ask("/", { token: null, version: "2.999" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["x-compute-request-id"], undefined);
    assert.equal(answer.headers["x-openstack-request-id"], undefined);
    const { versions } = answer.json as {
      versions: { id: string; version: string; min_version: string; links: unknown }[];
    };
    assert.deepEqual(
      versions.map(({ id, version, min_version: min }) => [id, version, min]),
      [
        ["v2.0", "", ""],
        ["v2.1", "2.104", "2.1"],
      ],
    );
    assert.deepEqual(versions[1]?.links, [{ rel: "self", href: "http://openstack.example.com/v2.1/" }]);
  });

  it("answers version documents at the mounts with any method, and below them with a token", async () => {
    for (const [path, method, token, id] of [
      ["/v2.1", "GET", null, "v2.1"],
      ["/v2.1/", "DELETE", null, "v2.1"],
      ["/v2", "GET", null, "v2.0"],
      ["/v2/", "POST", null, "v2.0"],
      [`/v2.1/${PROJECT}/`, "GET", "member", "v2.1"],
      ["/v2.1/versions/v2.0", "GET", "member", "v2.0"],
      ["/v2/versions/v2.1", "GET", "member", "v2.0"],
    ] as const) {
      const answer = await gateway.ask(path, { method, token });
      assert.equal(answer.status, 200, path);
      assert.equal((answer.json as { version: { id: string } }).version.id, id, path);
    }
    assert.equal((await gateway.ask(`/v2.1/${PROJECT}/`, { token: null })).status, 401);
  });

  it("offers choices for paths of no version", async () => {
    const answer = await gateway.ask("/v3/servers", { token: null });
    assert.equal(answer.status, 300);
    const { choices } = answer.json as { choices: { id: string; links: { href: string }[] }[] };
    assert.deepEqual(
      choices.map(({ id, links }) => [id, links[0]?.href]),
      [
        ["v2.0", "http://openstack.example.com/v2/v3/servers"],
        ["v2.1", "http://openstack.example.com/v2.1/v3/servers"],
      ],
    );
  });

  it("says where tokens come from", async () => {
    const answer = await gateway.ask("/v2.1/servers", { token: null });
    assert.equal(answer.headers["www-authenticate"], 'Keystone uri="http://identity.example.com"');
    assert.equal((answer.json as { error: { code: number } }).error.code, 401);
  });

  it("puts the project id of the URL into links, and Location on a create", async () => {
    const body = {
      server: { name: "web", flavorRef: "1", imageRef: "70a599e0-31e7-49b7-b260-868f441e862b" },
    };
    const answer = await gateway.ask(`/v2.1/${PROJECT}/servers`, { method: "POST", body });
    assert.equal(answer.status, 202);
    assert.equal(
      answer.headers.location,
      `http://openstack.example.com/v2.1/${PROJECT}/servers/${SERVER_ID}`,
    );
    const { server } = answer.json as { server: { links: { href: string }[] } };
    assert.equal(server.links[1]?.href, `http://openstack.example.com/${PROJECT}/servers/${SERVER_ID}`);
    const reserved = await gateway.ask("/v2.1/servers", {
      method: "POST",
      body: { server: { ...body.server, return_reservation_id: true } },
    });
    assert.deepEqual(
      [reserved.status, reserved.json, reserved.headers.location],
      [202, { reservation_id: "r-3fhpjulh" }, undefined],
    );
  });

  it("says with a rebuild where the server is", async () => {
    const body = { rebuild: { imageRef: "70a599e0-31e7-49b7-b260-868f441e862b" } };
    const answer = await gateway.ask(`/v2.1/servers/${SERVER_ID}/action`, { method: "POST", body });
    assert.deepEqual(
      [answer.status, answer.headers.location],
      [202, `http://openstack.example.com/v2.1/servers/${SERVER_ID}`],
    );
  });

  it("sends no body with 202 and 204", async () => {
    const deleted = await gateway.ask(`/v2.1/servers/${SERVER_ID}`, { method: "DELETE" });
    assert.deepEqual([deleted.status, deleted.text, deleted.headers["content-type"]], [204, "", undefined]);
    const stopped = await gateway.ask(`/v2.1/servers/${SERVER_ID}/action`, {
      method: "POST",
      body: { "os-stop": null },
    });
    assert.deepEqual([stopped.status, stopped.text, stopped.headers["content-type"]], [202, "", undefined]);
    const forced = await gateway.ask(`/v2.1/servers/${SERVER_ID}/action`, {
      method: "POST",
      body: { forceDelete: null },
    });
    assert.deepEqual([forced.status, forced.text, forced.headers["content-type"]], [202, "", undefined]);
  });

  it("stops reading a body that turns out too large, without an announced length", async () => {
    const answer = await gateway.ask("/v2.1/servers", {
      method: "POST",
      raw: "x".repeat(300_000),
      headers: { "transfer-encoding": "chunked" },
    });
    assert.deepEqual(
      [answer.status, answer.headers.connection, answer.headers["content-type"]],
      [413, "close", "text/plain; charset=UTF-8"],
    );
  });

  it("takes no more than a route can mean, and says how much that is", async () => {
    const raw = `"${"x".repeat(40_000)}"`;
    const answer = await gateway.ask("/v2.1/os-aggregates", { method: "POST", raw });
    assert.equal(answer.status, 413);
    assert.match(answer.text, /has 40002 bytes or more; at most 32768 are accepted here/);
    for (const path of [
      "/v2.1/servers",
      "/v2.1/flavors",
      "/v2.1/os-keypairs",
      `/v2.1/servers/${SERVER_ID}/action`,
      `/v2.1/servers/${SERVER_ID}/metadata`,
    ])
      assert.equal((await gateway.ask(path, { method: "POST", raw })).status, 400, path);
  });

  it("uses the vendor's media type for who prefers it, and JSON for who accepts nothing", async () => {
    const typeFor = async (accept: string): Promise<string | undefined> =>
      (await gateway.ask("/v2.1/servers", { headers: { accept } })).headers["content-type"];
    assert.equal(
      await typeFor("application/vnd.openstack.compute+json"),
      "application/vnd.openstack.compute+json",
    );
    assert.equal(
      await typeFor("application/json, application/vnd.openstack.compute+json;q=0.5"),
      "application/json",
    );
    assert.equal(await typeFor("image/png"), "application/json");
  });
});
