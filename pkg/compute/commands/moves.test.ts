import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import {
  ExportGuestInput,
  ImportGuestInput,
  LeavingDisk,
} from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import { GlanceErrors } from "../../clients/glance/errors.js";
import { rootCtx } from "../../kernel/index.js";
import { commandHost } from "../agent/command-host.js";
import { noDisks, noImages, noPlumbing, noUploads } from "../agent/ports.js";
import type { DiskSources, Images } from "../agent/ports.js";
import type { Arrival, GuestSpec } from "../driver.js";
import { untold } from "../driver.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { aGuestSpec } from "../drivers/testing/a-spec.js";
import { ImageErrors } from "../images/errors.js";
import type { CommandHost, GuestElsewhere } from "./command.js";
import { measured } from "./command.js";
import exportGuest from "./export-guest.js";
import importGuest from "./import-guest.js";
import keepGuest from "./keep-guest.js";
import powerOnGuest from "./power-on-guest.js";

const ctx = rootCtx({ requestId: "req-move" });
const IMAGE = "0a1b2c3d-0000-4000-8000-000000000000";

/** Keeps what it was told of guests that came. */
class ListeningDriver extends FakeDriver {
  readonly came: { readonly spec: GuestSpec; readonly arrival: Arrival }[] = [];
  override importDisks(...[c, spec, arrival, tell]: Parameters<FakeDriver["importDisks"]>): Promise<void> {
    this.came.push({ spec, arrival });
    return super.importDisks(c, spec, arrival, tell);
  }
}

type Methods = "exportDisks" | "openLeavingDisk" | "keepDisks" | "importDisks";

function aHost(hostname: string, disks: DiskSources, images: Images = noImages) {
  const driver = new ListeningDriver({ hostname });
  const ports: string[] = [];
  const host = commandHost({
    driver,
    images,
    uploads: noUploads,
    disks,
    plumbing: {
      ...noPlumbing,
      plug: async (_ctx, { server }) => void ports.push(`plug ${server?.id}`),
      unplug: async (_ctx, _ports, serverId) => void ports.push(`unplug ${serverId}`),
    },
    domain: "",
    randomSeedOf: () => new Uint8Array(),
    vendorData: { hasFixed: false, fixed: async () => undefined, dynamic: async () => new Map() },
  });
  return { driver, ports, host: host as CommandHost<Methods> };
}

/** A guest that runs on one host, and another host that asks the first one's driver for disks. */
async function bench(images?: Images) {
  const asked: GuestElsewhere[] = [];
  const source = aHost("host1", noDisks);
  const target = aHost(
    "host2",
    {
      async *read(c, guest, { name }, fromByte) {
        asked.push(guest);
        const { serverId: uuid, transferId } = guest;
        const to = { transferId, toHost: "host2" };
        yield* (await source.driver.openLeavingDisk(c, uuid, to, name, fromByte)).pieces;
      },
    },
    images,
  );
  const spec = aGuestSpec();
  const serverId = spec.instanceUuid;
  await source.driver.define(ctx, spec);
  await source.driver.powerOn(ctx, serverId);
  const call = (at: typeof source) => ({ ctx, serverId, host: at.host, tell: untold });
  const transferId = randomUUID();
  const out = ExportGuestInput.fromPartial({ transferId, toHost: "host2", softTimeoutMs: 0 });
  const instance = InstanceRecord.fromPartial({
    server: { id: serverId, flavor: { vcpus: 2, memoryMib: 128 } },
    spec: { image: { id: IMAGE } },
  });
  const into = (disks: LeavingDisk[], over: object = {}): ImportGuestInput =>
    ImportGuestInput.fromPartial({
      instance,
      transferId,
      fromHost: "host1",
      fromAddress: "agent:host1",
      disks,
      ...over,
    });
  return { source, target, serverId, instance, call, transferId, out, into, asked };
}

