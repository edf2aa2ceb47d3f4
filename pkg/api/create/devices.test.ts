import assert from "node:assert/strict";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { AcceptServersRequest } from "../../../gen/kilonova/cells/v1/global_service.js";
import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../gen/kilonova/type/v1/block_device.js";
import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import type { TestApi } from "../testing/an-api.js";
import { aFlavor, aNetwork, aReadyApi, anImage, as, member } from "../testing/an-api.js";

const {
  BLOCK_DEVICE_SOURCE_BLANK: BLANK,
  BLOCK_DEVICE_SOURCE_IMAGE: IMAGE,
  BLOCK_DEVICE_SOURCE_SNAPSHOT: SNAPSHOT,
  BLOCK_DEVICE_SOURCE_VOLUME: VOLUME,
} = BlockDeviceSource;
const destination = BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME;
const VOLUME_ID = "bbbbbbbb-0000-4000-8000-000000000001";
const SNAPSHOT_ID = "bbbbbbbb-0000-4000-8000-000000000002";

type Wish = Partial<Omit<CreateServersRequest, "metadata" | "blockDevices">> & {
  readonly devices?: readonly Partial<BlockDevice>[];
};

/** A caller with a bootable volume and its snapshot. */
function scene(): TestApi {
  const api = aReadyApi();
  api.cinder.addVolume({
    id: VOLUME_ID,
    projectId: "p1",
    sizeGib: 4,
    bootable: true,
    imageMetadata: { image_id: "i", min_ram: "1", min_disk: "0", hw_disk_bus: "scsi", os_type: "linux" },
  });
  api.cinder.addSnapshot({ id: SNAPSHOT_ID, volumeId: VOLUME_ID, sizeGib: 4 });
  api.cinder.types.push({ id: "type-id", name: "fast" });
  return api;
}

async function created(api: TestApi, { devices = [], ...wish }: Wish): Promise<AcceptServersRequest> {
  await api.channel.client(ServersServiceDefinition).createServers(as(member), {
    name: "vm",
    flavorId: "1",
    networks: [{ networkId: aNetwork().id }],
    ...wish,
    blockDevices: devices.map((one) => BlockDevice.fromPartial(one)),
  });
  return (api.cells.requests.get("acceptServers") as AcceptServersRequest) ?? assert.fail("not accepted");
}

const image = anImage().id;
const boot = { source: IMAGE, sourceId: image, bootIndex: 0 };
const rootVolume = { source: VOLUME, sourceId: VOLUME_ID, bootIndex: 0 };
const volume = { source: VOLUME, sourceId: VOLUME_ID };

