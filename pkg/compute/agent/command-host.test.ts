import assert from "node:assert/strict";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { BlockDeviceDestination } from "../../../gen/kilonova/type/v1/block_device.js";
import type { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import { rootCtx } from "../../kernel/index.js";
import type { Driver, GuestSpec, GuestVolume } from "../driver.js";
import { untold } from "../driver.js";
import { FakeDriver } from "../drivers/fake/index.js";
import buildGuest from "../commands/build-guest.js";
import { commandHost } from "./command-host.js";
import { noDisks, noPlumbing, noUploads } from "./ports.js";

const ctx = rootCtx({ requestId: "req-build" });
const IMAGE = "0a1b2c3d-0000-4000-8000-000000000000";
const KERNEL = "11111111-0000-4000-8000-000000000000";
const VICTIM = "22222222-0000-4000-8000-000000000000";

/** Builds a server; @returns what was fetched for it, and what the driver was told. */
async function build(
  spec: Parameters<typeof InstanceRecord.fromPartial>[0]["spec"],
  volumes: BlockDeviceRecord[] = [],
  over: { readonly define?: Driver["define"]; readonly attachVolume?: undefined } = {},
): Promise<{ fetched: ImageRef[]; defined: GuestSpec | undefined; order: string[] }> {
  const fake = new FakeDriver({ hostname: "host1" });
  await fake.start(ctx);
  const fetched: ImageRef[] = [];
  const order: string[] = [];
  let defined: GuestSpec | undefined;
  const driver: Driver = Object.assign(Object.create(fake) as FakeDriver, {
    define: async (_ctx: unknown, told: GuestSpec) => {
      defined = told;
      order.push("define");
    },
    attachVolume: async (_ctx: unknown, _uuid: string, { volumeId, bootIndex }: GuestVolume) => {
      order.push(`attach ${volumeId} ${bootIndex}`);
    },
    powerOn: async () => {
      order.push("power on");
    },
    inspect: async () => undefined,
    ...over,
  });
  const host = commandHost({
    driver,
    uploads: noUploads,
    disks: noDisks,
    plumbing: noPlumbing,
    domain: "",
    randomSeedOf: () => new Uint8Array(),
    vendorData: {
      hasFixed: false,
      fixed: async () => undefined,
      dynamic: async () => new Map<string, never>(),
    },
    images: {
      cache: async () => false,
      prepare: async (_ctx, image) => {
        fetched.push(image);
        return { imageId: image.id, path: `/images/${image.id}`, virtualSizeBytes: 1 };
      },
    },
  });
  const server = {
    id: "33333333-0000-4000-8000-000000000000",
    flavor: { name: "f", vcpus: 1, memoryMib: 64 },
  };
  const instance = InstanceRecord.fromPartial({ server, spec: { ...spec } });
  const call = { ctx, serverId: server.id, host, tell: untold };
  await buildGuest.run(call, { instance, secrets: undefined, volumes });
  return { fetched, defined, order };
}

describe("building a guest", () => {
  const volume = (volumeId: string, connectionInfo: object, bootIndex?: number): BlockDeviceRecord =>
    BlockDeviceRecord.fromPartial({ volumeId, bootIndex, connectionInfo: JSON.stringify(connectionInfo) });
  const nbd = { driver_volume_type: "nbd", unix: "/run/v.sock", export: "a" };
  const onVolume = {
    image: { id: IMAGE },
    blockDevices: [
      { destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME, sourceId: "v", bootIndex: 0 },
    ],
  };

  it("connects its volumes before it runs, and fetches no image for a root disk that is one", async () => {
    const { fetched, order } = await build(onVolume, [volume("v", nbd, 0), volume("w", nbd)]);
    assert.deepEqual(order, ["define", "attach v 0", "attach w undefined", "power on"]);
    assert.deepEqual(fetched, []);
  });

  it("makes nothing of a guest whose volumes it cannot reach", async () => {
    const order: string[] = [];
    const define = async (): Promise<void> => {
      order.push("define");
    };
    await assert.rejects(
      build(onVolume, [volume("v", { driver_volume_type: "smoke" })], { define }),
      /smoke/,
    );
    assert.deepEqual(order, []);
    await assert.rejects(build(onVolume, [volume("v", nbd)], { attachVolume: undefined }), {
      reason: "UNIMPLEMENTED",
    });
  });

  it("fetches what the spec has resolved, and nothing that a property names", async () => {
    const { fetched, defined } = await build({
      image: {
        id: IMAGE,
        properties: new Map([
          ["kernel_id", VICTIM],
          ["ramdisk_id", VICTIM],
        ]),
      },
      kernel: { id: KERNEL, checksum: "c" },
    });
    assert.deepEqual(
      fetched.map(({ id, checksum }) => [id, checksum]),
      [
        [IMAGE, ""],
        [KERNEL, "c"],
      ],
    );
    assert.deepEqual(
      [defined?.kernel?.kernelPath, defined?.kernel?.ramdiskPath],
      [`/images/${KERNEL}`, undefined],
    );
  });

  it("boots from the disk when nothing is resolved, whatever the properties say", async () => {
    const { fetched, defined } = await build({
      image: { id: IMAGE, properties: new Map([["kernel_id", VICTIM]]) },
    });
    assert.deepEqual([fetched.map(({ id }) => id), defined?.kernel], [[IMAGE], undefined]);
  });

  it("reads older names of properties", async () => {
    const { defined } = await build({
      image: {
        id: IMAGE,
        properties: new Map([
          ["architecture", "AMD64"],
          ["vmware_adaptertype", "lsilogic"],
        ]),
      },
    });
    assert.deepEqual(defined?.hardware, { architecture: "x86_64", diskBus: "scsi" });
  });
});
