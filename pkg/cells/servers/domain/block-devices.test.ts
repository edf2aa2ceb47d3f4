import assert from "node:assert/strict";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import {
  BlockDeviceChange,
  BlockDeviceDestination,
  BlockDeviceRecord,
  BlockDeviceSource,
} from "../../../../gen/kilonova/cells/v1/server_records.js";
import {
  BlockDeviceDestination as Destination,
  BlockDeviceSource as Wanted,
} from "../../../../gen/kilonova/type/v1/block_device.js";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { aServer } from "../../testing/records.js";
import { bootDevices, changedDevices, volumesOf, withBootDevices } from "./block-devices.js";

const NOW = 1_767_225_600_000_000n;
const at = { serverId: "s", now: NOW, newId: () => "new" };
const device = (init: Parameters<typeof BlockDeviceRecord.fromPartial>[0]) =>
  BlockDeviceRecord.fromPartial(init);
const change = (init: Parameters<typeof BlockDeviceChange.fromPartial>[0]) =>
  BlockDeviceChange.fromPartial(init);
const root = device({ id: "root", serverId: "s", deviceName: "/dev/vda", createdAt: toTimestamp(1n) });

describe("changedDevices", () => {
  it("adds one under its own id or a new one, and says that it is the server's, from now on", () => {
    const { present, written } = changedDevices(
      [root],
      [change({ device: { id: "a", serverId: "other", volumeId: "v" } }), change({ device: { tag: "t" } })],
      at,
    );
    assert.deepEqual(
      present.map(({ id, serverId }) => [id, serverId]),
      [
        ["root", "s"],
        ["a", "s"],
        ["new", "s"],
      ],
    );
    assert.deepEqual(
      written.map(({ id, createdAt }) => [id, createdAt]),
      [
        ["a", toTimestamp(NOW)],
        ["new", toTimestamp(NOW)],
      ],
    );
  });
  it("replaces all of one that is there without a mask, and keeps when it was made", () => {
    const { present } = changedDevices([root], [change({ device: { id: "root", tag: "t" } })], at);
    assert.deepEqual([present[0]?.tag, present[0]?.deviceName], ["t", ""]);
    assert.deepEqual([present[0]?.createdAt, present[0]?.updatedAt], [toTimestamp(1n), toTimestamp(NOW)]);
  });
  it("keeps what a newer build has noted", () => {
    const salted = { ...root, _unknownFields: { 80_000: [Buffer.from([1])] } };
    for (const one of [
      change({ device: { id: "root", tag: "t" } }),
      change({ device: { id: "root", tag: "t" }, updateMask: ["tag"] }),
      change({ device: { id: "root" }, remove: true }),
    ])
      assert.ok(changedDevices([salted], [one], at).written[0]?._unknownFields);
  });
  it("gives a name and a volume free before the next one of the same change", () => {
    const before = { ...root, volumeId: "v" };
    const { present, written } = changedDevices(
      [before],
      [
        change({ device: { id: "root" }, remove: true }),
        change({ device: { id: "b", volumeId: "v", deviceName: "/dev/vda" } }),
      ],
      at,
    );
    assert.deepEqual([present.length, written.length], [1, 2]);
    assert.deepEqual(written[0]?.deletedAt, toTimestamp(NOW));
  });
  it("refuses a name and a volume twice", () => {
    const named = change({ device: { id: "b", deviceName: "/dev/vda" } });
    assert.throws(() => changedDevices([root], [named], at), { reason: "DEVICE_NAME_IN_USE" });
    const twice = ["b", "c"].map((id) => change({ device: { id, volumeId: "v" } }));
    assert.throws(() => changedDevices([root], twice, at), { reason: "VOLUME_ATTACHED_TWICE" });
  });
  it("refuses a path that is the store's", () => {
    for (const path of [
      "id",
      "server_id",
      "created_at",
      "deleted_at",
      "encrypted_connection_info",
      "nothing",
    ])
      assert.throws(() => changedDevices([root], [change({ device: root, updateMask: [path] })], at), {
        reason: "INVALID_ARGUMENT",
      });
  });
});

describe("bootDevices", () => {
  const record = (flavor: Partial<Flavor>, image = true): InstanceRecord =>
    InstanceRecord.fromPartial({
      server: aServer({ id: "s", flavor: Flavor.fromPartial(flavor) }),
      spec: image ? { image: { id: "image" } } : {},
    });
  let count = 0;
  const newId = () => String(++count);

  it("are root, ephemeral and swap disk, as flavor and image ask", () => {
    const devices = bootDevices(record({ rootGib: 1, ephemeralGib: 2, swapMib: 3 }), newId);
    assert.deepEqual(
      devices.map(({ deviceName, sizeMib, source }) => [deviceName, sizeMib, source]),
      [
        ["/dev/vda", 1024n, BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE],
        ["/dev/vdb", 2048n, BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK],
        ["/dev/vdc", 3n, BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK],
      ],
    );
    assert.deepEqual(
      new Set(devices.map(({ destination }) => destination)),
      new Set([BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL]),
    );
    assert.deepEqual(
      devices.map(({ bootIndex }) => bootIndex),
      [0, undefined, undefined],
    );
  });
  it("are those that were asked for, whatever image and flavor give", () => {
    const [LOCAL, VOLUME] = [
      Destination.BLOCK_DEVICE_DESTINATION_LOCAL,
      Destination.BLOCK_DEVICE_DESTINATION_VOLUME,
    ];
    const spec = {
      image: { id: "image" },
      blockDevices: [
        {
          source: Wanted.BLOCK_DEVICE_SOURCE_VOLUME,
          destination: VOLUME,
          sourceId: "v",
          bootIndex: 0,
          sizeGib: 3,
        },
        { source: Wanted.BLOCK_DEVICE_SOURCE_BLANK, destination: LOCAL, sizeGib: 1, tag: "scratch" },
        {
          source: Wanted.BLOCK_DEVICE_SOURCE_SNAPSHOT,
          destination: VOLUME,
          sourceId: "s",
          volumeType: "fast",
        },
      ],
    };
    const before = { ...record({ rootGib: 9, swapMib: 3 }) };
    const after = withBootDevices({ ...before, spec: InstanceRecord.fromPartial({ spec }).spec }, newId);
    assert.deepEqual(
      after.records?.blockDevices.map((one) => [
        one.deviceName,
        one.volumeId || one.snapshotId,
        one.sizeMib,
        one.bootIndex,
        one.deleteOnTermination,
        one.tag || one.volumeType,
      ]),
      [
        ["/dev/vda", "v", 3072n, 0, false, ""],
        ["/dev/vdb", "", 1024n, undefined, true, "scratch"],
        ["/dev/vdc", "s", 0n, undefined, false, "fast"],
      ],
    );
    assert.deepEqual(after.server?.volumes, [{ id: "v", deleteOnTermination: false }]);
  });
  it("are none without image and extra disks", () =>
    assert.deepEqual(bootDevices(record({}, false), newId), []));
  it("come with the server into its cell, and its volumes are theirs", () => {
    const before = record({ swapMib: 1 });
    const after = withBootDevices(before, newId);
    assert.equal(after.records?.blockDevices.length, 2);
    assert.deepEqual(after.server?.volumes, volumesOf(after.records?.blockDevices ?? []));
  });
});
