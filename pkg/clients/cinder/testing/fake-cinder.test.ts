import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import { testCtx } from "../../../testkit/ctx.js";
import { fakeCinder } from "./fake-cinder.js";

const reason =
  (name: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name;

describe("the fake block storage", () => {
  it("takes a volume through the states of an attachment and back", async () => {
    const cinder = fakeCinder();
    const { id } = cinder.addVolume();
    const status = (): string | undefined => cinder.volumes.get(id)?.status;
    const made = await cinder.createAttachment(testCtx(), { volumeId: id, serverId: "s" });
    assert.deepEqual([status(), made.status], ["reserved", "reserved"]);
    const { connectionInfo } = await cinder.updateAttachment(testCtx(), made.id, { mountpoint: "/dev/vdb" });
    assert.deepEqual([status(), connectionInfo?.["export"]], ["attaching", made.id]);
    await cinder.completeAttachment(testCtx(), made.id);
    assert.deepEqual([status(), cinder.volumes.get(id)?.attachments[0]?.device], ["in-use", "/dev/vdb"]);
    await cinder.beginDetaching(testCtx(), id);
    await assert.rejects(cinder.beginDetaching(testCtx(), id), reason("VOLUME_INVALID"));
    await cinder.rollDetaching(testCtx(), id);
    assert.equal(status(), "in-use");
    await assert.rejects(cinder.deleteVolume(testCtx(), id), reason("VOLUME_INVALID"));
    await cinder.deleteAttachment(testCtx(), made.id);
    await cinder.deleteAttachment(testCtx(), made.id);
    assert.deepEqual([status(), cinder.volumes.get(id)?.attachments], ["available", []]);
    await cinder.deleteVolume(testCtx(), id);
    await assert.rejects(cinder.getVolume(testCtx(), id), reason("VOLUME_NOT_FOUND"));
  });

  it("lets one server win a volume, and many share one that is for many", async () => {
    const cinder = fakeCinder();
    const alone = cinder.addVolume();
    await cinder.createAttachment(testCtx(), { volumeId: alone.id, serverId: "a" });
    await assert.rejects(
      cinder.createAttachment(testCtx(), { volumeId: alone.id, serverId: "b" }),
      reason("VOLUME_INVALID"),
    );
    await cinder.createAttachment(testCtx(), { volumeId: alone.id, serverId: "a" });
    const shared = cinder.addVolume({ multiattach: true });
    const first = await cinder.createAttachment(testCtx(), { volumeId: shared.id, serverId: "a" });
    await cinder.updateAttachment(testCtx(), first.id, {});
    await cinder.completeAttachment(testCtx(), first.id);
    const second = await cinder.createAttachment(testCtx(), { volumeId: shared.id, serverId: "b" });
    assert.equal(cinder.volumes.get(shared.id)?.status, "reserved");
    await cinder.deleteAttachment(testCtx(), second.id);
    assert.equal(cinder.volumes.get(shared.id)?.status, "in-use");
  });

  it("keeps to the project's quota", async () => {
    const cinder = fakeCinder();
    cinder.maximum = { maxVolumes: 1, maxGib: -1, maxSnapshots: 0 };
    const wish = { name: "", sizeGib: 1, projectId: "p" };
    const { id } = await cinder.createVolume(testCtx(), wish);
    await assert.rejects(cinder.createVolume(testCtx(), wish), reason("VOLUME_QUOTA"));
    await assert.rejects(
      cinder.createSnapshot(testCtx(), { volumeId: id, name: "" }),
      reason("VOLUME_QUOTA"),
    );
  });
});
