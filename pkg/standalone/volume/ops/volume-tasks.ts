import type { Ctx } from "../../../kernel/index.js";
import { anonymous } from "../../../kernel/index.js";
import type { Actor } from "../../../kernel/index.js";
import { deleteSnapshot, snapshotsOf } from "../adapters/sql/snapshots.js";
import { deleteVolume, findVolume, updateVolume } from "../adapters/sql/volumes.js";
import type { VolumeChange } from "../adapters/sql/volumes.js";
import { qemuFormat } from "../domain/image-rules.js";
import { GIB } from "../domain/model.js";
import type { Volume, VolumeStatus, VolumeTask } from "../domain/model.js";
import { statusOfAttachments } from "../domain/states.js";
import type { VolumeEvent } from "../domain/volume-events.js";
import { E } from "../errors.js";
import type { VolumeParts } from "../ports.js";

const MIB = 2 ** 20;
/** Whoever asked was checked when it was asked; the work itself sees every image. */
const service: Actor = { ...anonymous, kind: "service", roles: ["admin"] };

type Of<K extends VolumeTask["kind"]> = Extract<VolumeTask, { readonly kind: K }>;

/** What the work of a volume is called in the queue. */
export const volumeWork = (volumeId: string): string => `volume ${volumeId}`;

/** Takes the stored work of a volume into the queue. */
export function queueVolume(parts: VolumeParts, volumeId: string): void {
  parts.work.submit(volumeWork(volumeId), (ctx) => runTask(parts, ctx, volumeId));
}

async function runTask(parts: VolumeParts, ctx: Ctx, volumeId: string): Promise<void> {
  const volume = await parts.db.read(ctx, "volume.task", (tx) => findVolume(tx, volumeId));
  const task = volume?.task;
  if (!volume || !task) return;
  try {
    await perform(parts, ctx, volume, task);
    ctx.log.info("volume.task.done", { volumeId, task: task.kind });
  } catch (error) {
    // Cut off: the next start does it again.
    if (ctx.signal.aborted) throw error;
    if (task.kind === "upload") {
      await discard(parts, ctx, task.imageId);
      await goBack(parts, ctx, volume, {});
    } else await change(parts, ctx, volume, { status: FAILED[task.kind], task: null });
    throw error;
  }
}

function perform(parts: VolumeParts, ctx: Ctx, volume: Volume, task: VolumeTask): Promise<void> {
  switch (task.kind) {
    case "create":
      return create(parts, ctx, volume, task);
    case "delete":
      return remove(parts, ctx, volume);
    case "extend":
      return extend(parts, ctx, volume, task);
    case "reimage":
      return reimage(parts, ctx, volume, task);
    case "upload":
      return upload(parts, ctx, volume, task);
  }
}

/** What a volume is when work on it failed. */
const FAILED = {
  create: "error",
  reimage: "error",
  delete: "error_deleting",
  extend: "error_extending",
} as const satisfies Partial<Record<VolumeTask["kind"], VolumeStatus>>;

const change = (
  { db, clock }: VolumeParts,
  ctx: Ctx,
  volume: Volume,
  edits: VolumeChange,
): Promise<boolean> =>
  db.write(ctx, "volume.task.end", (tx) => updateVolume(tx, volume.id, edits, clock.now()));

/**
 * Ends work that took a volume out of its state for a while. One that was in use may have been let go of
 * meanwhile.
 */
const goBack = (
  { db, clock }: VolumeParts,
  ctx: Ctx,
  { id, previousStatus }: Volume,
  edits: VolumeChange,
): Promise<void> =>
  db.write(ctx, "volume.task.back", async (tx) => {
    const now = await findVolume(tx, id);
    if (!now) return;
    const follows = previousStatus === "in-use" || previousStatus === "reserved";
    const status = follows ? statusOfAttachments(now.attachments) : "available";
    await updateVolume(tx, id, { status, previousStatus: null, task: null, ...edits }, clock.now());
  });

async function demandSpace({ storage, limits }: VolumeParts, bytes: number): Promise<void> {
  if ((await storage.freeBytes()) - bytes < limits.freeSpaceMib * MIB) throw E.DISK_FULL({});
}

