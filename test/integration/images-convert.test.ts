import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
  closeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError, rootCtx } from "../../pkg/kernel/index.js";
import { Isolation, isolationDefaults } from "../../pkg/compute/drivers/host/isolation.js";
import { runTool } from "../../pkg/compute/drivers/host/run-tool.js";
import type { WorkProgress } from "../../pkg/compute/driver.js";
import { ImageCache } from "../../pkg/compute/images/index.js";
import { MemoryImageSource } from "../../pkg/compute/images/testing/memory-source.js";

const ctx = rootCtx({ requestId: "req-images" });
const SIZE = 4 * 1024 * 1024;

/** Real images by qemu-img: the good ones come out byte for byte, the hostile ones are never opened. */
describe("image cache with qemu-img", function () {
  this.timeout(120_000);
  let home: string;
  let raw: Buffer;
  let source: MemoryImageSource;
  let cache: ImageCache;
  let ran: number;

  const at = (name: string): string => join(home, name);
  const qemuImg = (...args: string[]): void => {
    execFileSync("qemu-img", args, { cwd: home, stdio: "pipe" });
  };
  /** LUKS first measures the processor, and gives up on a machine that is too busy for it. */
  const luks = (...args: string[]): void => {
    for (let attempt = 1; ; attempt++) {
      try {
        return qemuImg(...args);
      } catch (error) {
        if (attempt === 20 || !String(error).includes("accurate CPU usage")) throw error;
        rmSync(at("bad"), { force: true });
      }
    }
  };
  const add = (id: string, file: string, diskFormat: string): void =>
    source.add(id, readFileSync(at(file)), { diskFormat });

  before(async () => {
    home = mkdtempSync(join(tmpdir(), "kilonova-convert-"));
    chmodSync(home, 0o755);
    raw = Buffer.alloc(SIZE);
    randomBytes(100_000).copy(raw, 1_000_000);
    writeFileSync(at("disk.raw"), raw);
    source = new MemoryImageSource();
    const isolation = await Isolation.open(isolationDefaults);
    cache = new ImageCache({
      dir: at("cache"),
      source,
      isolation,
      maxVirtualBytes: 64 * 1024 * 1024,
      run: (runCtx, argv, options) => {
        ran += 1;
        const { within } = options;
        assert.ok(within, "qemu-img would run free");
        if (process.getuid?.() === 0) assert.match(within(argv).inputs.join(), /--reuid=[1-9]/);
        return runTool(runCtx, argv, options);
      },
    });
    await cache.start();
  });
  beforeEach(() => {
    ran = 0;
  });
  after(() => rmSync(home, { recursive: true }));

  const formats = [
    ["qcow2", "qcow2", []],
    ["qcow2 v2", "qcow2", ["-o", "compat=0.10"]],
    ["compressed qcow2", "qcow2", ["-c"]],
    ["zstd qcow2", "qcow2", ["-c", "-o", "compression_type=zstd"]],
    ["monolithicSparse vmdk", "vmdk", []],
    ["streamOptimized vmdk", "vmdk", ["-o", "subformat=streamOptimized"]],
    ["vdi", "vdi", []],
    ["vhdx", "vhdx", []],
    ["dynamic vhd", "vhd", ["-o", "force_size=on"]],
    ["fixed vhd", "vhd", ["-o", "subformat=fixed,force_size=on"]],
  ] as const;
  for (const [name, diskFormat, options] of formats) {
    it(`turns a ${name} into the raw disk it holds`, async () => {
      qemuImg(
        "convert",
        "-f",
        "raw",
        "-O",
        diskFormat === "vhd" ? "vpc" : diskFormat,
        ...options,
        "disk.raw",
        "image",
      );
      add(name, "image", diskFormat);
      const { path } = await cache.prepare(ctx, name);
      const got = readFileSync(path);
      assert.ok(got.subarray(0, SIZE).equals(raw), "content differs");
      assert.ok(
        got.subarray(SIZE).every((byte) => byte === 0),
        "not only padding behind",
      );
      assert.equal(statSync(path).mode & 0o777, 0o444);
      assert.equal(statSync(path).uid, process.getuid?.());
      assert.equal(ran, 1);
    });
  }

  it("tells how far the download and the conversion are", async () => {
    qemuImg("convert", "-f", "raw", "-O", "qcow2", "disk.raw", "image");
    add("told", "image", "qcow2");
    const told: WorkProgress[] = [];
    await cache.prepare(ctx, "told", undefined, (progress) => told.push(progress));
    const sizeBytes = statSync(at("image")).size;
    const [last, before] = [told.at(-1), told.findLast(({ phase }) => phase === "image_download")];
    assert.deepEqual(before, { phase: "image_download", done: sizeBytes, total: sizeBytes });
    assert.deepEqual(last, { phase: "image_conversion", done: SIZE, total: SIZE });
    const done = told.filter(({ phase }) => phase === "image_conversion").map((one) => one.done);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    );
  });

  it("takes the disk as it is now from a qcow2 with an internal snapshot of before", async () => {
    qemuImg("create", "-q", "-f", "qcow2", "kept", "4M");
    qemuImg("snapshot", "-c", "before", "kept");
    execFileSync("qemu-io", ["-f", "qcow2", "-c", "write -q -P 0x5a 1M 64k", "kept"], {
      cwd: home,
      stdio: "pipe",
    });
    add("kept", "kept", "qcow2");
    const got = readFileSync((await cache.prepare(ctx, "kept")).path);
    assert.equal(got.length, SIZE);
    assert.deepEqual([got[2 ** 20 - 1], got[2 ** 20], got[2 ** 20 + 65_535]], [0, 0x5a, 0x5a]);
  });

  it("keeps empty parts empty on disk", async () => {
    qemuImg("create", "-q", "-f", "qcow2", "empty", "48M");
    add("empty", "empty", "qcow2");
    const { path, virtualSizeBytes } = await cache.prepare(ctx, "empty");
    assert.equal(virtualSizeBytes, 48 * 1024 * 1024);
    assert.ok(statSync(path).blocks * 512 < 1024 * 1024);
  });

  const patch = (file: string, offset: number, bytes: Buffer): void => {
    const handle = openSync(at(file), "r+");
    writeSync(handle, bytes, 0, bytes.length, offset);
    closeSync(handle);
  };
  const hostile: readonly (readonly [name: string, diskFormat: string, make: () => void, code: string])[] = [
    [
      "qcow2 over /etc/passwd",
      "qcow2",
      () => qemuImg("create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", "bad"),
      "BACKING_FILE",
    ],
    [
      "qcow2 that keeps its data in /etc/passwd",
      "qcow2",
      () => {
        writeFileSync(at("elsewhere"), "");
        qemuImg(
          "create",
          "-q",
          "-f",
          "qcow2",
          "-o",
          `data_file=${at("elsewhere")},data_file_raw=on`,
          "bad",
          "4M",
        );
      },
      "DATA_FILE",
    ],
    [
      "encrypted qcow2",
      "qcow2",
      () =>
        luks(
          "create",
          "-q",
          "-f",
          "qcow2",
          "--object",
          "secret,id=s,data=x",
          "-o",
          "encrypt.format=luks,encrypt.key-secret=s",
          "bad",
          "4M",
        ),
      "ENCRYPTED",
    ],
    [
      "vmdk whose extent is /etc/passwd",
      "vmdk",
      () =>
        writeFileSync(
          at("bad"),
          '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2 FLAT "/etc/passwd" 0\n',
        ),
      "SUBFORMAT",
    ],
    [
      "sparse vmdk turned into a descriptor",
      "vmdk",
      () => {
        qemuImg("create", "-q", "-f", "vmdk", "bad", "4M");
        patch("bad", 12, Buffer.alloc(8));
      },
      "EXTERNAL_EXTENT",
    ],
    [
      "differencing vdi",
      "vdi",
      () => {
        qemuImg("create", "-q", "-f", "vdi", "bad", "4M");
        patch("bad", 440, randomBytes(16));
      },
      "BACKING_FILE",
    ],
    ["qed", "qcow2", () => qemuImg("create", "-q", "-f", "qed", "bad", "4M"), "UNSUPPORTED_FORMAT"],
    [
      "luks volume said to be raw",
      "raw",
      () =>
        luks(
          "create",
          "-q",
          "-f",
          "luks",
          "--object",
          "secret,id=s,data=x",
          "-o",
          "key-secret=s",
          "bad",
          "4M",
        ),
      "ENCRYPTED",
    ],
    [
      "qcow2 said to be raw",
      "raw",
      () => qemuImg("create", "-q", "-f", "qcow2", "bad", "4M"),
      "FORMAT_MISMATCH",
    ],
    [
      "disk larger than allowed",
      "qcow2",
      () => qemuImg("create", "-q", "-f", "qcow2", "bad", "1T"),
      "TOO_LARGE",
    ],
  ];
  for (const [name, diskFormat, make, code] of hostile) {
    it(`refuses a ${name} without opening it`, async () => {
      rmSync(at("bad"), { force: true });
      make();
      add(name, "bad", diskFormat);
      await assert.rejects(
        cache.prepare(ctx, name),
        (e: unknown) =>
          e instanceof KilonovaError &&
          e.reason === "IMAGE_REFUSED" &&
          (e.facts["reasons"] ?? "").split(",").includes(code),
      );
      assert.equal(ran, 0);
    });
  }

  it("fails cleanly on a file that only its header makes an image", async () => {
    qemuImg("convert", "-f", "raw", "-O", "qcow2", "disk.raw", "whole");
    const torn = readFileSync(at("whole"));
    torn.fill(0xff, 65_536, 200_000);
    source.add("torn", torn, { diskFormat: "qcow2" });
    await assert.rejects(
      cache.prepare(ctx, "torn"),
      (e: unknown) => e instanceof KilonovaError && e.reason === "IMAGE_NOT_CONVERTIBLE",
    );
    assert.equal(await cache.has(ctx, "torn"), false);
  });
});
