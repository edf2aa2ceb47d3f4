import assert from "node:assert/strict";
import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { inspect } from "node:util";
import { KilonovaError, rootCtx } from "../../pkg/kernel/index.js";
import type { GuestVolume } from "../../pkg/compute/driver.js";
import { volumePaths } from "../../pkg/compute/drivers/qemu/guest-paths.js";
import { GuestShell, linuxGuestDisk, onVolume } from "../../pkg/compute/drivers/testing/guest-shell.js";
import { IscsiTarget } from "../../pkg/compute/drivers/testing/iscsi-target.js";
import type { Chap } from "../../pkg/compute/drivers/testing/iscsi-target.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-iscsi" });
const timeoutMs = PATIENCE_MS;
const MIB = 1024 * 1024;
const chap: Chap = { user: "kilonova", password: "right-password" };

/** Volumes at a real iSCSI target, in real guests. */
describe("QEMU driver: volumes by iSCSI", function () {
  this.timeout(PATIENCE_MS * 3);
  let host: QemuHost;
  let target: IscsiTarget;
  before(async () => {
    target = await IscsiTarget.start();
    host = await qemuHost();
  });
  after(async () => {
    await host.dispose();
    await target.dispose();
  });

  const booted = async (): Promise<{ uuid: string; guest: GuestShell }> => {
    const rootImage = host.image("linux.raw", await linuxGuestDisk());
    const spec = await host.aSpec({ memoryMib: 128, rootImage });
    const uuid = spec.instanceUuid;
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, uuid);
    await until(() => /BOOT-DONE/.test(host.console(uuid)), { timeoutMs, what: "the guest to boot" });
    return { uuid, guest: new GuestShell(host.paths(uuid).serialSocket) };
  };
  const leavesNothing = (uuid: string, { volumeId }: GuestVolume): void =>
    assert.deepEqual(
      Object.values(volumePaths(host.paths(uuid), volumeId)).filter((path) => existsSync(path)),
      [],
    );
  const refusal = async (promise: Promise<void>): Promise<KilonovaError> => {
    const error: unknown = await promise.then(
      () => assert.fail("attached"),
      (e: unknown) => e,
    );
    assert.ok(error instanceof KilonovaError, inspect(error));
    return error;
  };

  it("are written, over the target's death and growth, and go on to another guest", async () => {
    const [one, two] = await Promise.all([booted(), booted()]);
    const served = await target.volume(MIB, chap);
    const { volume } = served;
    writeFileSync(served.file, "written before\n", { flag: "r+" });
    await host.driver().attachVolume(ctx, one.uuid, volume);
    const disk = await one.guest.seenAs(volume);
    assert.match(await one.guest.run(`head -c 14 /dev/${disk}`), /written before/);
    await one.guest.write(disk, 1, "one");
    assert.equal(onVolume(served, 1, 3), "one");

    await target.stop();
    const waiting = one.guest.write(disk, 2, "two");
    await target.start();
    await waiting;
    assert.equal(onVolume(served, 2, 3), "two");

    const extend = (): Promise<void> => host.driver().extendVolume(ctx, one.uuid, volume.volumeId, 2 * MIB);
    assert.equal((await refusal(extend())).reason, "VOLUME_TOO_SMALL");
    await target.stop();
    truncateSync(served.file, 2 * MIB);
    await target.start();
    await extend();
    await until(async () => (await one.guest.sectorsOf(disk)) === "4096", { timeoutMs });
    await one.guest.write(disk, 4095, "end");
    assert.equal(onVolume(served, 4095, 3), "end");

    await host.driver().detachVolume(ctx, one.uuid, volume.volumeId);
    assert.equal(await one.guest.diskOf(volume), undefined);
    leavesNothing(one.uuid, volume);
    await host.driver().attachVolume(ctx, two.uuid, volume);
    const there = await two.guest.seenAs(volume);
    assert.match(await two.guest.run(`dd if=/dev/${there} bs=512 skip=2 count=1 2>/dev/null`), /two/);
    assert.equal(await two.guest.sectorsOf(there), "4096");
    assert.deepEqual(host.events, []);
  });

  it("are refused to who does not know the password, which nobody is told", async () => {
    const spec = await host.aSpec();
    const uuid = spec.instanceUuid;
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, uuid);
    const { volume } = await target.volume(MIB, chap);
    const { connection } = volume;
    const { at } = connection;
    assert.ok(at.type === "iscsi");
    const { chap: _, ...nobody } = at;
    for (const wrong of [
      { ...at, chap: { ...chap, password: "hush-wrong-password" } },
      { ...at, chap: { ...chap, user: "somebody" } },
      nobody,
      { ...at, target: `${at.target}-2` },
      { ...at, lun: 7 },
    ]) {
      const attempt = { ...volume, connection: { ...connection, at: wrong } };
      const error = await refusal(host.driver().attachVolume(ctx, uuid, attempt));
      assert.equal(error.reason, "VOLUME_NOT_REACHABLE");
      assert.doesNotMatch(inspect(error, { depth: 10 }), /hush|right-password/);
      leavesNothing(uuid, volume);
    }
    await host.driver().attachVolume(ctx, uuid, volume);
  });
});