describe("devices of a new server", () => {
  it("stay unsaid when image and flavor give them", async () => {
    const { servers } = await created(scene(), { imageId: image });
    assert.deepEqual(servers[0]?.spec?.blockDevices, []);
    assert.equal(servers[0]?.server?.hostInfo?.rootDeviceName, undefined);
  });
  it("stand resolved in the spec, with their sizes and types", async () => {
    const devices = [
      { ...boot, destination, sizeGib: 3, volumeType: "type-id", tag: "root", diskBus: "scsi" },
      { ...volume, sourceId: VOLUME_ID.toUpperCase() },
      { source: SNAPSHOT, sourceId: SNAPSHOT_ID, deleteOnTermination: true },
      { source: BLANK, destination, sizeGib: 1 },
    ];
    const { servers } = await created(scene(), { devices });
    const { spec, server } = servers[0] ?? {};
    assert.deepEqual(
      spec?.blockDevices.map((one) => [one.sourceId, one.sizeGib, one.volumeType, one.deleteOnTermination]),
      [
        [image, 3, "fast", false],
        [VOLUME_ID, 4, undefined, false],
        [SNAPSHOT_ID, 4, undefined, true],
        [undefined, 1, undefined, false],
      ],
    );
    assert.deepEqual([spec?.image, server?.image], [undefined, undefined]);
    assert.equal(server?.hostInfo?.rootDeviceName, "/dev/sda");
  });
  it("bring along what the volume to boot from keeps of its image", async () => {
    for (const devices of [[rootVolume], [{ ...rootVolume, source: SNAPSHOT, sourceId: SNAPSHOT_ID }]]) {
      const { servers } = await created(scene(), { devices });
      assert.equal(servers[0]?.spec?.volumeImageMinMemoryMib, 1);
      assert.deepEqual(Object.fromEntries(servers[0]?.spec?.volumeImageProperties ?? []), {
        hw_disk_bus: "scsi",
        os_type: "linux",
      });
    }
  });
  it("decide with what that image says how the server is made", async () => {
    const api = scene();
    api.images.set(
      image,
      anImage({ properties: { img_config_drive: "mandatory", auto_disk_config: "true" } }),
    );
    const { servers } = await created(api, { devices: [{ ...boot, destination, sizeGib: 1 }] });
    const { configDrive, diskConfig } = servers[0]?.spec ?? {};
    assert.deepEqual([configDrive, diskConfig], [true, DiskConfig.DISK_CONFIG_AUTO]);
  });
  it("may be those of an image of a server on volumes, which is booted by its name", async () => {
    const api = scene();
    const mapping = [
      { source_type: "snapshot", destination_type: "volume", snapshot_id: SNAPSHOT_ID, boot_index: 0 },
    ];
    const properties = { bdm_v2: "True", block_device_mapping: JSON.stringify(mapping) };
    api.images.set(image, anImage({ properties, minDiskGib: 0 }));
    const { servers } = await created(api, { imageId: image });
    const { spec, server } = servers[0] ?? {};
    assert.deepEqual(
      spec?.blockDevices.map(({ source, sourceId, sizeGib }) => [source, sourceId, sizeGib]),
      [[SNAPSHOT, SNAPSHOT_ID, 4]],
    );
    assert.equal(server?.image?.id, image);
  });
  it("need no room on a flavor without a disk", async () => {
    const api = scene();
    api.cells.flavors.set("1", aFlavor({ rootGib: 0 }));
    await created(api, { devices: [rootVolume] });
    await assert.rejects(created(api, { imageId: image }), { reason: "ZERO_DISK_FLAVOR" });
  });
});