async function create(
  parts: VolumeParts,
  ctx: Ctx,
  volume: Volume,
  { imageId }: Of<"create">,
): Promise<void> {
  const { storage } = parts;
  const size = volume.sizeGib * GIB;
  if (imageId !== undefined) await fromImage(parts, ctx, volume, imageId);
  else if (volume.snapshotId !== null) {
    await demandSpace(parts, 0);
    await storage.fromSnapshot(ctx, volume.id, size, volume.snapshotId);
  } else if (volume.sourceVolid !== null) {
    await demandSpace(parts, 0);
    await storage.fromVolume(ctx, volume.id, size, volume.sourceVolid);
  } else await storage.blank(ctx, volume.id, size);
  await change(parts, ctx, volume, { status: "available", task: null });
}

async function fromImage(parts: VolumeParts, ctx: Ctx, volume: Volume, imageId: string): Promise<void> {
  const { storage, images } = parts;
  if (volume.status === "creating") await change(parts, ctx, volume, { status: "downloading" });
  const image = await images.get(ctx, service, imageId);
  const format = qemuFormat(image);
  await demandSpace(parts, 2 * (image.size ?? 0));
  await storage.fromImage(ctx, volume.id, volume.sizeGib * GIB, {
    format,
    size: image.size,
    data: await images.read(ctx, imageId),
  });
}

async function remove({ db, storage }: VolumeParts, ctx: Ctx, volume: Volume): Promise<void> {
  await storage.removeVolume(ctx, volume.id);
  // Deleted along with it; otherwise it has none.
  const snapshots = await db.read(ctx, "volume.snapshots", (tx) => snapshotsOf(tx, volume.id));
  for (const { id } of snapshots) await storage.removeSnapshot(ctx, id);
  await db.write(ctx, "volume.removed", async (tx) => {
    for (const { id } of snapshots) await deleteSnapshot(tx, id);
    await deleteVolume(tx, volume.id);
  });
}

async function extend(
  parts: VolumeParts,
  ctx: Ctx,
  volume: Volume,
  { sizeGib }: Of<"extend">,
): Promise<void> {
  await parts.storage.grow(ctx, volume.id, sizeGib * GIB);
  await goBack(parts, ctx, volume, { sizeGib });
  if (volume.previousStatus === "in-use") await announce(parts, ctx, volume, "volume-extended");
}

async function reimage(
  parts: VolumeParts,
  ctx: Ctx,
  volume: Volume,
  { imageId }: Of<"reimage">,
): Promise<void> {
  await fromImage(parts, ctx, volume, imageId);
  const image = await parts.images.get(ctx, service, imageId);
  await goBack(parts, ctx, volume, { bootable: true, imageMetadata: image.metadata });
  if (volume.previousStatus === "reserved") await announce(parts, ctx, volume, "volume-reimaged");
}

async function upload(
  parts: VolumeParts,
  ctx: Ctx,
  volume: Volume,
  { imageId, diskFormat }: Of<"upload">,
): Promise<void> {
  const { storage, images } = parts;
  await demandSpace(parts, 0);
  const file = await storage.imageFile(ctx, volume.id, qemuFormat({ id: imageId, diskFormat }));
  try {
    await images.upload(ctx, imageId, file.size, file.data);
  } finally {
    file.data.destroy();
    await file.dispose();
  }
  await goBack(parts, ctx, volume, {});
}

/** As Cinder does with an image that gets no data. The volume goes back to its state either way. */
export async function discard({ images }: VolumeParts, ctx: Ctx, imageId: string): Promise<void> {
  try {
    await images.discard(ctx, imageId);
  } catch (error) {
    ctx.log.warn("volume.image.left", { imageId, error });
  }
}

/** Tells Compute. The change is stored already, so a failure must not fail it. */
async function announce(
  { onVolumeEvents }: VolumeParts,
  ctx: Ctx,
  volume: Volume,
  name: VolumeEvent["name"],
): Promise<void> {
  const events = volume.attachments.flatMap(({ instanceUuid }) =>
    instanceUuid === null ? [] : [{ name, serverUuid: instanceUuid, volumeId: volume.id }],
  );
  if (events.length === 0) return;
  try {
    await onVolumeEvents(ctx, events);
  } catch (error) {
    ctx.log.warn("volume.events.lost", { events, error });
  }
}
