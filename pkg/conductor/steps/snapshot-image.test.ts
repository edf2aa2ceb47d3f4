import assert from "node:assert/strict";
import { z } from "zod";
import { CreateBackupInput, CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { GlanceErrors } from "../../clients/glance/errors.js";
import { fakeGlance } from "../../clients/glance/testing/fake-glance.js";
import type { FakeGlance } from "../../clients/glance/testing/fake-glance.js";
import createServerBackup from "../../model/operations/create-server-backup.js";
import createServerImage from "../../model/operations/create-server-image.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { testCtx } from "../../testkit/ctx.js";
import { SERVER, aCall, finished } from "../testing/a-call.js";
import { rotateBackups } from "./rotate-backups.js";
import { snapshotImage } from "./snapshot-image.js";
import { removeUnfinishedImages } from "./unfinished-images.js";

const IMAGE = "5a000000-0000-4000-8000-000000000001";
const image = (init: object = {}): CreateImageInput =>
  CreateImageInput.fromPartial({
    imageId: IMAGE,
    name: "picture",
    owner: "p1",
    properties: new Map([["image_type", "snapshot"]]),
    minDiskGib: 1,
    ...init,
  });
const asking = <I>(input: I, steps: Parameters<typeof aCall>[0] = {}): StepCall<I> => ({
  ...aCall(steps),
  input,
});

function theStep(glance: FakeGlance, name: string): Step<CreateImageInput> {
  const ports = { images: glance } as unknown as Ports;
  const found = snapshotImage(ports, (input: CreateImageInput) => input, { event: "e" }).find(
    (step) => step.name === name,
  );
  assert.ok(found);
  return found;
}

describe("the image of a server, in the Image service", () => {
  it("is made once, empty, with all that it says of itself, and private", async () => {
    const glance = fakeGlance();
    const step = theStep(glance, "create-image");
    await step.run(asking(image()));
    await step.run(asking(image()));
    assert.equal(glance.images.size, 1);
    const made = glance.images.get(IMAGE);
    assert.deepEqual(
      [made?.status, made?.owner, made?.visibility, made?.minDiskGib, made?.properties],
      ["queued", "p1", "private", 1, { image_type: "snapshot" }],
    );
  });

  it("is shared with the server's project when another one makes it", async () => {
    const glance = fakeGlance();
    const members: string[] = [];
    glance.addMember = async (_ctx, _id, projectId) => void members.push(projectId);
    await theStep(glance, "create-image").run(asking(image({ owner: "adm", memberProjectId: "p1" })));
    assert.equal(glance.images.get(IMAGE)?.visibility, "shared");
    assert.deepEqual(members, ["p1"]);
  });

  it("is gone after an undo, whether it was made or not, and cannot be made later", async () => {
    for (const isMade of [true, false]) {
      const glance = fakeGlance();
      const step = theStep(glance, "create-image");
      if (isMade) await step.run(asking(image()));
      await step.undo?.(asking(image()));
      await step.undo?.(asking(image()));
      assert.equal(glance.images.size, 0);
      // What an overtaken conductor had sent.
      await assert.rejects(glance.createImage(testCtx(), { id: IMAGE, name: "picture" }));
    }
  });

  it("is gone after an undo if its owner has protected it, and waits for a service that is away", async () => {
    const glance = fakeGlance();
    const step = theStep(glance, "create-image");
    await step.run(asking(image()));
    glance.add({ ...glance.images.get(IMAGE), protected: true });
    glance.down = true;
    await assert.rejects(async () => step.undo?.(asking(image())), { reason: "IMAGE_UNAVAILABLE" });
    glance.down = false;
    const { createImage } = glance;
    glance.createImage = async () => {
      throw GlanceErrors.IMAGE_UNAVAILABLE({});
    };
    // Whether it is there is not known then: another conductor's creation may be on its way.
    await assert.rejects(async () => step.undo?.(asking(image())), { reason: "IMAGE_UNAVAILABLE" });
    assert.equal(glance.images.size, 1);
    glance.createImage = createImage;
    await step.undo?.(asking(image()));
    assert.equal(glance.images.size, 0);
  });

  it("is not made again when its owner has deleted it", async () => {
    const glance = fakeGlance();
    await theStep(glance, "create-image").run(asking(image()));
    await glance.deleteImage(testCtx(), IMAGE);
    await assert.rejects(theStep(glance, "create-image").run(asking(image())), {
      reason: "IMAGE_NOT_FOUND",
    });
  });

  it("learns from the host's copy which format it has and how much room it needs", async () => {
    const glance = fakeGlance();
    glance.add({ id: IMAGE, status: "queued", diskFormat: undefined, minDiskGib: 1 });
    const changes: unknown[] = [];
    const { updateImage } = glance;
    glance.updateImage = async (ctx, id, asked) => {
      changes.push(...asked);
      return updateImage(ctx, id, asked);
    };
    const copy = { diskFormat: "qcow2", sizeBytes: "100", virtualSizeBytes: String(2 ** 30 + 1) };
    const steps = [finished(outputOf("snapshot-disk", z.unknown()), copy)];
    await theStep(glance, "describe-image").run(asking(image(), { steps }));
    assert.deepEqual(changes, [
      { op: "set", name: "disk_format", value: "qcow2" },
      { op: "set", name: "container_format", value: "bare" },
      { op: "set", name: "min_disk", value: 2 },
    ]);
  });
});

describe("rotation of backups", () => {
  const backup = (id: number, createdAt: number, init: object = {}): object => ({
    id: `5a000000-0000-4000-8000-00000000000${id}`,
    owner: "p1",
    createdAt: BigInt(createdAt),
    properties: { image_type: "backup", backup_type: "daily", instance_uuid: SERVER },
    ...init,
  });
  const rotate = (glance: FakeGlance, rotation: number) =>
    rotateBackups({ images: glance }).run(
      asking(CreateBackupInput.fromPartial({ image: image(), backupType: "daily", rotation })),
    );
  const left = (glance: FakeGlance): string => [...glance.images.keys()].map((id) => id.slice(-1)).join("");

  it("deletes the oldest of the type, of this server and project, and no others", async () => {
    const glance = fakeGlance();
    glance.add(backup(1, 30));
    glance.add(backup(2, 10));
    glance.add(backup(3, 20));
    glance.add(backup(4, 1, { owner: "p2" }));
    glance.add(
      backup(5, 1, { properties: { image_type: "backup", backup_type: "weekly", instance_uuid: SERVER } }),
    );
    glance.add(
      backup(6, 1, { properties: { image_type: "backup", backup_type: "daily", instance_uuid: "other" } }),
    );
    await rotate(glance, 2);
    assert.equal(left(glance), "13456");
    await rotate(glance, 2);
    assert.equal(left(glance), "13456");
    await rotate(glance, 0);
    assert.equal(left(glance), "456");
  });

  it("deletes no other project's, whatever the Image service lists", async () => {
    const glance = fakeGlance();
    const { listImages } = glance;
    glance.listImages = async (ctx, { owner: _owner, ...query } = {}) => listImages(ctx, query);
    glance.add(backup(1, 10, { owner: "p2" }));
    await rotate(glance, 0);
    assert.equal(left(glance), "1");
  });

  it("leaves one that cannot be deleted, and waits for a service that is away", async () => {
    const glance = fakeGlance();
    glance.add(backup(1, 10, { protected: true }));
    glance.add(backup(2, 20));
    await rotate(glance, 0);
    assert.equal(left(glance), "1");
    glance.down = true;
    await assert.rejects(rotate(glance, 0), { reason: "IMAGE_UNAVAILABLE" });
    glance.down = false;
    // Only from the second word on.
    glance.add(backup(3, 30));
    const { deleteImage } = glance;
    glance.deleteImage = async () => {
      throw GlanceErrors.IMAGE_UNAVAILABLE({});
    };
    await assert.rejects(rotate(glance, 0), { reason: "IMAGE_UNAVAILABLE" });
    glance.deleteImage = deleteImage;
    await rotate(glance, 0);
    assert.equal(left(glance), "1");
  });
});

describe("images that pre-empted operations were making", () => {
  const remove = (glance: FakeGlance, kind: string, input: Uint8Array) =>
    removeUnfinishedImages(
      aCall({
        operation: { preempts: "operations/s/o", preemptedKind: kind, preemptedInput: Buffer.from(input) },
      }),
      { images: glance, cinder: fakeCinder() },
    );
  const asImage = CreateImageInput.encode(image()).finish();
  const asBackup = CreateBackupInput.encode(CreateBackupInput.fromPartial({ image: image() })).finish();

  it("go, unless they have all their data", async () => {
    for (const [kind, input] of [
      [createServerImage.kind, asImage],
      [createServerBackup.kind, asBackup],
    ] as const) {
      const glance = fakeGlance();
      await remove(glance, kind, input);
      glance.add({ id: IMAGE, status: "saving" });
      await remove(glance, kind, input);
      assert.equal(glance.images.size, 0);
      glance.add({ id: IMAGE, status: "active" });
      await remove(glance, kind, input);
      assert.equal(glance.images.size, 1);
    }
  });

  it("are of no other kinds", async () => {
    const glance = fakeGlance();
    glance.add({ id: IMAGE, status: "queued" });
    await remove(glance, "server.pause", asImage);
    assert.equal(glance.images.size, 1);
  });
});
