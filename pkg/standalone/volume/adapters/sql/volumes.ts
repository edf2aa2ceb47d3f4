import type { Kysely, Selectable, Transaction } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import { sql } from "kysely";
import type { Actor, Instant } from "../../../../kernel/index.js";
import { parseIso } from "../../../../kernel/index.js";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { Attachment, Volume } from "../../domain/model.js";
import { E } from "../../errors.js";
import { behind, listConditions, order, visible } from "./listing.js";
import type { VolumeTables } from "./tables.js";

type Db = Kysely<VolumeTables>;
type Tx = Transaction<VolumeTables>;

const TABLE = "volume_volume";

export const volumeListing: ListingSpec = {
  filters: {
    name: "name",
    status: "status",
    id: "id",
    availability_zone: "availability_zone",
    user_id: "user_id",
    snapshot_id: "snapshot_id",
    source_volid: "source_volid",
  },
  flags: ["bootable", "multiattach"],
  sortable: {
    id: "id",
    name: "name",
    display_name: "name",
    status: "status",
    size: "size_gib",
    bootable: "bootable",
    created_at: "created_at",
    updated_at: "updated_at",
    availability_zone: "availability_zone",
  },
  metadata: true,
};

const select = (db: Db) =>
  db
    .selectFrom(TABLE)
    .innerJoin("volume_type", "volume_type.id", "volume_volume.type_id")
    .selectAll(TABLE)
    .select("volume_type.name as type_name")
    .select((eb) =>
      jsonArrayFrom(
        eb
          .selectFrom("volume_attachment as a")
          .selectAll("a")
          .whereRef("a.volume_id", "=", "volume_volume.id")
          .orderBy("a.created_at")
          .orderBy("a.id"),
      ).as("attachments"),
    );

/** @throws VOLUME_NOT_FOUND, also when the actor may not see it */
export async function getVolume(db: Db, actor: Actor, id: string): Promise<Volume> {
  const row = await select(db)
    .where("volume_volume.id", "=", id)
    .where(visible(actor, TABLE))
    .executeTakeFirst();
  if (!row) throw E.VOLUME_NOT_FOUND({ id });
  return toVolume(row);
}

/** For the service's own work. */
export async function findVolume(db: Db, id: string): Promise<Volume | undefined> {
  const row = await select(db).where("volume_volume.id", "=", id).executeTakeFirst();
  return row && toVolume(row);
}

/**
 * One page, and how many there are on all pages when that was asked for.
 * @param typeId  only volumes of this type
 * @throws INVALID_INPUT for a marker that is not there
 */
export async function listVolumes(
  db: Db,
  actor: Actor,
  listing: Listing,
  typeId?: string,
): Promise<{ readonly items: Volume[]; readonly count: number | undefined }> {
  const conditions = [
    ...listConditions(actor, listing, TABLE),
    ...(typeId === undefined ? [] : [sql<boolean>`${sql.ref("volume_volume.type_id")} = ${typeId}`]),
  ];
  let query = select(db).where((eb) => eb.and(conditions));
  if (listing.marker !== undefined) {
    const marker = await db
      .selectFrom(TABLE)
      .selectAll()
      .where("id", "=", listing.marker)
      .where(visible(actor, TABLE))
      .executeTakeFirst();
    if (!marker) throw E.INVALID_INPUT({ reason: `marker ${listing.marker.slice(0, 64)} not found` });
    query = query.where(behind(listing, TABLE, marker));
  }
  const rows =
    listing.limit === 0
      ? []
      : await query.orderBy(order(listing, TABLE)).limit(listing.limit).offset(listing.offset).execute();
  const count = listing.counted
    ? await db
        .selectFrom(TABLE)
        .select((eb) => eb.fn.countAll<number>().as("all"))
        .where((eb) => eb.and(conditions))
        .executeTakeFirstOrThrow()
    : undefined;
  return { items: rows.map(toVolume), count: count && Number(count.all) };
}

/** A volume that is not stored yet. */
export type NewVolume = Omit<Volume, "attachments" | "typeName">;

