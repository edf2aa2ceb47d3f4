import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CommonErrors, KilonovaError } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { handmadeCloud } from "../testing/handmade-cloud.js";
import type { HandmadeCloud } from "../testing/handmade-cloud.js";
import { cutShort, htmlError, silence } from "../testing/handmade-server.js";
import type { HandmadeAnswer } from "../testing/handmade-server.js";
import { glanceClient } from "./client.js";
import type { Glance } from "./ports.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;
const ID = "11111111-1111-4111-8111-111111111111";
const IMAGE = `/image/v2/images/${ID}`;
const FILE = `${IMAGE}/file`;
/** An image as Glance 25 writes it. */
const image = (more: object = {}): object => ({
  os_hidden: false,
  id: ID,
  name: "cirros",
  status: "active",
  visibility: "shared",
  protected: false,
  owner: "p",
  size: 9,
  virtual_size: null,
  min_disk: 0,
  min_ram: 0,
  disk_format: "qcow2",
  container_format: "bare",
  checksum: createHash("md5").update("some data").digest("hex"),
  os_hash_algo: "sha512",
  os_hash_value: createHash("sha512").update("some data").digest("hex"),
  tags: [],
  created_at: "2026-11-22T11:40:46Z",
  updated_at: "2026-11-22T11:40:46Z",
  self: `/v2/images/${ID}`,
  file: `/v2/images/${ID}/file`,
  schema: "/v2/schemas/image",
  stores: "file",
  locations: [{ url: "file:///x", metadata: {} }],
  ...more,
});
const html401 = htmlError(401, "Unauthorized", { "WWW-Authenticate": 'Keystone uri="http://id/v3"' });

