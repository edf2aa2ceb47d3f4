import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { rootCtx } from "../../pkg/kernel/index.js";
import type { GuestSpec } from "../../pkg/compute/driver.js";
import { nextPaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import type { GuestPaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { buttonGuestDisk } from "../../pkg/compute/drivers/testing/button-guest.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";

const ctx = rootCtx({ requestId: "req-rebuild" });
const MARK = "what the old guest wrote";
/** Behind the headers of disks and file systems. */
const MARK_AT = 300_000;

/** What becomes of a guest's files, whenever its agent dies. */
describe("QEMU driver: rebuilding", function () {
  this.timeout(PATIENCE_MS);
  let host: QemuHost;
  before(async () => {
    host = await qemuHost();
  });
  after(() => host.dispose());

  /** A guest with all disks, of which the old one has written on each. */
  const marked = async (): Promise<{ spec: GuestSpec; anew: GuestSpec; paths: GuestPaths }> => {
    const spec = await host.aSpec({ ephemerals: [{ gib: 1 }], swapMib: 16 });
    await host.driver().define(ctx, spec);
    const paths = host.paths(spec.instanceUuid);
    for (const path of [paths.ephemeralDisk, paths.swapDisk]) {
      const bytes = Buffer.from(MARK);
      const file = openSync(path, "r+");
      writeSync(file, bytes, 0, bytes.length, MARK_AT);
      closeSync(file);
    }
    const rootImage = host.image(`other-${spec.instanceUuid}.raw`, buttonGuestDisk());
    const configDrive = new Map([["openstack/latest/meta_data.json", new TextEncoder().encode('{"a":1}')]]);
    return { spec, anew: { ...spec, rootImage, configDrive }, paths };
  };
  const has = (path: string): boolean => readFileSync(path).subarray(0, 400_000).includes(MARK);
  const baseOf = (path: string): boolean => readFileSync(path).subarray(0, 4_096).includes("/other-");
  const leftovers = ({ dir }: GuestPaths): string[] =>
    readdirSync(dir).filter((name) => name.includes(".next"));
  const isNew = async (paths: GuestPaths, uuid: string): Promise<void> => {
    assert.equal(baseOf(paths.rootDisk), true);
    assert.deepEqual([has(paths.swapDisk), leftovers(paths)], [false, []]);
    assert.equal(readFileSync(paths.configDrive).includes('{"a":1}'), true);
    assert.equal(readFileSync(paths.definition, "utf8").includes("incoming"), false);
    await host.driver().powerOn(ctx, uuid);
    await host.booted(uuid);
    await host.driver().powerOff(ctx, uuid, 0);
  };

  for (const keepsEphemeral of [true, false])
    it(`makes all disks anew ${keepsEphemeral ? "but for the ephemeral one" : "with the ephemeral one"}`, async () => {
      const { anew, paths } = await marked();
      const { instanceUuid } = anew;
      await host.driver().prepareRebuild(ctx, anew, { key: "k", keepsEphemeral });
      assert.deepEqual(
        [baseOf(paths.rootDisk), has(paths.ephemeralDisk), has(paths.swapDisk)],
        [false, true, true],
      );
      assert.ok(
        host
          .driver()
          .imagesInUse()
          .has(anew.rootImage?.path ?? ""),
        "the image that is needed next",
      );
      await host.driver().rebuild(ctx, instanceUuid, "k", 0);
      assert.equal(has(paths.ephemeralDisk), keepsEphemeral);
      await isNew(paths, instanceUuid);
      await host.driver().define(ctx, anew);
      assert.equal(baseOf(paths.rootDisk), true);
    });

  it("throws everything away that it prepared, and knows it no more", async () => {
    const { spec, anew, paths } = await marked();
    await host.driver().prepareRebuild(ctx, anew, { key: "k", keepsEphemeral: false });
    assert.ok(leftovers(paths).length > 3);
    await host.restart();
    assert.ok(
      host
        .driver()
        .imagesInUse()
        .has(anew.rootImage?.path ?? ""),
      "also after the agent's death",
    );
    await host.driver().discardRebuild(ctx, spec.instanceUuid);
    assert.deepEqual([leftovers(paths), baseOf(paths.rootDisk), has(paths.ephemeralDisk)], [[], false, true]);
    assert.equal(
      host
        .driver()
        .imagesInUse()
        .has(anew.rootImage?.path ?? ""),
      false,
    );
  });

  it("prepares nothing of what does not fit", async () => {
    const { anew, paths } = await marked();
    const rootImage = { ...host.image("large.raw", buttonGuestDisk()), virtualSizeBytes: 2 ** 40 };
    await assert.rejects(
      host.driver().prepareRebuild(ctx, { ...anew, rootImage }, { key: "k", keepsEphemeral: false }),
      /too small for requested image/,
    );
    assert.deepEqual([leftovers(paths), has(paths.ephemeralDisk)], [[], true]);
  });

  for (const moved of [0, 1, 4])
    it(`finishes a rebuild after the agent's death with ${moved} of 4 disks in their place`, async () => {
      const { anew, paths } = await marked();
      const { instanceUuid } = anew;
      await host.driver().prepareRebuild(ctx, anew, { key: "k", keepsEphemeral: false });
      await host.restart(async () => {
        const next = nextPaths(paths);
        writeFileSync(paths.definition, readFileSync(next.definition));
        const disks = ["rootDisk", "ephemeralDisk", "swapDisk", "configDrive"] as const;
        for (const disk of disks.slice(0, moved)) renameSync(next[disk], paths[disk]);
      });
      assert.equal(has(paths.ephemeralDisk), false);
      await host.driver().rebuild(ctx, instanceUuid, "k", 0);
      await isNew(paths, instanceUuid);
    });

  it("takes the config drive away when the new guest has none", async () => {
    const { anew, paths } = await marked();
    const without = { ...anew, configDrive: undefined };
    await host.driver().prepareRebuild(ctx, without, { key: "k", keepsEphemeral: false });
    await host.driver().rebuild(ctx, anew.instanceUuid, "k", 0);
    assert.deepEqual([existsSync(paths.configDrive), leftovers(paths)], [false, []]);
  });
});