export async function insertVolume(tx: Tx, volume: NewVolume): Promise<void> {
  await tx
    .insertInto(TABLE)
    .values({
      id: volume.id,
      name: volume.name,
      description: volume.description,
      project_id: volume.projectId,
      user_id: volume.userId,
      size_gib: volume.sizeGib,
      status: volume.status,
      previous_status: volume.previousStatus,
      task: volume.task && sqlJson(volume.task),
      bootable: volume.bootable,
      multiattach: volume.multiattach,
      read_only: volume.readOnly,
      type_id: volume.typeId,
      snapshot_id: volume.snapshotId,
      source_volid: volume.sourceVolid,
      availability_zone: volume.availabilityZone,
      metadata: sqlJson(volume.metadata),
      image_metadata: sqlJson(volume.imageMetadata),
      created_at: volume.createdAt,
      updated_at: volume.updatedAt,
    })
    .execute();
}

/** What may change of a volume. */
export type VolumeChange = Partial<
  Pick<
    Volume,
    | "name"
    | "description"
    | "sizeGib"
    | "status"
    | "previousStatus"
    | "task"
    | "bootable"
    | "readOnly"
    | "metadata"
    | "imageMetadata"
  >
>;

/** @returns whether it was there */
export async function updateVolume(tx: Tx, id: string, change: VolumeChange, now: Instant): Promise<boolean> {
  const { name, description, sizeGib, status, previousStatus, task, bootable, readOnly } = change;
  const done = await tx
    .updateTable(TABLE)
    .set({
      updated_at: now,
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(sizeGib === undefined ? {} : { size_gib: sizeGib }),
      ...(status === undefined ? {} : { status }),
      ...(previousStatus === undefined ? {} : { previous_status: previousStatus }),
      ...(task === undefined ? {} : { task: task && sqlJson(task) }),
      ...(bootable === undefined ? {} : { bootable }),
      ...(readOnly === undefined ? {} : { read_only: readOnly }),
      ...(change.metadata === undefined ? {} : { metadata: sqlJson(change.metadata) }),
      ...(change.imageMetadata === undefined ? {} : { image_metadata: sqlJson(change.imageMetadata) }),
    })
    .where("id", "=", id)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function deleteVolume(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom(TABLE).where("id", "=", id).execute();
}

/** All that is promised and not done. */
export const volumesWithTasks = async (db: Db): Promise<string[]> =>
  (await db.selectFrom(TABLE).select("id").where("task", "is not", null).orderBy("created_at").execute()).map(
    ({ id }) => id,
  );

export const volumeIds = async (db: Db): Promise<string[]> =>
  (await db.selectFrom(TABLE).select("id").execute()).map(({ id }) => id);

/** An attachment inside of a volume's row comes as JSON: its times are texts. */
type Nested = Omit<Selectable<VolumeTables["volume_attachment"]>, "attached_at" | "created_at"> & {
  readonly attached_at: unknown;
  readonly created_at: unknown;
};

const instant = (value: unknown): Instant | null =>
  typeof value === "bigint" ? value : typeof value === "string" ? (parseIso(value) ?? null) : null;

export const toAttachment = (row: Nested): Attachment => ({
  id: row.id,
  volumeId: row.volume_id,
  projectId: row.project_id,
  instanceUuid: row.instance_uuid,
  status: row.status,
  mode: row.mode,
  mountpoint: row.mountpoint,
  connector: row.connector,
  connectionInfo: row.connection_info,
  attachedAt: instant(row.attached_at),
  createdAt: instant(row.created_at) ?? 0n,
});

const toVolume = (
  row: Selectable<VolumeTables["volume_volume"]> & {
    readonly type_name: string;
    readonly attachments: readonly Nested[];
  },
): Volume => ({
  id: row.id,
  name: row.name,
  description: row.description,
  projectId: row.project_id,
  userId: row.user_id,
  sizeGib: row.size_gib,
  status: row.status,
  previousStatus: row.previous_status,
  task: row.task,
  bootable: row.bootable,
  multiattach: row.multiattach,
  readOnly: row.read_only,
  typeId: row.type_id,
  typeName: row.type_name,
  snapshotId: row.snapshot_id,
  sourceVolid: row.source_volid,
  availabilityZone: row.availability_zone,
  metadata: row.metadata,
  imageMetadata: row.image_metadata,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  attachments: row.attachments.map(toAttachment),
});
