import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../gen/kilonova/type/v1/block_device.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { CinderErrors } from "../../pkg/clients/cinder/errors.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import type { FakeGuest } from "../../pkg/compute/drivers/fake/guest-file.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const HOSTS = ["a", "b"];
const {
  BLOCK_DEVICE_SOURCE_BLANK: BLANK,
  BLOCK_DEVICE_SOURCE_IMAGE: IMAGE,
  BLOCK_DEVICE_SOURCE_SNAPSHOT: SNAPSHOT,
  BLOCK_DEVICE_SOURCE_VOLUME: VOLUME,
} = BlockDeviceSource;
const destination = BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME;
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_ERROR: ERROR } = VmState;

const fromImage = { source: IMAGE, destination, sourceId: "image", bootIndex: 0, sizeGib: 2 };
const blank = { source: BLANK, destination, sizeGib: 1, deleteOnTermination: true, volumeType: "fast" };

/** From the acceptance to the hypervisor, with a Block Storage service in memory. */
describe("a server that is built with volumes", () => {
  const folder = processFolder("boot-volumes");
  const cinder = fakeCinder();
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`boot_volumes_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder,
      hosts: HOSTS,
      neutron: fakeNeutron(),
      cinder,
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
    rules: { method: string; failReason?: string; times?: number; delayMs?: number }[],
    hosts = HOSTS,
  ): Promise<void> => {
    for (const host of hosts)
      await cloud.agent(host, "operator").scriptFakeDriver(testCtx(), { host, rules });
  };
  const build = async (blockDevices: Partial<BlockDevice>[]): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id], blockDevices });
    return id;
  };
  const over = async (id: string): Promise<void> => {
    await until(async () => {
      const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
      return operations.length > 0 && operations.every(({ state }) => !isLive(state));
    });
  };
  const guest = (id: string, hosts = HOSTS): FakeGuest | undefined => {
    for (const host of hosts) {
      const guests = join(folder, host, "guests");
      const name = readdirSync(guests, { recursive: true })
        .map(String)
        .find((one) => one.endsWith(`${id}.json`));
      if (name !== undefined) return JSON.parse(readFileSync(join(guests, name), "utf8")) as FakeGuest;
    }
    return undefined;
  };
  const devices = async (id: string, database = "cell1") =>
    (
      await cloud
        .channel("conductor", "cells")
        .client(ServerRecordsServiceDefinition)
        .listBlockDevices(testCtx(), { database, serverId: id, withConnectionInfo: true })
    ).blockDevices;
  const attachmentsOf = (id: string) =>
    [...cinder.attachments.values()].filter(({ serverId }) => serverId === id);
  const volumesOf = (ids: readonly string[]) => ids.map((id) => cinder.volumes.get(id)?.status);
  const remove = async (id: string): Promise<void> => {
    await act(cloud, id, operationOf("server.delete"));
    await over(id);
  };

  it("gets volumes of every source, connected and attached, with a root disk among them", async () => {
    const mine = cinder.addVolume({ sizeGib: 3 });
    const snapshot = cinder.addSnapshot({ volumeId: cinder.addVolume().id });
    const id = await build([
      fromImage,
      { source: VOLUME, destination, sourceId: mine.id },
      { source: SNAPSHOT, destination, sourceId: snapshot.id, sizeGib: 1 },
      blank,
    ]);
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    const records = await devices(id);
    assert.deepEqual(
      records.map(({ deviceName, bootIndex }) => [deviceName, bootIndex]),
      [
        ["/dev/vda", 0],
        ["/dev/vdb", undefined],
        ["/dev/vdc", undefined],
        ["/dev/vdd", undefined],
      ],
    );
    assert.equal(records[1]?.volumeId, mine.id);
    const made = records.map(({ volumeId }) => cinder.volumes.get(volumeId));
    assert.deepEqual(
      made.map((one) => [one?.status, one?.sizeGib, one?.volumeType, one?.snapshotId, one?.name]),
      [
        ["in-use", 2, "__DEFAULT__", undefined, ""],
        ["in-use", 3, "__DEFAULT__", undefined, ""],
        ["in-use", 1, "__DEFAULT__", snapshot.id, ""],
        ["in-use", 1, "fast", undefined, `${id}-blank-vol`],
      ],
    );
    assert.deepEqual(
      attachmentsOf(id).map(({ id: one, status }) => [one, status]),
      records.map(({ attachmentId }) => [attachmentId, "attached"]),
    );
    assert.equal(cinder.connectors.get(records[0]?.attachmentId ?? "")?.["mountpoint"], "/dev/vda");
    assert.deepEqual(
      guest(id)?.volumes.map((one) => [one.volumeId, one.deviceName]),
      records.map(({ volumeId, deviceName }) => [volumeId, deviceName]),
    );
    const server = await serverOf(cloud, id);
    assert.deepEqual(
      server.volumes.map((one) => [one.id, one.deleteOnTermination]),
      records.map(({ volumeId, deleteOnTermination }) => [volumeId, deleteOnTermination]),
    );
  });

  it("has no root disk in its host's room", async () => {
    const id = await build([fromImage]);
    await ended(cloud, id);
    const { consumers } = await cloud.placement.getAllocations(testCtx(), { consumerId: id });
    const classes = consumers.flatMap(({ allocations }) =>
      allocations.flatMap(({ resources }) => [...resources.keys()]),
    );
    assert.deepEqual(classes.sort(), ["MEMORY_MB", "VCPU"]);
  });

  it("waits for new volumes, and looks no further than one that cannot be made", async () => {
    cinder.newOnes = "creating";
    const id = await build([fromImage]);
    const made = await until(async () => {
      const found = [...cinder.volumes.values()].find(({ status }) => status === "creating");
      return found ?? false;
    });
    assert.equal((await serverOf(cloud, id)).vmState, VmState.VM_STATE_BUILDING);
    cinder.setVolume(made.id, { status: "available" });
    assert.equal((await ended(cloud, id)).vmState, ACTIVE);
    assert.deepEqual(
      (await devices(id)).map(({ volumeId }) => volumeId),
      [made.id],
    );

    cinder.newOnes = "error";
    const before = cinder.volumes.size;
    const other = await build([fromImage]);
    const { vmState, fault } = await ended(cloud, other);
    assert.deepEqual([vmState, fault?.reason], [ERROR, "VOLUME_NOT_MADE"]);
    assert.equal(cinder.volumes.size, before);
  });

  it("is not built with a volume that somebody else has, and leaves nothing behind", async () => {
    const taken = cinder.addVolume({ status: "in-use" });
    const mine = cinder.addVolume();
    const before = cinder.volumes.size;
    const id = await build([
      fromImage,
      { source: VOLUME, destination, sourceId: mine.id },
      { source: VOLUME, destination, sourceId: taken.id },
    ]);
    const { vmState, fault } = await ended(cloud, id);
    assert.deepEqual([vmState, fault?.reason], [ERROR, "VOLUME_NOT_MADE"]);
    assert.match(fault?.message ?? "", /status must be available/);
    assert.deepEqual([cinder.volumes.size, attachmentsOf(id)], [before, []]);
    assert.deepEqual(volumesOf([mine.id, taken.id]), ["available", "in-use"]);
    assert.deepEqual(
      (await serverOf(cloud, id)).volumes.map((one) => one.id),
      [mine.id, taken.id],
    );
  });

  it("says what the quota of volumes is", async () => {
    const refusal = CinderErrors.VOLUME_QUOTA({ problem: "VolumeLimitExceeded: no more" });
    cinder.failing.set("createVolume", refusal);
    const { fault } = await ended(cloud, await build([fromImage]));
    assert.deepEqual([fault?.reason, fault?.message], ["VOLUME_NOT_MADE", refusal.message]);
  });

  it("takes its volumes to the next host when one fails", async () => {
    let moved = 0;
    // The one with more room is tried first, and it changes: in two attempts with each, one of them fails.
    for (let attempt = 0; attempt < 4 && moved === 0; attempt++) {
      const [failing, other] = attempt < 2 ? (["a", "b"] as const) : (["b", "a"] as const);
      await script([]);
      await script([{ method: "attachVolume", failReason: "HYPERVISOR_FAILED" }], [failing]);
      const mine = cinder.addVolume();
      const before = cinder.volumes.size;
      const id = await build([fromImage, { source: VOLUME, destination, sourceId: mine.id }]);
      const { vmState, hostInfo, fault } = await ended(cloud, id);
      assert.deepEqual([vmState, hostInfo?.host], [ACTIVE, other], fault?.message);
      const records = await devices(id);
      assert.deepEqual(
        records.map(({ attachmentId }) => cinder.connectors.get(attachmentId)?.["host"]),
        [other, other],
      );
      assert.equal(attachmentsOf(id).length, 2, "the first host's are gone");
      assert.equal(cinder.volumes.size, before + 1, "volumes are made once");
      assert.deepEqual([guest(id, [failing]), guest(id)?.volumes.length], [undefined, 2]);
      const { operations } = await cloud.operations.listStoredOperations(testCtx(), { serverId: id });
      moved += operations.filter(({ steps }) => steps.some(({ state }) => state === "undone")).length;
    }
    assert.ok(moved > 0, "no host failed");
  });

  it("lets go of everything when no host can build it", async () => {
    const mine = cinder.addVolume();
    await script([{ method: "attachVolume", failReason: "HYPERVISOR_FAILED" }]);
    const before = cinder.volumes.size;
    const id = await build([{ ...fromImage }, { source: VOLUME, destination, sourceId: mine.id }]);
    assert.equal((await ended(cloud, id)).vmState, ERROR);
    assert.deepEqual([attachmentsOf(id), cinder.volumes.size], [[], before]);
    assert.deepEqual(volumesOf([mine.id]), ["available"]);
    assert.equal(guest(id), undefined);
  });

  it("keeps volumes or has them deleted with it, as it was said", async () => {
    const id = await build([fromImage, blank]);
    await ended(cloud, id);
    const [root, other] = (await devices(id)).map(({ volumeId }) => volumeId);
    await remove(id);
    assert.deepEqual(volumesOf([root ?? "", other ?? ""]), ["available", undefined]);
    assert.deepEqual(attachmentsOf(id), []);
  });

  it("leaves nothing of a boot that it is deleted in", async () => {
    cinder.newOnes = "creating";
    const mine = cinder.addVolume();
    const before = cinder.volumes.size;
    const id = await build([fromImage, { source: VOLUME, destination, sourceId: mine.id }]);
    const made = await until(
      async () => [...cinder.volumes.values()].find(({ status }) => status === "creating") ?? false,
    );
    await act(cloud, id, operationOf("server.delete"));
    cinder.setVolume(made.id, { status: "available" });
    await over(id);
    assert.deepEqual([attachmentsOf(id), cinder.volumes.size], [[], before]);
    assert.deepEqual(volumesOf([mine.id]), ["available"]);
  });

  it("needs no volumes when there is no host", async () => {
    const before = cinder.volumes.size;
    const id = randomUUID();
    await boot(cloud, { ids: [id], blockDevices: [fromImage], flavor: { vcpus: 9_999 } });
    const { vmState, fault } = await ended(cloud, id);
    assert.deepEqual([vmState, fault?.reason], [ERROR, "NO_VALID_HOST"]);
    assert.equal(cinder.volumes.size, before);
  });
});
