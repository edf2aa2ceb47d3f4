import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { RescueGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ImageRef, ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { commandHost } from "../agent/command-host.js";
import { noDisks, noImages, noPlumbing, noUploads } from "../agent/ports.js";
import type { Images } from "../agent/ports.js";
import type { RescueSpec } from "../driver.js";
import { untold } from "../driver.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { ImageErrors } from "../images/errors.js";
import { rootCtx } from "../../kernel/index.js";
import type { CommandHost } from "./command.js";
import powerOnGuest from "./power-on-guest.js";
import rebootGuest from "./reboot-guest.js";
import rescueGuest from "./rescue-guest.js";
import unrescueGuest from "./unrescue-guest.js";

const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_STOPPED: STOPPED, VM_STATE_RESCUED: RESCUED } = VmState;
const ctx = rootCtx({ requestId: "req-rescue" });
const OWN = "0a1b2c3d-0000-4000-8000-000000000000";
const RESCUE = "11111111-0000-4000-8000-000000000000";
const KERNEL = "22222222-0000-4000-8000-000000000000";

/** Keeps what it was told. */
class ListeningDriver extends FakeDriver {
  rescues: RescueSpec[] = [];
  override rescue(...[c, id, spec, ms]: Parameters<FakeDriver["rescue"]>): Promise<void> {
    this.rescues.push(spec);
    return super.rescue(c, id, spec, ms);
  }
}

/** A host with one guest that runs. */
async function bench(images: Images = noImages) {
  const driver = new ListeningDriver({ hostname: "host1" });
  const host = commandHost({
    driver,
    images,
    uploads: noUploads,
    disks: noDisks,
    plumbing: noPlumbing,
    domain: "",
    randomSeedOf: () => new Uint8Array(),
    vendorData: { hasFixed: false, fixed: async () => undefined, dynamic: async () => new Map() },
  });
  const spec = aGuestSpec();
  const serverId = spec.instanceUuid;
  await driver.start(ctx);
  await driver.define(ctx, spec);
  await driver.powerOn(ctx, serverId);
  const able = host as CommandHost<"rescue" | "unrescue">;
  const call = { ctx, serverId, host: able, tell: untold };
  const record = (vmState: VmState): InstanceRecord =>
    InstanceRecord.fromPartial({
      server: { id: serverId, vmState, configDrive: true, flavor: { vcpus: 1, memoryMib: 64 } },
      spec: { name: "vm", image: { id: OWN, properties: new Map([["hw_disk_bus", "ide"]]) } },
    });
  const input = (
    vmState: VmState = ACTIVE,
    properties: Readonly<Record<string, string>> = {},
  ): RescueGuestInput => ({
    instance: record(vmState),
    image: ImageRef.fromPartial({ id: RESCUE, properties: new Map(Object.entries(properties)) }),
    kernel: undefined,
    ramdisk: undefined,
    secrets: ServerSecrets.fromPartial({ adminPassword: "sesame" }),
    softTimeoutMs: 0,
  });
  const guest = () => driver.guest(serverId) ?? assert.fail("no guest");
  const undo = (vmState: VmState = ACTIVE) =>
    unrescueGuest.run(call, rescueGuest.undo?.input(input(vmState)) as never);
  return { driver, call, record, input, guest, undo };
}
const lastBoot = ({ console }: { readonly console: string }): string =>
  [...console.matchAll(/(?:rescue )?boot \d+/g)].at(-1)?.[0] ?? "";