describe("devices that a create refuses by what they refer to", () => {
  const invalid = (why: string): string => `Block Device Mapping is Invalid: ${why}`;
  const absent = "cccccccc-0000-4000-8000-000000000001";
  const none = (id: string): string => `Volume ${id} could not be found.`;
  const toReserve = (status: string): string =>
    `Invalid volume: Invalid input received: Invalid volume: Volume ${VOLUME_ID} status must be available or downloading to reserve, but the current status is ${status}.`;
  const strangers = anImage({
    id: "dddddddd-0000-4000-8000-000000000001",
    visibility: "private",
    owner: "somebody else",
  });
  const cases: [what: string, wish: Wish, message: string, prepare?: (api: TestApi) => unknown][] = [
    [
      "an absent volume to boot from",
      { devices: [{ ...rootVolume, sourceId: absent }] },
      invalid(`failed to get volume ${absent}.`),
    ],
    ["an absent volume", { imageId: image, devices: [boot, { ...volume, sourceId: absent }] }, none(absent)],
    ["what is no uuid", { imageId: image, devices: [boot, { ...volume, sourceId: "v" }] }, none("v")],
    [
      "an absent snapshot to boot from",
      { devices: [{ ...rootVolume, source: SNAPSHOT, sourceId: absent }] },
      `Snapshot ${absent} could not be found.`,
    ],
    [
      "an absent snapshot",
      { imageId: image, devices: [boot, { source: SNAPSHOT, sourceId: absent }] },
      invalid(`failed to get snapshot ${absent}.`),
    ],
    [
      "an absent image to boot from",
      { devices: [{ ...boot, sourceId: absent, destination, sizeGib: 1 }] },
      invalid(`failed to get image ${absent}.`),
    ],
    [
      "an absent image",
      { imageId: image, devices: [boot, { source: IMAGE, sourceId: absent, destination, sizeGib: 1 }] },
      invalid(`failed to get image ${absent}.`),
    ],
    [
      "another project's volume",
      { imageId: image, devices: [boot, volume] },
      none(VOLUME_ID),
      (api) => api.cinder.setVolume(VOLUME_ID, { projectId: "somebody else" }),
    ],
    [
      "another project's volume to boot from",
      { devices: [rootVolume] },
      invalid(`failed to get volume ${VOLUME_ID}.`),
      (api) => api.cinder.setVolume(VOLUME_ID, { projectId: "somebody else" }),
    ],
    [
      "another project's snapshot",
      { imageId: image, devices: [boot, { source: SNAPSHOT, sourceId: SNAPSHOT_ID }] },
      invalid(`failed to get snapshot ${SNAPSHOT_ID}.`),
      (api) => {
        api.cinder.setVolume(VOLUME_ID, { projectId: "somebody else" });
        api.cinder.addSnapshot({ id: SNAPSHOT_ID, volumeId: VOLUME_ID, sizeGib: 4 });
      },
    ],
    [
      "another project's image to boot from, beside an image of one's own",
      { imageId: image, devices: [{ ...boot, sourceId: strangers.id, destination, sizeGib: 1 }] },
      invalid(`failed to get image ${strangers.id}.`),
      (api) => api.images.set(strangers.id, strangers),
    ],
    [
      "another project's image that an image names as its disk to boot from",
      { imageId: image },
      invalid(`failed to get image ${strangers.id}.`),
      (api) => {
        api.images.set(strangers.id, strangers);
        const disk = { source_type: "image", image_id: strangers.id, boot_index: 0 };
        const mapping = [{ ...disk, destination_type: "volume", volume_size: 1 }];
        const properties = { bdm_v2: "True", block_device_mapping: JSON.stringify(mapping) };
        api.images.set(image, anImage({ properties }));
      },
    ],
    [
      "a volume that is not bootable",
      { devices: [rootVolume] },
      `Block Device ${VOLUME_ID} is not bootable.`,
      (api) => api.cinder.setVolume(VOLUME_ID, { bootable: false }),
    ],
    [
      "a volume in use",
      { devices: [rootVolume] },
      toReserve("in-use"),
      (api) => api.cinder.setVolume(VOLUME_ID, { status: "in-use" }),
    ],
    ["a volume twice", { devices: [rootVolume, volume] }, toReserve("reserved")],
    [
      "a volume twice in capitals",
      {
        imageId: image,
        devices: [boot, ...[1, 2].map(() => ({ ...volume, sourceId: VOLUME_ID.toUpperCase() }))],
      },
      toReserve("reserved").replace(VOLUME_ID, VOLUME_ID.toUpperCase()),
    ],
    [
      "an unknown type",
      { devices: [{ ...boot, destination, sizeGib: 1, volumeType: "slow" }] },
      "Volume type slow could not be found.",
    ],
    [
      "a volume for many below 2.60",
      { devices: [rootVolume], withoutMultiattach: true },
      "Multiattach volumes are only supported starting with compute API version 2.60.",
      (api) => api.cinder.setVolume(VOLUME_ID, { multiattach: true }),
    ],
    [
      "a volume that is too small for its image",
      { devices: [{ ...boot, destination, sizeGib: 1 }] },
      "Volume is smaller than the minimum size specified in image metadata. Volume size is 1073741824 bytes, minimum size is 2147483648 bytes.",
      (api) => api.images.set(image, anImage({ minDiskGib: 2 })),
    ],
  ];
  for (const [what, wish, message, prepare] of cases)
    it(`for ${what}`, async () => {
      const api = scene();
      prepare?.(api);
      await assert.rejects(created(api, wish), { reason: "BAD_BLOCK_DEVICES", kind: "invalid", message });
    });
  for (const name of ["block_device_mapping", "mappings"])
    it(`for a volume that has no list as its ${name}`, async () => {
      for (const value of ["zzz", '{"a": 1}', "[null]", '"x"']) {
        const api = scene();
        api.cinder.setVolume(VOLUME_ID, { imageMetadata: { bdm_v2: "true", [name]: value } });
        await assert.rejects(created(api, { devices: [rootVolume] }), {
          reason: "BAD_IMAGE_PROPERTIES",
          kind: "invalid",
        });
      }
    });
  it("for certificates without an image", () =>
    assert.rejects(created(scene(), { devices: [rootVolume], trustedImageCertificates: ["c"] }), {
      reason: "CERTIFICATES_NEED_IMAGE",
    }));
  it("unless several servers may have the volume at once", async () => {
    const api = scene();
    api.cinder.setVolume(VOLUME_ID, { multiattach: true, status: "in-use" });
    await created(api, { devices: [rootVolume] });
  });
});
