import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { sql } from "kysely";
import { daemonsBelow, inner, volumeCloud } from "./support/volume-cloud.js";
import type { Json, VolumeCloud } from "./support/volume-cloud.js";
import { until } from "../../pkg/testkit/until.js";
import { testCtx } from "../../pkg/testkit/ctx.js";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe("standalone volume: data", () => {
  let c: VolumeCloud;

  before(async () => {
    c = await volumeCloud({ quotaVolumes: -1, quotaSnapshots: -1, quotaGigabytes: -1 });
  });
  after(() => c.close());

  const create = async (wish: Json, state = "available"): Promise<Json> => {
    const made = await c.ask("demo", "POST", "/volumes", { volume: { size: 1, ...wish } });
    assert.equal(made.status, 202, JSON.stringify(made.body));
    return c.settled(`/volumes/${String(inner(made.body, "volume")["id"])}`, state);
  };
  const reserve = async (volumeId: unknown, server: string | null = randomUUID()): Promise<Json> => {
    const made = await c.ask("demo", "POST", "/attachments", {
      attachment: { volume_uuid: volumeId, instance_uuid: server },
    });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    return inner(made.body, "attachment");
  };
  const connector = { host: "node-1", mountpoint: "/dev/vdb" };
  const connect = async (id: unknown, more: Json = {}): Promise<Json> => {
    const put = await c.ask("demo", "PUT", `/attachments/${String(id)}`, {
      attachment: { connector: { ...connector, ...more } },
    });
    assert.equal(put.status, 200, JSON.stringify(put.body));
    return inner(put.body, "attachment")["connection_info"] as Json;
  };
  const release = (id: unknown) =>
    c.ask("demo", "DELETE", `/attachments/${String(id)}`, undefined, {
      headers: { "X-Service-Token": c.tokens.nova },
    });
  const attached = async (volumeId: unknown): Promise<{ id: string; at: Json }> => {
    const { id } = await reserve(volumeId);
    const at = await connect(id);
    const done = await c.ask("demo", "POST", `/attachments/${String(id)}/action`, { "os-complete": {} });
    assert.equal(done.status, 204);
    return { id: String(id), at };
  };
  const publish = (imageId: string) =>
    c.t.raw(`${c.t.cloud.urls.image}/v2/images/${imageId}`, {
      method: "PATCH",
      token: c.tokens.admin,
      headers: { "Content-Type": "application/openstack-images-v2.1-json-patch" },
      body: JSON.stringify([{ op: "replace", path: "/visibility", value: "public" }]),
    });
  const status = async (id: unknown): Promise<unknown> =>
    inner((await c.ask("demo", "GET", `/volumes/${String(id)}`)).body, "volume")["status"];

  it("serves a volume to whoever is shown its socket, and nobody once the attachment is gone", async () => {
    const volume = await create({ name: "data" });
    const { id } = await reserve(volume["id"]);
    assert.equal(await status(volume["id"]), "reserved");
    const at = await connect(id);
    assert.equal(await status(volume["id"]), "attaching");
    assert.deepEqual(
      [at["driver_volume_type"], at["export"], at["access_mode"], at["attachment_id"], at["volume_id"]],
      ["nbd", id, "rw", id, volume["id"]],
    );
    await c.ask("demo", "POST", `/attachments/${String(id)}/action`, { "os-complete": {} });
    assert.equal(await status(volume["id"]), "in-use");
    await c.io(at, ["write -P 0x41 4M 1M", "flush"]);
    assert.match(await c.io(at, ["read -P 0x41 4M 1M"]), /read 1048576/);
    const gone = await release(id);
    assert.deepEqual([gone.status, gone.body], [200, { attachments: [] }]);
    assert.equal(await status(volume["id"]), "available");
    await assert.rejects(c.io(at, ["read 0 512"]));
    assert.deepEqual(await daemonsBelow(String(volume["id"])), []);
    const again = await attached(volume["id"]);
    assert.match(await c.io(again.at, ["read -P 0x41 4M 1M", "read -P 0 0 4M"]), /read 4194304/);
    await release(again.id);
  });

  it("shuts the daemon in: a user of its own, no way to others' files, a socket in a closed folder", async () => {
    const volume = await create({});
    const { id, at } = await attached(volume["id"]);
    const socket = String(at["unix"]);
    assert.equal(statSync(socket).mode & 0o777, 0o666);
    assert.equal(statSync(dirname(dirname(socket))).mode & 0o077, 0, "nobody else passes the folder above");
    const [pid] = await daemonsBelow(String(volume["id"]));
    assert.ok(pid !== undefined);
    const standing = readFileSync(`/proc/${pid}/status`, "utf8");
    assert.match(standing, /^Seccomp:\t2$/m);
    assert.match(standing, /^NoNewPrivs:\t1$/m);
    assert.match(standing, /^CapEff:\t0+$/m);
    // One that does not wait may lose what it is told at its start.
    assert.match(readFileSync(`/proc/${pid}/cmdline`, "utf8"), /qmp\.sock,server=on,wait=on/);
    if (process.getuid?.() === 0) {
      assert.doesNotMatch(standing, /^Uid:\t0/m);
      assert.throws(() => statSync(`/proc/${pid}/root/etc/passwd`), { code: "ENOENT" });
    }
    await release(id);
  });

  it("takes snapshots of volumes in use, and makes volumes of them and of volumes", async () => {
    const volume = await create({});
    const { id, at } = await attached(volume["id"]);
    await c.io(at, ["write -P 0x51 8M 2M", "flush"]);
    const made = await c.ask("demo", "POST", "/snapshots", {
      snapshot: { volume_id: volume["id"], name: "s", force: true },
    });
    assert.equal(made.status, 202, JSON.stringify(made.body));
    const snapshot = inner(made.body, "snapshot");
    await c.settled(`/snapshots/${String(snapshot["id"])}`, "available");
    await c.io(at, ["write -P 0x52 8M 2M", "flush"]);
    const before = await create({ snapshot_id: snapshot["id"], size: 2 });
    const now = await create({ source_volid: volume["id"], size: null });
    assert.deepEqual([before["size"], now["size"]], [2, 1]);
    const one = await attached(before["id"]);
    const two = await attached(now["id"]);
    assert.match(await c.io(one.at, ["read -P 0x51 8M 2M", "length"]), /2 GiB/);
    assert.match(await c.io(two.at, ["read -P 0x52 8M 2M"]), /read 2097152/);
    for (const each of [one.id, two.id, id]) await release(each);
    const refused = await c.ask("demo", "DELETE", `/volumes/${String(volume["id"])}`);
    assert.equal(refused.status, 400);
    const cascaded = await c.ask("demo", "DELETE", `/volumes/${String(volume["id"])}?cascade=true`);
    assert.equal(cascaded.status, 202);
    await c.gone(`/volumes/${String(volume["id"])}`);
    await c.gone(`/snapshots/${String(snapshot["id"])}`);
    const copies = `${c.directory}/snapshots/${String(snapshot["id"])}`;
    assert.throws(() => statSync(copies), { code: "ENOENT" });
  });

  it("does what was stored and never queued: its client had gone away during the commit", async () => {
    const { id } = await create({});
    const { database } = c.t;
    await database.statement(testCtx(), "test", (db) =>
      sql`UPDATE ${sql.table(`${database.schema}.volume_volume`)} SET status = 'extending', previous_status = 'available', task = ${JSON.stringify({ kind: "extend", sizeGib: 2 })}::jsonb WHERE id = ${id}`.execute(
        db,
      ),
    );
    assert.equal((await c.settled(`/volumes/${String(id)}`, "available"))["size"], 2);
    assert.equal(statSync(`${c.directory}/volumes/${String(id)}/disk`).size, 2 * GIB);
  });

  it("keeps volumes sparse through copies", async () => {
    const volume = await create({});
    const copy = await create({ source_volid: volume["id"] });
    const file = statSync(`${c.directory}/volumes/${String(copy["id"])}/disk`);
    assert.equal(file.size, GIB);
    assert.ok(file.blocks * 512 < MIB, `${file.blocks} blocks`);
  });

  it("makes volumes of images, and images of volumes", async () => {
    const data = Buffer.concat([Buffer.alloc(MIB), randomBytes(MIB)]);
    const image = await c.t.glance.createImage(testCtx(), {
      name: "source",
      diskFormat: "raw",
      containerFormat: "bare",
      properties: { hw_disk_bus: "virtio" },
    });
    await c.t.glance.upload(
      testCtx(),
      image.id,
      (async function* () {
        yield data;
      })(),
    );
    await publish(image.id);
    const volume = await create({ imageRef: image.id });
    assert.equal(volume["bootable"], "true");
    const told = volume["volume_image_metadata"] as Json;
    assert.deepEqual(
      [told["image_id"], told["image_name"], told["hw_disk_bus"], told["size"]],
      [image.id, "source", "virtio", String(data.length)],
    );
    const asked = await c.ask("demo", "POST", `/volumes/${String(volume["id"])}/action`, {
      "os-volume_upload_image": { image_name: "made", disk_format: "qcow2" },
    });
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    const made = String(inner(asked.body, "os-volume_upload_image")["image_id"]);
    await c.settled(`/volumes/${String(volume["id"])}`, "available");
    const shown = await c.t.raw(`${c.t.cloud.urls.image}/v2/images/${made}`, { token: c.tokens.demo });
    assert.deepEqual(
      [
        shown.body["status"],
        shown.body["disk_format"],
        shown.body["virtual_size"],
        shown.body["hw_disk_bus"],
      ],
      ["active", "qcow2", GIB, "virtio"],
    );
    const second = await create({ imageRef: made });
    const { id, at } = await attached(second["id"]);
    const hex = data.subarray(MIB, MIB + 16).toString("hex");
    const dumped = await c.io(at, ["read -v 1M 16"]);
    assert.ok(dumped.replaceAll(/[^0-9a-f]/g, "").includes(hex), dumped);
    await release(id);
    const small = await c.ask("demo", "POST", "/volumes", {
      volume: { size: 1, imageRef: randomUUID() },
    });
    assert.deepEqual([small.status, Object.keys(small.body)], [404, ["itemNotFound"]]);
  });

  it("leaves no image behind that gets no data", async () => {
    const volume = await create({});
    const id = String(volume["id"]);
    rmSync(`${c.directory}/volumes/${id}/disk`);
    const asked = await c.ask("demo", "POST", `/volumes/${id}/action`, {
      "os-volume_upload_image": { image_name: "never", disk_format: "qcow2" },
    });
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    await c.settled(`/volumes/${id}`, "available");
    const image = String(inner(asked.body, "os-volume_upload_image")["image_id"]);
    const shown = await c.t.raw(`${c.t.cloud.urls.image}/v2/images/${image}`, { token: c.tokens.demo });
    assert.equal(shown.status, 404);
  });

  it("reads no more of an image than itself: hostile ones end in error", async () => {
    const evil = join(c.directory, "evil.qcow2");
    await promisify(execFile)("qemu-img", [
      "create",
      "-q",
      "-f",
      "qcow2",
      "-u",
      "-b",
      "/etc/passwd",
      "-F",
      "raw",
      evil,
      "1M",
    ]);
    const bytes = readFileSync(evil);
    const image = await c.t.glance.createImage(testCtx(), {
      name: "evil",
      diskFormat: "qcow2",
      containerFormat: "bare",
      properties: {},
    });
    await c.t.glance.upload(
      testCtx(),
      image.id,
      (async function* () {
        yield bytes;
      })(),
    );
    await publish(image.id);
    const volume = await create({ imageRef: image.id }, "error");
    assert.throws(() => statSync(`${c.directory}/volumes/${String(volume["id"])}/disk`), { code: "ENOENT" });
    const asked = await c.ask("demo", "DELETE", `/volumes/${String(volume["id"])}`);
    assert.equal(asked.status, 202);
    await c.gone(`/volumes/${String(volume["id"])}`);
  });

  it("reimages a reserved volume and tells Compute", async () => {
    const image = await c.t.glance.createImage(testCtx(), {
      name: "new",
      diskFormat: "raw",
      containerFormat: "bare",
      properties: {},
    });
    await c.t.glance.upload(
      testCtx(),
      image.id,
      (async function* () {
        yield Buffer.alloc(MIB, 0x77);
      })(),
    );
    const volume = await create({});
    const server = randomUUID();
    const { id } = await reserve(volume["id"], server);
    const wish = { "os-reimage": { image_id: image.id, reimage_reserved: true } };
    const early = await c.ask("admin", "POST", `/volumes/${String(volume["id"])}/action`, wish, {
      version: "3.67",
    });
    assert.equal(early.status, 404);
    const asked = await c.ask("admin", "POST", `/volumes/${String(volume["id"])}/action`, wish);
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    await c.settled(`/volumes/${String(volume["id"])}`, "reserved");
    await until(() => c.volumeEvents.some(({ serverUuid }) => serverUuid === server));
    assert.deepEqual(
      c.volumeEvents.filter(({ serverUuid }) => serverUuid === server).map(({ name }) => name),
      ["volume-reimaged"],
    );
    assert.match(await c.io(await connect(id), ["read -P 0x77 0 1M", "read -P 0 1M 1M"]), /read 1048576/);
    await release(id);
  });

  it("grows volumes, in use too, and tells Compute", async () => {
    const volume = await create({});
    const { id, at } = await attached(volume["id"]);
    await c.io(at, ["write -P 0x61 0 1M", "flush"]);
    const path = `/volumes/${String(volume["id"])}`;
    const wish = { "os-extend": { new_size: 3 } };
    assert.equal((await c.ask("demo", "POST", `${path}/action`, wish, { version: "3.41" })).status, 400);
    assert.equal((await c.ask("demo", "POST", `${path}/action`, wish)).status, 202);
    await until(async () => {
      const { volume: now } = (await c.ask("demo", "GET", path)).body as { volume: Json };
      return now["status"] === "in-use" && now["size"] === 3;
    });
    assert.match(await c.io(at, ["length", "read -P 0x61 0 1M", "write -P 0x62 2G 1M"]), /3 GiB/);
    const events = c.volumeEvents.filter(({ volumeId }) => volumeId === volume["id"]);
    assert.deepEqual(
      events.map(({ name }) => name),
      ["volume-extended"],
    );
    await release(id);
    assert.equal((await c.ask("demo", "POST", `${path}/action`, wish)).status, 400);
    assert.equal(
      (await c.ask("demo", "POST", `${path}/action`, { "os-extend": { new_size: "4" } })).status,
      202,
    );
    assert.equal((await c.settled(path, "available"))["size"], 4);
  });

  it("serves read-only what was asked for read-only", async () => {
    const volume = await create({});
    const { id } = await reserve(volume["id"]);
    const at = await connect(id, { mode: "ro" });
    assert.equal(at["access_mode"], "ro");
    await assert.rejects(c.io(at, ["write 0 512"]));
    assert.match(await c.io(at, ["read -P 0 0 512"], true), /read 512/);
    await release(id);
  });

  it("lets nobody but Compute end what a server has, also not in two steps", async () => {
    const volume = await create({});
    const { id } = await attached(volume["id"]);
    const end = () => c.ask("demo", "DELETE", `/attachments/${id}`);
    assert.equal((await end()).status, 409);
    await connect(id, { host: "elsewhere" });
    assert.equal((await end()).status, 409);
    assert.equal((await release(id)).status, 200);
    assert.equal(await status(volume["id"]), "available");
  });

  it("keeps a bounded number of what is said of a volume's image, in however many requests", async () => {
    const volume = await create({});
    const say = (round: number) =>
      c.ask("demo", "POST", `/volumes/${String(volume["id"])}/action`, {
        "os-set_image_metadata": {
          metadata: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`k${round}.${n}`, "v"])),
        },
      });
    assert.deepEqual([(await say(1)).status, (await say(1)).status, (await say(2)).status], [200, 200, 400]);
  });

  it("lets several servers have a volume of a type that allows it, and one only any other", async () => {
    const type = await c.ask("admin", "POST", "/types", {
      volume_type: { name: `multi-${randomUUID()}`, extra_specs: { multiattach: "<is> True" } },
    });
    assert.equal(type.status, 200);
    const shared = await create({ volume_type: inner(type.body, "volume_type")["name"] });
    assert.equal(shared["multiattach"], true);
    const one = await attached(shared["id"]);
    const two = await attached(shared["id"]);
    assert.equal(two.at["multiattach"], true);
    await c.io(one.at, ["write -P 0x71 0 4k", "flush"]);
    assert.match(await c.io(two.at, ["read -P 0x71 0 4k"]), /read 4096/);
    await release(one.id);
    assert.equal(await status(shared["id"]), "in-use");
    assert.match(await c.io(two.at, ["read -P 0x71 0 4k"]), /read 4096/);
    await release(two.id);
    const single = await create({});
    const { id } = await attached(single["id"]);
    const refused = await c.ask("demo", "POST", "/attachments", {
      attachment: { volume_uuid: single["id"], instance_uuid: randomUUID() },
    });
    assert.deepEqual([refused.status, Object.keys(refused.body)], [400, ["badRequest"]]);
    await release(id);
  });

  it("goes on serving while it is started again, and serves again what died meanwhile", async () => {
    const [first, second] = [await create({}), await create({})];
    const one = await attached(first["id"]);
    const two = await attached(second["id"]);
    await c.io(one.at, ["write -P 0x31 0 4k", "flush"]);
    await c.io(two.at, ["write -P 0x32 0 4k", "flush"]);
    const [keeps] = await daemonsBelow(String(first["id"]));
    const [dies] = await daemonsBelow(String(second["id"]));
    assert.ok(keeps !== undefined && dies !== undefined);
    const restarted = c.restart();
    process.kill(dies, "SIGKILL");
    await restarted;
    assert.deepEqual(await daemonsBelow(String(first["id"])), [keeps]);
    assert.match(await c.io(one.at, ["read -P 0x31 0 4k"]), /read 4096/);
    assert.match(await c.io(two.at, ["read -P 0x32 0 4k"]), /read 4096/);
    process.kill(keeps, "SIGKILL");
    await until(async () => (await c.io(one.at, ["read -P 0x31 0 4k"])).includes("read 4096"), {
      timeoutMs: 20_000,
    });
    for (const { id } of [one, two]) await release(id);
  });

  it("ends what it was making when it is started again", async () => {
    const made = await Promise.all(
      [1, 2, 3, 4].map(() => c.ask("demo", "POST", "/volumes", { volume: { size: 1 } })),
    );
    await c.restart();
    for (const { body } of made)
      await c.settled(`/volumes/${String(inner(body, "volume")["id"])}`, "available");
  });
});
