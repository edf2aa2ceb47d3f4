import type { Kysely, Selectable, Transaction } from "kysely";
import type { Actor, Instant } from "../../../../kernel/index.js";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { Snapshot } from "../../domain/model.js";
import { E } from "../../errors.js";
import { behind, listConditions, order, visible } from "./listing.js";
import type { VolumeTables } from "./tables.js";

type Db = Kysely<VolumeTables>;
type Tx = Transaction<VolumeTables>;

const TABLE = "volume_snapshot";

export const snapshotListing: ListingSpec = {
  filters: { name: "name", status: "status", volume_id: "volume_id", id: "id" },
  flags: [],
  sortable: {
    id: "id",
    name: "name",
    display_name: "name",
    status: "status",
    size: "size_gib",
    volume_size: "size_gib",
    created_at: "created_at",
    updated_at: "updated_at",
  },
  metadata: true,
};

/** @throws SNAPSHOT_NOT_FOUND, also when the actor may not see it */
export async function getSnapshot(db: Db, actor: Actor, id: string): Promise<Snapshot> {
  const row = await db
    .selectFrom(TABLE)
    .selectAll()
    .where("id", "=", id)
    .where(visible(actor, TABLE))
    .executeTakeFirst();
  if (!row) throw E.SNAPSHOT_NOT_FOUND({ id });
  return toSnapshot(row);
}

/** For the service's own work. */
export async function findSnapshot(db: Db, id: string): Promise<Snapshot | undefined> {
  const row = await db.selectFrom(TABLE).selectAll().where("id", "=", id).executeTakeFirst();
  return row && toSnapshot(row);
}

export const snapshotsOf = async (db: Db, volumeId: string): Promise<Snapshot[]> =>
  (await db.selectFrom(TABLE).selectAll().where("volume_id", "=", volumeId).orderBy("id").execute()).map(
    toSnapshot,
  );

/** One page. @throws INVALID_INPUT for a marker that is not there */
export async function listSnapshots(
  db: Db,
  actor: Actor,
  listing: Listing,
): Promise<{ readonly items: Snapshot[]; readonly count: number | undefined }> {
  const conditions = listConditions(actor, listing, TABLE);
  let query = db
    .selectFrom(TABLE)
    .selectAll()
    .where((eb) => eb.and(conditions));
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
  return { items: rows.map(toSnapshot), count: count && Number(count.all) };
}

export async function insertSnapshot(tx: Tx, snapshot: Snapshot): Promise<void> {
  await tx
    .insertInto(TABLE)
    .values({
      id: snapshot.id,
      name: snapshot.name,
      description: snapshot.description,
      volume_id: snapshot.volumeId,
      project_id: snapshot.projectId,
      user_id: snapshot.userId,
      size_gib: snapshot.sizeGib,
      status: snapshot.status,
      task: snapshot.task && sqlJson(snapshot.task),
      metadata: sqlJson(snapshot.metadata),
      created_at: snapshot.createdAt,
      updated_at: snapshot.updatedAt,
    })
    .execute();
}

export type SnapshotChange = Partial<Pick<Snapshot, "name" | "description" | "status" | "task" | "metadata">>;

/** @returns whether it was there */
export async function updateSnapshot(
  tx: Tx,
  id: string,
  { name, description, status, task, metadata }: SnapshotChange,
  now: Instant,
): Promise<boolean> {
  const done = await tx
    .updateTable(TABLE)
    .set({
      updated_at: now,
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
      ...(status === undefined ? {} : { status }),
      ...(task === undefined ? {} : { task: task && sqlJson(task) }),
      ...(metadata === undefined ? {} : { metadata: sqlJson(metadata) }),
    })
    .where("id", "=", id)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function deleteSnapshot(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom(TABLE).where("id", "=", id).execute();
}

export const snapshotsWithTasks = async (db: Db): Promise<string[]> =>
  (await db.selectFrom(TABLE).select("id").where("task", "is not", null).orderBy("created_at").execute()).map(
    ({ id }) => id,
  );

export const snapshotIds = async (db: Db): Promise<string[]> =>
  (await db.selectFrom(TABLE).select("id").execute()).map(({ id }) => id);

const toSnapshot = (row: Selectable<VolumeTables["volume_snapshot"]>): Snapshot => ({
  id: row.id,
  name: row.name,
  description: row.description,
  volumeId: row.volume_id,
  projectId: row.project_id,
  userId: row.user_id,
  sizeGib: row.size_gib,
  status: row.status,
  task: row.task,
  metadata: row.metadata,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
