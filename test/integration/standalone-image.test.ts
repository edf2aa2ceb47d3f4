import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../pkg/kernel/index.js";
import { imageConfig, seedImage } from "../../pkg/standalone/image/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

type Json = Readonly<Record<string, unknown>>;

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;
async function* pieces(data: Buffer, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}
async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

describe("standalone image", () => {
  let t: TestCloud;
  let base: string;
  let admin: string;
  let demo: string;

  before(async () => {
    t = await testCloud({ imageLimits: { ...imageConfig.parse({}), imageSizeCap: 4_000_000 } });
    base = `${t.cloud.urls.image}/v2`;
    admin = await t.login("admin");
    demo = await t.login("demo");
  });
  after(() => t.close());

  const ctx = () => testCtx();
  const aRaw = (name: string) => ({ name, diskFormat: "raw", containerFormat: "bare" });
  const patch = (
    id: string,
    body: unknown,
    token = admin,
    type = "application/openstack-images-v2.1-json-patch",
  ) =>
    t.raw(`${base}/images/${id}`, {
      method: "PATCH",
      token,
      body: JSON.stringify(body),
      headers: { "Content-Type": type },
    });

  it("takes data in chunks, hashes it, and gives it back through our client", async () => {
    const data = randomBytes(1_234_567);
    const image = await t.glance.createImage(ctx(), {
      ...aRaw("disk"),
      properties: { hw_disk_bus: "virtio", "traits:x": "required" },
    });
    assert.equal(image.status, "queued");
    await assert.rejects(collect(t.glance.download(ctx(), image.id)), reason("IMAGE_NO_DATA"));
    await t.glance.upload(ctx(), image.id, pieces(data));
    const done = await t.glance.getImage(ctx(), image.id);
    assert.deepEqual(
      [done.status, done.sizeBytes, done.virtualSizeBytes],
      ["active", data.length, data.length],
    );
    assert.equal(done.hashValue, createHash("sha512").update(data).digest("hex"));
    assert.equal(done.checksum, createHash("md5").update(data).digest("hex"));
    assert.deepEqual(done.properties, { hw_disk_bus: "virtio", "traits:x": "required" });
    assert.ok(data.equals(await collect(t.glance.download(ctx(), image.id))));
    await assert.rejects(t.glance.upload(ctx(), image.id, pieces(data)), reason("IMAGE_CONFLICT"));
    const part = await fetch(`${base}/images/${image.id}/file`, {
      headers: { "X-Auth-Token": admin, Range: "bytes=10-19" },
    });
    assert.equal(part.status, 206);
    assert.ok(data.subarray(10, 20).equals(Buffer.from(await part.arrayBuffer())));
  });

  it("goes back to queued when an upload breaks off, announced or in chunks, and leaves nothing on disk", async () => {
    const files = async (): Promise<string[]> =>
      (await readdir(t.imageDirectory, { recursive: true })).sort();
    const before = await files();
    for (const [framing, start] of [
      ["Content-Length: 100000", "half"],
      ["Transfer-Encoding: chunked", "4\r\nhalf\r\n"],
      ["Transfer-Encoding: chunked", "ff\r\nhalf"],
    ] as const) {
      const image = await t.glance.createImage(ctx(), aRaw("broken"));
      const { port } = new URL(base);
      const socket = connect(Number(port), "127.0.0.1");
      socket.write(
        `PUT /v2/images/${image.id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await t.keystone.serviceToken(ctx())}\r\nContent-Type: application/octet-stream\r\n${framing}\r\n\r\n${start}`,
      );
      await until(async () => (await t.glance.getImage(ctx(), image.id)).status === "saving");
      await until(async () => (await files()).length === before.length + 1, {
        what: "the upload to have begun",
      });
      socket.destroy();
      await until(async () => (await t.glance.getImage(ctx(), image.id)).status === "queued");
      await until(async () => (await files()).length === before.length, { what: "the file to be gone" });
      await t.glance.upload(ctx(), image.id, pieces(Buffer.from("whole")));
      assert.equal((await t.glance.getImage(ctx(), image.id)).sizeBytes, 5);
      await t.glance.deleteImage(ctx(), image.id);
      assert.deepEqual(await files(), before);
    }
  });

  it("never gives an id a second time, after its image is deleted neither", async () => {
    const id = randomUUID();
    const wish = { ...aRaw("pinned"), id, visibility: "public" } as const;
    await t.glance.createImage(ctx(), wish);
    await t.glance.deleteImage(ctx(), id);
    const body = {
      name: "theirs",
      id,
      visibility: "community",
      container_format: "bare",
      disk_format: "raw",
    };
    const again = await t.raw(`${base}/images`, {
      method: "POST",
      token: demo,
      body: JSON.stringify(body),
    });
    assert.equal(again.status, 409);
    await assert.rejects(t.glance.createImage(ctx(), wish), reason("IMAGE_EXISTS"));
    await assert.rejects(t.glance.getImage(ctx(), id), reason("IMAGE_NOT_FOUND"));
  });

  it("stores nothing for whom it refuses an image without owner", async () => {
    const before = (await t.glance.listImages(ctx())).length;
    const refused = await t.raw(`${base}/images`, {
      method: "POST",
      token: demo,
      body: JSON.stringify({ name: "nobody's", owner: null }),
    });
    assert.deepEqual([refused.status, (await t.glance.listImages(ctx())).length], [403, before]);
  });

  it("lets one of two uploads win", async () => {
    const image = await t.glance.createImage(ctx(), aRaw("raced"));
    const tries = await Promise.allSettled(
      [1, 2].map((n) => t.glance.upload(ctx(), image.id, pieces(Buffer.alloc(200_000, n)))),
    );
    assert.deepEqual(tries.map((one) => one.status).sort(), ["fulfilled", "rejected"]);
    assert.equal((await collect(t.glance.download(ctx(), image.id))).length, 200_000);
  });

  it("refuses data without formats, too much of it, or another amount than announced", async () => {
    const bare = await t.glance.createImage(ctx(), { name: "no formats" });
    await assert.rejects(t.glance.upload(ctx(), bare.id, pieces(Buffer.from("x"))), reason("IMAGE_INVALID"));
    const image = await t.glance.createImage(ctx(), aRaw("large"));
    const put = (body: string | Buffer, headers: Record<string, string>) =>
      t.raw(`${base}/images/${image.id}/file`, { method: "PUT", token: admin, body, headers });
    assert.equal(
      (await put(Buffer.alloc(5_000_000), { "Content-Type": "application/octet-stream" })).status,
      413,
    );
    assert.equal(
      (await put("abc", { "Content-Type": "application/octet-stream", "x-openstack-image-size": "4" }))
        .status,
      400,
    );
    assert.equal((await put("abc", { "Content-Type": "application/json" })).status, 415);
    assert.equal((await t.glance.getImage(ctx(), image.id)).status, "queued");
  });

  it("patches as Glance does", async () => {
    const { id } = await t.glance.createImage(ctx(), { ...aRaw("patched"), properties: { keep: "1" } });
    const ok = await patch(id, [
      { op: "replace", path: "/name", value: "renamed" },
      { op: "add", path: "/a~1b", value: "c" },
      { op: "add", path: "/tags", value: ["t2", "t1"] },
    ]);
    assert.equal(ok.status, 200);
    assert.deepEqual(
      [ok.body["name"], ok.body["a/b"], ok.body["tags"], ok.body["keep"]],
      ["renamed", "c", ["t1", "t2"], "1"],
    );
    for (const [body, status] of [
      [[{ op: "replace", path: "/nothing", value: "x" }], 409],
      [[{ op: "remove", path: "/nothing" }], 409],
      [[{ op: "remove", path: "/name" }], 403],
      [[{ op: "replace", path: "/status", value: "active" }], 403],
      [[{ op: "add", path: "/id", value: "x" }], 403],
      [[{ op: "add", path: "/min_disk", value: -1 }], 400],
      [[{ op: "add", path: "/n", value: 5 }], 400],
      [[{ op: "test", path: "/n", value: "x" }], 400],
      [[{ op: "add", path: "n", value: "x" }], 400],
      [[{ op: "add", path: "/a/b", value: "x" }], 400],
      [[{ op: "add", path: "/~2", value: "x" }], 400],
      [{}, 400],
      [[null], 400],
      [[{ op: "add", path: "/x" }], 400],
      [[{ op: "replace", path: "/visibility", value: "nowhere" }], 400],
      [[{ op: "add", path: "/nul", value: "\0" }], 400],
    ] as const)
      assert.equal((await patch(id, body)).status, status, JSON.stringify(body));
    assert.equal((await patch(id, [], admin, "application/json")).status, 415);
    assert.equal(
      (
        await patch(
          id,
          [{ replace: "/name", value: "old style" }],
          admin,
          "application/openstack-images-v2.0-json-patch",
        )
      ).body["name"],
      "old style",
    );
    await t.glance.updateImage(ctx(), id, [
      { op: "set", name: "odd~/name", value: "1" },
      { op: "remove", name: "keep" },
    ]);
    assert.deepEqual((await t.glance.getImage(ctx(), id)).properties, { "a/b": "c", "odd~/name": "1" });
  });

  it("shows images to whom they belong, are public or shared", async () => {
    const own = await t.glance.createImage(
      ctx(),
      { ...aRaw("own"), visibility: "private" },
      { userToken: demo },
    );
    const foreign = await t.glance.createImage(
      ctx(),
      { ...aRaw("foreign"), visibility: "private" },
      { userToken: admin },
    );
    const shared = await t.glance.createImage(ctx(), { ...aRaw("shared") }, { userToken: admin });
    const open = await t.glance.createImage(
      ctx(),
      { ...aRaw("open"), visibility: "public" },
      { userToken: admin },
    );
    const community = await t.glance.createImage(
      ctx(),
      { ...aRaw("community"), visibility: "community" },
      { userToken: admin },
    );
    const listed = async (): Promise<string[]> =>
      (await t.glance.listImages(ctx(), {}, { userToken: demo })).map((image) => image.id);
    const mine = await listed();
    assert.deepEqual(
      [own, foreign, shared, open, community].map((image) => mine.includes(image.id)),
      [true, false, false, true, false],
    );
    await assert.rejects(
      t.glance.getImage(ctx(), foreign.id, { userToken: demo }),
      reason("IMAGE_NOT_FOUND"),
    );
    await assert.rejects(
      t.glance.deleteImage(ctx(), open.id, { userToken: demo }),
      reason("IMAGE_FORBIDDEN"),
    );
    assert.equal((await t.glance.getImage(ctx(), community.id, { userToken: demo })).name, "community");
    await assert.rejects(
      t.glance.createImage(ctx(), { ...aRaw("x"), visibility: "public" }, { userToken: demo }),
      reason("IMAGE_FORBIDDEN"),
    );

    const member = t.cloud.seeded.projects.demo;
    await t.glance.addMember(ctx(), shared.id, member, { userToken: admin });
    await t.glance.addMember(ctx(), shared.id, member, { userToken: admin });
    assert.equal((await listed()).includes(shared.id), false);
    assert.equal(
      (
        await t.raw(`${base}/images/${shared.id}/members/${member}`, {
          method: "PUT",
          token: demo,
          body: `{"status": "accepted"}`,
        })
      ).status,
      200,
    );
    assert.equal((await listed()).includes(shared.id), true);
    assert.equal(
      (
        await t.raw(`${base}/images/${shared.id}/members`, {
          method: "POST",
          token: demo,
          body: `{"member": "other"}`,
        })
      ).status,
      403,
    );
    assert.equal((await t.raw(`${base}/images/${foreign.id}/members`, { token: demo })).status, 404);
    assert.equal(
      (
        await t.raw(`${base}/images/${own.id}/members`, {
          method: "POST",
          token: demo,
          body: `{"member": "other"}`,
        })
      ).status,
      403,
    );
  });

  it("lets a member answer for itself, and its owner take the share back", async () => {
    const image = await t.glance.createImage(ctx(), { ...aRaw("offered") }, { userToken: admin });
    const { demo: member, admin: owner } = t.cloud.seeded.projects;
    const path = `${base}/images/${image.id}/members`;
    const send = (method: string, url: string, body?: unknown, token = admin) =>
      t.raw(url, { method, token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const made = await send("POST", path, { member });
    assert.deepEqual(
      [made.status, made.body["status"], made.body["member_id"], made.body["image_id"], made.body["schema"]],
      [200, "pending", member, image.id, "/v2/schemas/member"],
    );
    assert.equal((await send("POST", path, { member })).status, 409);
    for (const body of [{}, { member: 5 }, { member: "" }, [], "x"])
      assert.equal((await send("POST", path, body)).status, 400, JSON.stringify(body));
    const listed = async (query: string): Promise<boolean> =>
      (
        (await t.raw(`${base}/images?limit=1000&${query}`, { token: demo })).body["images"] as {
          id: string;
        }[]
      ).some((one) => one.id === image.id);
    assert.deepEqual(
      [
        await listed(""),
        await listed("member_status=pending"),
        await listed("member_status=all&visibility=shared"),
      ],
      [false, true, true],
    );
    assert.equal(
      (await send("PUT", `${path}/${member}`, { status: "accepted" }, demo)).body["status"],
      "accepted",
    );
    assert.equal(await listed(""), true);
    assert.equal((await send("PUT", `${path}/${member}`, { status: "perhaps" }, demo)).status, 400);
    assert.equal((await send("PUT", `${path}/${owner}`, { status: "accepted" }, demo)).status, 404);
    assert.equal(
      (await send("PUT", `${path}/${member}`, { status: "rejected" }, demo)).body["status"],
      "rejected",
    );
    assert.deepEqual([await listed(""), await listed("member_status=rejected")], [false, true]);
    assert.equal(((await send("GET", path, undefined, demo)).body["members"] as unknown[]).length, 1);
    assert.equal((await send("DELETE", `${path}/${member}`, undefined, demo)).status, 403);
    assert.equal((await send("DELETE", `${path}/${member}`)).status, 204);
    assert.deepEqual(
      [
        (await send("GET", `${path}/${member}`)).status,
        (await send("DELETE", `${path}/${member}`)).status,
        (await send("GET", path, undefined, demo)).status,
      ],
      [404, 404, 404],
    );
  });

  it("puts tags on and takes them off", async () => {
    const { id } = await t.glance.createImage(
      ctx(),
      { ...aRaw("tagged"), tags: ["one"] },
      { userToken: demo },
    );
    const tag = async (method: string, name: string, token = demo): Promise<number> =>
      (await t.raw(`${base}/images/${id}/tags/${encodeURIComponent(name)}`, { method, token })).status;
    assert.deepEqual(
      [
        await tag("PUT", "two words"),
        await tag("PUT", "two words"),
        await tag("DELETE", "one"),
        await tag("DELETE", "one"),
        await tag("PUT", "x".repeat(256)),
      ],
      [204, 204, 204, 404, 400],
    );
    assert.deepEqual((await t.glance.getImage(ctx(), id)).tags, ["two words"]);
    const found = await t.raw(`${base}/images?tag=two+words`, { token: demo });
    assert.deepEqual(
      (found.body["images"] as { id: string }[]).map((image) => image.id),
      [id],
    );
    await Promise.all(Array.from({ length: 6 }, (_, n) => tag("PUT", `t${n}`)));
    assert.equal((await t.glance.getImage(ctx(), id)).tags.length, 7);
  });

  it("gives out parts of images, and no more than asked for", async () => {
    const image = await t.glance.createImage(ctx(), aRaw("parts"));
    assert.equal(
      (await fetch(`${base}/images/${image.id}/file`, { headers: { "X-Auth-Token": admin } })).status,
      204,
    );
    await t.glance.upload(ctx(), image.id, pieces(Buffer.from("0123456789")));
    const get = async (range: string, method = "GET"): Promise<readonly unknown[]> => {
      const answer = await fetch(`${base}/images/${image.id}/file`, {
        method,
        headers: { "X-Auth-Token": admin, Range: range },
      });
      return [
        answer.status,
        answer.headers.get("content-range"),
        answer.headers.get("content-length"),
        await answer.text(),
      ];
    };
    assert.deepEqual(await get("bytes=2-4"), [206, "bytes 2-4/10", "3", "234"]);
    assert.deepEqual(await get("bytes=-2"), [206, "bytes 8-9/10", "2", "89"]);
    assert.deepEqual(await get("bytes=20-"), [416, "bytes */10", "0", ""]);
    assert.deepEqual(await get("nonsense", "HEAD"), [200, null, "10", ""]);
    const whole = await fetch(`${base}/images/${image.id}/file`, { headers: { "X-Auth-Token": admin } });
    assert.equal(
      whole.headers.get("content-md5"),
      createHash("md5")
        .update(await whole.text())
        .digest("hex"),
    );
  });

  it("filters, sorts and pages so that pages neither overlap nor leave out", async () => {
    const batch = randomUUID();
    const names = ["b", "a", "c", "a", "e", "d", "b"];
    for (const name of names) await t.glance.createImage(ctx(), { ...aRaw(name), properties: { batch } });
    for (const sort of ["name:asc", "name:desc,created_at:asc", "size:asc", "created_at:desc"]) {
      const seen: string[] = [];
      let url: string | undefined = `/v2/images?batch=${batch}&limit=2&sort=${sort}`;
      while (url !== undefined) {
        const page = await t.raw(`${t.cloud.urls.image}${url}`, { token: admin });
        assert.equal(page.status, 200);
        seen.push(
          ...(page.body["images"] as { id: string; name: string }[]).map(
            (image) => `${image.name} ${image.id}`,
          ),
        );
        url = page.body["next"] as string | undefined;
      }
      assert.equal(new Set(seen).size, names.length, sort);
      if (sort === "name:asc")
        assert.deepEqual(
          seen.map((one) => one[0]),
          [...names].sort(),
        );
    }
    const count = async (query: string): Promise<number> =>
      (
        (await t.raw(`${base}/images?batch=${batch}&limit=100&${query}`, { token: admin })).body[
          "images"
        ] as unknown[]
      ).length;
    assert.deepEqual(
      [
        await count("name=a"),
        await count("name=in:a,e"),
        await count("status=active"),
        await count("created_at=lt:2000-01-01"),
        await count("nonsense=1"),
      ],
      [2, 3, 0, 0, 0],
    );
    for (const query of [
      "sort_key=owner",
      "sort_dir=up",
      "limit=-1",
      "limit=x",
      "status=odd",
      "created_at=odd",
      "marker=none",
      "visibility=odd",
      "size_min=x",
      "name=in:%22a",
    ]) {
      assert.equal((await t.raw(`${base}/images?${query}`, { token: admin })).status, 400, query);
    }
  });

  it("guards protected and deactivated images", async () => {
    const image = await t.glance.createImage(ctx(), { ...aRaw("guarded"), protected: true });
    await t.glance.upload(ctx(), image.id, pieces(Buffer.from("data")));
    await assert.rejects(t.glance.deleteImage(ctx(), image.id), reason("IMAGE_FORBIDDEN"));
    await patch(image.id, [
      { op: "replace", path: "/visibility", value: "public" },
      { op: "replace", path: "/protected", value: false },
    ]);
    assert.equal(
      (await t.raw(`${base}/images/${image.id}/actions/deactivate`, { method: "POST", token: admin })).status,
      204,
    );
    await assert.rejects(
      collect(t.glance.download(ctx(), image.id, { userToken: demo })),
      reason("IMAGE_FORBIDDEN"),
    );
    assert.equal(
      (await t.raw(`${base}/images/${image.id}/actions/reactivate`, { method: "POST", token: admin })).status,
      204,
    );
    assert.equal((await collect(t.glance.download(ctx(), image.id, { userToken: demo }))).toString(), "data");
    await t.glance.deleteImage(ctx(), image.id);
    await t.glance.deleteImage(ctx(), image.id);
  });

  it("answers malformed creations in its own format", async () => {
    for (const [body, status] of [
      ["{", 400],
      ["[]", 400],
      [`{"id": "x"}`, 400],
      [`{"name": 5}`, 400],
      [`{"size": 5}`, 403],
      [`{"status": "active"}`, 403],
      [`{"min_ram": 1e99}`, 400],
      [`{"disk_format": "zip"}`, 400],
      [`{"tags": "x"}`, 400],
      [`{"nul": "\\u0000"}`, 400],
      [`{"half": "\\ud800"}`, 400],
      [`{"obj": {}}`, 400],
    ] as const) {
      const answer = await t.raw(`${base}/images`, { method: "POST", token: admin, body });
      assert.equal(answer.status, status, body);
      assert.equal((answer.body["error"] as Json)["code"], status);
    }
    const odd = await t.raw(`${base}/images`, {
      method: "POST",
      token: admin,
      body: `{"__proto__": "p", "constructor": "c"}`,
    });
    assert.equal(odd.status, 201);
    assert.equal(odd.body["constructor"], "c");
    assert.equal((await t.raw(`${base}/images/not-a-uuid`, { token: admin })).status, 404);
    assert.equal((await t.raw(`${base}/images`)).status, 401);
  });

  it("seeds a file once, replaces it when it changed, and clears away leftovers at the next start", async () => {
    const directory = await mkdtemp(join(tmpdir(), "kilonova-seed-"));
    try {
      const path = join(directory, "disk.img");
      await writeFile(path, "first");
      const seed = {
        name: "seeded",
        path,
        diskFormat: "raw",
        projectId: t.cloud.seeded.projects.admin,
        properties: { os_distro: "test" },
      } as const;
      const { parts } = t.cloud.image;
      const id = await seedImage(parts, ctx(), seed);
      assert.equal(await seedImage(parts, ctx(), seed), id);
      await writeFile(path, "second version");
      const next = await seedImage(parts, ctx(), seed);
      assert.notEqual(next, id);
      await assert.rejects(t.glance.getImage(ctx(), id), reason("IMAGE_NOT_FOUND"));
      assert.equal(
        (await collect(t.glance.download(ctx(), next, { userToken: demo }))).toString(),
        "second version",
      );

      const stuck = await t.glance.createImage(ctx(), aRaw("stuck"));
      await parts.images.beginUpload(ctx(), stuck.id, randomUUID(), 1n);
      await t.restart();
      assert.equal((await t.glance.getImage(ctx(), stuck.id)).status, "queued");
      assert.equal((await collect(t.glance.download(ctx(), next))).toString(), "second version");
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
