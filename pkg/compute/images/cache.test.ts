import assert from "node:assert/strict";
import {
  linkSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError, rootCtx } from "../../kernel/index.js";
import { noIsolation } from "../drivers/testing/no-isolation.js";
import type { WorkProgress } from "../driver.js";
import { ImageCache } from "./cache.js";
import type { ImageCacheOptions } from "./cache.js";
import { inspectImage } from "./inspect.js";
import { qcow2Bytes, vmdkBytes, vmdkDescriptor } from "./testing/headers.js";
import { MemoryImageSource } from "./testing/memory-source.js";

const ctx = rootCtx({ requestId: "req-images" });
const refused =
  (reason: string, codes?: string) =>
  (e: unknown): boolean =>
    e instanceof KilonovaError &&
    e.reason === reason &&
    (codes === undefined || e.facts["reasons"] === codes);

describe("image cache", () => {
  let dir: string;
  let source: MemoryImageSource;
  /** Every command line that the cache wanted to run. */
  let ran: string[][];
  const open = async (over: Partial<ImageCacheOptions> = {}): Promise<ImageCache> => {
    const cache = new ImageCache({
      dir,
      source,
      isolation: noIsolation,
      run: async (_ctx, argv) => {
        ran.push([...argv]);
        writeFileSync(argv.at(-1) ?? "", "converted");
        return "";
      },
      ...over,
    });
    await cache.start();
    return cache;
  };
  const files = (): string[] => readdirSync(dir).filter((name) => name !== "tmp");

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-images-"));
    source = new MemoryImageSource();
    ran = [];
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("brings a raw image once, read-only, under a name made of id and hash", async () => {
    source.add("img-1", Buffer.from("plain disk"));
    const cache = await open();
    const first = await cache.prepare(ctx, "img-1");
    assert.deepEqual(await cache.prepare(ctx, "img-1"), first);
    assert.match(first.path, /img-1-[0-9a-f]{16}\.raw$/);
    assert.equal(first.virtualSizeBytes, 10);
    assert.equal(readFileSync(first.path, "utf8"), "plain disk");
    assert.equal(statSync(first.path).mode & 0o777, 0o444);
    assert.equal(source.downloads, 1);
    assert.deepEqual(ran, []);
    assert.deepEqual(readdirSync(join(dir, "tmp")), []);
  });

  it("refuses an image whose data is no longer what was accepted, cached or not", async () => {
    source.add("img-1", Buffer.from("plain disk"));
    const {
      checksum = "",
      hashAlgorithm = "",
      hashValue = "",
      sizeBytes = 0,
    } = await source.get(ctx, "img-1");
    const accepted = {
      checksum,
      osHashAlgo: hashAlgorithm,
      osHashValue: hashValue,
      sizeBytes: BigInt(sizeBytes),
    };
    const cache = await open();
    await cache.prepare(ctx, "img-1", accepted);
    await cache.prepare(ctx, "img-1", { checksum: "", osHashAlgo: "", osHashValue: "", sizeBytes: 0n });
    source.add("img-1", Buffer.from("other disk"));
    await assert.rejects(cache.prepare(ctx, "img-1", accepted), refused("IMAGE_REPLACED"));
    for (const over of [{ checksum: "x" }, { osHashValue: "x" }, { osHashAlgo: "x" }, { sizeBytes: 11n }])
      await assert.rejects(cache.prepare(ctx, "img-1", { ...accepted, ...over }), refused("IMAGE_REPLACED"));
    assert.equal(source.downloads, 1);
  });

  it("lets many callers share one download", async () => {
    source.add("img-1", Buffer.from("plain disk"));
    const cache = await open();
    const all = await Promise.all(Array.from({ length: 10 }, () => cache.prepare(ctx, "img-1")));
    assert.equal(new Set(all.map((image) => image.path)).size, 1);
    assert.equal(source.downloads, 1);
  });

  it("converts what is no raw disk, with the format said and limits set", async () => {
    source.add("img-1", qcow2Bytes(), { diskFormat: "qcow2" });
    const { path } = await (await open()).prepare(ctx, "img-1");
    assert.deepEqual(ran[0]?.slice(0, 6), ["qemu-img", "convert", "-f", "qcow2", "-O", "raw"]);
    assert.equal(readFileSync(path, "utf8"), "converted");
  });

  it("tells how far download and conversion are, in bytes, and nothing of what is there", async () => {
    const data = qcow2Bytes();
    source.add("img-1", data, { diskFormat: "qcow2" });
    const cache = await open({
      run: async (_ctx, argv, { onOutput }) => {
        assert.ok(argv.includes("-p"));
        onOutput?.("    (0.00/100%)\r    (25.50/100%)\r");
        onOutput?.("nothing of it");
        writeFileSync(argv.at(-1) ?? "", "converted");
        return "";
      },
    });
    const told: WorkProgress[] = [];
    const tell = (progress: WorkProgress): void => void told.push(progress);
    await cache.prepare(ctx, "img-1", undefined, tell);
    const total = inspectImage({
      head: data,
      tail: data.subarray(-512),
      sizeBytes: data.length,
    }).virtualSizeBytes;
    assert.ok(total !== undefined && total > 0);
    assert.deepEqual(told, [
      { phase: "image_download", done: Math.ceil(data.length / 2), total: data.length },
      { phase: "image_download", done: data.length, total: data.length },
      { phase: "image_conversion", done: total * 0.255, total },
    ]);
    await cache.prepare(ctx, "img-1", undefined, () => assert.fail("it is there"));
  });

  const plants = [
    ["a symbolic link", symlinkSync],
    ["another name", linkSync],
  ] as const;
  for (const [what, plant] of plants) {
    it(`never takes ${what} of another file for what a tool converted`, async () => {
      const secret = join(dir, "secret");
      writeFileSync(secret, "the host's own", { mode: 0o600 });
      source.add("img-1", qcow2Bytes(), { diskFormat: "qcow2" });
      const cache = await open({
        run: async (_ctx, argv) => {
          const target = argv.at(-1) ?? "";
          rmSync(target);
          plant(secret, target);
          return "";
        },
      });
      await assert.rejects(cache.prepare(ctx, "img-1"));
      assert.deepEqual(files(), ["secret"]);
      assert.equal(statSync(secret).mode & 0o777, 0o600);
      assert.equal(readFileSync(secret, "utf8"), "the host's own");
    });
  }

  it("leaves holes where an image is empty", async () => {
    const data = Buffer.alloc(32 * 1024 * 1024);
    data.write("end", data.length - 3);
    source.add("img-1", data);
    const { path, virtualSizeBytes } = await (await open()).prepare(ctx, "img-1");
    assert.equal(virtualSizeBytes, data.length);
    assert.ok(readFileSync(path).equals(data));
    assert.ok(statSync(path).blocks * 512 < 1024 * 1024);
  });

  const hostile = [
    [
      "qcow2",
      qcow2Bytes({ backingOffset: 1024n, backingSize: 11, backingName: "/etc/passwd" }),
      "BACKING_FILE",
    ],
    ["qcow2", qcow2Bytes({ incompatible: 4n }), "DATA_FILE"],
    [
      "vmdk",
      Buffer.from(vmdkDescriptor({ createType: "monolithicFlat", extent: 'RW 8192 FLAT "/etc/passwd" 0' })),
      "SUBFORMAT",
    ],
    ["vmdk", vmdkBytes(vmdkDescriptor(), { capacity: 0n }), "EXTERNAL_EXTENT"],
    ["raw", qcow2Bytes(), "FORMAT_MISMATCH"],
  ] as const;
  for (const [diskFormat, data, code] of hostile) {
    it(`never lets a tool see a hostile ${diskFormat}: ${code}`, async () => {
      source.add("img-1", data, { diskFormat });
      await assert.rejects((await open()).prepare(ctx, "img-1"), refused("IMAGE_REFUSED", code));
      assert.deepEqual(ran, []);
      assert.deepEqual(files(), []);
      assert.deepEqual(readdirSync(join(dir, "tmp")), []);
    });
  }

  it("refuses damaged, longer and shorter data, and takes it when it is whole the next time", async () => {
    const data = Buffer.from("plain disk");
    const cache = await open();
    source.add("img-1", data, { hashValue: "00".repeat(64) });
    await assert.rejects(cache.prepare(ctx, "img-1"), refused("IMAGE_DAMAGED"));
    source.add("img-1", data, { sizeBytes: 5 });
    await assert.rejects(cache.prepare(ctx, "img-1"), refused("IMAGE_DAMAGED"));
    source.add("img-1", data, { sizeBytes: 50 });
    await assert.rejects(cache.prepare(ctx, "img-1"), refused("IMAGE_DAMAGED"));
    assert.deepEqual(files(), []);
    source.add("img-1", data);
    assert.equal((await cache.prepare(ctx, "img-1")).virtualSizeBytes, 10);
  });

  it("falls back to the md5 checksum, and does without any hash", async () => {
    const cache = await open();
    source.add("a", Buffer.from("a"), {
      hashAlgorithm: undefined,
      hashValue: undefined,
      checksum: "0cc175b9c0f1b6a831c399e269772661",
    });
    assert.match((await cache.prepare(ctx, "a")).path, /a-0cc175b9c0f1b6a8\.raw$/);
    source.add("b", Buffer.from("b"), { hashAlgorithm: "rot13", hashValue: "ff", checksum: undefined });
    assert.match((await cache.prepare(ctx, "b")).path, /b-size1\.raw$/);
  });

  it("says when the image service breaks off, when an image is not active, and when it is too large", async () => {
    source.add("img-1", Buffer.from("plain disk"));
    source.gate = async () => {
      throw new Error("connection reset");
    };
    const cache = await open({ maxDownloadBytes: 12 });
    await assert.rejects(cache.prepare(ctx, "img-1"), refused("IMAGE_UNAVAILABLE"));
    source.gate = async () => {};
    source.add("img-2", Buffer.from("x"), { status: "queued" });
    await assert.rejects(cache.prepare(ctx, "img-2"), refused("IMAGE_NOT_ACTIVE"));
    source.add("img-3", Buffer.from("more than twelve bytes"));
    await assert.rejects(cache.prepare(ctx, "img-3"), refused("IMAGE_REFUSED", "TOO_LARGE"));
  });

  it("uses a new file when the image's content is another", async () => {
    const cache = await open();
    source.add("img-1", Buffer.from("one"));
    const one = await cache.prepare(ctx, "img-1");
    source.add("img-1", Buffer.from("two"));
    const two = await cache.prepare(ctx, "img-1");
    assert.notEqual(one.path, two.path);
    assert.equal(readFileSync(two.path, "utf8"), "two");
  });

  it("forgets half-done work of an agent that was killed", async () => {
    source.add("img-1", Buffer.from("plain disk"));
    let reached = (): void => {};
    const half = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let killed = (): void => {};
    source.gate = () => {
      reached();
      return new Promise((_, reject) => {
        killed = () => reject(new Error("killed"));
      });
    };
    const never = (await open()).prepare(ctx, "img-1");
    await half;
    assert.equal(readdirSync(join(dir, "tmp")).length, 1);
    source.gate = async () => {};
    const next = await open();
    assert.deepEqual(readdirSync(join(dir, "tmp")), []);
    assert.deepEqual(files(), []);
    assert.equal((await next.prepare(ctx, "img-1")).virtualSizeBytes, 10);
    killed();
    await assert.rejects(never);
  });

  it("evicts bases that are old and unused, and nothing else", async () => {
    const cache = await open();
    for (const id of ["used", "fresh", "old"]) source.add(id, Buffer.from(id));
    const [used, fresh, old] = await Promise.all(
      ["used", "fresh", "old"].map((id) => cache.prepare(ctx, id)),
    );
    assert.ok(used && fresh && old);
    const later = await open();
    for (const { path } of [used, old]) utimesSync(path, 1, 1);
    const removed = await later.evict(ctx, async () => new Set([used.path]), 60_000);
    assert.deepEqual(removed, [old.path]);
    assert.deepEqual(files().length, 2);
    assert.equal(await later.has(ctx, "old"), false);
    assert.equal(await later.has(ctx, "used"), true);
    assert.equal((await later.prepare(ctx, "old")).virtualSizeBytes, 3);
  });

  it("keeps a base for a while after its last guest, however long that has had it", async () => {
    const cache = await open();
    source.add("img-1", Buffer.from("x"));
    const { path } = await cache.prepare(ctx, "img-1");
    const later = await open();
    utimesSync(path, 1, 1);
    await later.evict(ctx, async () => new Set([path]), 60_000);
    assert.deepEqual(await later.evict(ctx, async () => new Set(), 60_000), []);
    utimesSync(path, 1, 1);
    assert.deepEqual(await later.evict(ctx, async () => new Set(), Infinity), []);
    assert.deepEqual(await later.evict(ctx, async () => new Set(), 60_000), [path]);
  });

  it("keeps an old base that was just asked for", async () => {
    const cache = await open();
    source.add("img-1", Buffer.from("x"));
    const { path } = await cache.prepare(ctx, "img-1");
    utimesSync(path, 1, 1);
    await cache.prepare(ctx, "img-1");
    assert.deepEqual(await cache.evict(ctx, async () => new Set(), 60_000), []);
  });
});
