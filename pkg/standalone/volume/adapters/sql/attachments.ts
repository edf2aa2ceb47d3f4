import type { Kysely, Transaction } from "kysely";
import type { Actor } from "../../../../kernel/index.js";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Listing, ListingSpec } from "../../domain/listing.js";
import type { Attachment } from "../../domain/model.js";
import { E } from "../../errors.js";
import type { Served } from "../../ports.js";
import { behind, listConditions, order, visible } from "./listing.js";
import type { VolumeTables } from "./tables.js";
import { toAttachment } from "./volumes.js";

type Db = Kysely<VolumeTables>;
type Tx = Transaction<VolumeTables>;

const TABLE = "volume_attachment";

export const attachmentListing: ListingSpec = {
  filters: {
    volume_id: "volume_id",
    instance_id: "instance_uuid",
    instance_uuid: "instance_uuid",
    status: "status",
    attach_status: "status",
    id: "id",
  },
  flags: [],
  sortable: { id: "id", created_at: "created_at", status: "status" },
  metadata: false,
};

/** @throws ATTACHMENT_NOT_FOUND, also when the actor may not see it */
export async function getAttachment(db: Db, actor: Actor, id: string): Promise<Attachment> {
  const row = await db
    .selectFrom(TABLE)
    .selectAll()
    .where("id", "=", id)
    .where(visible(actor, TABLE))
    .executeTakeFirst();
  if (!row) throw E.ATTACHMENT_NOT_FOUND({ id });
  return toAttachment(row);
}

/** One page. @throws INVALID_INPUT for a marker that is not there */
export async function listAttachments(db: Db, actor: Actor, listing: Listing): Promise<Attachment[]> {
  let query = db
    .selectFrom(TABLE)
    .selectAll()
    .where((eb) => eb.and(listConditions(actor, listing, TABLE)));
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
  if (listing.limit === 0) return [];
  const rows = await query
    .orderBy(order(listing, TABLE))
    .limit(listing.limit)
    .offset(listing.offset)
    .execute();
  return rows.map(toAttachment);
}

export async function insertAttachment(tx: Tx, one: Attachment): Promise<void> {
  await tx
    .insertInto(TABLE)
    .values({
      id: one.id,
      volume_id: one.volumeId,
      project_id: one.projectId,
      instance_uuid: one.instanceUuid,
      status: one.status,
      mode: one.mode,
      mountpoint: one.mountpoint,
      connector: one.connector && sqlJson(one.connector),
      connection_info: one.connectionInfo && sqlJson(one.connectionInfo),
      attached_at: one.attachedAt,
      created_at: one.createdAt,
    })
    .execute();
}

export type AttachmentChange = Partial<
  Pick<Attachment, "status" | "mode" | "mountpoint" | "connector" | "connectionInfo" | "attachedAt">
>;

/** @returns whether it was there */
export async function updateAttachment(
  tx: Tx,
  id: string,
  { status, mode, mountpoint, connector, connectionInfo, attachedAt }: AttachmentChange,
): Promise<boolean> {
  const done = await tx
    .updateTable(TABLE)
    .set({
      ...(status === undefined ? { id } : { status }),
      ...(mode === undefined ? {} : { mode }),
      ...(mountpoint === undefined ? {} : { mountpoint }),
      ...(connector === undefined ? {} : { connector: connector && sqlJson(connector) }),
      ...(connectionInfo === undefined ? {} : { connection_info: connectionInfo && sqlJson(connectionInfo) }),
      ...(attachedAt === undefined ? {} : { attached_at: attachedAt }),
    })
    .where("id", "=", id)
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

export async function deleteAttachment(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom(TABLE).where("id", "=", id).execute();
}

/** What is connected to hosts, for the storage to serve. */
export async function connected(db: Db): Promise<Served[]> {
  const rows = await db
    .selectFrom(TABLE)
    .select(["id", "volume_id", "connection_info"])
    .where("connection_info", "is not", null)
    .execute();
  return rows.map((row) => ({
    volumeId: row.volume_id,
    attachmentId: row.id,
    readOnly: row.connection_info?.["access_mode"] === "ro",
  }));
}
