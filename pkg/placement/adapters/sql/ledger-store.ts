import { sql } from "kysely";
import type { Transaction } from "kysely";
import type { Clock } from "../../../kernel/time.js";
import { sqlTime } from "../../../platform/db/index.js";
import type { LedgerDiff, LedgerSnapshot } from "../../domain/ledger.js";
import { readConsumers, readInventories } from "./reader.js";
import type { PlacementTables } from "./tables.js";

type Tx = Transaction<PlacementTables>;

/** A transaction and what raw statements in it need: the query builder names the schema by itself, raw text does not. */
export interface Place {
  readonly tx: Tx;
  readonly schema: string;
  readonly clock: Clock;
}

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

/** Four reads whatever the number of consumers: a batch of claims costs as many statements as one. */
export async function loadLedger(tx: Tx, consumerIds: readonly string[], providerIds: readonly string[]): Promise<LedgerSnapshot> {
  const ids = distinct(consumerIds);
  const consumers = await readConsumers(tx, { ids });
  const tombstones = await tx.selectFrom("tombstone").select(["consumer_id", "operation", "fence"]).where("consumer_id", "=", sql<string>`any(${ids}::text[])`).execute();
  const concerned = distinct([...providerIds, ...consumers.flatMap(({ holdings }) => holdings.map((one) => one.providerId))]);
  const providers = await tx.selectFrom("provider").select(["id", "generation"]).where("id", "=", sql<string>`any(${concerned}::text[])`).execute();
  const inventories = await readInventories(tx, concerned);
  return {
    consumers,
    tombstones: tombstones.map((row) => ({ consumerId: row.consumer_id, operation: row.operation, fence: row.fence })),
    providers: providers.map(({ id, generation }) => ({ id, generation, inventories: inventories.get(id) ?? [] })),
  };
}

/** Writes the decisions; statements take arrays, so that their texts stay the same and can be prepared. */
export async function saveLedger({ tx, schema, clock }: Place, diff: LedgerDiff): Promise<void> {
  await saveUsages(tx, schema, diff.usages);
  await saveConsumers(tx, schema, diff);
  await saveAllocations(tx, schema, diff);
  if (diff.tombstones.length > 0) {
    await sql`INSERT INTO ${sql.id(schema, "tombstone")} (consumer_id, operation, fence, buried_at)
      SELECT v.consumer_id, v.operation, v.fence, ${sqlTime(clock.now())}::timestamptz
      FROM unnest(${diff.tombstones.map((one) => one.consumerId)}::text[], ${diff.tombstones.map((one) => one.operation)}::text[],
                  ${diff.tombstones.map((one) => one.fence)}::int8[]) AS v (consumer_id, operation, fence)
      ON CONFLICT (consumer_id, operation) DO UPDATE SET fence = excluded.fence, buried_at = excluded.buried_at`.execute(tx);
  }
}

async function saveUsages(tx: Tx, schema: string, usages: LedgerDiff["usages"]): Promise<void> {
  if (usages.length === 0) return;
  await sql`UPDATE ${sql.id(schema, "inventory")} AS i SET used = v.used
    FROM unnest(${usages.map((one) => one.providerId)}::text[], ${usages.map((one) => one.resourceClass)}::text[],
                ${usages.map((one) => one.used)}::int8[]) AS v (provider_id, resource_class, used)
    WHERE i.provider_id = v.provider_id AND i.resource_class = v.resource_class`.execute(tx);
}

async function saveConsumers(tx: Tx, schema: string, { consumers, removedConsumers }: LedgerDiff): Promise<void> {
  if (removedConsumers.length > 0) await tx.deleteFrom("consumer").where("id", "=", sql<string>`any(${[...removedConsumers]}::text[])`).execute();
  if (consumers.length === 0) return;
  await sql`INSERT INTO ${sql.id(schema, "consumer")} (id, generation, project_id, user_id, consumer_type, claim_operation, claim_fence)
    SELECT * FROM unnest(${consumers.map((one) => one.consumerId)}::text[], ${consumers.map((one) => one.generation)}::int8[],
      ${consumers.map((one) => one.projectId)}::text[], ${consumers.map((one) => one.userId)}::text[], ${consumers.map((one) => one.consumerType)}::text[],
      ${consumers.map((one) => one.claimOperation)}::text[], ${consumers.map((one) => one.claimFence)}::int8[]) AS v
    ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, project_id = excluded.project_id, user_id = excluded.user_id,
      consumer_type = excluded.consumer_type, claim_operation = excluded.claim_operation, claim_fence = excluded.claim_fence`.execute(tx);
}

async function saveAllocations(tx: Tx, schema: string, { allocations, removedAllocations }: LedgerDiff): Promise<void> {
  if (removedAllocations.length > 0) {
    await sql`DELETE FROM ${sql.id(schema, "allocation")} AS a
      USING unnest(${removedAllocations.map((one) => one.consumerId)}::text[], ${removedAllocations.map((one) => one.providerId)}::text[],
                   ${removedAllocations.map((one) => one.resourceClass)}::text[]) AS v (consumer_id, provider_id, resource_class)
      WHERE a.consumer_id = v.consumer_id AND a.provider_id = v.provider_id AND a.resource_class = v.resource_class`.execute(tx);
  }
  if (allocations.length > 0) {
    await sql`INSERT INTO ${sql.id(schema, "allocation")} (consumer_id, provider_id, resource_class, amount)
      SELECT * FROM unnest(${allocations.map((one) => one.consumerId)}::text[], ${allocations.map((one) => one.providerId)}::text[],
        ${allocations.map((one) => one.resourceClass)}::text[], ${allocations.map((one) => one.amount)}::int8[]) AS v
      ON CONFLICT (consumer_id, provider_id, resource_class) DO UPDATE SET amount = excluded.amount`.execute(tx);
  }
}
