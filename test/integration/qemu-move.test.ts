import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { rootCtx } from "../../pkg/kernel/index.js";
import type { Arrival, DiskTransfer, GuestSpec } from "../../pkg/compute/driver.js";
import { parseDefinition } from "../../pkg/compute/drivers/qemu/definition.js";
import type { GuestPaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { buttonGuestDisk } from "../../pkg/compute/drivers/testing/button-guest.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";

const ctx = rootCtx({ requestId: "req-move" });
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MARK = "what the guest wrote";
/** Behind the headers of file systems. */
const MARK_AT = 300 * MIB;
/** Of the root disk, which the small image does not reach. */
const PATTERN = ["-P 0x5a 8M 64k"] as const;

/** Guests with real disks, between two hosts. */
describe("QEMU driver: moving guests", function () {
  this.timeout(PATIENCE_MS * 2);
  let here: QemuHost;
  let there: QemuHost;
  before(async () => {
    here = await qemuHost();
    there = await qemuHost();
  });
  after(async () => {
    await here.dispose();
    await there.dispose();
  });

  const write = (path: string, bytes: Buffer, at: number): void => {
    const file = openSync(path, "r+");
    writeSync(file, bytes, 0, bytes.length, at);
    closeSync(file);
  };
  const read = (path: string, length: number, at: number): string => {
    const bytes = Buffer.alloc(length);
    const file = openSync(path, "r");
    readSync(file, bytes, 0, length, at);
    closeSync(file);
    return bytes.toString("latin1");
  };
  const heldBytes = (path: string): number => statSync(path).blocks * 512;
  const qemuIo = (path: string, ...command: readonly string[]): string =>
    execFileSync("qemu-io", ["-f", "qcow2", "-c", command.join(" "), path], { encoding: "utf8" });
  const infoOf = (path: string): Record<string, unknown> =>
    JSON.parse(
      execFileSync("qemu-img", ["info", "-f", "qcow2", "--output=json", path], { encoding: "utf8" }),
    ) as Record<string, unknown>;

  /** A guest with all disks, which has written on each, and is off. */
  const written = async (host = here): Promise<{ spec: GuestSpec; paths: GuestPaths }> => {
    const spec = await host.aSpec({ ephemerals: [{ gib: 1 }], swapMib: 16 });
    await host.driver().define(ctx, spec);
    const paths = host.paths(spec.instanceUuid);
    qemuIo(paths.rootDisk, "write", ...PATTERN);
    write(paths.ephemeralDisk, Buffer.from(MARK), MARK_AT);
    return { spec, paths };
  };
  /** The same guest at another host. */
  const at = (host: QemuHost, spec: GuestSpec, over: Partial<GuestSpec> = {}): Promise<GuestSpec> => {
    const { instanceUuid, instanceName, hostname, ephemerals, swapMib, configDrive } = spec;
    return host.aSpec({ instanceUuid, instanceName, hostname, ephemerals, swapMib, configDrive, ...over });
  };
  /** Has a guest leave; how it comes. @param passed  told of each piece that was taken */
  const offered = async (
    from: QemuHost,
    uuid: string,
    passed: (disk: string, bytes: number) => void = () => {},
  ): Promise<Arrival> => {
    const to: DiskTransfer = { transferId: randomUUID(), toHost: "host2" };
    const disks = await from.driver().exportDisks(ctx, uuid, to, 0);
    return {
      transferId: to.transferId,
      disks,
      async *open(c, { name }, fromByte) {
        const { pieces } = await from.driver().openLeavingDisk(c, uuid, to, name, fromByte);
        for await (const piece of pieces) {
          yield piece;
          passed(name, piece.data.length);
        }
      },
    };
  };
  const starts = async (host: QemuHost, uuid: string): Promise<void> => {
    await host.driver().powerOn(ctx, uuid);
    await host.booted(uuid);
    await host.driver().powerOff(ctx, uuid, 0);
  };
  const isWhole = (paths: GuestPaths): void => {
    assert.doesNotMatch(qemuIo(paths.rootDisk, "read", ...PATTERN), /verification failed/);
    assert.equal(read(paths.ephemeralDisk, MARK.length, MARK_AT), MARK);
  };

  it("takes along what is on their disks, which stand on the other host's image and grow", async () => {
    const { spec, paths: before } = await written();
    const uuid = spec.instanceUuid;
    const moved = await at(there, spec, { rootGib: 2, ephemerals: [{ gib: 2 }] });
    await there.driver().importDisks(ctx, moved, await offered(here, uuid));
    const paths = there.paths(uuid);
    isWhole(paths);
    const info = infoOf(paths.rootDisk);
    assert.deepEqual(
      [info["virtual-size"], info["backing-filename"], info["backing-filename-format"]],
      [2 * GIB, moved.rootImage?.path, "raw"],
    );
    const [ephemeral, swap] = [paths.ephemeralDisk, paths.swapDisk].map((path) => statSync(path).size);
    assert.deepEqual([ephemeral, swap], [2 * GIB, 16 * MIB]);
    await starts(there, uuid);
    isWhole(before);
    await here.driver().keepDisks(ctx, uuid);
    await starts(here, uuid);
  });

  it("brings holes as holes, and gives files to the guest's user there", async () => {
    const { spec } = await written();
    const uuid = spec.instanceUuid;
    const passed = new Map<string, number>();
    const arrival = await offered(here, uuid, (disk, bytes) =>
      passed.set(disk, (passed.get(disk) ?? 0) + bytes),
    );
    await there.driver().importDisks(ctx, await at(there, spec), arrival);
    const paths = there.paths(uuid);
    assert.deepEqual([...passed.keys()], ["layout", "root", "ephemeral0", "config"]);
    assert.ok((passed.get("ephemeral0") ?? GIB) < 64 * MIB, `${passed.get("ephemeral0")} bytes came`);
    assert.ok(heldBytes(paths.ephemeralDisk) < 64 * MIB);
    const { uid } = parseDefinition(readFileSync(paths.definition, "utf8"));
    for (const path of [paths.rootDisk, paths.ephemeralDisk, paths.swapDisk, paths.configDrive])
      assert.equal(statSync(path).uid, uid ?? process.getuid?.());
  });

  it("looks at no raw disk: one that says it is an image of the host's files stays what it is", async () => {
    const { spec, paths } = await written();
    const uuid = spec.instanceUuid;
    const header = Buffer.alloc(104);
    header.write("QFI\xfb", "latin1");
    header.writeUInt32BE(3, 4);
    header.writeBigUInt64BE(512n, 8);
    header.writeUInt32BE("/etc/shadow".length, 16);
    write(paths.ephemeralDisk, header, 0);
    write(paths.ephemeralDisk, Buffer.from("/etc/shadow"), 512);
    await there.driver().importDisks(ctx, await at(there, spec), await offered(here, uuid));
    const came = there.paths(uuid).ephemeralDisk;
    assert.equal(read(came, header.length, 0), header.toString("latin1"));
    assert.equal(statSync(came).size, GIB);
    await starts(there, uuid);
  });

  it("has the image that its disks will stand on kept, from the first byte on", async () => {
    // No other guest has them.
    const image = (host: QemuHost) => host.image("coming.raw", buttonGuestDisk());
    const spec = await here.aSpec({ ephemerals: [{ gib: 1 }], rootImage: image(here) });
    const uuid = spec.instanceUuid;
    await here.driver().define(ctx, spec);
    const rootImage = image(there);
    const kernelPath = there.image("coming.kernel", Buffer.from("kernel")).path;
    const kernel = { kernelPath, ramdiskPath: undefined, commandLine: "" };
    const moved = await at(there, spec, { rootImage, kernel });
    const used = (): boolean[] => {
      const inUse = there.driver().imagesInUse();
      return [rootImage.path, kernelPath].map((path) => inUse.has(path));
    };
    const seen: boolean[][] = [];
    let breaks = true;
    const arrival = await offered(here, uuid, (disk) => {
      seen.push(used());
      if (disk === "ephemeral0" && breaks) throw new Error("it broke");
    });
    await assert.rejects(there.driver().importDisks(ctx, moved, arrival), /it broke/);
    assert.deepEqual(used(), [false, false]);
    breaks = false;
    await there.driver().importDisks(ctx, moved, arrival);
    assert.ok(seen.length > 0 && seen.flat().every(Boolean));
    assert.deepEqual(used(), [true, true]);
    await there.driver().remove(ctx, uuid);
  });

  it("goes on after the agent's death, and leaves nothing when it is given up", async () => {
    const { spec } = await written();
    const uuid = spec.instanceUuid;
    let cuts = 2;
    const arrival = await offered(here, uuid, (disk) => {
      if (disk === "ephemeral0" && cuts-- > 0) throw new Error("it broke");
    });
    const moved = await at(there, spec);
    const paths = there.paths(uuid);
    for (let times = 0; times < 2; times++) {
      await assert.rejects(there.driver().importDisks(ctx, moved, arrival), /it broke/);
      assert.deepEqual([existsSync(paths.rootDisk), existsSync(paths.ephemeralDisk)], [true, false]);
      await there.restart();
      assert.equal(await there.driver().inspect(ctx, uuid), undefined);
      await assert.rejects(there.driver().powerOn(ctx, uuid), { reason: "GUEST_NOT_DEFINED" });
    }
    await there.driver().importDisks(ctx, moved, arrival);
    isWhole(paths);
    await starts(there, uuid);
    await there.driver().remove(ctx, uuid);
    cuts = 1;
    await assert.rejects(there.driver().importDisks(ctx, moved, arrival), /it broke/);
    await there.driver().remove(ctx, uuid);
    assert.equal(existsSync(paths.dir), false);
  });

  it("keeps the user whose disks are on their way until they are thrown away", async function () {
    // Others cannot choose users.
    if (process.getuid?.() !== 0) this.skip();
    const { spec } = await written();
    const uuid = spec.instanceUuid;
    const { dir } = there.paths(uuid);
    const taken = "/run/kilonova-uids";
    const its = (): string[] =>
      readdirSync(taken).filter((uid) => {
        try {
          return readlinkSync(join(taken, uid)) === dir;
        } catch {
          return false; // given back meanwhile, by another test
        }
      });
    const arrival = await offered(here, uuid, (disk) => {
      if (disk === "ephemeral0") throw new Error("it broke");
    });
    const moved = await at(there, spec);
    for (const restarted of [false, true]) {
      await assert.rejects(there.driver().importDisks(ctx, moved, arrival), /it broke/);
      if (restarted) await there.restart();
      assert.deepEqual(its(), [String(statSync(there.paths(uuid).rootDisk).uid)]);
    }
    await there.driver().remove(ctx, uuid);
    assert.deepEqual(its(), []);
  });

  it("brings the image along where there is no other way, and takes it on to the next host", async () => {
    const { spec } = await written();
    const uuid = spec.instanceUuid;
    const image = { imageId: spec.rootImage?.imageId ?? "", path: "", virtualSizeBytes: 0 };
    const without = await at(there, spec, { rootImage: image });
    await there.driver().importDisks(ctx, without, await offered(here, uuid));
    const paths = there.paths(uuid);
    isWhole(paths);
    assert.equal(infoOf(paths.rootDisk)["backing-filename"], paths.baseDisk);
    assert.deepEqual(await there.driver().missingImages(ctx, uuid), []);
    await there.restart();
    await starts(there, uuid);
    await here.driver().remove(ctx, uuid);
    const back = await at(here, spec, { rootImage: image });
    await here.driver().importDisks(ctx, back, await offered(there, uuid));
    isWhole(here.paths(uuid));
    await starts(here, uuid);
  });

  it("never puts a disk on another image than it was made on, whatever its server's image is", async () => {
    const { spec } = await written();
    const uuid = spec.instanceUuid;
    const rootImage = there.image("another.raw", buttonGuestDisk(true, "another image\n"));
    const moved = await at(there, spec, { rootImage });
    await there.driver().importDisks(ctx, moved, await offered(here, uuid));
    const paths = there.paths(uuid);
    assert.equal(infoOf(paths.rootDisk)["backing-filename"], paths.baseDisk);
    assert.equal(statSync(paths.baseDisk).size, spec.rootImage?.virtualSizeBytes);
    await starts(there, uuid);
  });

  it("is refused of a disk that the new flavor has no room for, and of one that is damaged", async () => {
    const { spec } = await written();
    const uuid = spec.instanceUuid;
    const arrival = await offered(here, uuid);
    const smaller = await at(there, spec, { ephemerals: [] });
    await assert.rejects(there.driver().importDisks(ctx, smaller, arrival), {
      reason: "DISK_SHRINK_REFUSED",
    });
    const damaged: Arrival = {
      ...arrival,
      async *open(c, disk, fromByte) {
        for await (const piece of arrival.open(c, disk, fromByte))
          yield disk.name === "root" ? { ...piece, digest: new Uint8Array(32) } : piece;
      },
    };
    const moved = await at(there, spec);
    await assert.rejects(there.driver().importDisks(ctx, moved, damaged), { reason: "TRANSFER_BROKEN" });
    await there.driver().importDisks(ctx, moved, arrival);
    await starts(there, uuid);
  });
});
