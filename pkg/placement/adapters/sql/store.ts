import { sql } from "kysely";
import type { Clock } from "../../../kernel/time.js";
import { sqlTime, violates } from "../../../platform/db/index.js";
import type { Database } from "../../../platform/db/index.js";
import { E } from "../../errors.js";
import type { PlacementStore, PlacementWriter } from "../../ports.js";
import { loadLedger, saveLedger } from "./ledger-store.js";
import type { Place } from "./ledger-store.js";
import { nameTable, readHead, sqlReader } from "./reader.js";
import type { PlacementTables } from "./tables.js";

/** What one transaction changed: written with the head's new revision at its end. */
interface Touched {
  readonly shapes: Set<string>;
  /** New generation by provider. */
  readonly generations: Map<string, number>;
  readonly deleted: Set<string>;
}

/** Placement's data in PostgreSQL or CockroachDB. */
export function sqlStore(db: Database<PlacementTables>, clock: Clock): PlacementStore {
  return {
    read: (ctx, name, fn) => db.read(ctx, name, (tx) => fn(sqlReader(tx))),
    head: (ctx) => db.statement(ctx, "placement.head", readHead),
    write: async (ctx, name, fn) => {
      try {
        return await db.write(ctx, name, async (tx) => {
          const touched: Touched = { shapes: new Set(), generations: new Map(), deleted: new Set() };
          const place = { tx, schema: db.schema, clock };
          const result = await fn(sqlWriter(place, touched));
          return { result, revision: await moveHead(place, touched) };
        });
      } catch (error) {
        // Another replica took it a moment ago.
        if (violates(error, "provider_name"))
          throw E.PROVIDER_EXISTS({ duplicate: "name" }, { cause: error });
        if (violates(error, "provider_pkey"))
          throw E.PROVIDER_EXISTS({ duplicate: "uuid" }, { cause: error });
        throw error;
      }
    },
    sweepTombstones: (ctx, olderThanMs) =>
      db.statement(ctx, "placement.sweep-tombstones", async (one) => {
        const { numDeletedRows } = await one
          .deleteFrom("tombstone")
          .where("buried_at", "<", clock.now() - BigInt(olderThanMs) * 1000n)
          .executeTakeFirstOrThrow();
        return Number(numDeletedRows);
      }),
  };
}

