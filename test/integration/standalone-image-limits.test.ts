import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { imageConfig } from "../../pkg/standalone/image/index.js";
import { testCloud } from "./support/standalone-cloud.js";
import type { TestCloud } from "./support/standalone-cloud.js";

const MIB = 2 ** 20;
const OCTETS = { "Content-Type": "application/octet-stream" };
const limits = { ...imageConfig.parse({}), imageSizeTotal: 4, imageCountTotal: 6, imageCountUploading: 2 };

describe("limits of the standalone Image service", () => {
  let t: TestCloud;
  let base: string;
  let demo: string;
  let admin: string;

  beforeEach(async () => {
    t = await testCloud({ imageLimits: limits });
    base = `${t.cloud.urls.image}/v2`;
    [demo, admin] = await Promise.all([t.login("demo"), t.login("admin")]);
  });
  afterEach(() => t.close());

  const create = (token = demo) =>
    t.raw(`${base}/images`, {
      method: "POST",
      token,
      body: JSON.stringify({ name: "i", disk_format: "raw", container_format: "bare" }),
    });
  const created = async (token = demo): Promise<string> => String((await create(token)).body["id"]);
  const put = (id: string, body: Buffer | ReadableStream, more: Record<string, string> = {}, token = demo) =>
    t.raw(`${base}/images/${id}/file`, {
      method: "PUT",
      token,
      body,
      headers: { ...OCTETS, ...more },
      ...({ duplex: "half" } as object),
    });
  const files = async (): Promise<number> =>
    (await readdir(t.imageDirectory, { recursive: true })).filter((name) => name.includes("/")).length;
  const statusOf = async (id: string): Promise<unknown> =>
    (await t.raw(`${base}/images/${id}`, { token: demo })).body["status"];
  /** Bytes of what is under way. */
  const incoming = async (): Promise<number> => {
    const folder = join(t.imageDirectory, "incoming");
    const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  };
  const uploading = async (): Promise<number> => {
    const { image_count_uploading: count } = (await usage()) as Record<string, { readonly usage: number }>;
    return count?.usage ?? 0;
  };
  const usage = async () => (await t.raw(`${base}/info/usage`, { token: demo })).body["usage"];

  /** An upload that has sent some bytes and goes on when it is told to. */
  async function pending(id: string, bytes: number) {
    let go: (more: number) => void = () => {};
    const more = new Promise<number>((resolve) => (go = resolve));
    const body = new ReadableStream({
      start: async (stream) => {
        stream.enqueue(Buffer.alloc(bytes));
        stream.enqueue(Buffer.alloc(await more));
        stream.close();
      },
    });
    const answer = put(id, body);
    answer.catch(() => {});
    await until(async () => (await statusOf(id)) === "saving", { what: "the upload to have begun" });
    return { answer, go };
  }

  it("refuse one image too many, also of many made at once, with 413; others go on", async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => create()));
    const statuses = answers.map(({ status }) => status);
    assert.deepEqual(new Set(statuses), new Set([201, 413]));
    assert.equal(statuses.filter((status) => status === 201).length, limits.imageCountTotal);
    assert.equal((await create(admin)).status, 201);
    const id = String(answers.find(({ status }) => status === 201)?.body["id"]);
    assert.equal((await t.raw(`${base}/images/${id}`, { method: "DELETE", token: demo })).status, 204);
    assert.equal((await create()).status, 201);
  });

  it("refuse bytes beyond the project's total, announced or not, and leave nothing behind", async () => {
    const [first, second] = [await created(), await created()];
    assert.equal((await put(first, Buffer.alloc(3 * MIB))).status, 204);
    assert.equal((await put(second, Buffer.alloc(2 * MIB))).status, 413);
    const stream = new ReadableStream({
      start: (to) => {
        for (let i = 0; i < 32; i++) to.enqueue(Buffer.alloc(MIB / 16));
        to.close();
      },
    });
    assert.equal((await put(second, stream)).status, 413);
    await until(async () => (await statusOf(second)) === "queued");
    await until(async () => (await files()) === 1, { what: "the partial file to be gone" });
    assert.equal((await put(second, Buffer.alloc(MIB))).status, 204);
    assert.deepEqual(await usage(), {
      image_size_total: { limit: 4, usage: 4 },
      image_count_total: { limit: 6, usage: 2 },
      image_count_uploading: { limit: 2, usage: 0 },
    });
    assert.equal((await put(await created(admin), Buffer.alloc(4 * MIB), {}, admin)).status, 204);
  });

  it("count what is under way: bytes of each, and how many there are", async () => {
    const ids = [await created(), await created(), await created()];
    const [one, two] = [await pending(ids[0] ?? "", MIB), await pending(ids[1] ?? "", 2 * MIB)];
    assert.equal((await put(ids[2] ?? "", Buffer.alloc(1))).status, 413, "a third one");
    await until(async () => (await incoming()) === 3 * MIB, { what: "what was sent to have arrived" });
    one.go(2 * MIB);
    assert.equal((await one.answer).status, 413, "more than is left beside the other");
    await until(async () => (await uploading()) === 1, { what: "the refused one to be off the account" });
    two.go(2 * MIB);
    assert.equal((await two.answer).status, 204);
    await until(async () => (await files()) === 1);
  });
});

describe("an Image service whose disk is nearly full", () => {
  it("answers 503 to uploads and nothing else, and leaves nothing behind", async () => {
    const t = await testCloud({ imageLimits: { ...limits, freeSpaceMib: 2 ** 40 } });
    try {
      const base = `${t.cloud.urls.image}/v2/images`;
      const token = await t.login("demo");
      const body = JSON.stringify({ name: "i", disk_format: "raw", container_format: "bare" });
      const { body: image, status } = await t.raw(base, { method: "POST", token, body });
      assert.equal(status, 201);
      const at = `${base}/${String(image["id"])}`;
      const data = { method: "PUT", token, body: "x", headers: OCTETS };
      assert.equal((await t.raw(`${at}/file`, data)).status, 503);
      assert.equal((await t.raw(at, { token })).body["status"], "queued");
      assert.deepEqual((await readdir(t.imageDirectory, { recursive: true })).sort(), ["data", "incoming"]);
    } finally {
      await t.close();
    }
  });
});
