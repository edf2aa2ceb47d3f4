import { sql } from "kysely";
import type { Transaction } from "kysely";
import type { Clock } from "../../../kernel/time.js";
import { sqlTime } from "../../../platform/db/index.js";
import type { LedgerDiff, LedgerProvider, LedgerSnapshot } from "../../domain/ledger-types.js";
import type { Tombstone } from "../../domain/model.js";
import { groupBy, readConsumers, toInventory } from "./reader.js";
import type { InventoryRow, PlacementTables } from "./tables.js";

type Tx = Transaction<PlacementTables>;

/**
 * A transaction and what raw statements in it need: the query builder names the schema by itself, raw text
 * does not.
 */
export interface Place {
  readonly tx: Tx;
  readonly schema: string;
  readonly clock: Clock;
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

/** Three reads whatever the number of consumers: a batch of claims costs as many statements as one. */
export async function loadLedger(
  { tx, schema }: Place,
  consumerIds: readonly string[],
  providerIds: readonly string[],
): Promise<LedgerSnapshot> {
  const ids = distinct(consumerIds);
  const consumers = await readConsumers(tx, { ids });
  const concerned = distinct([
    ...providerIds,
    ...consumers.flatMap(({ holdings }) => holdings.map((one) => one.providerId)),
  ]);
  const { rows: tombstones } =
    await sql<Tombstone>`SELECT consumer_id AS "consumerId", operation, fence FROM ${sql.id(schema, "tombstone")}
    WHERE consumer_id = any(${ids}::text[])`.execute(tx);
  return { consumers, tombstones, providers: await loadProviders({ tx, schema }, concerned) };
}

async function loadProviders(
  { tx, schema }: Pick<Place, "tx" | "schema">,
  ids: readonly string[],
): Promise<LedgerProvider[]> {
  type Row = { id: string; generation: number; root_id: string } & (InventoryRow | { resource_class: null });
  const { rows } =
    await sql<Row>`SELECT p.id, p.generation, p.root_id, i.resource_class, i.total, i.reserved, i.min_unit, i.max_unit, i.step_size, i.allocation_ratio, i.used
    FROM ${sql.id(schema, "provider")} AS p LEFT JOIN ${sql.id(schema, "inventory")} AS i ON i.provider_id = p.id
    WHERE p.id = any(${ids}::text[]) ORDER BY p.id, i.resource_class`.execute(tx);
  return [
    ...groupBy(
      rows,
      ({ id }) => id,
      (row) => row,
    ),
  ].map(([id, mine]) => ({
    id,
    generation: mine[0]?.generation ?? 0,
    rootId: mine[0]?.root_id ?? id,
    inventories: mine.flatMap((row) => (row.resource_class === null ? [] : [toInventory(row)])),
  }));
}

/**
 * Writes the decisions: one statement for what comes, others only where something goes. They take arrays, so
 * that their texts stay the same and can be prepared. CockroachDB refuses two changes of one table in one
 * statement.
 */
export async function saveLedger(place: Place, diff: LedgerDiff): Promise<void> {
  if (diff.removedConsumers.length > 0 || diff.removedAllocations.length > 0) await saveRemovals(place, diff);
  if (diff.usages.length > 0 || diff.consumers.length > 0) await saveHoldings(place, diff);
  if (diff.tombstones.length > 0) await saveTombstones(place, diff.tombstones);
}

async function saveRemovals(
  { tx, schema }: Place,
  { removedConsumers, removedAllocations }: LedgerDiff,
): Promise<void> {
  await sql`WITH consumers AS (DELETE FROM ${sql.id(schema, "consumer")} WHERE id = any(${[...removedConsumers]}::text[]) RETURNING id)
    DELETE FROM ${sql.id(schema, "allocation")} AS a
    USING unnest(${removedAllocations.map((one) => one.consumerId)}::text[], ${removedAllocations.map((one) => one.providerId)}::text[],
                 ${removedAllocations.map((one) => one.resourceClass)}::text[]) AS v (consumer_id, provider_id, resource_class)
    WHERE a.consumer_id = v.consumer_id AND a.provider_id = v.provider_id AND a.resource_class = v.resource_class`.execute(
    tx,
  );
}

async function saveHoldings(
  { tx, schema }: Place,
  { usages, consumers, allocations }: LedgerDiff,
): Promise<void> {
  await sql`WITH usages AS (
      UPDATE ${sql.id(schema, "inventory")} AS i SET used = v.used
      FROM unnest(${usages.map((one) => one.providerId)}::text[], ${usages.map((one) => one.resourceClass)}::text[],
                  ${usages.map((one) => one.used)}::int8[]) AS v (provider_id, resource_class, used)
      WHERE i.provider_id = v.provider_id AND i.resource_class = v.resource_class RETURNING i.provider_id
    ), consumers AS (
      INSERT INTO ${sql.id(schema, "consumer")} (id, generation, project_id, user_id, consumer_type, claim_operation, claim_fence)
      SELECT * FROM unnest(${consumers.map((one) => one.consumerId)}::text[], ${consumers.map((one) => one.generation)}::int8[],
        ${consumers.map((one) => one.projectId)}::text[], ${consumers.map((one) => one.userId)}::text[], ${consumers.map((one) => one.consumerType)}::text[],
        ${consumers.map((one) => one.claimOperation)}::text[], ${consumers.map((one) => one.claimFence)}::int8[]) AS v
      ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, project_id = excluded.project_id, user_id = excluded.user_id,
        consumer_type = excluded.consumer_type, claim_operation = excluded.claim_operation, claim_fence = excluded.claim_fence
      RETURNING id
    )
    INSERT INTO ${sql.id(schema, "allocation")} (consumer_id, provider_id, resource_class, amount)
    SELECT * FROM unnest(${allocations.map((one) => one.consumerId)}::text[], ${allocations.map((one) => one.providerId)}::text[],
      ${allocations.map((one) => one.resourceClass)}::text[], ${allocations.map((one) => one.amount)}::int8[]) AS v
    ON CONFLICT (consumer_id, provider_id, resource_class) DO UPDATE SET amount = excluded.amount`.execute(
    tx,
  );
}

async function saveTombstones({ tx, schema, clock }: Place, tombstones: readonly Tombstone[]): Promise<void> {
  await sql`INSERT INTO ${sql.id(schema, "tombstone")} (consumer_id, operation, fence, buried_at)
    SELECT v.consumer_id, v.operation, v.fence, ${sqlTime(clock.now())}::timestamptz
    FROM unnest(${tombstones.map((one) => one.consumerId)}::text[], ${tombstones.map((one) => one.operation)}::text[],
                ${tombstones.map((one) => one.fence)}::int8[]) AS v (consumer_id, operation, fence)
    ON CONFLICT (consumer_id, operation) DO UPDATE SET fence = excluded.fence, buried_at = excluded.buried_at`.execute(
    tx,
  );
}
