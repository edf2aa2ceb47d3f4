import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { handmadeCloud } from "../testing/handmade-cloud.js";
import type { HandmadeCloud } from "../testing/handmade-cloud.js";
import { htmlError } from "../testing/handmade-server.js";
import { cinderClient } from "./client.js";
import type { Cinder } from "./ports.js";

const reason =
  (name: string, text = "") =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name && error.message.includes(text);
const ID = "22222222-2222-4222-8222-222222222222";
const SERVER = "33333333-3333-4333-8333-333333333333";
const ATTACHMENT = "44444444-4444-4444-8444-444444444444";
const BASE = "/volume/v3/p-1";
/** A volume as Cinder 27 writes it for an administrator. */
const volume = (more: object = {}): object => ({
  id: ID,
  status: "in-use",
  size: 2,
  availability_zone: "nova",
  created_at: "2026-11-22T11:40:46.000000",
  updated_at: "2026-11-22T11:40:47.000000",
  name: null,
  description: null,
  volume_type: "lvmdriver-1",
  snapshot_id: null,
  source_volid: null,
  metadata: { a: "b" },
  links: [],
  user_id: "u",
  bootable: "true",
  encrypted: false,
  replication_status: null,
  consistencygroup_id: null,
  multiattach: true,
  attachments: [
    {
      id: ID,
      attachment_id: ATTACHMENT,
      volume_id: ID,
      server_id: SERVER,
      host_name: "h",
      device: "/dev/vdb",
      attached_at: "2026-11-22T11:40:46.000000",
    },
  ],
  volume_image_metadata: { image_id: "i", min_disk: "1" },
  migration_status: null,
  "os-vol-tenant-attr:tenant_id": "p",
  "os-vol-host-attr:host": "h@lvm#lvm",
  "os-vol-mig-status-attr:migstat": null,
  service_uuid: "s",
  shared_targets: false,
  ...more,
});
const attachment = (more: object = {}): object => ({
  id: ATTACHMENT,
  status: "attaching",
  instance: SERVER,
  volume_id: ID,
  attached_at: "",
  detached_at: "",
  attach_mode: "rw",
  connection_info: { driver_volume_type: "rbd", name: "volumes/v", access_mode: "rw" },
  ...more,
});
const versions = (version = "3.71") => ({
  status: 300,
  body: { versions: [{ id: "v3.0", status: "CURRENT", version, min_version: "3.0", links: [] }] },
});
const refusal = (status: number, message: string) => ({
  status,
  body: { badRequest: { code: status, message } },
});

