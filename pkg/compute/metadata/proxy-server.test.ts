import assert from "node:assert/strict";
import { request } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import type { HttpServer } from "../../platform/http/index.js";
import { listen } from "../../platform/http/index.js";
import { silentLogger } from "../../kernel/index.js";
import { someGuest } from "../guestdata/testing/some-guest.js";
import { neutronProviders } from "./providers.js";
import { metadataProxyApp } from "./proxy-server.js";
import { metadataService } from "./service.js";
import { guestSource } from "./testing/guest-source.js";
import { signInstanceId } from "./signature.js";

const guest = someGuest();
const secret = "shared";
const signed = {
  "X-Instance-ID": guest.uuid,
  "X-Tenant-ID": "p1",
  "X-Instance-ID-Signature": signInstanceId(secret, guest.uuid),
};

const subnet = (networkId: string) => ({ networkId });
const port = { deviceId: guest.uuid, projectId: "p1" };
/** Provider `lb` has two networks; one guest has the address 10.0.0.5 there, two have 10.0.0.6. */
const providers = neutronProviders(
  {
    listSubnets: async (_ctx, query) =>
      query.advancedServiceProviders?.[0] === "lb" ? [subnet("net-1"), subnet("net-2"), subnet("net-1")] : [],
    listPorts: async (_ctx, query) => {
      assert.deepEqual(query.networkIds, ["net-1", "net-2"]);
      return query.ipAddress === "10.0.0.5" ? [port] : query.ipAddress === "10.0.0.6" ? [port, port] : [];
    },
  },
  0,
);
const byProvider = {
  "X-Metadata-Provider": "lb",
  "X-Metadata-Provider-Signature": signInstanceId(secret, "lb"),
  "X-Forwarded-For": "10.0.0.5, 192.0.2.1",
};

describe("metadata proxy server", () => {
  let server: HttpServer;
  before(async () => {
    const service = metadataService(
      guestSource((id) => {
        if (id === "broken") throw new Error("no database");
        return id === guest.uuid ? guest : undefined;
      }),
    );
    const app = metadataProxyApp(
      { log: silentLogger, ids: { uuid: () => guest.uuid }, requestTimeoutMs: 5_000 },
      service,
      { sharedSecret: secret, providers },
    );
    server = await listen(app, { host: "127.0.0.1", port: 0, log: silentLogger });
  });
  after(() => server.close(0));

  const get = (
    path: string,
    headers: OutgoingHttpHeaders,
    method = "GET",
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(`${server.url}${path}`, { headers, method, agent: false }, (response) => {
        let body = "";
        response.on("data", (part: Buffer) => {
          body += part.toString();
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.on("error", reject);
      sent.end();
    });

  it("answers a signed request for the guest that it names", async () => {
    const { status, body } = await get("/openstack/latest/meta_data.json", signed);
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as { uuid: string }).uuid, guest.uuid);
    assert.equal((await get("/openstack/latest/meta_data.json", signed, "HEAD")).body, "");
    assert.equal((await get("/no/such", signed)).status, 404);
  });

  it("answers a request of a provider for the guest whose address it names", async () => {
    const { status, body } = await get("/openstack/latest/meta_data.json", byProvider);
    assert.equal(status, 200);
    assert.equal((JSON.parse(body) as { uuid: string }).uuid, guest.uuid);
  });

  it("lists versions to anybody", async () => assert.match((await get("/", {})).body, /^1\.0\n[^]*latest$/));

  const other = "00000000-0000-4000-8000-000000000009";
  for (const [name, headers, status] of [
    ["no headers at all", {}, 400],
    ["no instance id", { ...signed, "X-Instance-ID": "" }, 400],
    ["no signature", { ...signed, "X-Instance-ID-Signature": "" }, 400],
    ["no tenant", { ...signed, "X-Tenant-ID": "" }, 400],
    ["two instance ids", { ...signed, "X-Instance-ID": [guest.uuid, other] }, 400],
    ["two instance ids in one header", { ...signed, "X-Instance-ID": `${guest.uuid}, ${other}` }, 400],
    ["a wrong signature", { ...signed, "X-Instance-ID-Signature": signInstanceId("guess", guest.uuid) }, 403],
    ["another guest's signature", { ...signed, "X-Instance-ID": other }, 403],
    [
      "an unknown guest",
      { ...signed, "X-Instance-ID": other, "X-Instance-ID-Signature": signInstanceId(secret, other) },
      404,
    ],
    ["another tenant", { ...signed, "X-Tenant-ID": "p2" }, 404],
    ["a provider without address", { ...byProvider, "X-Forwarded-For": "" }, 400],
    [
      "a provider without subnets",
      {
        ...byProvider,
        "X-Metadata-Provider": "none",
        "X-Metadata-Provider-Signature": signInstanceId(secret, "none"),
      },
      400,
    ],
    ["an address that nobody has", { ...byProvider, "X-Forwarded-For": "10.0.0.9" }, 400],
    ["an address that two have", { ...byProvider, "X-Forwarded-For": "10.0.0.6" }, 400],
    ["a provider without signature", { ...byProvider, "X-Metadata-Provider-Signature": "" }, 403],
    [
      "a provider with a wrong signature",
      { ...byProvider, "X-Metadata-Provider-Signature": signInstanceId("guess", "lb") },
      403,
    ],
    ["two providers", { ...byProvider, "X-Metadata-Provider": ["lb", "other"] }, 400],
    [
      "a source that fails",
      { ...signed, "X-Instance-ID": "broken", "X-Instance-ID-Signature": signInstanceId(secret, "broken") },
      500,
    ],
  ] as const) {
    it(`answers ${status} to ${name}`, async () =>
      assert.equal((await get("/openstack", headers as OutgoingHttpHeaders)).status, status));
  }

  it("refuses to start without a secret", () => {
    assert.throws(
      () =>
        metadataProxyApp(
          { log: silentLogger, ids: { uuid: () => "" }, requestTimeoutMs: 1 },
          { answer: () => Promise.reject(new Error()) },
          { sharedSecret: "", providers },
        ),
      /secret/,
    );
  });
});
