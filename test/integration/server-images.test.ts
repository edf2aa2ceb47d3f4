import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CreateBackupInput, CreateImageInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { GlanceErrors } from "../../pkg/clients/glance/errors.js";
import { fakeGlance } from "../../pkg/clients/glance/testing/fake-glance.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { until } from "../../pkg/testkit/until.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const HOST = "a";
const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_CANCELLED: CANCELLED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
} = OperationState;

describe("images of servers", () => {
  const glance = fakeGlance();
  let quota = false;
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`images_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("images"),
      hosts: [HOST],
      neutron: fakeNeutron(),
      // A cancellation is seen when the wait for an agent is over.
      conductor: { agentWaitMs: 200 },
      glance: {
        ...glance,
        createImage: async (ctx, image) => {
          if (quota) throw GlanceErrors.IMAGE_QUOTA({});
          return glance.createImage(ctx, image);
        },
      },
    });
  });
  after(() => cloud.close());
  afterEach(async () => {
    quota = false;
    await script([]);
  });

  const script = async (
    rules: { method: string; failReason?: string; failMessage?: string; delayMs?: number }[],
  ): Promise<unknown> => cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  const server = async (): Promise<string> => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    return id;
  };
  const image = (imageId: string): CreateImageInput =>
    CreateImageInput.fromPartial({ imageId, name: "picture", owner: "project" });
  const picture = async (id: string) => {
    const imageId = randomUUID();
    const input = CreateImageInput.encode(image(imageId)).finish();
    const { name } = await act(cloud, id, operationOf("server.create-image"), { input });
    return { imageId, name };
  };
  const backup = async (id: string, rotation: number): Promise<string> => {
    const imageId = randomUUID();
    const properties = new Map([
      ["image_type", "backup"],
      ["backup_type", "daily"],
      ["instance_uuid", id],
    ]);
    const input = CreateBackupInput.encode(
      CreateBackupInput.fromPartial({
        image: { ...image(imageId), properties },
        backupType: "daily",
        rotation,
      }),
    ).finish();
    await act(cloud, id, operationOf("server.create-backup"), { input });
    await ended(cloud, id);
    return imageId;
  };
  const operation = async (name: string): Promise<StoredOperation | undefined> =>
    (await cloud.operations.getStoredOperation(testCtx(), { database: "", name })).operation;
  const reaches = (id: string, taskState: string): Promise<unknown> =>
    until(async () => (await serverOf(cloud, id)).taskState === taskState, {
      timeoutMs: 60_000,
      what: taskState,
    });

  it("show how far they are in Nova's words, and leave the server as it was", async () => {
    const id = await server();
    const seen: string[] = [];
    await script([
      { method: "takeSnapshot", delayMs: 2_000 },
      { method: "openSnapshot", delayMs: 2_000 },
    ]);
    const before = await serverOf(cloud, id);
    const { imageId, name } = await picture(id);
    await until(
      async () => {
        const { taskState } = await serverOf(cloud, id);
        if (taskState !== seen.at(-1)) seen.push(taskState);
        return taskState === "";
      },
      { timeoutMs: 60_000, what: "the image to be made" },
    );
    const known = ["image_snapshot_pending", "image_snapshot", "image_pending_upload", "image_uploading", ""];
    assert.deepEqual(
      seen,
      known.filter((word) => seen.includes(word)),
    );
    for (const word of ["image_snapshot", "image_uploading"]) assert.ok(seen.includes(word), seen.join(" "));
    const made = glance.images.get(imageId);
    assert.deepEqual(
      [made?.status, made?.diskFormat, made?.containerFormat, made?.visibility, made?.owner],
      ["active", "raw", "bare", "private", "project"],
    );
    const { vmState, powerState } = await serverOf(cloud, id);
    assert.deepEqual([vmState, powerState], [before.vmState, before.powerState]);
    assert.equal((await operation(name))?.state, SUCCEEDED);
    assert.deepEqual((await operation(name))?.result?.outcome, { $case: "image", value: { id: imageId } });
  });

  it("are aborted without a trace when the server is deleted", async () => {
    for (const method of ["takeSnapshot", "openSnapshot"]) {
      const id = await server();
      await script([{ method, delayMs: 60_000 }]);
      const { imageId, name } = await picture(id);
      await reaches(id, method === "takeSnapshot" ? "image_snapshot" : "image_uploading");
      assert.ok(glance.images.has(imageId));
      await act(cloud, id, operationOf("server.delete"));
      assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_DELETED);
      assert.equal(glance.images.has(imageId), false);
      assert.equal((await operation(name))?.state, PREEMPTED);
      await script([]);
    }
  });

  it("are aborted without a trace when they are cancelled", async () => {
    for (const method of ["takeSnapshot", "openSnapshot"]) {
      const id = await server();
      await script([{ method, delayMs: 60_000 }]);
      const { imageId, name } = await picture(id);
      await reaches(id, method === "takeSnapshot" ? "image_snapshot" : "image_uploading");
      await cloud.operations.requestCancel(testCtx(), { name });
      const after = await ended(cloud, id);
      await script([]);
      assert.deepEqual([after.vmState, after.taskState], [VmState.VM_STATE_ACTIVE, ""]);
      assert.equal(glance.images.has(imageId), false);
      assert.equal((await operation(name))?.state, CANCELLED);
      // Nothing stands in the way of the next one.
      const next = await picture(id);
      await ended(cloud, id);
      assert.equal(glance.images.get(next.imageId)?.status, "active");
    }
  });

  it("fail when their owner deletes them meanwhile, when the quota is used up, and with the host", async () => {
    const id = await server();
    await script([{ method: "openSnapshot", delayMs: 4_000 }]);
    const first = await picture(id);
    await reaches(id, "image_uploading");
    await glance.deleteImage(testCtx(), first.imageId);
    const after = await ended(cloud, id);
    assert.deepEqual([after.vmState, after.taskState], [VmState.VM_STATE_ACTIVE, ""]);
    assert.deepEqual(
      [(await operation(first.name))?.state, (await operation(first.name))?.error?.reason],
      [FAILED, "IMAGE_NOT_FOUND"],
    );
    quota = true;
    const second = await picture(id);
    await ended(cloud, id);
    assert.equal((await operation(second.name))?.error?.reason, "IMAGE_QUOTA");
    quota = false;
    await script([{ method: "takeSnapshot", failReason: "HOST_DISK_FULL", failMessage: "As asked." }]);
    const third = await picture(id);
    await ended(cloud, id);
    assert.equal((await operation(third.name))?.error?.reason, "HOST_DISK_FULL");
    for (const { imageId } of [first, second, third]) assert.equal(glance.images.has(imageId), false);
  });

  it("that are backups replace the oldest of their type", async () => {
    const id = await server();
    const [one, two, three] = [await backup(id, 2), await backup(id, 2), await backup(id, 2)];
    assert.deepEqual(
      [one, two, three].map((imageId) => glance.images.has(imageId)),
      [false, true, true],
    );
    const none = await backup(id, 0);
    assert.deepEqual(
      [two, three, none].map((imageId) => glance.images.has(imageId)),
      [false, false, false],
    );
  });

  it("are made of servers that are paused or off, and of locked ones", async () => {
    const id = await server();
    for (const kind of ["server.pause", "server.unpause", "server.stop", "server.lock"]) {
      await act(cloud, id, operationOf(kind));
      await ended(cloud, id);
      const { imageId } = await picture(id);
      const { vmState } = await ended(cloud, id);
      assert.equal(glance.images.get(imageId)?.status, "active", kind);
      const { vmState: now } = await serverOf(cloud, id);
      assert.equal(vmState, now);
    }
  });
});