describe("moving a guest", () => {
  it("takes its disks from one host to the other, which it is known to with its new flavor", async () => {
    const { source, target, serverId, call, transferId, out, into, asked } = await bench();
    const { disks } = await exportGuest.run(call(source), out);
    assert.deepEqual(
      disks.map(({ name, format }) => [name, format]),
      [
        ["root", "raw"],
        ["config", "raw"],
      ],
    );
    const { powerState } = await importGuest.run(call(target), into(disks));
    assert.equal(powerState, PowerState.POWER_STATE_SHUTDOWN);
    assert.deepEqual(asked[0], { serverId, transferId, host: "host1", address: "agent:host1" });
    const guest = target.driver.guest(serverId);
    assert.deepEqual([guest?.vcpus, guest?.memoryMib, guest?.starts], [2, 128, 0]);
    const sector = guest?.disks?.["root"]?.pieces[0]?.base64 ?? "";
    assert.match(Buffer.from(sector, "base64").toString(), /^fake disk/);
  });

  it("changes nothing when it is repeated", async () => {
    const { source, target, serverId, call, out, into } = await bench();
    const { disks } = await exportGuest.run(call(source), out);
    assert.deepEqual(await exportGuest.run(call(source), out), { disks });
    for (let times = 0; times < 2; times++) await importGuest.run(call(target), into(disks));
    assert.equal(target.driver.guest(serverId)?.defines, 1);
  });

  it("lets go of its ports where it leaves, and plugs them again when it stays", async () => {
    const { source, serverId, instance, call, out } = await bench();
    await exportGuest.run(call(source), out);
    assert.deepEqual(source.ports, [`unplug ${serverId}`]);
    await assert.rejects(powerOnGuest.run(call(source), { instance }), { reason: "GUEST_LEAVING" });
    for (let times = 0; times < 2; times++) {
      const { powerState } = await keepGuest.run(call(source), {});
      assert.equal(powerState, PowerState.POWER_STATE_SHUTDOWN);
    }
    await powerOnGuest.run(call(source), { instance });
    assert.equal(source.driver.guest(serverId)?.powerState, "RUNNING");
    assert.equal(source.ports.at(-1), `plug ${serverId}`);
  });

  it("says for whom it is, and which guest it is of", async () => {
    const { source, target, call, out, into } = await bench();
    for (const missing of [{ transferId: "" }, { toHost: "" }])
      await assert.rejects(exportGuest.run(call(source), { ...out, ...missing }), {
        reason: "INVALID_ARGUMENT",
      });
    const strange = LeavingDisk.fromPartial({ name: "root", format: "vmdk" });
    await assert.rejects(importGuest.run(call(target), into([strange])), { reason: "INVALID_ARGUMENT" });
    await assert.rejects(importGuest.run(call(target), into([], { instance: undefined })), {
      reason: "INVALID_ARGUMENT",
    });
    assert.equal(target.driver.came.length, 0);
  });

  const base = LeavingDisk.fromPartial({ name: "base", format: "raw", sizeBytes: 512n, dataBytes: 512n });

  it("brings the image from the Image service, and offers the driver what there is elsewhere", async () => {
    const { source, target, call, out, into } = await bench();
    const { disks } = await exportGuest.run(call(source), out);
    source.driver.rules.add({
      method: "openLeavingDisk",
      times: 1,
      fail: { reason: "ASKED", message: "for the first disk" },
    });
    await assert.rejects(importGuest.run(call(target), into([base, ...disks])), { reason: "ASKED" });
    const { spec, arrival } = target.driver.came[0] ?? assert.fail("nothing came");
    assert.deepEqual(spec.rootImage, { imageId: IMAGE, path: "", virtualSizeBytes: 0 });
    assert.deepEqual(
      arrival.disks.map(({ name }) => name),
      ["base", "root", "config"],
    );
  });

  for (const gone of [
    GlanceErrors.IMAGE_NOT_FOUND({ id: IMAGE }),
    ImageErrors.IMAGE_NOT_ACTIVE({ imageId: IMAGE }),
    ImageErrors.IMAGE_REPLACED({ imageId: IMAGE }),
  ])
    it(`has no image here after ${gone.reason}, but one that comes along`, async () => {
      const prepare = async (): Promise<never> => {
        throw gone;
      };
      const { source, target, call, out, into } = await bench({ ...noImages, prepare });
      const { disks } = await exportGuest.run(call(source), out);
      await assert.rejects(importGuest.run(call(target), into(disks)), { reason: gone.reason });
      source.driver.rules.add({
        method: "openLeavingDisk",
        times: 1,
        fail: { reason: "ASKED", message: "for the image" },
      });
      await assert.rejects(importGuest.run(call(target), into([base, ...disks])), { reason: "ASKED" });
      const { spec, arrival } = target.driver.came[0] ?? assert.fail("nothing came");
      assert.deepEqual(spec.rootImage, { imageId: IMAGE, path: "", virtualSizeBytes: 512 });
      assert.deepEqual(
        arrival.disks.map(({ name }) => name),
        ["base", "root", "config"],
      );
    });

  it("has no kernel here that the Image service has no more, but the one that comes along", async () => {
    const prepare: Images["prepare"] = async (_ctx, { id }) => {
      if (id === "kernel" || id === "ramdisk") throw GlanceErrors.IMAGE_NOT_FOUND({ id });
      return { imageId: id, path: `/images/${id}`, virtualSizeBytes: 512 };
    };
    const { source, target, instance, call, out, into } = await bench({ ...noImages, prepare });
    const { disks } = await exportGuest.run(call(source), out);
    const [kernel, ramdisk] = ["kernel", "ramdisk"].map((name) => ({ ...base, name }));
    assert.ok(kernel !== undefined && ramdisk !== undefined);
    const booting = InstanceRecord.fromPartial({
      ...instance,
      spec: { image: { id: IMAGE }, kernel: { id: "kernel" }, ramdisk: { id: "ramdisk" } },
    });
    const comes = (those: LeavingDisk[]): Promise<unknown> =>
      importGuest.run(call(target), into([...those, ...disks], { instance: booting }));
    await assert.rejects(comes([kernel]), { reason: "IMAGE_NOT_FOUND" });
    source.driver.rules.add({
      method: "openLeavingDisk",
      times: 1,
      fail: { reason: "ASKED", message: "for the kernel" },
    });
    await assert.rejects(comes([kernel, ramdisk]), { reason: "ASKED" });
    const { spec } = target.driver.came[0] ?? assert.fail("nothing came");
    assert.deepEqual(
      [spec.rootImage?.path, spec.kernel?.kernelPath, spec.kernel?.ramdiskPath],
      [`/images/${IMAGE}`, "", ""],
    );
  });

  it("waits for an Image service that is away", async () => {
    const prepare = async (): Promise<never> => {
      throw ImageErrors.IMAGE_UNAVAILABLE({ imageId: IMAGE });
    };
    const { source, target, call, out, into } = await bench({ ...noImages, prepare });
    const { disks } = await exportGuest.run(call(source), out);
    await assert.rejects(importGuest.run(call(target), into([base, ...disks])), {
      reason: "IMAGE_UNAVAILABLE",
    });
    assert.equal(target.driver.came.length, 0);
  });

  it("connects the volumes that it starts with, and makes nothing of one that cannot be reached", async () => {
    const { source, target, serverId, call, out, into } = await bench();
    const { disks } = await exportGuest.run(call(source), out);
    const volume = (connection: object): BlockDeviceRecord =>
      BlockDeviceRecord.fromPartial({ volumeId: "v", connectionInfo: JSON.stringify(connection) });
    const unknown = into(disks, { volumes: [volume({ driver_volume_type: "smoke" })] });
    await assert.rejects(importGuest.run(call(target), unknown), /smoke/);
    assert.equal(target.driver.came.length, 0);
    const nbd = volume({ driver_volume_type: "nbd", unix: "/run/v.sock", export: "a" });
    await importGuest.run(call(target), into(disks, { volumes: [nbd] }));
    assert.deepEqual(
      target.driver.guest(serverId)?.volumes.map(({ volumeId }) => volumeId),
      ["v"],
    );
  });

  it("tells how much of its disks has come", async () => {
    const { source, target, call, out, into } = await bench();
    const { disks } = await exportGuest.run(call(source), out);
    const told: (number | undefined)[] = [];
    const tell = (work: Parameters<typeof untold>[0]): void =>
      void told.push(measured(importGuest, work)?.percent);
    await importGuest.run({ ...call(target), tell }, into(disks));
    assert.deepEqual(told, [50, 75, 100]);
  });
});