function sqlWriter(place: Place, touched: Touched): PlacementWriter {
  const { tx, clock } = place;
  return {
    ...sqlReader(tx),
    insertProvider: async ({ id, name, parentId, rootId }) => {
      await tx
        .insertInto("provider")
        .values({
          id,
          name,
          generation: 0,
          parent_id: parentId,
          root_id: rootId,
          revision: 0,
          shape_revision: 0,
          updated_at: clock.now(),
        })
        .execute();
      await tx.insertInto("provider_shape").values({ provider_id: id, traits: [], aggregates: [] }).execute();
      await tx.deleteFrom("provider_deletion").where("provider_id", "=", id).execute();
      touched.shapes.add(id);
    },
    updateProvider: async ({ id, name, parentId, rootId }) => {
      await tx
        .updateTable("provider")
        .set({ name, parent_id: parentId, root_id: rootId })
        .where("id", "=", id)
        .execute();
      touched.shapes.add(id);
    },
    deleteProvider: async (id) => {
      await tx.deleteFrom("inventory").where("provider_id", "=", id).execute();
      await tx.deleteFrom("provider_shape").where("provider_id", "=", id).execute();
      await tx.deleteFrom("provider").where("id", "=", id).execute();
      touched.deleted.add(id);
    },
    bumpGeneration: async (id, to) => {
      touched.generations.set(id, to);
    },
    saveInventories: async (providerId, put, remove) => {
      if (remove.length > 0)
        await tx
          .deleteFrom("inventory")
          .where("provider_id", "=", providerId)
          .where("resource_class", "=", sql<string>`any(${[...remove]}::text[])`)
          .execute();
      for (const one of put) {
        const values = {
          total: one.total,
          reserved: one.reserved,
          min_unit: one.minUnit,
          max_unit: one.maxUnit,
          step_size: one.stepSize,
          allocation_ratio: one.allocationRatio,
        };
        await tx
          .insertInto("inventory")
          .values({ provider_id: providerId, resource_class: one.resourceClass, used: 0, ...values })
          .onConflict((conflict) => conflict.columns(["provider_id", "resource_class"]).doUpdateSet(values))
          .execute();
      }
      touched.shapes.add(providerId);
    },
    saveShape: async (providerId, { traits, aggregates }) => {
      await tx
        .updateTable("provider_shape")
        .set({ traits: [...traits], aggregates: [...aggregates] })
        .where("provider_id", "=", providerId)
        .execute();
      touched.shapes.add(providerId);
    },
    addName: async (kind, name) => {
      const { numInsertedOrUpdatedRows } = await tx
        .insertInto(nameTable(kind))
        .values({ name })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirstOrThrow();
      return numInsertedOrUpdatedRows === 1n;
    },
    removeName: async (kind, name) =>
      (await tx.deleteFrom(nameTable(kind)).where("name", "=", name).executeTakeFirstOrThrow())
        .numDeletedRows === 1n,
    renameClass: async (from, to) => {
      await tx.updateTable("custom_resource_class").set({ name: to }).where("name", "=", from).execute();
      const rows = await tx
        .updateTable("inventory")
        .set({ resource_class: to })
        .where("resource_class", "=", from)
        .returning("provider_id")
        .execute();
      await tx
        .updateTable("allocation")
        .set({ resource_class: to })
        .where("resource_class", "=", from)
        .execute();
      for (const { provider_id } of rows) touched.shapes.add(provider_id);
    },
    classInUse: async (name) =>
      (await tx
        .selectFrom("inventory")
        .select("provider_id")
        .where("resource_class", "=", name)
        .limit(1)
        .executeTakeFirst()) !== undefined,
    loadLedger: (consumerIds, providerIds) => loadLedger(place, consumerIds, providerIds),
    saveLedger: async (diff) => {
      await saveLedger(place, diff);
      for (const { id, generation } of diff.providers) touched.generations.set(id, generation);
    },
  };
}

/**
 * Moves the head by one and stamps what changed with it, as the last statement, so that concurrent writers of
 * other replicas meet as late as possible. Under SERIALIZABLE the update is conditional on what the
 * transaction saw.
 */
async function moveHead(
  { tx, schema, clock }: Place,
  { shapes, generations, deleted }: Touched,
): Promise<number> {
  const ids = [...new Set([...shapes, ...generations.keys()])].filter((id) => !deleted.has(id));
  if (ids.length === 0 && deleted.size === 0) return readHead(tx);
  const {
    rows: [head],
  } = await sql<{ revision: number }>`WITH moved AS (
      UPDATE ${sql.id(schema, "head")} SET revision = revision + 1 WHERE id = 1 RETURNING revision
    ), stamped AS (
      UPDATE ${sql.id(schema, "provider")} AS p SET revision = moved.revision, updated_at = ${sqlTime(clock.now())}::timestamptz,
        generation = coalesce(v.generation, p.generation), shape_revision = CASE WHEN v.reshaped THEN moved.revision ELSE p.shape_revision END
      FROM moved, unnest(${ids}::text[], ${ids.map((id) => generations.get(id) ?? null)}::int8[], ${ids.map((id) => shapes.has(id))}::bool[])
        AS v (id, generation, reshaped)
      WHERE p.id = v.id RETURNING p.id
    ) SELECT revision FROM moved`.execute(tx);
  if (head === undefined) throw new Error("the head row is missing");
  const { revision } = head;
  for (const id of deleted)
    await tx.insertInto("provider_deletion").values({ provider_id: id, revision }).execute();
  return revision;
}
