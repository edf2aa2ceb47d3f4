import { sql } from "kysely";
import type { Kysely } from "kysely";
import type { Consumer, Holding, Inventory, Provider, ProviderDetails, Shape } from "../../domain/model.js";
import type { Changes, NameKind, PlacementReader, ProviderFilter } from "../../ports.js";
import type { InventoryRow, PlacementTables } from "./tables.js";

type Db = Kysely<PlacementTables>;

/** Reads through one transaction. */
export const sqlReader = (db: Db): PlacementReader => ({
  providers: (filter) => readProviders(db, filter),
  inventories: (ids) => readInventories(db, ids),
  shapes: (ids) => readShapes(db, ids),
  consumers: (by) => readConsumers(db, by),
  usages: (by) => readUsages(db, by),
  customNames: (kind, names) => readNames(db, kind, names),
  associatedTraits: async () => {
    const rows = await db
      .selectFrom("provider_shape")
      .select(sql<string>`unnest(traits)`.as("trait"))
      .distinct()
      .execute();
    return new Set(rows.map(({ trait }) => trait));
  },
  head: () => readHead(db),
  changesAfter: (revision) => readChanges(db, revision),
});

const any = (values: readonly string[]) => sql<string>`any(${[...values]}::text[])`;

export const readHead = async (db: Db): Promise<number> =>
  (await db.selectFrom("head").select("revision").where("id", "=", 1).executeTakeFirstOrThrow()).revision;

const PROVIDER = ["id", "name", "generation", "parent_id", "root_id", "updated_at"] as const;

async function readProviders(db: Db, filter: ProviderFilter): Promise<Provider[]> {
  let query = db.selectFrom("provider").select(PROVIDER).orderBy("name").orderBy("id");
  if (filter.ids !== undefined) query = query.where("id", "=", any(filter.ids));
  if (filter.name !== undefined) query = query.where("name", "=", filter.name);
  const { inTreeOf } = filter;
  if (inTreeOf !== undefined)
    query = query.where("root_id", "=", (one) =>
      one.selectFrom("provider as member").select("member.root_id").where("member.id", "=", inTreeOf),
    );
  return (await query.execute()).map(toProvider);
}

const toProvider = (row: Pick<PlacementTables["provider"], (typeof PROVIDER)[number]>): Provider => ({
  id: row.id,
  name: row.name,
  generation: row.generation,
  parentId: row.parent_id,
  rootId: row.root_id,
  updatedAt: row.updated_at,
});

export const toInventory = (row: InventoryRow): Inventory => ({
  resourceClass: row.resource_class,
  total: row.total,
  reserved: row.reserved,
  minUnit: row.min_unit,
  maxUnit: row.max_unit,
  stepSize: row.step_size,
  allocationRatio: row.allocation_ratio,
  used: row.used,
});

async function readInventories(db: Db, ids: readonly string[]): Promise<Map<string, Inventory[]>> {
  const rows = await db
    .selectFrom("inventory")
    .selectAll()
    .where("provider_id", "=", any(ids))
    .orderBy("provider_id")
    .orderBy("resource_class")
    .execute();
  return groupBy(rows, (row) => row.provider_id, toInventory);
}

async function readShapes(db: Db, ids: readonly string[]): Promise<Map<string, Shape>> {
  const rows = await db
    .selectFrom("provider_shape")
    .selectAll()
    .where("provider_id", "=", any(ids))
    .execute();
  return new Map(rows.map(({ provider_id, traits, aggregates }) => [provider_id, { traits, aggregates }]));
}

