import assert from "node:assert/strict";
import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../../gen/kilonova/type/v1/block_device.js";
import { SchedulerHints } from "../../../../gen/kilonova/type/v1/scheduler_hints.js";
import { RequestedNetwork } from "../../../../gen/kilonova/type/v1/server_spec.js";
import { NetworkMode } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import type { Json } from "../../http/json.js";
import { someRequest } from "../../testing/requests.js";
import { createRequest } from "./create-request.js";
import { updateRequest } from "./update-request.js";

const NET = "f6b1ef80-0b0e-4b1a-a1e5-1d4d3a7d2f10";
const create = (server: Record<string, Json>, minor = 104, outer: Record<string, Json> = {}) =>
  createRequest(
    someRequest({ minor, body: { server: { name: "web", flavorRef: "1", ...server }, ...outer } }),
  );

describe("gateway: server bodies", () => {
  it("reads ids out of addresses, words and digits", () => {
    const request = create({
      flavorRef: "http://h/v2.1/flavors/m1",
      min_count: "2",
      config_drive: "yes",
      "OS-DCF:diskConfig": "MANUAL",
    });
    assert.deepEqual(
      [request.flavorId, request.minCount, request.maxCount, request.configDrive, request.diskConfig],
      ["m1", 2, 2, true, DiskConfig.DISK_CONFIG_MANUAL],
    );
    assert.equal(create({ flavorRef: 7 }).flavorId, "7");
    assert.equal(create({}).configDrive, undefined);
  });

  it("tells apart no network, an automatic one and a list", () => {
    assert.equal(create({ networks: "none" }).networkMode, NetworkMode.NETWORK_MODE_NONE);
    for (const networks of ["auto", []]) {
      const request = create({ networks });
      assert.deepEqual([request.networkMode, request.networks], [NetworkMode.NETWORK_MODE_AUTO, []]);
    }
    assert.deepEqual(
      create({
        networks: [
          { uuid: NET.toUpperCase(), fixed_ip: "10.0.0.5", tag: "a" },
          { port: NET, uuid: "ignored" },
        ],
      }).networks,
      [{ networkId: NET, fixedIp: "10.0.0.5", tag: "a" }, { portId: NET }].map((one) =>
        RequestedNetwork.fromPartial(one),
      ),
    );
  });

  it("stores the name as description before descriptions existed", () => {
    const told = (server: Record<string, Json>, minor: number) => create(server, minor).description;
    assert.equal(told({}, 18), "web");
    assert.equal(told({}, 19), undefined);
    assert.equal(told({ description: "" }, 19), "");
    assert.equal(told({ description: null }, 19), undefined);
  });

  it("keeps every metadata key and decodes files", () => {
    const body = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, Json>;
    assert.deepEqual(
      [...create({ metadata: body }).metadata],
      [
        ["__proto__", "a"],
        ["constructor", "b"],
      ],
    );
    assert.deepEqual(
      create({ personality: [{ path: "/etc/motd", contents: "aGk=" }] }, 56).files.map((f) => [
        f.path,
        f.contents.toString(),
      ]),
      [["/etc/motd", "hi"]],
    );
    assert.throws(() => create({ personality: [{ path: "/etc/motd" }] }, 56), { reason: "BAD_REQUEST" });
  });

  it("takes hints from either key, the first one first", () => {
    const hints = (body: Record<string, Json>) => create({}, 1, body).schedulerHints;
    assert.deepEqual(
      hints({ "OS-SCH-HNT:scheduler_hints": { a: 1 } }),
      SchedulerHints.fromPartial({ others: new Map([["a", { values: ["1"] }]]) }),
    );
    assert.deepEqual(
      hints({ "os:scheduler_hints": { b: [2, "c"] }, "OS-SCH-HNT:scheduler_hints": { a: 1 } }),
      SchedulerHints.fromPartial({ others: new Map([["b", { values: ["2", "c"] }]]) }),
    );
    assert.equal(hints({ "os:scheduler_hints": {} }), undefined);
  });

  it("knows Nova's hints, one value or a list, and a query as text or as JSON", () => {
    assert.deepEqual(
      create({}, 1, {
        "os:scheduler_hints": {
          group: NET,
          same_host: NET,
          different_host: [NET],
          query: { a: [1] },
          target_cell: "c",
          different_cell: ["d", "e"],
          build_near_host_ip: "192.0.2.1",
          cidr: "/24",
        },
      }).schedulerHints,
      SchedulerHints.fromPartial({
        group: NET,
        sameHost: [NET],
        differentHost: [NET],
        query: '{"a":[1]}',
        targetCell: "c",
        differentCell: ["d", "e"],
        buildNearHostIp: "192.0.2.1",
        cidr: "/24",
      }),
    );
  });

  it("decodes user data, of which Nova takes no more than base64 and white space", () => {
    assert.equal(create({ user_data: "aGVs\nbG8=" }).userData?.toString(), "hello");
    assert.equal(create({}).userData, undefined);
    assert.throws(() => create({ user_data: "aGVs!bG8=" }), {
      reason: "BAD_REQUEST",
      message: "User data needs to be valid base 64.",
    });
  });

  it("translates old and new block devices", () => {
    const devices = (server: Record<string, Json>) => create(server).blockDevices;
    assert.deepEqual(
      devices({
        block_device_mapping: [
          { volume_id: NET, delete_on_termination: "1", device_name: "vda" },
          { snapshot_id: NET, volume_size: "3" },
          { virtual_name: "swap", volume_size: 64 },
          { no_device: true, device_name: "vdz" },
        ],
      }),
      [
        BlockDevice.fromPartial({
          source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
          sourceId: NET,
          destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
          bootIndex: 0,
          deleteOnTermination: true,
          deviceName: "vda",
        }),
        BlockDevice.fromPartial({
          source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT,
          sourceId: NET,
          destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
          sizeGib: 3,
        }),
        BlockDevice.fromPartial({
          source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK,
          destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
          guestFormat: "swap",
          sizeMib: 64,
          deleteOnTermination: true,
        }),
      ],
    );
    assert.deepEqual(
      devices({
        block_device_mapping_v2: [
          { boot_index: "0", uuid: NET, source_type: "image", destination_type: "local" },
          {
            boot_index: null,
            source_type: "blank",
            guest_format: "swap",
            volume_size: 1,
            device_name: "/dev/vdb",
            device_type: "disk",
            disk_bus: "virtio",
            delete_on_termination: false,
            tag: "t",
            volume_type: "v",
          },
        ],
      }),
      [
        BlockDevice.fromPartial({
          source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
          sourceId: NET,
          destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
          bootIndex: 0,
        }),
        BlockDevice.fromPartial({
          source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK,
          guestFormat: "swap",
          sizeGib: 1,
          deviceName: "/dev/vdb",
          deviceType: "disk",
          diskBus: "virtio",
          deleteOnTermination: false,
          tag: "t",
          volumeType: "v",
        }),
      ],
    );
  });

  it("puts the image into the older list, unless a volume has the root disk's name", () => {
    const sources = (name: string) =>
      create({
        imageRef: NET,
        block_device_mapping: [{ volume_id: NET, device_name: name }],
      }).blockDevices.map(({ source, bootIndex }) => [source, bootIndex]);
    const { BLOCK_DEVICE_SOURCE_IMAGE: IMAGE, BLOCK_DEVICE_SOURCE_VOLUME: VOLUME } = BlockDeviceSource;
    assert.deepEqual(sources("vdb"), [
      [IMAGE, 0],
      [VOLUME, undefined],
    ]);
    assert.deepEqual(sources("/dev/vda"), [[VOLUME, 0]]);
  });

  it("refuses two lists, and what is nothing in the older one", () => {
    assert.throws(() => create({ block_device_mapping: [{}] }), {
      message: "Block Device Mapping is Invalid: Unrecognized legacy format.",
    });
    const volume = { volume_id: NET };
    assert.throws(
      () => create({ block_device_mapping: [volume], block_device_mapping_v2: [volume] }),
      /different block_device_mapping syntaxes/,
    );
    assert.deepEqual(create({ block_device_mapping: [], block_device_mapping_v2: [] }).blockDevices, []);
  });

  it("counts swap on the host in MiB, and other disks in GiB", () => {
    const swap = { source_type: "blank", destination_type: "local", guest_format: "swap", volume_size: 64 };
    const [local, other] = create({
      block_device_mapping_v2: [swap, { ...swap, guest_format: "ext4" }],
    }).blockDevices;
    assert.deepEqual([local?.sizeMib, local?.sizeGib], [64, undefined]);
    assert.deepEqual([other?.sizeMib, other?.sizeGib], [undefined, 64]);
  });

  it("says below 2.60 that volumes are for one server only", () => {
    assert.equal(create({}, 59).withoutMultiattach, true);
    assert.equal(create({}, 60).withoutMultiattach, false);
  });

  it("updates only what the body has: absent, null and empty are three things", () => {
    const update = (server: Record<string, Json>) =>
      updateRequest(someRequest({ minor: 104, id: "s", body: { server } }));
    assert.deepEqual(update({ name: "n" }).updateMask, ["name"]);
    assert.deepEqual(update({}).updateMask, []);
    const cleared = update({ description: null, pinned_availability_zone: null });
    assert.deepEqual(
      [cleared.updateMask, cleared.server?.description],
      [["description", "pinned_availability_zone"], undefined],
    );
    const emptied = update({ description: "" });
    assert.deepEqual([emptied.updateMask, emptied.server?.description], [["description"], ""]);
  });
});
