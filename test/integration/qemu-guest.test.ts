import assert from "node:assert/strict";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { rootCtx } from "../../pkg/kernel/index.js";
import { configDriveFiles } from "../../pkg/compute/guestdata/index.js";
import { someGuest } from "../../pkg/compute/guestdata/testing/some-guest.js";
import { Isolation, isolationDefaults } from "../../pkg/compute/drivers/host/isolation.js";
import { ImageCache } from "../../pkg/compute/images/index.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { GuestSpec, PreparedImage } from "../../pkg/compute/driver.js";
import { testGuestImage } from "../../pkg/guestimage/testing/test-image.js";
import type { GuestImage } from "../../pkg/guestimage/index.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-guest" });

/**
 * The real thing: an image from the (pretended) Image service, inspected and converted, boots Linux from its
 * overlay.
 */
describe("QEMU driver with a real guest", function () {
  this.timeout(PATIENCE_MS * 4);
  let host: QemuHost;
  let built: GuestImage;
  let image: PreparedImage;

  before(async () => {
    built = await testGuestImage();
    host = await qemuHost();
    const cache = new ImageCache({
      dir: host.config.imageDirs[0] ?? "",
      isolation: await Isolation.open(isolationDefaults),
      source: {
        get: async () => ({
          id: "tiny",
          status: "active",
          diskFormat: "qcow2",
          containerFormat: "bare",
          sizeBytes: built.sizeBytes,
          checksum: undefined,
          hashAlgorithm: "sha512",
          hashValue: built.sha512,
        }),
        download: () => createReadStream(built.qcow2Path),
      },
    });
    await cache.start();
    image = await cache.prepare(ctx, "tiny");
  });
  after(() => host.dispose());

  const says = (uuid: string, pattern: RegExp, from = 0): Promise<RegExpMatchArray> =>
    until(() => host.console(uuid).slice(from).match(pattern) ?? undefined, {
      timeoutMs: PATIENCE_MS,
      what: `the console to show ${pattern}`,
    });

  const aGuest = async (over: Partial<GuestSpec>): Promise<GuestSpec> => {
    const spec = await host.aSpec({ memoryMib: 128, rootImage: image, rootGib: 1, ...over });
    const data = someGuest({
      uuid: spec.instanceUuid,
      hostname: "web-1",
      adminPass: "s3cret",
      userData: new TextEncoder().encode("#!/bin/sh\necho user-data-ran\n"),
    });
    return { ...spec, configDrive: configDriveFiles(data, new Uint8Array(512)) };
  };

  it("boots from its overlay, reads the config drive, sees all disks, and obeys its power button", async () => {
    const spec = await aGuest({ ephemerals: [{ gib: 1 }], swapMib: 16 });
    const { instanceUuid } = spec;
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, instanceUuid);
    await says(instanceUuid, /BOOT-DONE/);
    const console = host.console(instanceUuid);
    assert.match(console, /config drive \/dev\/vd\w \(iso9660\)/);
    assert.match(
      console,
      new RegExp(`metadata source=configdrive uuid=${instanceUuid} hostname=web-1.novalocal`),
    );
    assert.match(console, /authorized key: ssh-ed25519 AAAA me/);
    assert.match(console, /admin password set/);
    assert.match(console, /user-data-ran/);
    assert.match(console, /disk vda 1073741824 serial=root/);
    assert.match(console, /disk vdb 1073741824 serial=ephemeral0/);
    assert.match(console, /disk vdc 16777216 serial=swap/);
    assert.match(console, /boots=1\b/);
    const d = await host.driver().diagnostics(ctx, instanceUuid);
    assert.equal(d.disks.length, 4);
    assert.ok(d.disks.some((disk) => disk.readBytes > 1_000_000));
    assert.ok(d.cpus.every(({ timeNs = 0 }) => timeNs > 0));

    const mark = console.length;
    await host.driver().reboot(ctx, instanceUuid, "soft", PATIENCE_MS);
    await says(instanceUuid, /boots=2\b/, mark);
    await says(instanceUuid, /BOOT-DONE/, mark);
    await host.driver().powerOff(ctx, instanceUuid, PATIENCE_MS);
    assert.deepEqual(host.events, []);
    assert.match(readFileSync(join(host.paths(instanceUuid).dir, "run.json"), "utf8"), /"stopped"/);
    await host.driver().remove(ctx, instanceUuid);
  });

  it("boots a kernel and a ramdisk directly", async () => {
    const kernel = host.image("kernel.raw", readFileSync(built.kernelPath));
    const ramdisk = host.image("ramdisk.raw", readFileSync(built.ramdiskPath));
    const spec = await aGuest({
      kernel: {
        kernelPath: kernel.path,
        ramdiskPath: ramdisk.path,
        commandLine: "console=ttyS0 quiet, panic=1",
      },
    });
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, spec.instanceUuid);
    await says(spec.instanceUuid, /BOOT-DONE/);
    await host.driver().remove(ctx, spec.instanceUuid);
  });

  it("grows the root disk when it is redefined larger, and refuses to shrink it or to change its image", async () => {
    const spec = await aGuest({});
    await host.driver().define(ctx, spec);
    await host.driver().define(ctx, { ...spec, rootGib: 2 });
    await assert.rejects(host.driver().define(ctx, spec), /cannot be made smaller/);
    const other = host.image("other.raw", Buffer.alloc(1024));
    await assert.rejects(
      host.driver().define(ctx, { ...spec, rootGib: 2, rootImage: other }),
      /already has a root disk of another image/,
    );
    await host.driver().powerOn(ctx, spec.instanceUuid);
    await says(spec.instanceUuid, /disk vda 2147483648/);
    await host.driver().remove(ctx, spec.instanceUuid);
  });
});
