import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { rootCtx } from "../../pkg/kernel/index.js";
import { PATIENCE_MS, qemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import type { QemuHost } from "../../pkg/compute/drivers/testing/qemu-host.js";
import { until } from "../../pkg/testkit/until.js";

const ctx = rootCtx({ requestId: "req-rescue" });

/** What a rescue leaves on the host, and what one that was cut short does. */
describe("QEMU driver: rescue", function () {
  this.timeout(PATIENCE_MS * 2);
  let host: QemuHost;
  let uuid: string;

  const filesOf = (id: string): string[] => {
    const { rescueDisk, rescueConfigDrive } = host.paths(id);
    return [rescueDisk, rescueConfigDrive, `${rescueDisk}.tmp`, `${rescueConfigDrive}.tmp`];
  };
  const there = (id: string): boolean[] => filesOf(id).map((path) => existsSync(path));
  const says = (text: string): Promise<unknown> =>
    until(() => host.console(uuid).endsWith(text), {
      timeoutMs: PATIENCE_MS,
      what: `the console to end with ${JSON.stringify(text)}, not with ${host.console(uuid).slice(-40)}`,
    });

  beforeEach(async () => {
    host = await qemuHost();
    const spec = await host.aSpec();
    uuid = spec.instanceUuid;
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, uuid);
    await host.booted(uuid);
  });
  afterEach(() => host.dispose());

  it("keeps its image, its disk and its config drive while it lasts, and nothing after it", async () => {
    const spec = await host.aRescue();
    await host.driver().rescue(ctx, uuid, spec, PATIENCE_MS);
    assert.match(host.console(uuid), /off\n$/, "the guest was asked to power itself off");
    assert.deepEqual(there(uuid), [true, true, false, false]);
    assert.ok(host.driver().imagesInUse().has(spec.image.path));
    await host.driver().powerOn(ctx, uuid);
    await says("rescue boot\n");
    await host.driver().unrescue(ctx, uuid, PATIENCE_MS);
    assert.match(host.console(uuid), /off\n$/, "so was the rescue system");
    assert.deepEqual(there(uuid), [false, false, false, false]);
    assert.ok(!host.driver().imagesInUse().has(spec.image.path));
    await host.driver().powerOn(ctx, uuid);
    await says("off\nboot\n");
  });

  const stable: readonly (readonly [machine: string, device: string, bus: string | undefined])[] = [
    ["q35", "disk", "virtio"],
    ["q35", "disk", "scsi"],
    ["q35", "disk", "sata"],
    ["q35", "disk", "usb"],
    ["pc", "disk", "ide"],
    ["q35", "cdrom", undefined],
    ["q35", "cdrom", "scsi"],
    ["pc", "cdrom", undefined],
  ];
  for (const [machineType, device, bus] of stable)
    it(`starts ${machineType} with a ${device} on ${bus ?? "its usual bus"} behind the guest's disks`, async () => {
      const hardware = { machineType, diskBus: machineType === "pc" ? "ide" : "virtio" };
      const spec = await host.aSpec({ hardware, swapMib: 1 });
      uuid = spec.instanceUuid;
      await host.driver().define(ctx, spec);
      await host.driver().rescue(ctx, uuid, await host.aRescue({ stable: { device, bus } }), 0);
      await host.driver().powerOn(ctx, uuid);
      // As a disc it is none that could be booted: then the guest's own disk is.
      await says("boot\n");
      assert.equal(host.console(uuid).includes("rescue boot"), device === "disk");
    });

  it("takes nothing over from a rescue that was cut short before it was written down", async () => {
    for (const path of filesOf(uuid)) writeFileSync(path, "half of it");
    await host.restart();
    await host.driver().rescue(ctx, uuid, await host.aRescue({ configDrive: undefined }), 0);
    assert.deepEqual(there(uuid), [true, false, false, false]);
    await host.driver().powerOn(ctx, uuid);
    await says("rescue boot\n");
  });

  it("is no rescue yet while the guest is still asked to power itself off", async () => {
    const spec = await host.aDeafSpec();
    const deaf = spec.instanceUuid;
    await host.driver().define(ctx, spec);
    await host.driver().powerOn(ctx, deaf);
    const before = await host.driver().inspect(ctx, deaf);
    const caller = new AbortController();
    const rescue = host
      .driver()
      .rescue({ ...ctx, signal: caller.signal }, deaf, await host.aRescue(), 60_000);
    await until(() => existsSync(host.paths(deaf).rescueConfigDrive));
    setTimeout(() => caller.abort(new Error("given up")), 200);
    await assert.rejects(rescue, /given up/);
    await host.restart();
    await host.driver().unrescue(ctx, deaf, 0);
    assert.deepEqual(await host.driver().inspect(ctx, deaf), before);
    assert.deepEqual(there(deaf), [false, false, false, false]);
  });

  it("removes what such a rescue has left when it is taken back, and lets the guest run", async () => {
    const before = await host.driver().inspect(ctx, uuid);
    for (const path of filesOf(uuid)) writeFileSync(path, "half of it");
    await host.driver().unrescue(ctx, uuid, 0);
    assert.deepEqual(there(uuid), [false, false, false, false]);
    assert.deepEqual(await host.driver().inspect(ctx, uuid), before);
  });

  it("reads a guest that the build before has defined, and one of its own as rescued", async () => {
    const path = host.paths(uuid).definition;
    const { rescue: _, ...older } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    await host.restart(async () => writeFileSync(path, JSON.stringify(older)));
    await host.driver().reboot(ctx, uuid, "hard", 0);
    await says("boot\nboot\n");
    await host.driver().rescue(ctx, uuid, await host.aRescue(), 0);
    await host.restart();
    await host.driver().powerOn(ctx, uuid);
    await says("rescue boot\n");
  });
});