describe("rescuing a guest", () => {
  it("starts nothing once it has been given up", async () => {
    const { driver, guest, input, call } = await bench();
    const giveUp = new AbortController();
    const rescue = driver.rescue.bind(driver);
    driver.rescue = async (...told) => {
      await rescue(...told);
      giveUp.abort(new Error("given up"));
    };
    driver.powerOn = () => assert.fail("it was started");
    const givenUp = { ...call, ctx: { ...ctx, signal: giveUp.signal } };
    await assert.rejects(rescueGuest.run(givenUp, input()), /given up/);
    assert.equal(guest().powerState, "SHUTDOWN");
  });

  it("starts it from the rescue disk, with the new password on its config drive", async () => {
    const { driver, call, input, guest } = await bench();
    const { powerState } = await rescueGuest.run(call, input());
    assert.equal(powerState, PowerState.POWER_STATE_RUNNING);
    assert.match(lastBoot(guest()), /rescue boot 2/);
    const [rescue] = driver.rescues;
    assert.deepEqual([rescue?.image.imageId, rescue?.stable, rescue?.hardware], [RESCUE, undefined, {}]);
    const metaData = rescue?.configDrive?.get("openstack/latest/meta_data.json") ?? assert.fail("no drive");
    assert.equal(JSON.parse(Buffer.from(metaData).toString()).admin_pass, "sesame");
  });

  it("starts it once, however often it is repeated", async () => {
    const { call, input, guest } = await bench();
    for (let times = 0; times < 3; times++) await rescueGuest.run(call, input());
    assert.equal(guest().starts, 2);
  });

  const devices: readonly (readonly [Readonly<Record<string, string>>, RescueSpec["stable"]])[] = [
    [{ hw_rescue_device: "cdrom" }, { device: "cdrom", bus: undefined }],
    [{ hw_rescue_bus: "scsi" }, { device: "disk", bus: "scsi" }],
    [
      { hw_rescue_device: "cdrom", hw_rescue_bus: "usb" },
      { device: "cdrom", bus: "usb" },
    ],
  ];
  for (const [properties, stable] of devices) {
    it(`leaves its devices where they are when the image says ${JSON.stringify(properties)}`, async () => {
      const { driver, call, input } = await bench();
      await rescueGuest.run(call, input(ACTIVE, properties));
      assert.deepEqual(driver.rescues[0]?.stable, stable);
    });
  }

  it("boots the rescue image's kernel by its command line, and asks for the machine that it wants", async () => {
    const { driver, call, input } = await bench();
    const properties = { os_command_line: "quiet", hw_disk_bus: "scsi" };
    const kernel = ImageRef.fromPartial({ id: KERNEL });
    await rescueGuest.run(call, { ...input(ACTIVE, properties), kernel });
    const [rescue] = driver.rescues;
    assert.deepEqual(
      [rescue?.kernel?.commandLine, rescue?.hardware, rescue?.kernel?.ramdiskPath],
      ["quiet", { diskBus: "scsi" }, undefined],
    );
  });

  it("does not touch a guest whose rescue image cannot be had", async () => {
    const { driver, call, input, guest } = await bench({
      ...noImages,
      prepare: async (_ctx, { id: imageId }) => {
        throw ImageErrors.IMAGE_NOT_ACTIVE({ imageId });
      },
    });
    const before = guest();
    await assert.rejects(rescueGuest.run(call, input()), { reason: "IMAGE_NOT_ACTIVE" });
    assert.deepEqual([guest(), driver.rescues], [before, []]);
  });
});

describe("a rescue taken back", () => {
  it("has an active server's guest run from its own disk", async () => {
    const { call, input, guest, undo } = await bench();
    await rescueGuest.run(call, input());
    for (let times = 0; times < 2; times++)
      assert.deepEqual(await undo(), { powerState: PowerState.POWER_STATE_RUNNING });
    assert.doesNotMatch(lastBoot(guest()), /rescue/);
    assert.equal(guest().starts, 3);
  });

  it("leaves a stopped server's guest off", async () => {
    const { call, driver, input, guest, undo } = await bench();
    await driver.powerOff(ctx, call.serverId, 0);
    await rescueGuest.run(call, input(STOPPED));
    assert.deepEqual(await undo(STOPPED), { powerState: PowerState.POWER_STATE_SHUTDOWN });
    assert.equal(guest().rescue, undefined);
  });

  it("does nothing to a guest that was never rescued, and none where there is no guest", async () => {
    const { call, driver, guest, undo } = await bench();
    const before = guest();
    await undo();
    assert.deepEqual(guest(), before);
    await driver.remove(ctx, call.serverId);
    assert.deepEqual(await undo(), { powerState: PowerState.POWER_STATE_NOSTATE });
  });

  it("is taken back also when the guest cannot be started again", async () => {
    const { call, driver, input, guest, undo } = await bench();
    await rescueGuest.run(call, input());
    driver.rules.add({ method: "powerOn", fail: { reason: "NO_DISK", message: "no disk" } });
    assert.deepEqual(await undo(), { powerState: PowerState.POWER_STATE_SHUTDOWN });
    assert.equal(guest().rescue, undefined);
  });
});

describe("unrescuing a guest", () => {
  it("starts it from its own disk, once, and fails when it cannot", async () => {
    const { call, driver, input, record, guest } = await bench();
    await rescueGuest.run(call, input());
    const unrescue = () =>
      unrescueGuest.run(call, { instance: record(RESCUED), softTimeoutMs: 0, takesBack: false });
    const takeBack = driver.rules.add({ method: "powerOn", fail: { reason: "NO_DISK", message: "no disk" } });
    await assert.rejects(unrescue(), { reason: "NO_DISK" });
    takeBack();
    for (let times = 0; times < 2; times++) await unrescue();
    assert.doesNotMatch(lastBoot(guest()), /rescue/);
    assert.equal(guest().starts, 3);
  });

  it("also comes of a hard reboot and of a start, when the server is not rescued any more", async () => {
    const { call, driver, input, record, guest } = await bench();
    await rescueGuest.run(call, input());
    await rebootGuest.run(call, { instance: record(RESCUED), hard: true, softTimeoutMs: 0 });
    assert.match(lastBoot(guest()), /rescue boot 3/);
    await rebootGuest.run(call, { instance: record(VmState.VM_STATE_ERROR), hard: true, softTimeoutMs: 0 });
    assert.doesNotMatch(lastBoot(guest()), /rescue/);
    await rescueGuest.run(call, input());
    await driver.powerOff(ctx, call.serverId, 0);
    await powerOnGuest.run(call, { instance: record(RESCUED) });
    assert.match(lastBoot(guest()), /rescue/);
    await driver.powerOff(ctx, call.serverId, 0);
    await powerOnGuest.run(call, { instance: record(STOPPED) });
    assert.doesNotMatch(lastBoot(guest()), /rescue/);
  });
});
