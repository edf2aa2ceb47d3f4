import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCtx } from "../../../kernel/index.js";
import type { Arrival, GuestSpec, LeavingDisk } from "../../driver.js";
import { untold } from "../../driver.js";
import type { Qcow2Fields } from "../../images/testing/headers.js";
import { qcow2Bytes } from "../../images/testing/headers.js";
import { pieceOf } from "../disk-pieces.js";
import { aGuestSpec } from "../testing/a-spec.js";
import { noIsolation } from "../testing/no-isolation.js";
import { ArrivalRecord } from "./arrival-record.js";
import { importGuest } from "./arriving-disks.js";
import type { DefineTools } from "./define-guest.js";
import { GuestFiles } from "./guest-files.js";

const ctx = rootCtx({ requestId: "req-arriving" });
const GIB = 1024 ** 3;
const TRANSFER = "5a000000-0000-4000-8000-000000000001";
const IMAGE = "/images/root.raw";
const pinned = { q35: "pc-q35-7.2", pc: "pc-i440fx-7.2" };

describe("disks that arrive", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "kilonova-arriving-"));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const overlay = (over: Qcow2Fields = {}): Buffer =>
    qcow2Bytes({
      sizeBytes: BigInt(GIB),
      backingOffset: 1024n,
      backingSize: "/there/root.raw".length,
      backingName: "/there/root.raw",
      ...over,
    });
  const raw = (name: string, data: Buffer, sizeBytes = data.length): [LeavingDisk, Buffer] => [
    { name, format: "raw", sizeBytes, dataBytes: data.length },
    data,
  ];
  const root = (data = overlay()): [LeavingDisk, Buffer] => [
    { name: "root", format: "qcow2", sizeBytes: data.length, dataBytes: data.length },
    data,
  ];
  const ephemeral = (): [LeavingDisk, Buffer] => raw("ephemeral0", Buffer.from("ephemeral"), GIB);

  /** The first ten bytes. */
  const beginning = (path: string): string => {
    const bytes = Buffer.alloc(10);
    const file = openSync(path, "r");
    readSync(file, bytes);
    closeSync(file);
    return bytes.toString();
  };

  /** A host to which these disks come, each in one piece. */
  function aHost(disks: readonly [LeavingDisk, Buffer][], over: Partial<GuestSpec> = {}) {
    const spec = aGuestSpec({
      rootGib: 1,
      rootImage: { imageId: "i", path: IMAGE, virtualSizeBytes: 512 },
      ephemerals: [{ gib: 1 }],
      configDrive: undefined,
      ...over,
    });
    const files = new GuestFiles(home, home);
    const paths = files.paths(spec.instanceUuid);
    const ran: string[][] = [];
    const asked: string[] = [];
    const tools: DefineTools = {
      config: { qemuImg: "qemu-img", xorriso: "xorriso", configDriveFormat: "iso9660", toolTimeoutMs: 1 },
      offer: { pinned, machines: new Map(), cpuModels: new Set() },
      files,
      run: async (_ctx, argv) => {
        const [of = "", on = ""] = [argv.at(-1), argv[6]];
        if (of.endsWith(".arriving"))
          assert.equal(existsSync(paths.rootDisk), false, "a disk is whole once it has its name");
        ran.push([...argv]);
        writeFileSync(of, overlay({ backingSize: on.length, backingName: on }));
        return "";
      },
      runDir: home,
      isolation: noIsolation,
    };
    const arrival: Arrival = {
      transferId: TRANSFER,
      disks: disks.map(([disk]) => disk),
      async *open(_ctx, { name }, fromByte) {
        asked.push(`${name} ${fromByte}`);
        const [, data] = disks.find(([disk]) => disk.name === name) ?? assert.fail(name);
        if (fromByte < data.length) yield pieceOf(fromByte, data.subarray(fromByte));
      },
    };
    const take = (changed: Partial<Arrival> = {}, now: Partial<GuestSpec> = {}) =>
      importGuest(
        ctx,
        { spec: { ...spec, ...now }, arrival: { ...arrival, ...changed }, paths },
        tools,
        untold,
      );
    return { spec, paths, ran, asked, arrival, take };
  }

  it("stand on this host's image before they have their names, and are a guest's at last", async () => {
    const { paths, ran, take } = aHost([root(), ephemeral()]);
    const { arrivedBy } = await take();
    assert.equal(arrivedBy, TRANSFER);
    const part = `${paths.rootDisk}.arriving`;
    assert.deepEqual(ran, [["qemu-img", "rebase", "-u", "-f", "qcow2", "-b", IMAGE, "-F", "raw", part]]);
    assert.deepEqual(readdirSync(paths.dir).sort(), ["disk", "disk.eph0", "instance.json"]);
    assert.equal(statSync(paths.ephemeralDisk).size, GIB);
    const settled = overlay({ backingSize: IMAGE.length, backingName: IMAGE });
    assert.equal(readFileSync(paths.rootDisk).equals(settled), true);
  });

  it("are fetched once, whatever breaks", async () => {
    const { paths, asked, arrival, take } = aHost([root(), ephemeral()]);
    const breaks: Arrival["open"] = async function* (c, disk, fromByte) {
      for await (const piece of arrival.open(c, disk, fromByte)) {
        yield piece;
        if (disk.name === "ephemeral0") throw new Error("it broke");
      }
    };
    await assert.rejects(take({ open: breaks }), /it broke/);
    assert.equal(existsSync(paths.definition), false);
    await take();
    assert.deepEqual(asked, ["root 0", "root 0", "ephemeral0 0", "ephemeral0 9"]);
    assert.equal(beginning(paths.ephemeralDisk), "ephemeral\0");
  });

  it("are fetched anew from what is sure only, and from the beginning for another transfer", async () => {
    const { paths, asked, arrival, take } = aHost([root(), ephemeral()]);
    const stops: Arrival["open"] = async function* (c, disk, fromByte) {
      if (disk.name === "ephemeral0") throw new Error("it broke");
      yield* arrival.open(c, disk, fromByte);
    };
    await assert.rejects(take({ open: stops }), /it broke/);
    // As a power cut leaves it: more is there than anybody made sure of.
    const record = (await ArrivalRecord.find(paths, TRANSFER)) ?? assert.fail("no record");
    await record.note("ephemeral0", 4);
    writeFileSync(`${paths.ephemeralDisk}.arriving`, "ephe and something else");
    await take();
    assert.equal(beginning(paths.ephemeralDisk), "ephemeral\0");
    assert.deepEqual(asked.splice(0), ["root 0", "root 0", "ephemeral0 4"]);
    rmSync(paths.definition);
    await take({ transferId: "another" });
    assert.deepEqual(asked, ["root 0", "root 0", "ephemeral0 0"]);
  });

  const refused: readonly [what: string, data: Buffer][] = [
    ["stands on nothing", overlay({ backingOffset: 0n, backingName: "" })],
    ["keeps its data in another file", overlay({ incompatible: 4n })],
    ["names such a file", overlay({ extensions: [[0x44415441, "/etc/shadow"]] })],
    ["is encrypted", overlay({ crypt: 1 })],
    ["is no qcow2 image", Buffer.alloc(65_536, 1)],
    ["has no header", Buffer.from("QFI\xfb", "latin1")],
  ];
  for (const [what, data] of refused)
    it(`are opened by no tool when a root disk ${what}`, async () => {
      const { paths, ran, take } = aHost([root(data), ephemeral()]);
      await assert.rejects(take(), { reason: "TRANSFER_BROKEN" });
      assert.deepEqual([ran, existsSync(paths.rootDisk), existsSync(paths.definition)], [[], false, false]);
    });

  it("are refused when one stands on an image where there shall be none", async () => {
    const { take } = aHost([root(), ephemeral()], { rootImage: undefined });
    await assert.rejects(take(), { reason: "TRANSFER_BROKEN" });
  });

  const unfit: readonly [what: string, disks: [LeavingDisk, Buffer][], reason: string][] = [
    ["the root disk does not come", [ephemeral()], "TRANSFER_BROKEN"],
    ["the new guest has no such disk", [root(), raw("ephemeral1", Buffer.from("x"))], "DISK_SHRINK_REFUSED"],
    ["one is larger", [root(), raw("ephemeral0", Buffer.from("x"), 2 * GIB)], "DISK_SHRINK_REFUSED"],
    ["one has another format", [raw("root", Buffer.from("x"))], "TRANSFER_BROKEN"],
  ];
  for (const [what, disks, reason] of unfit)
    it(`are not asked for when ${what}`, async () => {
      const { paths, asked, take } = aHost(disks);
      await assert.rejects(take(), { reason });
      // But for what a root disk stands on.
      assert.deepEqual([asked.filter((one) => one !== "root 0"), existsSync(paths.dir)], [[], false]);
    });

  const base = raw("base", Buffer.alloc(512, 7));

  it("leave the image behind that this host has", async () => {
    const { paths, asked, take } = aHost([base, root(), ephemeral()]);
    const { spec } = await take();
    assert.deepEqual([spec.rootImage?.path, existsSync(paths.baseDisk)], [IMAGE, false]);
    assert.deepEqual(asked, ["root 0", "root 0", "ephemeral0 0"]);
  });

  for (const path of ["", "/images/another.raw"])
    it(`bring the image along where there is ${path || "none"}, which is then this guest's alone`, async () => {
      const rootImage = { imageId: "i", path, virtualSizeBytes: 1 };
      const { paths, ran, take } = aHost([base, root(), ephemeral()], { rootImage });
      const { spec } = await take();
      assert.deepEqual(spec.rootImage, { imageId: "i", path: paths.baseDisk, virtualSizeBytes: 512 });
      assert.equal(statSync(paths.baseDisk).mode & 0o777, 0o444);
      assert.equal(ran[0]?.[6], paths.baseDisk);
    });

  it("are refused when they stand on another image that does not come along", async () => {
    const rootImage = { imageId: "i", path: "/images/another.raw", virtualSizeBytes: 1 };
    const { ran, take } = aHost([root(), ephemeral()], { rootImage });
    await assert.rejects(take(), { reason: "TRANSFER_BROKEN" });
    assert.deepEqual(ran, []);
  });

  it("stand on the image that came along also when a later attempt finishes them", async () => {
    const rootImage = { imageId: "i", path: "", virtualSizeBytes: 0 };
    const { paths, arrival, take } = aHost([base, root(), ephemeral()], { rootImage });
    const breaks: Arrival["open"] = async function* (c, disk, fromByte) {
      if (disk.name === "ephemeral0") throw new Error("it broke");
      yield* arrival.open(c, disk, fromByte);
    };
    await assert.rejects(take({ open: breaks }), /it broke/);
    assert.equal((await take()).spec.rootImage?.path, paths.baseDisk);
  });

  it("are put on the image that came along when the one that an attempt found here is gone", async () => {
    const { paths, ran, arrival, take } = aHost([base, root(), ephemeral()]);
    const breaks: Arrival["open"] = async function* (c, disk, fromByte) {
      if (disk.name === "ephemeral0") throw new Error("it broke");
      yield* arrival.open(c, disk, fromByte);
    };
    await assert.rejects(take({ open: breaks }), /it broke/);
    assert.deepEqual([ran.length, existsSync(paths.baseDisk)], [1, false]);
    // The Image service has it no more.
    const without = { rootImage: { imageId: "i", path: "", virtualSizeBytes: 512 } };
    for (let times = 0; times < 2; times++) {
      const { spec } = await take({}, without);
      assert.equal(spec.rootImage?.path, paths.baseDisk);
      rmSync(paths.definition);
      await (await ArrivalRecord.begin(paths, TRANSFER)).note("root", 1);
    }
    // Once: from then on it stands there.
    assert.deepEqual(
      ran.map((argv) => [argv[6], argv.at(-1)]),
      [
        [IMAGE, `${paths.rootDisk}.arriving`],
        [paths.baseDisk, paths.rootDisk],
      ],
    );
  });

  it("bring their guest's places along", async () => {
    const { spec } = aHost([]);
    const [{ portId } = assert.fail("no interface")] = spec.interfaces;
    const layout = {
      machine: pinned.q35,
      machineType: null,
      rootPorts: 8,
      interfaces: [{ portId, slot: 5 }],
      volumes: [],
    };
    const told = raw("layout", Buffer.from(JSON.stringify(layout)));
    const { paths, take } = aHost([told, root(), ephemeral()], { interfaces: spec.interfaces });
    const { rootPorts, spec: stored } = await take();
    assert.deepEqual([rootPorts, stored.interfaces[0]?.slot], [8, 5]);
    assert.deepEqual(readdirSync(paths.dir).sort(), ["disk", "disk.eph0", "instance.json"]);
  });

  describe("with a kernel", () => {
    const boots = (kernelPath: string, ramdiskPath: string | undefined): Partial<GuestSpec> => ({
      kernel: { kernelPath, ramdiskPath, commandLine: "quiet" },
    });
    const kernel = raw("kernel", Buffer.from("kernel"));
    const ramdisk = raw("ramdisk", Buffer.from("ramdisk"));

    it("leave it behind where this host has it", async () => {
      const here = boots("/images/kernel.raw", undefined);
      const { asked, take } = aHost([root(), ephemeral(), kernel, ramdisk], here);
      assert.deepEqual((await take()).spec.kernel, { ...here.kernel, ramdiskPath: null });
      assert.deepEqual(asked, ["root 0", "root 0", "ephemeral0 0"]);
    });

    it("bring it along where it cannot be had, which is then this guest's alone", async () => {
      const { paths, take } = aHost([root(), ephemeral(), kernel, ramdisk], boots("", ""));
      const { ownKernel, ownRamdisk } = paths;
      const own = { kernelPath: ownKernel, ramdiskPath: ownRamdisk, commandLine: "quiet" };
      assert.deepEqual((await take()).spec.kernel, own);
      assert.deepEqual(
        [ownKernel, ownRamdisk].map((path) => [readFileSync(path, "utf8"), statSync(path).mode & 0o777]),
        [
          ["kernel", 0o444],
          ["ramdisk", 0o444],
        ],
      );
    });

    it("bring along only what this host lacks", async () => {
      const here = boots("/images/kernel.raw", "");
      const { paths, take } = aHost([root(), ephemeral(), kernel, ramdisk], here);
      assert.deepEqual((await take()).spec.kernel, { ...here.kernel, ramdiskPath: paths.ownRamdisk });
      assert.equal(existsSync(paths.ownKernel), false);
    });

    const wrong: readonly [what: string, disks: [LeavingDisk, Buffer][]][] = [
      ["does not come", [ramdisk]],
      ["is larger than any", [raw("kernel", Buffer.from("kernel"), 2 * GIB), ramdisk]],
      ["is no plain file", [[{ ...kernel[0], format: "qcow2" }, kernel[1]], ramdisk]],
    ];
    for (const [what, disks] of wrong)
      it(`are refused when it ${what}`, async () => {
        const { paths, take } = aHost([root(), ephemeral(), ...disks], boots("", ""));
        await assert.rejects(take(), { reason: "TRANSFER_BROKEN" });
        assert.equal(existsSync(paths.dir), false);
      });
  });

  it("keep the config drive that came", async () => {
    const configDrive = new Map([["openstack/latest/meta_data.json", new TextEncoder().encode("{}")]]);
    const drive = raw("config", Buffer.from("drive with the first password"));
    const { paths, ran, take } = aHost([root(), ephemeral(), drive], { configDrive });
    const { configDriveDigest } = await take();
    assert.notEqual(configDriveDigest, null);
    assert.equal(readFileSync(paths.configDrive, "utf8"), "drive with the first password");
    assert.equal(ran.length, 1);
  });
});