describe("cinder client on the wire", () => {
  let cloud: HandmadeCloud;
  let cinder: Cinder;
  const open = async (path = "/volume/v3/p-1", type = "volumev3"): Promise<void> => {
    cloud = await handmadeCloud({
      catalog: (url) =>
        path === ""
          ? []
          : [{ type, endpoints: [{ interface: "public", region: "RegionOne", url: `${url}${path}` }] }],
    });
    cinder = cinderClient({ session: cloud.keystone.session, clock: cloud.clock, random: () => 0.5 });
    cloud.server.on("GET /volume/", versions());
  };
  afterEach(() => cloud.close());

  it("finds the service by each of its names, with and without a project in its address", async () => {
    for (const [path, type, seen] of [
      ["/volume/v3/p-1", "volumev3", "/volume/v3/p-1"],
      ["/volume/v3/p-1/", "block-storage", "/volume/v3/p-1"],
      ["/volume/v3", "block-storage", "/volume/v3"],
    ] as const) {
      await open(path, type);
      cloud.server.on(`GET ${seen}/volumes/${ID}`, { status: 200, body: { volume: volume() } });
      const info = await cinder.getVolume(testCtx(), ID);
      assert.deepEqual(
        [info.bootable, info.name, info.projectId, info.multiattach, info.imageMetadata, info.sharedTargets],
        [true, "", "p", true, { image_id: "i", min_disk: "1" }, false],
      );
      assert.deepEqual(info.attachments, [
        { attachmentId: ATTACHMENT, serverId: SERVER, device: "/dev/vdb", hostName: "h" },
      ]);
      assert.ok(info.createdAt !== undefined);
      await cloud.close();
    }
    await open();
  });

  it("knows whether there is such a service", async () => {
    await open("");
    assert.equal(await cinder.configured(testCtx()), false);
    await assert.rejects(cinder.getVolume(testCtx(), ID), reason("ENDPOINT_NOT_FOUND"));
    await cloud.close();
    await open();
    assert.equal(await cinder.configured(testCtx()), true);
  });

  it("speaks the newest version that both know, and asks for it once", async () => {
    for (const [theirs, ours] of [
      ["3.71", "volume 3.71"],
      ["3.99", "volume 3.71"],
      ["3.59", "volume 3.59"],
    ] as const) {
      await open();
      cloud.server.on("GET /volume/", versions(theirs));
      cloud.server.on(`GET ${BASE}/volumes/${ID}`, { status: 200, body: { volume: volume() } });
      await cinder.getVolume(testCtx(), ID);
      await cinder.getVolume(testCtx(), ID);
      assert.equal(cloud.server.to("GET /volume/").length, 1);
      const asked = cloud.server.to(`GET ${BASE}/volumes/${ID}`)[1];
      assert.equal(asked?.headers["openstack-api-version"], ours);
      await cloud.close();
    }
    await open();
    cloud.server.on(`GET ${BASE}/volumes/${ID}`, { status: 406, body: {} });
    await assert.rejects(cinder.getVolume(testCtx(), ID), reason("BLOCK_STORAGE_TOO_OLD"));
    await assert.rejects(cinder.getVolume(testCtx(), ID), reason("BLOCK_STORAGE_TOO_OLD"));
    assert.equal(cloud.server.to("GET /volume/").length, 2);
  });

  it("speaks as an older service does that has taken the place of the one that was asked", async () => {
    await open();
    const path = `GET ${BASE}/volumes/${ID}`;
    const shown = { status: 200, body: { volume: volume() } };
    cloud.server.on("GET /volume/", versions("3.71"), versions("3.59"));
    cloud.server.on(path, shown, { status: 406, body: {} }, shown);
    for (let n = 0; n < 2; n++) assert.equal((await cinder.getVolume(testCtx(), ID)).id, ID);
    assert.deepEqual(
      cloud.server.to(path).map(({ headers }) => headers["openstack-api-version"]),
      ["volume 3.71", "volume 3.71", "volume 3.59"],
    );
  });

  it("does not take a volume for gone when the whole service is not there", async () => {
    await open();
    cloud.server.on("GET /volume/", htmlError(404, "default backend"));
    await assert.rejects(cinder.getVolume(testCtx(), ID), reason("BLOCK_STORAGE_UNAVAILABLE"));
    await assert.rejects(cinder.deleteAttachment(testCtx(), ID), reason("BLOCK_STORAGE_UNAVAILABLE"));
  });

  it("refuses a service that is too old for what is asked", async () => {
    await open();
    cloud.server.on("GET /volume/", versions("3.43"));
    await assert.rejects(cinder.getVolume(testCtx(), ID), reason("BLOCK_STORAGE_TOO_OLD", "3.44"));
    cloud.server.on("GET /volume/", versions("3.67"));
    await assert.rejects(cinder.reimage(testCtx(), ID, "i", true), reason("BLOCK_STORAGE_TOO_OLD", "3.68"));
    await assert.rejects(
      cinder.extendCompletion(testCtx(), ID, false),
      reason("BLOCK_STORAGE_TOO_OLD", "3.71"),
    );
  });

  it("reads refusals by status, in the service's words", async () => {
    await open();
    const post = `POST ${BASE}/attachments`;
    for (const [answer, expected, text] of [
      [
        refusal(400, "Invalid volume: v"),
        "VOLUME_INVALID",
        "Invalid input received: Invalid volume: v (HTTP 400)",
      ],
      [refusal(403, "x"), "BLOCK_STORAGE_FORBIDDEN", ""],
      [refusal(404, "x"), "VOLUME_NOT_FOUND", `Volume ${ID} could not be found.`],
      [refusal(409, "taken"), "VOLUME_CONFLICT", "taken"],
      [refusal(413, "Maximum"), "VOLUME_QUOTA", "Maximum"],
      [refusal(429, "Too many"), "BLOCK_STORAGE_UNAVAILABLE", ""],
      [htmlError(503, "Service Unavailable"), "BLOCK_STORAGE_UNAVAILABLE", ""],
      [htmlError(400, "Bad Request"), "VOLUME_INVALID", "Bad request"],
      [refusal(500, "secret"), "INTERNAL", ""],
    ] as const) {
      cloud.server.on(post, answer);
      await assert.rejects(
        cinder.createAttachment(testCtx(), { volumeId: ID, serverId: SERVER }),
        reason(expected, text),
      );
    }
    assert.equal(cloud.server.to(post).length, 9, "a reservation is never repeated");
  });

  it("believes no size that is none, no connection that is a flood, and no endless refusal", async () => {
    await open();
    for (const size of [1.5, -1, 1e300, 2 ** 31, "1"]) {
      cloud.server.on(`GET ${BASE}/volumes/${ID}`, { status: 200, body: { volume: volume({ size }) } });
      await assert.rejects(cinder.getVolume(testCtx(), ID), reason("UNEXPECTED_ANSWER"), String(size));
    }
    const info = { driver_volume_type: "nbd", export: "e".repeat(70_000) };
    cloud.server.on(`GET ${BASE}/attachments/${ATTACHMENT}`, {
      status: 200,
      body: { attachment: attachment({ connection_info: info }) },
    });
    await assert.rejects(cinder.getAttachment(testCtx(), ATTACHMENT), reason("UNEXPECTED_ANSWER"));
    cloud.server.on(`GET ${BASE}/volumes/${ID}`, refusal(400, "x".repeat(100_000)));
    await assert.rejects(
      cinder.getVolume(testCtx(), ID),
      (error: unknown) => error instanceof KilonovaError && error.message.length < 1_100,
    );
  });

  it("lets what is no id change no path", async () => {
    await open();
    for (const id of ["", "../types", `${ID}/encryption`])
      await assert.rejects(cinder.getVolume(testCtx(), id), reason("VOLUME_NOT_FOUND"));
    await assert.rejects(cinder.getAttachment(testCtx(), "x"), reason("VOLUME_ATTACHMENT_NOT_FOUND"));
    await cinder.deleteAttachment(testCtx(), "x");
    assert.equal(cloud.server.seen.filter(({ path }) => path.startsWith("/volume")).length, 0);
  });

  it("attaches by the attachments API", async () => {
    await open();
    const path = `${BASE}/attachments/${ATTACHMENT}`;
    cloud.server
      .on(`POST ${BASE}/attachments`, {
        status: 200,
        body: { attachment: attachment({ connection_info: {} }) },
      })
      .on(`PUT ${path}`, { status: 503 }, { status: 200, body: { attachment: attachment() } })
      .on(`POST ${path}/action`, { status: 204 })
      .on(`DELETE ${path}`, { status: 200, body: { attachments: [] } }, { status: 404 });
    const made = await cinder.createAttachment(testCtx(), { volumeId: ID, serverId: SERVER });
    assert.deepEqual([made.id, made.connectionInfo], [ATTACHMENT, undefined]);
    const connected = await cinder.updateAttachment(testCtx(), ATTACHMENT, { host: "h" });
    assert.equal(connected.connectionInfo?.["driver_volume_type"], "rbd");
    await cinder.completeAttachment(testCtx(), ATTACHMENT);
    await cinder.deleteAttachment(testCtx(), ATTACHMENT);
    await cinder.deleteAttachment(testCtx(), ATTACHMENT);
    const ended = cloud.server.to(`DELETE ${path}`)[0]?.headers;
    assert.deepEqual(
      [ended?.["x-auth-token"], ended?.["x-service-token"]],
      ["token-1", "token-1"],
      "only a service may end an attachment that a server has",
    );
    const bodies = cloud.server.seen
      .filter((one) => one.path.startsWith(BASE) && one.body !== "")
      .map(({ body }) => JSON.parse(body) as unknown);
    assert.deepEqual(bodies, [
      { attachment: { volume_uuid: ID, instance_uuid: SERVER, connector: null } },
      { attachment: { connector: { host: "h" } } },
      { attachment: { connector: { host: "h" } } },
      { "os-complete": {} },
    ]);
  });

  it("lists to the end, of all projects where one is asked for", async () => {
    await open();
    const next = [{ rel: "next", href: `http://x${BASE}/volumes/detail?limit=1&marker=m` }];
    cloud.server.on(
      `GET ${BASE}/volumes/detail`,
      { status: 200, body: { volumes: [volume()], volumes_links: next } },
      { status: 200, body: { volumes: [volume({ name: "last" })] } },
    );
    const found = await cinder.listVolumes(testCtx(), { projectId: "p", metadata: { k: "v" } });
    assert.deepEqual(
      found.map(({ name }) => name),
      ["", "last"],
    );
    const [first, second] = cloud.server.to(`GET ${BASE}/volumes/detail`);
    assert.deepEqual(
      [first?.query.get("all_tenants"), first?.query.get("project_id"), first?.query.get("metadata")],
      ["1", "p", '{"k":"v"}'],
    );
    assert.equal(second?.query.get("marker"), "m");
  });

  it("gives up on links that go in a circle", async () => {
    await open();
    const next = [{ rel: "next", href: "http://x/?marker=m" }];
    cloud.server.on(`GET ${BASE}/types`, {
      status: 200,
      body: { volume_types: [{ id: "t", name: "n" }], volume_types_links: next },
    });
    await assert.rejects(cinder.listTypes(testCtx()), reason("UNEXPECTED_ANSWER"));
  });

  it("makes volumes with the user's rights in the user's project, and ours beside", async () => {
    await open();
    cloud.server.on("POST /volume/v3/theirs/volumes", { status: 202, body: { volume: volume() } });
    await cinder.createVolume(
      testCtx(),
      { name: "", sizeGib: 2, imageId: "i", projectId: "theirs", userId: "u" },
      { userToken: "user-token", projectId: "theirs" },
    );
    const [asked] = cloud.server.to("POST /volume/v3/theirs/volumes");
    assert.deepEqual(
      [asked?.headers["x-auth-token"], asked?.headers["x-service-token"]],
      ["user-token", "token-1"],
    );
    assert.deepEqual(JSON.parse(asked?.body ?? ""), {
      volume: { size: 2, name: "", imageRef: "i", metadata: {} },
    });
  });

  it("tells an encrypted volume, and what is left of a project's quota", async () => {
    await open();
    cloud.server
      .on(
        `GET ${BASE}/volumes/${ID}/encryption`,
        { status: 200, body: {} },
        {
          status: 200,
          body: { encryption_key_id: "k", control_location: "front-end", provider: "luks", key_size: 256 },
        },
      )
      .on(`GET ${BASE}/limits`, {
        status: 200,
        body: { limits: { rate: [], absolute: { maxTotalSnapshots: 10, totalSnapshotsUsed: 3 } } },
      });
    assert.equal(await cinder.getEncryption(testCtx(), ID), undefined);
    assert.equal((await cinder.getEncryption(testCtx(), ID))?.provider, "luks");
    const { maxSnapshots, snapshotsUsed, maxVolumes } = await cinder.limits(testCtx(), "p");
    assert.deepEqual([maxSnapshots, snapshotsUsed, maxVolumes], [10, 3, -1]);
    assert.equal(cloud.server.to(`GET ${BASE}/limits`)[0]?.query.get("project_id"), "p");
  });

  it("takes and drops snapshots", async () => {
    await open();
    const snapshot = { id: ID, status: "creating", volume_id: ID, size: 1, name: "s" };
    cloud.server
      .on(`POST ${BASE}/snapshots`, { status: 202, body: { snapshot } })
      .on(`DELETE ${BASE}/snapshots/${ID}`, { status: 404 })
      .on(`GET ${BASE}/snapshots/${ID}`, { status: 404 });
    assert.equal((await cinder.createSnapshot(testCtx(), { volumeId: ID, name: "s" })).status, "creating");
    await cinder.deleteSnapshot(testCtx(), ID);
    await assert.rejects(cinder.getSnapshot(testCtx(), ID), reason("SNAPSHOT_NOT_FOUND"));
  });

  it("acts on volumes", async () => {
    await open();
    const path = `POST ${BASE}/volumes/${ID}/action`;
    cloud.server.on(
      path,
      { status: 202 },
      { status: 202 },
      { status: 202 },
      { status: 200, body: { save_volume_id: SERVER } },
    );
    await cinder.beginDetaching(testCtx(), ID);
    await cinder.rollDetaching(testCtx(), ID);
    await cinder.reimage(testCtx(), ID, "i", true);
    assert.equal(await cinder.migrateVolumeCompletion(testCtx(), ID, SERVER, false), SERVER);
    assert.deepEqual(
      cloud.server.to(path).map(({ body }) => JSON.parse(body) as unknown),
      [
        { "os-begin_detaching": {} },
        { "os-roll_detaching": {} },
        { "os-reimage": { image_id: "i", reimage_reserved: true } },
        { "os-migrate_volume_completion": { new_volume: SERVER, error: false } },
      ],
    );
  });
});
