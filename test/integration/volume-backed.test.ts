import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { CreateImageInput, Quiesce, RebuildInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../gen/kilonova/type/v1/block_device.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import { fakeGlance } from "../../pkg/clients/glance/testing/fake-glance.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import type { FakeGuest } from "../../pkg/compute/drivers/fake/guest-file.js";
import { CommonErrors } from "../../pkg/kernel/errors.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { imageOfServer } from "../../pkg/model/server-image.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, operationOf, serverOf } from "../crash/requests.js";

const HOST = "a";
/** The machine may do much else. */
const PATIENCE_MS = 120_000;
const IMAGE = "1a000000-0000-4000-8000-000000000001";
const OTHER = "1a000000-0000-4000-8000-000000000002";
const destination = BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME;
const ROOT = {
  source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
  destination,
  sourceId: IMAGE,
  bootIndex: 0,
  sizeGib: 2,
};
const SWAP = {
  source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_BLANK,
  destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_LOCAL,
  guestFormat: "swap",
  sizeMib: 64,
  deleteOnTermination: true,
};

/** From the acceptance to the hypervisor, with Block Storage and images in memory. */
describe("a server whose root disk is a volume", function () {
  this.timeout(300_000);
  const folder = processFolder("volume-backed");
  const cinder = fakeCinder();
  const glance = fakeGlance();
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`volume_backed_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder,
      hosts: [HOST],
      neutron: fakeNeutron(),
      cinder,
      glance,
      conductor: { agentWaitMs: 200 },
    });
  });
  after(() => cloud.close());
  afterEach(async () => {
    cinder.failing.clear();
    cinder.newOnes = "available";
    await script([]);
  });

  const script = async (
    rules: { method: string; failReason?: string; delayMs?: number }[],
  ): Promise<void> => {
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  };
  const build = async (...more: Partial<BlockDevice>[]): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], blockDevices: [ROOT, ...more], flavor: { swapMib: 64 } });
    await over(id);
    const { vmState, fault } = await serverOf(cloud, id);
    assert.equal(vmState, VmState.VM_STATE_ACTIVE, fault?.message);
    return id;
  };
  const operations = async (serverId: string) =>
    (await cloud.operations.listStoredOperations(testCtx(), { serverId })).operations;
  const over = async (id: string): Promise<void> => {
    const rests = async (): Promise<boolean> => {
      const all = await operations(id);
      return all.length > 0 && all.every(({ state }) => !isLive(state));
    };
    await until(rests, { timeoutMs: PATIENCE_MS, what: "the server's operations to end" });
  };
  const devices = async (id: string) =>
    (
      await cloud
        .channel("conductor", "cells")
        .client(ServerRecordsServiceDefinition)
        .listBlockDevices(testCtx(), { database: "cell1", serverId: id, withConnectionInfo: true })
    ).blockDevices;
  const guest = (id: string): FakeGuest => {
    const guests = join(folder, HOST, "guests");
    const name = readdirSync(guests, { recursive: true })
      .map(String)
      .find((one) => one.endsWith(`${id}.json`));
    assert.ok(name !== undefined, "no guest");
    return JSON.parse(readFileSync(join(guests, name), "utf8")) as FakeGuest;
  };
  const snapshotsOf = (volumeIds: readonly string[]) =>
    [...cinder.snapshots.values()].filter(({ volumeId }) => volumeIds.includes(volumeId));
  const volumeIdsOf = async (id: string): Promise<string[]> =>
    (await devices(id)).flatMap(({ volumeId }) => (volumeId === "" ? [] : [volumeId]));
  const makeImage = async (id: string, more: Partial<CreateImageInput> = {}): Promise<string> => {
    const { instance } = await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId: id });
    assert.ok(instance?.server);
    const imageId = randomUUID();
    const wanted = {
      imageId,
      name: "picture",
      kind: "snapshot",
      userId: "user",
      projectId: "project",
    } as const;
    const made = imageOfServer(instance.server, instance.spec, {
      ...wanted,
      metadata: new Map([["a", "b"]]),
    });
    const input = CreateImageInput.encode({ ...made, ...more }).finish();
    await act(cloud, id, operationOf("server.create-image"), { input });
    return imageId;
  };
  const lastError = async (id: string): Promise<string | undefined> =>
    (await operations(id))
      .toSorted((a, b) => Number((a.createdAt?.seconds ?? 0n) - (b.createdAt?.seconds ?? 0n)))
      .find(({ kind }) => kind === "server.create-image")?.error?.reason;

  const record = async (serverId: string) =>
    (await cloud.instances.getInstance(testCtx(), { database: "cell1", serverId })).instance;
  const rebuild = async (id: string, failing?: () => Promise<void>): Promise<void> => {
    const [volumeId = ""] = await volumeIdsOf(id);
    const input = RebuildInput.encode(
      RebuildInput.fromPartial({
        spec: { volumeImageProperties: new Map([["hw_disk_bus", "virtio"]]) },
        specMask: ["volume_image_properties"],
        imageId: OTHER,
        otherImage: true,
        reimage: { volumeId, imageId: OTHER, imageSizeBytes: 1n },
      }),
    ).finish();
    await failing?.();
    await act(cloud, id, operationOf("server.rebuild"), { input });
  };
  const rebuilt = async (id: string) => (await operations(id)).find(({ kind }) => kind === "server.rebuild");
  const attachments = (id: string) =>
    [...cinder.attachments.values()].filter(({ serverId }) => serverId === id);

  describe("and its rebuild", () => {
    it("has the image written over the volume while no host is connected, and is connected again", async () => {
      const id = await build();
      const [before] = await devices(id);
      cinder.newOnes = "creating";
      await rebuild(id);
      const volumeId = before?.volumeId ?? "";
      await until(async () => cinder.volumes.get(volumeId)?.status === "downloading", {
        timeoutMs: PATIENCE_MS,
      });
      assert.deepEqual(
        attachments(id).map(({ status }) => status),
        ["reserved"],
      );
      assert.deepEqual([guest(id).powerState, guest(id).starts], ["SHUTDOWN", 1]);
      cinder.setVolume(volumeId, { status: "reserved" });
      await over(id);
      assert.equal((await rebuilt(id))?.error, undefined);
      assert.deepEqual(cinder.reimaged.at(-1), { volumeId, imageId: OTHER });
      const [after] = await devices(id);
      assert.notEqual(after?.attachmentId, before?.attachmentId);
      assert.deepEqual(
        attachments(id).map((one) => [one.id, one.status]),
        [[after?.attachmentId, "attached"]],
      );
      assert.equal(cinder.volumes.get(volumeId)?.status, "in-use");
      assert.match(after?.connectionInfo ?? "", new RegExp(after?.attachmentId ?? "?"));
      assert.deepEqual([guest(id).powerState, guest(id).starts, guest(id).volumes.length], ["RUNNING", 2, 1]);
      const { vmState, image } = await serverOf(cloud, id);
      assert.deepEqual([vmState, image], [VmState.VM_STATE_ACTIVE, undefined]);
      assert.equal((await record(id))?.spec?.volumeImageProperties.get("hw_disk_bus"), "virtio");
    });

    it("leaves a broken volume reserved and its server in ERROR with the reason", async () => {
      const id = await build();
      cinder.newOnes = "error";
      await rebuild(id);
      await over(id);
      const { vmState, fault } = await serverOf(cloud, id);
      assert.deepEqual([vmState, fault?.reason], [VmState.VM_STATE_ERROR, "VOLUME_NOT_REIMAGED"]);
    });

    it("has its volume again when its new guest cannot be started, and can be rebuilt once more", async () => {
      const id = await build();
      await rebuild(id, () => script([{ method: "powerOn", failReason: "HYPERVISOR_FAILED" }]));
      await over(id);
      assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_ERROR);
      const [device] = await devices(id);
      assert.deepEqual(
        attachments(id).map((one) => [one.id, one.status]),
        [[device?.attachmentId, "attached"]],
      );
      assert.equal(cinder.volumes.get(device?.volumeId ?? "")?.status, "in-use");
      await script([]);
      await rebuild(id);
      await over(id);
      assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    });
  });

  describe("and Block Storage that fails while its host is connected again", () => {
    const completeAttachment = cinder.completeAttachment.bind(cinder);
    afterEach(() => {
      cinder.completeAttachment = completeAttachment;
    });

    it("has its volume nevertheless, and can be rebuilt once more", async () => {
      const id = await build();
      let failures = 1;
      cinder.completeAttachment = async (...asked) => {
        if (failures-- > 0) throw CommonErrors.INTERNAL({});
        await completeAttachment(...asked);
      };
      await rebuild(id);
      await over(id);
      assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_ERROR);
      const [device] = await devices(id);
      assert.deepEqual(
        attachments(id).map((one) => [one.id, one.status]),
        [[device?.attachmentId, "attached"]],
      );
      assert.match(device?.connectionInfo ?? "", new RegExp(device?.attachmentId ?? "?"));
      assert.equal(cinder.volumes.get(device?.volumeId ?? "")?.status, "in-use");
      await rebuild(id);
      await over(id);
      assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    });
  });

  describe("and its rescue", () => {
    it("starts from a stable rescue disk with its volume beside it, and from the volume again", async () => {
      const id = await build();
      const rescue = operationOf("server.rescue");
      const properties = new Map([
        ["hw_rescue_device", "disk"],
        ["hw_rescue_bus", "virtio"],
      ]);
      const image = { id: OTHER, diskFormat: "raw", properties };
      await act(cloud, id, rescue, {
        input: rescue.input.encode(rescue.input.fromPartial({ image })).finish(),
      });
      await over(id);
      const { vmState, fault } = await serverOf(cloud, id);
      assert.equal(vmState, VmState.VM_STATE_RESCUED, fault?.message);
      assert.deepEqual([guest(id).rescue !== undefined, guest(id).volumes.length], [true, 1]);
      await act(cloud, id, operationOf("server.unrescue"));
      await over(id);
      assert.deepEqual([guest(id).rescue, guest(id).powerState], [undefined, "RUNNING"]);
    });
  });

  describe("and its image", () => {
    it("has no data, and names snapshots of all its volumes, made while its guest stood still", async () => {
      const id = await build(
        { source: ROOT.source, destination, sourceId: IMAGE, sizeGib: 1, tag: "data" },
        SWAP,
      );
      const imageId = await makeImage(id);
      await over(id);
      const image = glance.images.get(imageId);
      assert.deepEqual(
        [image?.status, image?.sizeBytes, image?.name, image?.diskFormat, image?.containerFormat],
        ["active", 0, "picture", "raw", "bare"],
      );
      const { block_device_mapping: mapping = "", ...properties } = image?.properties ?? {};
      assert.deepEqual(
        [properties["bdm_v2"], properties["root_device_name"], properties["a"], properties["image_type"]],
        ["True", "/dev/vda", "b", "snapshot"],
      );
      const records = await devices(id);
      const [root, data] = records
        .filter(({ volumeId }) => volumeId !== "")
        .map(({ volumeId }) => snapshotsOf([volumeId])[0]);
      assert.deepEqual([root?.name, data?.sizeGib], ["snapshot for picture", 1]);
      const disks = JSON.parse(mapping) as Record<string, unknown>[];
      assert.deepEqual(
        disks.map((one) => [
          one["source_type"],
          one["destination_type"],
          one["snapshot_id"],
          one["volume_size"],
          one["boot_index"],
          one["device_name"],
          one["guest_format"],
          one["tag"],
        ]),
        [
          ["blank", "local", null, 64, null, "/dev/vdb", "swap", null],
          ["snapshot", "volume", root?.id, 2, 0, "/dev/vda", null, null],
          ["snapshot", "volume", data?.id, 1, null, "/dev/vdc", null, null],
        ],
      );
      assert.deepEqual(guest(id).console.match(/frozen|thawed/g), ["frozen", "thawed"]);
      assert.equal(guest(id).frozen, false);
      const { vmState, taskState } = await serverOf(cloud, id);
      assert.deepEqual([vmState, taskState], [VmState.VM_STATE_ACTIVE, ""]);
    });

    it("is made of a guest that cannot be frozen, unless it must be", async () => {
      const id = await build();
      await script([{ method: "quiesce", failReason: "QUIESCE_FAILED" }]);
      const imageId = await makeImage(id);
      await over(id);
      assert.equal(glance.images.get(imageId)?.status, "active");

      const other = await build();
      const strict = await makeImage(other, { quiesce: Quiesce.QUIESCE_REQUIRED });
      await over(other);
      assert.equal(await lastError(other), "QUIESCE_FAILED");
      assert.equal(glance.images.get(strict), undefined);
      assert.deepEqual(snapshotsOf(await volumeIdsOf(other)), []);
    });

    it("leaves neither snapshots nor a frozen guest behind when one cannot be made", async () => {
      const id = await build();
      cinder.newOnes = "error";
      const imageId = await makeImage(id);
      await over(id);
      assert.equal(await lastError(id), "SNAPSHOT_NOT_MADE");
      assert.deepEqual([snapshotsOf(await volumeIdsOf(id)), glance.images.get(imageId)], [[], undefined]);
      assert.deepEqual(
        [guest(id).frozen, (await serverOf(cloud, id)).vmState],
        [false, VmState.VM_STATE_ACTIVE],
      );
    });

    it("waits for snapshots with the guest frozen, and goes with its server that is deleted meanwhile", async () => {
      const id = await build();
      const ids = await volumeIdsOf(id);
      cinder.newOnes = "creating";
      const imageId = await makeImage(id);
      const [made] = await until(async () => (snapshotsOf(ids).length > 0 ? snapshotsOf(ids) : false), {
        timeoutMs: PATIENCE_MS,
      });
      assert.equal(guest(id).frozen, true);
      await act(cloud, id, operationOf("server.delete"));
      cinder.setSnapshot(made?.id ?? "", { status: "available" });
      await over(id);
      assert.deepEqual([snapshotsOf(ids), glance.images.get(imageId)], [[], undefined]);
    });
  });
});