describe("glance client on the wire", () => {
  let cloud: HandmadeCloud;
  let glance: Glance;
  const open = async (path = "/image", timeoutMs?: number): Promise<void> => {
    cloud = await handmadeCloud({
      catalog: (url) => [
        { type: "image", endpoints: [{ interface: "internal", region: "RegionOne", url: `${url}${path}` }] },
      ],
    });
    glance = glanceClient({
      session: cloud.keystone.session,
      clock: cloud.clock,
      random: () => 0.5,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  };
  const download = async (by = {}): Promise<string> => {
    let got = "";
    for await (const part of glance.download(testCtx(), ID, by)) got += Buffer.from(part).toString();
    return got;
  };
  async function* data(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("some ");
    yield Buffer.from("data");
  }
  afterEach(() => cloud.close());

  it("finds the service with and without a version in its address", async () => {
    for (const path of ["/image", "/image/", "/image/v2", "/image/v2/", "/image/v2.15"]) {
      await open(path);
      cloud.server.on(`GET ${IMAGE}`, { status: 200, body: image() });
      const info = await glance.getImage(testCtx(), ID);
      assert.deepEqual([info.name, info.properties, info.diskFormat], ["cirros", {}, "qcow2"], path);
      await cloud.close();
    }
    await open();
  });

  it("reads refusals of every kind by their status, whatever the body", async () => {
    await open();
    for (const [answer, expected] of [
      [htmlError(404, "Not Found"), "IMAGE_NOT_FOUND"],
      [{ status: 404, body: "404 Not Found\n\nNo image found with ID\n\n" }, "IMAGE_NOT_FOUND"],
      [htmlError(403, "Forbidden"), "IMAGE_FORBIDDEN"],
      [htmlError(409, "Conflict"), "IMAGE_CONFLICT"],
      [htmlError(413, "Request Entity Too Large"), "IMAGE_QUOTA"],
      [htmlError(400, "Bad Request"), "IMAGE_INVALID"],
      [
        { status: 400, body: { error: { code: 400, message: "the reason", title: "Bad Request" } } },
        "IMAGE_INVALID",
      ],
      [htmlError(503, "Service Unavailable"), "IMAGE_UNAVAILABLE"],
      [htmlError(500, "Internal Server Error"), "INTERNAL"],
      [html401, "TOKEN_REFUSED"],
      [{ status: 300, body: { versions: [{ id: "v2.15", status: "CURRENT" }] } }, "INTERNAL"],
      [{ status: 200, body: "<html>not Glance</html>" }, "UNEXPECTED_ANSWER"],
      [{ status: 200, body: image({ status: "nonsense" }) }, "UNEXPECTED_ANSWER"],
      [cutShort(200, '{"id":', 500), "IMAGE_UNAVAILABLE"],
    ] as const) {
      cloud.server.on(`GET ${IMAGE}`, answer);
      await assert.rejects(glance.getImage(testCtx(), ID), reason(expected), expected);
    }
    await assert.rejects(glance.getImage(testCtx(), "../../v3/users"), reason("IMAGE_NOT_FOUND"));
    cloud.server.on("POST /image/v2/images", htmlError(409, "Conflict"));
    await assert.rejects(glance.createImage(testCtx(), { id: ID, name: "x" }), reason("IMAGE_EXISTS"));
    cloud.server.on("POST /image/v2/images", (req) => {
      req.socket.destroy();
    });
    await assert.rejects(glance.createImage(testCtx(), { name: "x" }), reason("IMAGE_UNAVAILABLE"));
    assert.equal(cloud.server.to("POST /image/v2/images").length, 2);
    cloud.server.on(`DELETE ${IMAGE}`, htmlError(404, "Not Found"));
    await glance.deleteImage(testCtx(), ID);
  });

  it("renews its token once, for its own requests and beside a user's token", async () => {
    await open();
    cloud.server.on(`GET ${IMAGE}`, html401, { status: 200, body: image() });
    await glance.getImage(testCtx(), ID);
    cloud.server.on(`GET ${IMAGE}`, html401, { status: 200, body: image() });
    await glance.getImage(testCtx(), ID, { userToken: "user" });
    assert.deepEqual(
      cloud.server
        .to(`GET ${IMAGE}`)
        .map(({ headers }) => [headers["x-auth-token"], headers["x-service-token"]]),
      [
        ["token-1", undefined],
        ["token-2", undefined],
        ["user", "token-2"],
        ["user", "token-3"],
      ],
    );
    cloud.server.on(`GET ${IMAGE}`, html401);
    await assert.rejects(glance.getImage(testCtx(), ID, { userToken: "ended" }), reason("TOKEN_REFUSED"));
    assert.equal(cloud.server.to(`GET ${IMAGE}`).length, 6);
  });

  it("waits out a 503 as long as asked, and repeats no write", async () => {
    await open();
    cloud.server.on(`GET ${IMAGE}`, htmlError(503, "Service Unavailable", { "Retry-After": "7" }), {
      status: 200,
      body: image(),
    });
    await glance.getImage(testCtx(), ID);
    assert.deepEqual(cloud.slept, [7_000]);
    cloud.server.on(`PATCH ${IMAGE}`, htmlError(503, "Service Unavailable", { "Retry-After": "1" }));
    await assert.rejects(
      glance.updateImage(testCtx(), ID, [{ op: "remove", name: "x" }]),
      reason("IMAGE_UNAVAILABLE"),
    );
    assert.equal(cloud.server.to(`PATCH ${IMAGE}`).length, 1);
    assert.equal(
      cloud.server.to(`PATCH ${IMAGE}`)[0]?.headers["content-type"],
      "application/openstack-images-v2.1-json-patch",
    );
  });

  it("follows pages to their end, also when they are smaller than asked for", async () => {
    await open();
    const ids = Array.from({ length: 5 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`);
    const page = (from: number, to: number) => ({
      status: 200,
      body: {
        images: ids.slice(from, to).map((id) => image({ id })),
        first: "/v2/images?limit=2",
        schema: "/v2/schemas/images",
        ...(to < ids.length ? { next: `/v2/images?limit=2&marker=${ids[to - 1]}` } : {}),
      },
    });
    const list = "GET /image/v2/images";
    cloud.server.on(list, page(0, 2), page(2, 4), page(4, 5));
    assert.deepEqual(
      (await glance.listImages(testCtx(), { properties: { image_type: "snapshot" } })).map((one) => one.id),
      ids,
    );
    assert.deepEqual(
      cloud.server.to(list).map(({ query }) => [query.get("marker"), query.get("image_type")]),
      [
        [null, "snapshot"],
        [ids[1], "snapshot"],
        [ids[3], "snapshot"],
      ],
    );
    cloud.server.on(list, page(0, 2), page(2, 4), page(4, 5));
    assert.equal((await glance.listImages(testCtx(), { limit: 3 })).length, 3);
    cloud.server.on(list, page(0, 2));
    await assert.rejects(glance.listImages(testCtx()), reason("UNEXPECTED_ANSWER"));
    cloud.server.on(list, page(0, 2), htmlError(500, "Internal Server Error"));
    await assert.rejects(glance.listImages(testCtx()), reason("INTERNAL"));
    cloud.server.on(list, { status: 200, body: { images: "none" } });
    await assert.rejects(glance.listImages(testCtx()), reason("UNEXPECTED_ANSWER"));
  });

  it("gives out data only if it is whole and right", async () => {
    await open();
    const file = (answer: HandmadeAnswer, more: object = {}): void => {
      cloud.server.on(`GET ${IMAGE}`, { status: 200, body: image(more) }).on(`GET ${FILE}`, answer);
    };
    file({ status: 200, headers: { "Content-Type": "application/octet-stream" }, body: "some data" });
    assert.equal(await download(), "some data");
    file({ status: 200, body: "some dada" });
    await assert.rejects(download(), reason("IMAGE_CORRUPT"));
    file({ status: 200, body: "some dada" }, { os_hash_algo: null, os_hash_value: null });
    await assert.rejects(download(), reason("IMAGE_CORRUPT"));
    file(cutShort(200, "some", 9));
    await assert.rejects(download(), reason("IMAGE_UNAVAILABLE"));
    file((_req, res) => {
      res.writeHead(200, { "Transfer-Encoding": "chunked" });
      res.write("some", () => res.socket?.destroy());
    });
    await assert.rejects(download(), reason("IMAGE_UNAVAILABLE"));
    file(htmlError(503, "Service Unavailable", { "Retry-After": "2" }));
    await assert.rejects(download(), reason("IMAGE_UNAVAILABLE"));
    assert.deepEqual(cloud.slept, [2_000, 2_000]);
    file({ status: 204 });
    await assert.rejects(download(), reason("IMAGE_NO_DATA"));
    file(htmlError(403, "Forbidden"));
    await assert.rejects(download({ userToken: "u" }), reason("IMAGE_FORBIDDEN"));
    cloud.server.on(`GET ${FILE}`, html401, { status: 200, body: "some data" });
    assert.equal(await download(), "some data");
  });

  it("ends a download with its caller", async () => {
    await open();
    cloud.server.on(`GET ${IMAGE}`, { status: 200, body: image() }).on(`GET ${FILE}`, (_req, res) => {
      res.writeHead(200);
      res.write("some");
    });
    const controller = new AbortController();
    const reading = (async () => {
      for await (const part of glance.download(testCtx({ signal: controller.signal }), ID)) assert.ok(part);
    })();
    while (cloud.server.to(`GET ${FILE}`).length === 0) await new Promise(setImmediate);
    controller.abort(CommonErrors.CANCELLED({ what: "The request" }));
    await assert.rejects(reading, reason("CANCELLED"));
  });

  it("ends slow answers with its own deadline", async () => {
    await open("/image", 50);
    cloud.server.on(`GET ${IMAGE}`, silence);
    await assert.rejects(glance.getImage(testCtx(), ID), reason("DEADLINE_EXCEEDED"));
    cloud.server.on(`GET ${IMAGE}`, (_req, res) => {
      res.writeHead(200);
      res.write('{"id":');
    });
    await assert.rejects(glance.getImage(testCtx(), ID), reason("DEADLINE_EXCEEDED"));
  });

  it("uploads in chunks, once", async () => {
    await open();
    cloud.server
      .on(`GET ${IMAGE}`, { status: 200, body: image({ status: "queued" }) })
      .on(`PUT ${FILE}`, { status: 204 });
    await glance.upload(testCtx(), ID, data());
    const [sent] = cloud.server.to(`PUT ${FILE}`);
    assert.deepEqual(
      [
        sent?.body,
        sent?.headers["transfer-encoding"],
        sent?.headers["content-length"],
        sent?.headers["content-type"],
      ],
      ["some data", "chunked", undefined, "application/octet-stream"],
    );
    for (const [answer, expected] of [
      [htmlError(409, "Conflict"), "IMAGE_CONFLICT"],
      [htmlError(413, "Request Entity Too Large"), "IMAGE_QUOTA"],
      [htmlError(410, "Gone"), "IMAGE_NOT_FOUND"],
      [html401, "TOKEN_REFUSED"],
      [htmlError(503, "Service Unavailable", { "Retry-After": "1" }), "IMAGE_UNAVAILABLE"],
    ] as const) {
      cloud.server.on(`PUT ${FILE}`, answer);
      const before = cloud.server.to(`PUT ${FILE}`).length;
      await assert.rejects(glance.upload(testCtx(), ID, data()), reason(expected), expected);
      assert.equal(cloud.server.to(`PUT ${FILE}`).length, before + 1);
    }
    cloud.server.on(`PUT ${FILE}`, (req) => {
      req.socket.destroy();
    });
    await assert.rejects(glance.upload(testCtx(), ID, data()), reason("IMAGE_UNAVAILABLE"));
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("some");
      throw CommonErrors.UNAVAILABLE({ what: "The disk" });
    };
    await assert.rejects(
      glance.upload(testCtx(), ID, broken()),
      (error: unknown) => error instanceof KilonovaError && error.kind === "unavailable",
    );
  });
});
