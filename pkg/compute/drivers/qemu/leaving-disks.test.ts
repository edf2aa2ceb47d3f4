import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../../kernel/index.js";
import type { DiskPiece } from "../../driver.js";
import { PIECE_BYTES } from "../disk-pieces.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { toDefinition } from "./definition.js";
import type { Entry } from "./entry.js";
import { notStarted } from "./entry.js";
import { guestPaths } from "./guest-paths.js";
import { leavingDisks, leavingMark, markLeaving, openLeaving, unmarkLeaving } from "./leaving-disks.js";

const ctx = rootCtx({ requestId: "req-leaving" });
const TO = { transferId: "5a000000-0000-4000-8000-000000000001", toHost: "host2" };
const GIB = 1024 ** 3;

describe("disks that leave", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "kilonova-leaving-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  /** A guest with all disks there are, each with its name in it. */
  function anEntry(): Entry & { readonly image: string } {
    const image = join(home, "image.raw");
    const spec = aGuestSpec({
      rootGib: 1,
      rootImage: { imageId: "i", path: image, virtualSizeBytes: 512 },
      ephemerals: [{ gib: 1 }, { gib: 1 }],
      swapMib: 16,
    });
    const paths = guestPaths(home, home, spec.instanceUuid);
    mkdirSync(paths.dir);
    for (const path of [image, paths.rootDisk, paths.swapDisk, paths.configDrive]) writeFileSync(path, path);
    for (const name of ["disk.eph0", "disk.eph1"]) {
      writeFileSync(join(paths.dir, name), name);
      truncateSync(join(paths.dir, name), GIB);
    }
    return { definition: toDefinition(spec, "pc-q35-7.2"), paths, ...notStarted, leaving: TO, image };
  }
  const names = async (entry: Entry): Promise<string[]> =>
    (await leavingDisks(entry)).map(({ name }) => name);

  it("are all but swap, an image before the disk on top of it", async () => {
    const entry = anEntry();
    assert.deepEqual(
      (await leavingDisks(entry)).map(({ name, format }) => `${name} ${format}`),
      ["base raw", "root qcow2", "ephemeral0 raw", "ephemeral1 raw", "config raw"],
    );
    const [, , ephemeral] = await leavingDisks(entry);
    assert.equal(ephemeral?.sizeBytes, GIB);
    assert.ok((ephemeral?.dataBytes ?? GIB) < 1024 ** 2);
  });

  it("come with the guest's places, where they were written down", async () => {
    const entry = anEntry();
    writeFileSync(entry.paths.layout, "{}");
    assert.equal((await names(entry))[0], "layout");
    await unmarkLeaving(entry.paths);
    assert.equal(existsSync(entry.paths.layout), false);
  });

  it("are with what the guest boots with, as long as that is here", async () => {
    const { definition, ...entry } = anEntry();
    const [kernelPath, ramdiskPath] = [join(home, "kernel.raw"), join(home, "ramdisk.raw")];
    const kernel = { kernelPath, ramdiskPath, commandLine: "" };
    const booting: Entry = { ...entry, definition: { ...definition, spec: { ...definition.spec, kernel } } };
    for (const path of [kernelPath, ramdiskPath]) writeFileSync(path, path);
    assert.deepEqual((await names(booting)).slice(-2), ["kernel", "ramdisk"]);
    const { pieces } = await openLeaving(ctx, booting, TO, "ramdisk", 0);
    for await (const { data } of pieces) assert.equal(Buffer.from(data).toString(), ramdiskPath);
    rmSync(kernelPath);
    assert.deepEqual((await names(booting)).slice(-2), ["config", "ramdisk"]);
  });

  it("are made sure of before they are measured, but for the image", async () => {
    const entry = anEntry();
    const synced: string[] = [];
    const disks = await leavingDisks(entry, async (path) => {
      synced.push(path);
      writeFileSync(path, "what was still to be written", { flag: "a" });
    });
    const { rootDisk, ephemeralDisk, configDrive } = entry.paths;
    assert.deepEqual(
      synced.filter((path) => !path.endsWith("eph1")),
      [rootDisk, ephemeralDisk, configDrive],
    );
    assert.equal(disks.find(({ name }) => name === "root")?.sizeBytes, statSync(rootDisk).size);
    assert.ok(statSync(rootDisk).size > rootDisk.length);
  });

  it("are without the image where somebody has removed it, and refused where a disk is lost", async () => {
    const entry = anEntry();
    rmSync(entry.image);
    assert.equal((await names(entry))[0], "root");
    rmSync(entry.paths.ephemeralDisk);
    symlinkSync("/etc/passwd", entry.paths.ephemeralDisk);
    await assert.rejects(names(entry), { reason: "DISK_LOST" });
    rmSync(entry.paths.rootDisk);
    await assert.rejects(names(entry), { reason: "DISK_LOST" });
  });

  it("of a rescued guest are its own", async () => {
    const entry = anEntry();
    const image = { imageId: "r", path: "/r", virtualSizeBytes: 1 };
    const own = { kernel: null, hardware: {}, machine: "pc-q35-7.2", configDriveDigest: null, stable: null };
    const rescued = { ...entry.definition, rescue: { image, ...own } };
    assert.deepEqual(await names({ ...entry, definition: rescued }), await names(entry));
  });

  it("are read without their holes, by whom they are for, while they are", async () => {
    const entry = anEntry();
    const piecesOf = async (disk: string, fromByte = 0): Promise<DiskPiece[]> => {
      const pieces: DiskPiece[] = [];
      const opened = await openLeaving(ctx, entry, TO, disk, fromByte);
      for await (const piece of opened.pieces) pieces.push(piece);
      return pieces;
    };
    const [piece, ...more] = await piecesOf("ephemeral0");
    assert.deepEqual([piece?.offset, piece?.data.length, more.length], [0, 64 * 1024, 0]);
    assert.equal(Buffer.from(piece?.data ?? []).toString("utf8", 0, 9), "disk.eph0");
    assert.deepEqual(await piecesOf("ephemeral0", PIECE_BYTES), []);
    assert.equal(Buffer.from((await piecesOf("base"))[0]?.data ?? []).toString(), entry.image);
    await assert.rejects(piecesOf("swap"), { reason: "INVALID_ARGUMENT" });
    entry.leaving = { ...TO, toHost: "host3" };
    await assert.rejects(piecesOf("root"), { reason: "TRANSFER_UNKNOWN" });
    entry.leaving = undefined;
    await assert.rejects(piecesOf("root"), { reason: "TRANSFER_UNKNOWN" });
    await assert.rejects(openLeaving(ctx, undefined, TO, "root", 0), { reason: "TRANSFER_UNKNOWN" });
  });

  it("are marked over restarts; a mark that nobody understands is for nobody", async () => {
    const { paths } = anEntry();
    assert.equal(await leavingMark(paths), undefined);
    await markLeaving(paths, TO);
    assert.deepEqual(await leavingMark(paths), TO);
    writeFileSync(paths.leavingMark, "{");
    const leaving = await leavingMark(paths);
    assert.deepEqual(leaving, { transferId: "", toHost: "" });
    await assert.rejects(
      openLeaving(ctx, { ...anEntry(), leaving }, { transferId: "", toHost: "" }, "root", 0),
      { reason: "TRANSFER_UNKNOWN" },
    );
    for (let times = 0; times < 2; times++) await unmarkLeaving(paths);
    assert.equal(existsSync(paths.leavingMark), false);
  });
});
