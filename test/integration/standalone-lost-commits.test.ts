import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { CommonErrors, KilonovaError } from "../../pkg/kernel/index.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import { putBack, sweepFiles } from "../../pkg/standalone/image/ops/leftovers.js";
import { uploadData } from "../../pkg/standalone/image/ops/upload.js";
import type { ImageParts } from "../../pkg/standalone/image/ports.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

const DATA = Buffer.from("a disk");
const cancelled = (): KilonovaError => CommonErrors.CANCELLED({ what: "The request" });
const isCancelled = (error: unknown): boolean => error instanceof KilonovaError && error.kind === "cancelled";
async function* bytes(): AsyncGenerator<Uint8Array> {
  yield DATA;
}

/** The same, but whoever waits for the answer is told that the request was called off. */
const unseen =
  <A extends unknown[], T>(method: (...args: A) => Promise<T>) =>
  async (...args: A): Promise<T> => {
    await method(...args);
    throw cancelled();
  };

/** What the database stored while the client of the request went away. */
describe("standalone: commits whose end nobody saw", () => {
  let t: TestCloud;
  let base: string;
  let admin: string;

  before(async () => {
    t = await testCloud();
    base = `${t.cloud.urls.image}/v2`;
    admin = await t.login("admin");
  });
  after(() => t.close());

  const parts = (): ImageParts => t.cloud.image.parts;
  const withImages = (over: Partial<ImageParts["images"]>): ImageParts => ({
    ...parts(),
    images: { ...parts().images, ...over },
  });
  const anImage = async (): Promise<string> =>
    (await t.glance.createImage(testCtx(), { name: "i", diskFormat: "raw", containerFormat: "bare" })).id;
  const asAdmin = (): Ctx => testCtx({ actor: { ...testCtx().actor, roles: ["admin"] } });
  const upload = (by: ImageParts, id: string): Promise<void> =>
    uploadData(by, asAdmin(), id, { source: bytes(), announced: DATA.length });
  const statusOf = async (id: string): Promise<string> => (await t.glance.getImage(testCtx(), id)).status;
  const dataOf = async (id: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`${base}/images/${id}/file`, { headers: { "X-Auth-Token": admin } });
    return { status: answer.status, text: await answer.text() };
  };
  const files = async (): Promise<string[]> =>
    (await Promise.all(["incoming", "data"].map((name) => readdir(join(t.imageDirectory, name))))).flat();

  it("keep the data of an image whose upload had ended", async () => {
    const id = await anImage();
    await upload(withImages({ finishUpload: unseen(parts().images.finishUpload) }), id);
    assert.equal(await statusOf(id), "active");
    assert.deepEqual(await dataOf(id), { status: 200, text: DATA.toString() });
    await sweepFiles(parts(), testCtx());
    assert.deepEqual(await dataOf(id), { status: 200, text: DATA.toString() });
    assert.equal(parts().uploads.size, 0);
  });

  it("leave no image saving whose upload nobody works at", async () => {
    const id = await anImage();
    const broken = upload(withImages({ beginUpload: unseen(parts().images.beginUpload) }), id);
    await assert.rejects(broken, isCancelled);
    assert.equal(await statusOf(id), "queued");
    await upload(parts(), id);
    assert.equal(await statusOf(id), "active");
  });

  it("put an image back whose upload began or broke off while the database was away", async () => {
    const id = await anImage();
    const away = withImages({
      beginUpload: unseen(parts().images.beginUpload),
      abandonUpload: async () => Promise.reject(new Error("away")),
    });
    await assert.rejects(upload(away, id), isCancelled);
    assert.equal(await statusOf(id), "saving");
    await putBack(parts(), testCtx());
    assert.equal(await statusOf(id), "queued");
  });

  it("do not take an image from an upload under way", async () => {
    const id = await anImage();
    const before = new Set(await files());
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield DATA.subarray(0, 3);
      await putBack(parts(), testCtx());
      await sweepFiles(parts(), testCtx());
      assert.equal((await files()).filter((name) => !before.has(name)).length, 1);
      yield DATA.subarray(3);
    }
    await uploadData(parts(), asAdmin(), id, { source: slow(), announced: DATA.length });
    assert.deepEqual(await dataOf(id), { status: 200, text: DATA.toString() });
  });

  it("leave no data of images that are gone", async () => {
    const [gone, kept] = [await anImage(), await anImage()];
    await upload(parts(), gone);
    await upload(parts(), kept);
    const { actor } = asAdmin();
    await assert.rejects(
      unseen(parts().images.remove)(testCtx(), actor, gone, () => {}),
      isCancelled,
    );
    await writeFile(join(t.imageDirectory, "incoming", "of-nobody"), "x");
    const had = await files();
    await sweepFiles(parts(), testCtx());
    assert.deepEqual([had.length - (await files()).length, (await dataOf(kept)).status], [2, 200]);
  });

  it("are told to the hosts' switches again, once they may be stored", async () => {
    const network = `${t.cloud.urls.network}/v2.0`;
    const send = (method: string, path: string, body: unknown, signal?: AbortSignal) =>
      t.raw(`${network}${path}`, {
        method,
        token: admin,
        body: JSON.stringify(body),
        ...(signal ? { signal } : {}),
      });
    const group = await send("POST", "/security-groups", { security_group: { name: "g" } });
    const { id } = group.body["security_group"] as { id: string };
    const mark = await t.neutron.awaitChange(testCtx(), undefined, 0);
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let locked = (): void => {};
    const isLocked = new Promise<void>((resolve) => {
      locked = resolve;
    });
    const table = sql.table(`${t.database.schema}.network_security_group`);
    const holding = t.database.write(
      testCtx(),
      "test.lock",
      async (tx) => {
        await sql`select id from ${table} where id = ${id} for update`.execute(tx);
        locked();
        await released;
      },
      { isolation: "read-committed" },
    );
    await isLocked;
    const leaving = new AbortController();
    const path = `/security-groups/${id}`;
    const change = send("PUT", path, { security_group: { name: "h" } }, leaving.signal);
    setTimeout(() => leaving.abort(), 300);
    await assert.rejects(change);
    release();
    await holding;
    const left = await t.neutron.awaitChange(testCtx(), mark, 5_000);
    assert.notEqual(left, mark, "when the client has left");
    assert.notEqual(await t.neutron.awaitChange(testCtx(), left, 5_000), left, "and again");
  });
});
