import type { Ctx } from "../../../kernel/index.js";
import { demandRoom } from "../adapters/sql/quotas.js";
import { getSnapshot } from "../adapters/sql/snapshots.js";
import { defaultType, getType, typeByNameOrId } from "../adapters/sql/types.js";
import { getVolume, insertVolume } from "../adapters/sql/volumes.js";
import { demandFits } from "../domain/image-rules.js";
import { ZONE, allowsMultiattach } from "../domain/model.js";
import type { Volume } from "../domain/model.js";
import { E } from "../errors.js";
import type { SourceImage, VolumeParts } from "../ports.js";
import { queueVolume } from "./volume-tasks.js";

/** What a client wants. */
export interface VolumeWish {
  readonly name: string;
  readonly description: string;
  /** GiB; undefined takes the source's. */
  readonly size: number | undefined;
  readonly type: string | undefined;
  readonly zone: string | undefined;
  readonly imageId: string | undefined;
  readonly snapshotId: string | undefined;
  readonly sourceVolid: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Stores a new volume of the actor's project, and has it made.
 * @throws what its sources, type, size and the project's quota are refused for
 */
export async function newVolume(parts: VolumeParts, ctx: Ctx, wish: VolumeWish): Promise<Volume> {
  const { db, clock, ids, limits, images, work } = parts;
  const { actor } = ctx;
  const { imageId, snapshotId, sourceVolid } = wish;
  if ([imageId, snapshotId, sourceVolid].filter((one) => one !== undefined).length > 1)
    throw E.INVALID_INPUT({
      reason: "May specify only one of snapshot, imageRef or source volume",
    });
  if (wish.zone !== undefined && wish.zone !== ZONE) throw E.INVALID_ZONE({ zone: wish.zone });
  work.demandRoom();
  const image = imageId === undefined ? undefined : await images.get(ctx, actor, imageId);
  const id = ids.uuid();
  await db.write(ctx, "volume.create", async (tx) => {
    const snapshot = snapshotId === undefined ? undefined : await getSnapshot(tx, actor, snapshotId);
    if (snapshot && snapshot.status !== "available")
      throw E.INVALID_SNAPSHOT({
        reason: `Originating snapshot status must be one of 'available' values`,
      });
    const origin = sourceVolid ?? snapshot?.volumeId;
    const source = origin === undefined ? undefined : await getVolume(tx, actor, origin);
    if (sourceVolid !== undefined && source && !["available", "in-use"].includes(source.status))
      throw E.INVALID_VOLUME({
        reason: "Source volume status must be one of 'available, in-use' values",
      });
    const least = snapshot?.sizeGib ?? source?.sizeGib;
    const size = wish.size ?? least;
    demandSize(size, snapshot ? "snapshot" : "source volume", least);
    if (image) demandFits(image, size);
    const type =
      wish.type !== undefined
        ? await typeByNameOrId(tx, actor, wish.type)
        : source
          ? await getType(tx, { ...actor, roles: ["admin"] }, source.typeId)
          : await defaultType(tx);
    await demandRoom(tx, actor.projectId, { what: "volume", gib: size, size }, limits);
    const now = clock.now();
    await insertVolume(tx, {
      id,
      name: wish.name,
      description: wish.description,
      projectId: actor.projectId,
      userId: actor.userId,
      sizeGib: size,
      status: "creating",
      previousStatus: null,
      task: { kind: "create", ...(imageId === undefined ? {} : { imageId }) },
      bootable: image !== undefined || (source?.bootable ?? false),
      multiattach: allowsMultiattach(type.extraSpecs),
      readOnly: false,
      typeId: type.id,
      snapshotId: snapshotId ?? null,
      sourceVolid: sourceVolid ?? null,
      availabilityZone: ZONE,
      metadata: wish.metadata,
      imageMetadata: metadataOf(image, source),
      createdAt: now,
      updatedAt: now,
    });
  });
  queueVolume(parts, id);
  return db.read(ctx, "volume.created", (tx) => getVolume(tx, actor, id));
}

const metadataOf = (image: SourceImage | undefined, source: Volume | undefined): Volume["imageMetadata"] =>
  image?.metadata ?? source?.imageMetadata ?? {};

function demandSize(
  size: number | undefined,
  what: string,
  least: number | undefined,
): asserts size is number {
  if (size === undefined)
    throw E.INVALID_INPUT({
      reason:
        "Invalid volume size provided for create request: None (size argument must be an integer (or string representation of an integer) and greater than zero).",
    });
  if (least !== undefined && size < least)
    throw E.INVALID_INPUT({
      reason: `Volume size '${size}'GB cannot be smaller than the ${what} size ${least}GB. They must be >= original volume size.`,
    });
}
