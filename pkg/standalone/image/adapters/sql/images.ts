import { sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/postgres";
import type { Expression, ExpressionBuilder, Kysely, Selectable, SqlBool } from "kysely";
import type { Actor, Ctx, Instant } from "../../../../kernel/index.js";
import { sqlJson, violates } from "../../../../platform/db/index.js";
import type { Database } from "../../../../platform/db/index.js";
import type { Attributes, DataFacts, Image, ImageStatus } from "../../domain/model.js";
import type { ImageListQuery, SortColumn } from "../../domain/query.js";
import { E } from "../../errors.js";
import type { ImageTables } from "./tables.js";
import { listed, readable } from "./visibility.js";

/** Stored images. Reads see only what the actor may; changes are conditional on the state they expect. */
export interface ImageStore {
  /** @throws IMAGE_NOT_FOUND also when the actor may not see it */
  get(ctx: Ctx, actor: Actor, id: string): Promise<Image>;
  /** @throws INVALID when the marker is nothing the actor may see */
  list(ctx: Ctx, actor: Actor, query: ImageListQuery): Promise<Image[]>;
  /** @throws IMAGE_EXISTS, also for ids of deleted images */
  insert(ctx: Ctx, id: string, attributes: Attributes, now: Instant): Promise<void>;
  /** What a project has. */
  usage(ctx: Ctx, owner: string): Promise<{ readonly images: number; readonly bytes: number }>;
  /** Reads, lets `change` decide, writes: as one transaction, so `change` may run again. */
  update(
    ctx: Ctx,
    actor: Actor,
    id: string,
    now: Instant,
    change: (image: Image) => Attributes,
  ): Promise<Image>;
  /** @returns what was deleted, to find its data */
  remove(ctx: Ctx, actor: Actor, id: string, check: (image: Image) => void): Promise<Image>;
  /** Moves between states. @returns false when the image was not in the expected one */
  transition(ctx: Ctx, id: string, from: ImageStatus, to: ImageStatus, now: Instant): Promise<boolean>;
  /** Reserves a queued image for one upload. @returns false when it is not queued (any more) */
  beginUpload(ctx: Ctx, id: string, uploadId: string, now: Instant): Promise<boolean>;
  /** @returns false when the image was deleted meanwhile */
  finishUpload(ctx: Ctx, id: string, uploadId: string, facts: DataFacts, now: Instant): Promise<boolean>;
  /**
   * Puts an image whose upload broke back to queued.
   * @returns false when the upload had come to its end all the same, and the data is the image's
   */
  abandonUpload(ctx: Ctx, id: string, uploadId: string, now: Instant): Promise<boolean>;
  /** Some images that are `saving`, by their uploads, those that have been for longest first. */
  saving(ctx: Ctx): Promise<readonly { readonly id: string; readonly uploadId: string }[]>;
  /** After a start: nobody uploads any more. */
  recover(ctx: Ctx, now: Instant): Promise<void>;
  /** @returns those of the uploads whose data belongs to an image */
  owned(ctx: Ctx, uploadIds: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Many times what one process has under way. */
const SAVING_AT_ONCE = 1_000;

type Db = Kysely<ImageTables>;
type Builder = ExpressionBuilder<ImageTables, "image_image">;

export function imageStore(db: Database<ImageTables>): ImageStore {
  const step = async (
    ctx: Ctx,
    name: string,
    id: string,
    from: { status: ImageStatus; uploadId?: string },
    set: Record<string, unknown>,
  ): Promise<boolean> =>
    db.statement(ctx, name, async (tx) => {
      const query = tx
        .updateTable("image_image")
        .set(set)
        .where("id", "=", id)
        .where("status", "=", from.status);
      const done = await (
        from.uploadId === undefined ? query : query.where("upload_id", "=", from.uploadId)
      ).executeTakeFirstOrThrow();
      return done.numUpdatedRows > 0n;
    });
  const owned: ImageStore["owned"] = async (ctx, uploadIds) => {
    if (uploadIds.length === 0) return new Set();
    const rows = await db.statement(ctx, "image.owned", (tx) =>
      tx.selectFrom("image_image").select("upload_id").where("upload_id", "in", uploadIds).execute(),
    );
    return new Set(rows.flatMap((row) => row.upload_id ?? []));
  };
  return {
    get: async (ctx, actor, id) => {
      const row = await db.statement(ctx, "image.get", (tx) =>
        select(tx).where("id", "=", id).where(readable(actor)).executeTakeFirst(),
      );
      if (!row) throw E.IMAGE_NOT_FOUND({ id });
      return fromRow(row);
    },
    list: (ctx, actor, query) => db.read(ctx, "image.list", (tx) => list(tx, actor, query)),
    usage: (ctx, owner) => db.statement(ctx, "image.usage", (tx) => usageOf(tx, owner)),
    insert: async (ctx, id, attributes, now) => {
      try {
        await db.write(ctx, "image.insert", async (tx) => {
          // Stays when the image goes: whoever still names this id never gets another image for it.
          await tx.insertInto("image_id").values({ id }).execute();
          await tx
            .insertInto("image_image")
            .values({
              ...columnsOf(attributes),
              id,
              status: "queued",
              size: null,
              virtual_size: null,
              checksum: null,
              hash_algo: null,
              hash_value: null,
              upload_id: null,
              created_at: now,
              updated_at: now,
            })
            .execute();
          await writeTags(tx, id, attributes.tags);
        });
      } catch (error) {
        if (violates(error, "image_id_pkey")) throw E.IMAGE_EXISTS({ id }, { cause: error });
        throw error;
      }
    },
    update: (ctx, actor, id, now, change) =>
      db.write(ctx, "image.update", async (tx) => {
        const image = await load(tx, actor, id);
        const attributes = change(image);
        await tx
          .updateTable("image_image")
          .set({ ...columnsOf(attributes), updated_at: now })
          .where("id", "=", id)
          .execute();
        await tx.deleteFrom("image_tag").where("image_id", "=", id).execute();
        await writeTags(tx, id, attributes.tags);
        return { ...image, ...attributes, tags: [...attributes.tags].sort(), updatedAt: now };
      }),
    remove: (ctx, actor, id, check) =>
      db.write(ctx, "image.remove", async (tx) => {
        const image = await load(tx, actor, id);
        check(image);
        await tx.deleteFrom("image_image").where("id", "=", id).execute();
        return image;
      }),
    transition: (ctx, id, from, to, now) =>
      step(ctx, "image.transition", id, { status: from }, { status: to, updated_at: now }),
    beginUpload: (ctx, id, uploadId, now) =>
      step(
        ctx,
        "image.upload.begin",
        id,
        { status: "queued" },
        { status: "saving", upload_id: uploadId, updated_at: now },
      ),
    finishUpload: (ctx, id, uploadId, facts, now) =>
      step(
        ctx,
        "image.upload.finish",
        id,
        { status: "saving", uploadId },
        {
          status: "active",
          size: facts.size,
          virtual_size: facts.virtualSize,
          checksum: facts.checksum,
          hash_algo: facts.hashAlgo,
          hash_value: facts.hashValue,
          updated_at: now,
        },
      ),
    abandonUpload: async (ctx, id, uploadId, now) => {
      const abandoned = await step(
        ctx,
        "image.upload.abandon",
        id,
        { status: "saving", uploadId },
        { status: "queued", upload_id: null, updated_at: now },
      );
      return abandoned || (await owned(ctx, [uploadId])).size === 0;
    },
    saving: async (ctx) => {
      const rows = await db.statement(ctx, "image.saving", (tx) =>
        tx
          .selectFrom("image_image")
          .select(["id", "upload_id"])
          .where("status", "=", "saving")
          .where("upload_id", "is not", null)
          .orderBy("updated_at")
          .limit(SAVING_AT_ONCE)
          .execute(),
      );
      return rows.flatMap(({ id, upload_id: uploadId }) => (uploadId === null ? [] : [{ id, uploadId }]));
    },
    owned,
    recover: async (ctx, now) => {
      await db.write(ctx, "image.recover", (tx) =>
        tx
          .updateTable("image_image")
          .set({ status: "queued", upload_id: null, updated_at: now })
          .where("status", "=", "saving")
          .execute(),
      );
    },
  };
}

async function usageOf(tx: Db, owner: string): Promise<{ images: number; bytes: number }> {
  const row = await tx
    .selectFrom("image_image")
    .select(({ fn }) => [fn.countAll().as("images"), fn.sum("size").as("bytes")])
    .where("owner", "=", owner)
    .executeTakeFirstOrThrow();
  return { images: Number(row.images), bytes: Number(row.bytes ?? 0) };
}

const select = (tx: Db) =>
  tx
    .selectFrom("image_image")
    .selectAll("image_image")
    .select((eb) =>
      jsonArrayFrom(
        eb
          .selectFrom("image_tag as t")
          .select("t.tag")
          .whereRef("t.image_id", "=", "image_image.id")
          .orderBy("t.tag"),
      ).as("tags"),
    );

async function load(tx: Db, actor: Actor, id: string): Promise<Image> {
  const row = await select(tx).where("id", "=", id).where(readable(actor)).executeTakeFirst();
  if (!row) throw E.IMAGE_NOT_FOUND({ id });
  return fromRow(row);
}

async function writeTags(tx: Db, id: string, tags: readonly string[]): Promise<void> {
  if (tags.length > 0)
    await tx
      .insertInto("image_tag")
      .values(tags.map((tag) => ({ image_id: id, tag })))
      .execute();
}

async function list(tx: Db, actor: Actor, query: ImageListQuery): Promise<Image[]> {
  if (query.limit === 0) return [];
  let rows = select(tx)
    .where(listed(actor, query))
    .where((eb) => conditions(eb, query));
  if (query.marker !== undefined) {
    const marker = await select(tx).where("id", "=", query.marker).where(readable(actor)).executeTakeFirst();
    if (!marker) throw E.INVALID({ problem: `Invalid marker: no image ${query.marker}.` });
    rows = rows.where((eb) => after(eb, query.sort, marker));
  }
  for (const { column, descending } of query.sort)
    rows = rows.orderBy(sortKey(column), descending ? "desc" : "asc");
  return (await rows.limit(query.limit).execute()).map(fromRow);
}

function conditions(eb: Builder, query: ImageListQuery): Expression<SqlBool> {
  return eb.and([
    eb("hidden", "=", query.hidden),
    ...(query.protected === undefined ? [] : [eb("protected", "=", query.protected)]),
    ...query.text.map(({ column, anyOf }) =>
      eb(column === "status" ? sql<string>`status` : column, "in", anyOf.length === 0 ? [""] : anyOf),
    ),
    ...query.numbers.map(({ column, op, value }) => eb(column, op, value)),
    ...query.times.map(({ column, op, value }) => eb(column, op, value)),
    ...query.properties.map(
      ({ name, value }) => sql<SqlBool>`${sql.ref("image_image.properties")} ->> ${name} = ${value}`,
    ),
    ...query.tags.map((tag) =>
      eb.exists(
        eb
          .selectFrom("image_tag")
          .select("tag")
          .whereRef("image_id", "=", "image_image.id")
          .where("tag", "=", tag),
      ),
    ),
  ]);
}

/**
 * Sorting never meets NULL: absent text is "", an absent size -1. Text compares by code points on every
 * database.
 */
const sortKey = (column: SortColumn) => {
  if (column === "size") return sql<number>`coalesce(${sql.ref("image_image.size")}, -1)`;
  if (column === "created_at" || column === "updated_at")
    return sql<Instant>`${sql.ref(`image_image.${column}`)}`;
  return sql<string>`coalesce(${sql.ref(`image_image.${column}`)}, '') collate "C"`;
};

const sortValue = (row: Selectable<ImageTables["image_image"]>, column: SortColumn): unknown =>
  column === "size" ? (row.size ?? -1) : (row[column] ?? "");

/** Rows behind the marker in an order of several columns with directions of their own. */
function after(
  eb: Builder,
  sort: ImageListQuery["sort"],
  marker: Selectable<ImageTables["image_image"]>,
): Expression<SqlBool> {
  return eb.or(
    sort.map(({ column, descending }, at) =>
      eb.and([
        ...sort
          .slice(0, at)
          .map((earlier) => sql<SqlBool>`${sortKey(earlier.column)} = ${sortValue(marker, earlier.column)}`),
        descending
          ? sql<SqlBool>`${sortKey(column)} < ${sortValue(marker, column)}`
          : sql<SqlBool>`${sortKey(column)} > ${sortValue(marker, column)}`,
      ]),
    ),
  );
}

const columnsOf = (attributes: Attributes) => ({
  name: attributes.name,
  owner: attributes.owner,
  visibility: attributes.visibility,
  protected: attributes.protected,
  hidden: attributes.hidden,
  disk_format: attributes.diskFormat,
  container_format: attributes.containerFormat,
  min_disk: attributes.minDisk,
  min_ram: attributes.minRam,
  properties: sqlJson<Record<string, string>>({ ...attributes.properties }),
});

const fromRow = (row: Selectable<ImageTables["image_image"]> & { tags: { tag: string }[] }): Image => ({
  id: row.id,
  name: row.name,
  owner: row.owner,
  status: row.status,
  visibility: row.visibility,
  protected: row.protected,
  hidden: row.hidden,
  diskFormat: row.disk_format,
  containerFormat: row.container_format,
  minDisk: row.min_disk,
  minRam: row.min_ram,
  size: row.size,
  virtualSize: row.virtual_size,
  checksum: row.checksum,
  hashAlgo: row.hash_algo,
  hashValue: row.hash_value,
  uploadId: row.upload_id,
  properties: row.properties,
  tags: row.tags.map(({ tag }) => tag),
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
