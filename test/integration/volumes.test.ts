import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import {
  AttachVolumeInput,
  DetachVolumeInput,
  UnshelveInput,
} from "../../gen/kilonova/cells/v1/operation_inputs.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import type { Cinder } from "../../pkg/clients/cinder/ports.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { CommonErrors } from "../../pkg/kernel/errors.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const HOST = "a";

describe("volumes of servers, as operations", () => {
  const cinder = fakeCinder();
  /** When set, a reservation is answered only after it has resolved. */
  let late: (() => Promise<void>) | undefined;
  /** What the service answers once it has begun to detach a volume; undefined: that it has. */
  let begun: Error | undefined;
  const slowCinder: Cinder = {
    ...cinder,
    beginDetaching: async (ctx, volumeId) => {
      await cinder.beginDetaching(ctx, volumeId);
      if (begun !== undefined) throw begun;
    },
    createAttachment: async (ctx, attachment) => {
      await late?.();
      return cinder.createAttachment(ctx, attachment);
    },
  };
  let cloud: Cloud;
  let id = "";
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`volumes_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("volumes"),
      hosts: [HOST],
      neutron: fakeNeutron(),
      cinder: slowCinder,
    });
  });
  after(() => cloud.close());
  beforeEach(async () => {
    id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
  });
  afterEach(async () => {
    late = undefined;
    begun = undefined;
    await script([]);
  });

  const script = async (
    rules: { method: string; failReason?: string; failMessage?: string; delayMs?: number }[],
  ): Promise<void> => {
    await cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  };
  const attach = (volumeId: string, more: Partial<AttachVolumeInput> = {}) =>
    act(cloud, id, operationOf("server.attach-volume"), {
      input: AttachVolumeInput.encode(AttachVolumeInput.fromPartial({ volumeId, ...more })).finish(),
    });
  const detach = (volumeId: string, offloaded = false) =>
    act(cloud, id, operationOf("server.detach-volume"), {
      input: DetachVolumeInput.encode(DetachVolumeInput.fromPartial({ volumeId, offloaded })).finish(),
    });
  const operationNow = async (name: string | undefined) =>
    (await cloud.operations.getStoredOperation(testCtx(), { database: "cell1", name: name ?? "" })).operation;
  const end = (operation: { name: string }) =>
    until(
      async () => {
        const now = await operationNow(operation.name);
        const states: readonly OperationState[] = [
          OperationState.OPERATION_STATE_SUCCEEDED,
          OperationState.OPERATION_STATE_FAILED,
          OperationState.OPERATION_STATE_CANCELLED,
          OperationState.OPERATION_STATE_PREEMPTED,
        ];
        return now !== undefined && states.includes(now.state) && now;
      },
      { timeoutMs: 60_000, what: "the operation to end", everyMs: 20 },
    );
  const devices = async () =>
    (
      await cloud
        .channel("conductor", "cells")
        .client(ServerRecordsServiceDefinition)
        .listBlockDevices(testCtx(), { database: "cell1", serverId: id, withConnectionInfo: true })
    ).blockDevices.filter(({ volumeId }) => volumeId !== "");
  const status = (volumeId: string): string | undefined => cinder.volumes.get(volumeId)?.status;

  it("come and go, with the names of Nova's events, and what the server shows follows", async () => {
    const volume = cinder.addVolume();
    const attached = await end(await attach(volume.id, { tag: "data", deleteOnTermination: true }));
    assert.equal(attached.error?.message, undefined);
    assert.equal(status(volume.id), "in-use");
    const [device] = await devices();
    assert.deepEqual([device?.deviceName, device?.tag], ["/dev/vdb", "data"]);
    assert.match(device?.connectionInfo ?? "", /"driver_volume_type":"nbd"/);
    const server = await serverOf(cloud, id);
    assert.deepEqual(
      server.volumes.map(({ id: one, deleteOnTermination }) => [one, deleteOnTermination]),
      [[volume.id, true]],
    );
    assert.deepEqual(attached.result?.outcome, {
      $case: "volume",
      value: { serverId: id, volumeId: volume.id, device: "/dev/vdb" },
    });
    await end(await detach(volume.id));
    assert.deepEqual([status(volume.id), (await devices()).length], ["available", 0]);
    assert.equal((await serverOf(cloud, id)).volumes.length, 0);
    const { actions } = await cloud.instances.listActions(testCtx(), {
      database: "cell1",
      query: { serverId: id },
    });
    assert.deepEqual(
      actions.slice(0, 2).map(({ action }) => action),
      ["detach_volume", "attach_volume"],
    );
  });

  it("are attached ten at once: each gets a device of its own, in its turn", async () => {
    const volumes = Array.from({ length: 10 }, () => cinder.addVolume());
    const begun = await Promise.all(volumes.map((volume) => attach(volume.id)));
    const results = await Promise.all(begun.map(end));
    assert.deepEqual(
      results.map(({ state }) => state),
      results.map(() => OperationState.OPERATION_STATE_SUCCEEDED),
    );
    const names = (await devices()).map(({ deviceName }) => deviceName).sort();
    assert.deepEqual(
      names,
      [..."bcdefghijk"].map((letter) => `/dev/vd${letter}`),
    );
    await Promise.all((await Promise.all(volumes.map((volume) => detach(volume.id)))).map(end));
    assert.deepEqual(
      volumes.map((volume) => status(volume.id)),
      volumes.map(() => "available"),
    );
  });

  it("are nobody's again when the guest does not take them, with the host's words", async () => {
    const volume = cinder.addVolume();
    await script([{ method: "attachVolume", failReason: "DEVICE_SLOTS_EXHAUSTED", failMessage: "No slot." }]);
    const failed = await end(await attach(volume.id));
    assert.deepEqual(
      [failed.state, failed.error?.reason, failed.error?.message],
      [OperationState.OPERATION_STATE_FAILED, "DEVICE_SLOTS_EXHAUSTED", "No slot."],
    );
    assert.deepEqual([status(volume.id), (await devices()).length], ["available", 0]);
    assert.equal(cinder.attachments.size, 0);
  });

  it("are nobody's again when the service does not complete the attachment", async () => {
    const volume = cinder.addVolume();
    cinder.failing.set("completeAttachment", Object.assign(new Error("no")));
    const failed = await end(await attach(volume.id));
    cinder.failing.clear();
    assert.equal(failed.state, OperationState.OPERATION_STATE_FAILED);
    assert.deepEqual([status(volume.id), (await devices()).length], ["available", 0]);
  });

  it("stay where the guest does not let go of them", async () => {
    const volume = cinder.addVolume();
    await end(await attach(volume.id));
    await script([
      { method: "detachVolume", failReason: "DEVICE_DETACH_FAILED", failMessage: "Not in time." },
    ]);
    const failed = await end(await detach(volume.id));
    assert.deepEqual([failed.error?.reason, status(volume.id)], ["DEVICE_DETACH_FAILED", "in-use"]);
    assert.equal((await devices()).length, 1);
    await script([]);
    await end(await detach(volume.id));
    assert.equal(status(volume.id), "available");
  });

  it("are in use again when the service fails after it has begun to detach them", async () => {
    const volume = cinder.addVolume();
    await end(await attach(volume.id));
    begun = CommonErrors.INTERNAL({});
    const failed = await end(await detach(volume.id));
    assert.deepEqual([failed.error?.reason, status(volume.id)], ["INTERNAL", "in-use"]);
    begun = undefined;
    await end(await detach(volume.id));
    assert.equal(status(volume.id), "available");
  });

  it("are one server's only: of two that ask for one at once, one is refused", async () => {
    const other = randomUUID();
    await boot(cloud, { ids: [other] });
    await ended(cloud, other);
    const volume = cinder.addVolume();
    const input = AttachVolumeInput.encode(AttachVolumeInput.fromPartial({ volumeId: volume.id })).finish();
    const begun = await Promise.all(
      [id, other].map((server) => act(cloud, server, operationOf("server.attach-volume"), { input })),
    );
    const results = await Promise.all(begun.map(end));
    const refused = results.filter(({ error }) => error !== undefined);
    assert.deepEqual(
      refused.map(({ error }) => error?.reason),
      ["VOLUME_NOT_AVAILABLE"],
    );
    assert.deepEqual([status(volume.id), cinder.attachments.size], ["in-use", 1]);
  });

  it("are let go of with the server, also when one was just being reserved; flagged ones are deleted", async () => {
    const kept = cinder.addVolume();
    const flagged = cinder.addVolume();
    const last = cinder.addVolume();
    await end(await attach(kept.id));
    await end(await attach(flagged.id, { deleteOnTermination: true }));
    let release = (): void => {};
    let asked = false;
    late = () => {
      asked = true;
      return new Promise((resolve) => (release = resolve));
    };
    await attach(last.id);
    await until(() => Promise.resolve(asked), { timeoutMs: 60_000, what: "the reservation", everyMs: 10 });
    await act(cloud, id, operationOf("server.delete"));
    setTimeout(release, 300);
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_DELETED);
    assert.deepEqual(
      [status(kept.id), status(flagged.id), status(last.id)],
      ["available", undefined, "available"],
    );
    assert.deepEqual(
      [...cinder.attachments.values()].filter(({ serverId }) => serverId === id),
      [],
    );
  });

  it("stay while the server is soft-deleted, and are there when it is back", async () => {
    const volume = cinder.addVolume();
    await end(await attach(volume.id));
    await act(cloud, id, operationOf("server.soft-delete"));
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_SOFT_DELETED);
    assert.equal(status(volume.id), "in-use");
    await act(cloud, id, operationOf("server.restore"));
    await ended(cloud, id);
    assert.deepEqual([status(volume.id), (await devices()).length], ["in-use", 1]);
  });

  it("come and go while their server is off its host, and are in the guest when it is back", async () => {
    const [kept, going] = [cinder.addVolume(), cinder.addVolume()];
    await end(await attach(kept.id, { tag: "kept" }));
    await act(cloud, id, operationOf("server.shelve"));
    await ended(cloud, id);
    await act(cloud, id, operationOf("server.offload"));
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_SHELVED_OFFLOADED);
    assert.equal(status(kept.id), "reserved");
    const attached = await end(await attach(going.id, { offloaded: true }));
    assert.deepEqual([attached.error?.message, status(going.id)], [undefined, "reserved"]);
    assert.deepEqual(
      (await devices()).map(({ deviceName, connectionInfo }) => [deviceName, connectionInfo]),
      [
        ["/dev/vdb", ""],
        ["/dev/vdc", ""],
      ],
    );
    const detached = await end(await detach(kept.id, true));
    assert.deepEqual([detached.error?.message, status(kept.id)], [undefined, "available"]);
    await assert.rejects(attach(kept.id), { reason: "INVALID_STATE" });
    const input = UnshelveInput.encode(UnshelveInput.fromPartial({ offloaded: true })).finish();
    await act(cloud, id, operationOf("server.unshelve"), { input });
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    const [device, ...others] = await devices();
    assert.deepEqual([device?.volumeId, others.length, status(going.id)], [going.id, 0, "in-use"]);
    assert.match(device?.connectionInfo ?? "", /"driver_volume_type":"nbd"/);
    await end(await detach(going.id));
    assert.equal(status(going.id), "available");
  });

  it("go on coming while their server is soft-deleted beside them", async () => {
    const volume = cinder.addVolume();
    let release = (): void => {};
    let asked = false;
    late = () => {
      asked = true;
      return new Promise((resolve) => (release = resolve));
    };
    const attaching = await attach(volume.id);
    await until(() => Promise.resolve(asked), { timeoutMs: 60_000, what: "the reservation", everyMs: 10 });
    const deleting = await act(cloud, id, operationOf("server.soft-delete"));
    assert.equal((await end(deleting)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    release();
    assert.equal((await end(attaching)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_SOFT_DELETED);
    assert.deepEqual([status(volume.id), (await devices()).length], ["in-use", 1]);
    await act(cloud, id, operationOf("server.delete"));
    await ended(cloud, id);
    assert.equal(status(volume.id), "available");
  });
});
