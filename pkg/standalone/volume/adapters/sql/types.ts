import type { Kysely, Selectable, Transaction } from "kysely";
import { sqlJson } from "../../../../platform/db/index.js";
import type { Actor } from "../../../../kernel/index.js";
import { parseUuid } from "../../../../kernel/index.js";
import { DEFAULT_TYPE } from "../../domain/model.js";
import type { VolumeType } from "../../domain/model.js";
import { isAdmin } from "../../domain/policy.js";
import { E } from "../../errors.js";
import type { VolumeTables } from "./tables.js";

type Db = Kysely<VolumeTables>;
type Tx = Transaction<VolumeTables>;

/** Types that the actor may see: public ones; administrators all. By name. */
export async function listTypes(db: Db, actor: Actor): Promise<VolumeType[]> {
  let query = db.selectFrom("volume_type").selectAll().orderBy("created_at").orderBy("id");
  if (!isAdmin(actor)) query = query.where("is_public", "=", true);
  return (await query.execute()).map(toType);
}

/** @throws TYPE_NOT_FOUND, also when the actor may not see it */
export async function getType(db: Db, actor: Actor, id: string): Promise<VolumeType> {
  const found = (await listTypes(db, actor)).find((type) => type.id === id);
  if (!found) throw E.TYPE_NOT_FOUND({ id });
  return found;
}

/** @throws TYPE_NAME_NOT_FOUND, TYPE_NOT_FOUND */
export async function typeByNameOrId(db: Db, actor: Actor, wish: string): Promise<VolumeType> {
  const types = await listTypes(db, actor);
  const found = types.find((type) => type.id === wish) ?? types.find((type) => type.name === wish);
  if (found) return found;
  throw parseUuid(wish) === undefined
    ? E.TYPE_NAME_NOT_FOUND({ name: wish })
    : E.TYPE_NOT_FOUND({ id: wish });
}

/** The type of volumes for which nobody names one: there since the first start. */
export async function defaultType(db: Db): Promise<VolumeType> {
  const row = await db
    .selectFrom("volume_type")
    .selectAll()
    .where("name", "=", DEFAULT_TYPE)
    .executeTakeFirst();
  if (!row) throw E.TYPE_NAME_NOT_FOUND({ name: DEFAULT_TYPE });
  return toType(row);
}

/** Repeatable. */
export async function seedDefaultType(tx: Tx, id: string, now: bigint): Promise<void> {
  await tx
    .insertInto("volume_type")
    .values({
      id,
      name: DEFAULT_TYPE,
      description: "Default Volume Type",
      is_public: true,
      extra_specs: sqlJson({}),
      created_at: now,
    })
    .onConflict((oc) => oc.column("name").doNothing())
    .execute();
}

/** @throws TYPE_EXISTS */
export async function insertType(tx: Tx, type: VolumeType): Promise<void> {
  const taken = await tx
    .selectFrom("volume_type")
    .select("id")
    .where("name", "=", type.name)
    .executeTakeFirst();
  if (taken) throw E.TYPE_EXISTS({ name: type.name });
  await tx
    .insertInto("volume_type")
    .values({
      id: type.id,
      name: type.name,
      description: type.description,
      is_public: type.isPublic,
      extra_specs: sqlJson(type.extraSpecs),
      created_at: type.createdAt,
    })
    .execute();
}

export async function setExtraSpecs(
  tx: Tx,
  id: string,
  extraSpecs: Readonly<Record<string, string>>,
): Promise<void> {
  await tx
    .updateTable("volume_type")
    .set({ extra_specs: sqlJson(extraSpecs) })
    .where("id", "=", id)
    .execute();
}

/** @throws TYPE_IN_USE */
export async function deleteType(tx: Tx, id: string): Promise<void> {
  const used = await tx
    .selectFrom("volume_volume")
    .select("id")
    .where("type_id", "=", id)
    .limit(1)
    .executeTakeFirst();
  if (used) throw E.TYPE_IN_USE({});
  await tx.deleteFrom("volume_type").where("id", "=", id).execute();
}

const toType = (row: Selectable<VolumeTables["volume_type"]>): VolumeType => ({
  id: row.id,
  name: row.name,
  description: row.description,
  isPublic: row.is_public,
  extraSpecs: row.extra_specs,
  createdAt: row.created_at,
});
