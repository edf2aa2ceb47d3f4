import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { GuestSpec } from "../driver.js";
import { toGuestData, toGuestSpec } from "./instance-guest.js";

const {
  BLOCK_DEVICE_SOURCE_BLANK: BLANK,
  BLOCK_DEVICE_SOURCE_IMAGE: IMAGE,
  BLOCK_DEVICE_SOURCE_VOLUME: VOLUME,
} = BlockDeviceSource;
const { BLOCK_DEVICE_DESTINATION_LOCAL: LOCAL, BLOCK_DEVICE_DESTINATION_VOLUME: ON_VOLUME } =
  BlockDeviceDestination;

const record = (blockDevices: Partial<BlockDevice>[], hasImage = true): InstanceRecord =>
  InstanceRecord.fromPartial({
    server: {
      id: "6c1bc2d2-4b9e-4d0a-8a53-3a2f1f4f1c11",
      flavor: { vcpus: 1, memoryMib: 64, rootGib: 5, ephemeralGib: 4, swapMib: 64 },
    },
    spec: {
      blockDevices,
      ...(hasImage ? { image: { id: "image" } } : {}),
      volumeImageProperties: new Map([["hw_disk_bus", "scsi"]]),
    },
  });
const rootImage = { imageId: "image", path: "/image", virtualSizeBytes: 1 };
const specOf = (instance: InstanceRecord): GuestSpec =>
  toGuestSpec(instance, undefined, {
    domain: "",
    rootImage,
    kernel: undefined,
    socketPathOf: () => "",
    randomSeed: new Uint8Array(),
    vendorDocuments: {},
  });
const disksOf = (instance: InstanceRecord): unknown[] => {
  const { rootGib, rootImage: image, ephemerals, swapMib } = specOf(instance);
  return [rootGib, image?.imageId, ephemerals, swapMib];
};

const boot = { source: IMAGE, destination: LOCAL, sourceId: "image", bootIndex: 0 };
const rootVolume = { source: VOLUME, destination: ON_VOLUME, sourceId: "v0", bootIndex: 0, tag: "root" };
const ephemeral = { source: BLANK, destination: LOCAL, sizeGib: 1 };
const swap = { source: BLANK, destination: LOCAL, guestFormat: "swap", sizeMib: 32 };

describe("disks of a guest", () => {
  it("are the flavor's when nothing else was asked for", () => {
    assert.deepEqual(disksOf(record([])), [5, "image", [{ gib: 4 }], 64]);
  });
  it("are those that were asked for", () => {
    const disks = [boot, ephemeral, { ...ephemeral, sizeGib: 2, diskBus: "scsi", guestFormat: "ext3" }, swap];
    assert.deepEqual(disksOf(record(disks)), [
      5,
      "image",
      [{ gib: 1 }, { gib: 2, bus: "scsi", format: "ext3" }],
      32,
    ]);
  });
  it("are without a root disk when it is a volume, also when there is an image", () => {
    for (const hasImage of [true, false])
      assert.deepEqual(disksOf(record([rootVolume, swap], hasImage)), [0, undefined, [], 32]);
  });
  it("hang where the image on the volume says", () => {
    assert.equal(specOf(record([rootVolume], false)).hardware.diskBus, "scsi");
    assert.equal(specOf(record([rootVolume], true)).hardware.diskBus, undefined);
  });
});

describe("what a guest is told of its disks", () => {
  const disks = [
    rootVolume,
    { ...ephemeral, tag: "scratch" },
    { ...ephemeral, tag: "more" },
    swap,
    { source: VOLUME, destination: ON_VOLUME, sourceId: "v1" },
    { source: BLANK, destination: ON_VOLUME, sizeGib: 1, tag: "new" },
  ];
  const told = toGuestData(record(disks), { domain: "", userData: "", withVolumes: true });

  it("is their names, by EC2's words", () => {
    assert.deepEqual(Object.fromEntries(told.blockDeviceMapping ?? []), {
      ami: "vda",
      root: "/dev/vda",
      ephemeral0: "/dev/vdb",
      ephemeral1: "/dev/vdc",
      swap: "/dev/vdd",
      ebs0: "/dev/vda",
      ebs1: "/dev/vde",
      ebs2: "/dev/vdf",
    });
  });
  it("is their tags, with the serial numbers that they show", () => {
    const common = { type: "disk", bus: "none", address: "none" };
    assert.deepEqual(told.devices, [
      { ...common, path: "/dev/vda", serial: "v0", tags: ["root"] },
      { ...common, path: "/dev/vdb", serial: "ephemeral0", tags: ["scratch"] },
      { ...common, path: "/dev/vdc", serial: "ephemeral1", tags: ["more"] },
      { ...common, path: "/dev/vdf", tags: ["new"] },
    ]);
  });
  it("leaves tags of volumes to the host, unless they are told for good", () => {
    const now = toGuestData(record(disks), { domain: "", userData: "" });
    assert.deepEqual(
      now.devices?.map(({ tags }) => tags),
      [["scratch"], ["more"]],
    );
  });
});