export async function readConsumers(
  db: Db,
  by: { readonly ids: readonly string[] } | { readonly providerId: string },
): Promise<Consumer[]> {
  const query = db
    .selectFrom("consumer as c")
    .innerJoin("allocation as a", "a.consumer_id", "c.id")
    .select([
      "c.id",
      "c.generation",
      "c.project_id",
      "c.user_id",
      "c.consumer_type",
      "c.claim_operation",
      "c.claim_fence",
      "a.provider_id",
      "a.resource_class",
      "a.amount",
    ])
    .orderBy("c.id")
    .orderBy("a.provider_id")
    .orderBy("a.resource_class");
  const rows = await (
    "ids" in by
      ? query.where("c.id", "=", any(by.ids))
      : query.where("c.id", "in", (one) =>
          one
            .selectFrom("allocation as mine")
            .select("mine.consumer_id")
            .where("mine.provider_id", "=", by.providerId),
        )
  ).execute();
  return [
    ...groupBy(
      rows,
      (row) => row.id,
      (row) => row,
    ).values(),
  ].flatMap((mine) => {
    const [first] = mine;
    if (first === undefined) return [];
    const holdings: Holding[] = [
      ...groupBy(
        mine,
        (row) => row.provider_id,
        (row) => [row.resource_class, row.amount] as const,
      ),
    ].map(([providerId, amounts]) => ({ providerId, resources: new Map(amounts) }));
    return [
      {
        consumerId: first.id,
        generation: first.generation,
        projectId: first.project_id,
        userId: first.user_id,
        consumerType: first.consumer_type,
        claimOperation: first.claim_operation,
        claimFence: first.claim_fence,
        holdings,
      },
    ];
  });
}

async function readUsages(
  db: Db,
  by: { readonly projectId: string; readonly userId?: string; readonly consumerType?: string },
): ReturnType<PlacementReader["usages"]> {
  let consumers = db.selectFrom("consumer as c").where("c.project_id", "=", by.projectId);
  if (by.userId !== undefined) consumers = consumers.where("c.user_id", "=", by.userId);
  if (by.consumerType !== undefined) consumers = consumers.where("c.consumer_type", "=", by.consumerType);
  const rows = await consumers
    .innerJoin("allocation as a", "a.consumer_id", "c.id")
    .select(["c.consumer_type", "a.resource_class", sql<number>`sum(a.amount)::int8`.as("used")])
    .groupBy(["c.consumer_type", "a.resource_class"])
    .orderBy("c.consumer_type")
    .orderBy("a.resource_class")
    .execute();
  const counts = await consumers
    .select(["c.consumer_type", sql<number>`count(*)`.as("count")])
    .groupBy("c.consumer_type")
    .execute();
  return {
    rows: rows.map((row) => ({
      consumerType: row.consumer_type,
      resourceClass: row.resource_class,
      used: row.used,
    })),
    counts: new Map(counts.map((row) => [row.consumer_type, row.count])),
  };
}

async function readNames(db: Db, kind: NameKind, names?: readonly string[]): Promise<string[]> {
  const query = db.selectFrom(nameTable(kind)).select("name").orderBy("name");
  return (await (names === undefined ? query : query.where("name", "=", any(names))).execute()).map(
    ({ name }) => name,
  );
}

export const nameTable = (kind: NameKind): "custom_trait" | "custom_resource_class" =>
  kind === "trait" ? "custom_trait" : "custom_resource_class";

async function readChanges(db: Db, after: number): Promise<Changes> {
  const revision = await readHead(db);
  const rows = await db
    .selectFrom("provider")
    .select([...PROVIDER, "shape_revision"])
    .where("revision", ">", after)
    .orderBy("id")
    .execute();
  const all = rows.map(({ id }) => id);
  const reshaped = rows.filter((row) => row.shape_revision > after).map(({ id }) => id);
  const inventories = all.length === 0 ? new Map<string, Inventory[]>() : await readInventories(db, all);
  const shapes = reshaped.length === 0 ? new Map<string, Shape>() : await readShapes(db, reshaped);
  const deleted = await db
    .selectFrom("provider_deletion")
    .select("provider_id")
    .where("revision", ">", after)
    .execute();
  const details = (row: (typeof rows)[number]): ProviderDetails => {
    const { traits, aggregates } = shapes.get(row.id) ?? { traits: [], aggregates: [] };
    return { ...toProvider(row), inventories: inventories.get(row.id) ?? [], traits, aggregates };
  };
  return {
    revision,
    providers: rows.filter((row) => row.shape_revision > after).map(details),
    usedProviders: rows.filter((row) => row.shape_revision <= after).map(details),
    deletedProviderIds: deleted.map((row) => row.provider_id),
  };
}

export function groupBy<T, R>(
  items: readonly T[],
  keyOf: (item: T) => string,
  map: (item: T) => R,
): Map<string, R[]> {
  const groups = new Map<string, R[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [map(item)]);
    else group.push(map(item));
  }
  return groups;
}
