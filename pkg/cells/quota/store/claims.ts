import { sql } from "../../store/sql.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { CellsErrors } from "../../errors.js";
import { extraOf, isReached, refusalOfExtra, settled } from "../domain/claims.js";
import type { Outcome, QuotaClaim } from "../domain/claims.js";
import { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { HeldQuota } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { withOtherFields } from "../../domain/other-fields.js";
import type { Counted } from "../domain/quota.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import type { Store, Tx } from "../../store/tables.js";
import { countedLimits, lockQuota } from "./quota.js";
import type { DefaultLimits } from "./quota.js";

const NOTHING: Counted = { instances: 0, cores: 0, ram: 0 };

/**
 * Takes what a server is to hold more than it holds, until the claim is settled. READ COMMITTED, as for new
 * servers: the project's usage row is locked before anything is decided.
 * @throws QUOTA_EXCEEDED
 * @cost five round trips: begin, lock, holding, write, commit
 */
export async function takeClaim(
  global: Store,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  claim: QuotaClaim,
  defaults: DefaultLimits,
): Promise<void> {
  const { t } = global;
  const { operationId, serverId, projectId, database, target } = claim;
  await global.db.write(
    ctx,
    "quota.take",
    async (tx) => {
      const { limits, used } = await lockQuota(global, tx, projectId, claim.userId, defaults);
      const extra = extraOf((await readHolding(global, tx, serverId)) ?? NOTHING, target);
      const refusal = refusalOfExtra(extra, used, countedLimits(limits));
      if (refusal !== undefined) throw CellsErrors.QUOTA_EXCEEDED(refusal);
      const row = {
        operation_id: operationId,
        server_id: serverId,
        project_id: projectId,
        database,
        ...extra,
        target_instances: target.instances,
        target_cores: target.cores,
        target_ram: target.ram,
        created_at: deps.clock.now(),
      };
      await allTogether([
        { name: "claim", body: insertInto(t.quota_claim, [row]) },
        usagePart(global, projectId, extra),
      ]).execute(tx);
    },
    { isolation: "read-committed" },
  );
}

async function readHolding({ t }: Store, tx: Tx, serverId: string): Promise<Counted | undefined> {
  const { rows } = await sql<{
    cores: number;
    ram: number;
  }>`SELECT cores, ram FROM ${t.quota_holding} WHERE server_id = ${serverId}`.execute(tx);
  const [row] = rows;
  return row === undefined ? undefined : { instances: 1, cores: row.cores, ram: row.ram };
}

const usagePart = ({ t }: Store, projectId: string, change: Counted): Part => ({
  name: "usage",
  body: sql`UPDATE ${t.quota_usage} SET instances = instances + ${change.instances}, cores = cores + ${change.cores}, ram = ram + ${change.ram} WHERE project_id = ${projectId}`,
});

interface ClaimRow extends Counted {
  readonly operation_id: string;
  readonly server_id: string;
  readonly project_id: string;
  readonly database: string;
  readonly target_instances: number;
  readonly target_cores: number;
  readonly target_ram: number;
  readonly created_at: Instant;
}

/** A claim that nobody has settled yet. */
export interface OpenClaim {
  readonly operationId: string;
  readonly database: string;
  readonly createdAt: Instant;
}

/** Claims by age, oldest first. @param after  the last one of the page before */
export const openClaims = (
  global: Store,
  ctx: Ctx,
  after: OpenClaim | undefined,
  limit: number,
): Promise<OpenClaim[]> =>
  claimsWhere(
    global,
    ctx,
    after === undefined
      ? sql``
      : sql`WHERE (created_at, operation_id) > (${after.createdAt}::timestamptz, ${after.operationId})`,
    limit,
  );

/** One server's, oldest first: hardly ever one. */
export const openClaimsOf = (
  global: Store,
  ctx: Ctx,
  serverId: string,
  limit: number,
): Promise<OpenClaim[]> => claimsWhere(global, ctx, sql`WHERE server_id = ${serverId}`, limit);

async function claimsWhere(
  global: Store,
  ctx: Ctx,
  where: ReturnType<typeof sql>,
  limit: number,
): Promise<OpenClaim[]> {
  const { t } = global;
  const { rows } = await global.db.statement(ctx, "quota.claims", (db) =>
    sql<ClaimRow>`SELECT operation_id, database, created_at FROM ${t.quota_claim} ${where} ORDER BY created_at, operation_id LIMIT ${limit}`.execute(
      db,
    ),
  );
  return rows.map((row) => ({
    operationId: row.operation_id,
    database: row.database,
    createdAt: row.created_at,
  }));
}

/**
 * Settles an operation's claim: the server holds from now on what the operation was to bring, or what it held
 * before. Repeatable; without a claim nothing happens.
 */
export async function settleClaim(
  global: Store,
  ctx: Ctx,
  operationId: string,
  outcome: Outcome,
): Promise<void> {
  const { t } = global;
  await global.db.write(
    ctx,
    "quota.settle",
    async (tx) => {
      const { rows } =
        await sql<ClaimRow>`DELETE FROM ${t.quota_claim} WHERE operation_id = ${operationId} RETURNING *`.execute(
          tx,
        );
      const [claim] = rows;
      if (claim === undefined) return;
      const { instances, cores, ram } = claim;
      const held = await lockHolding(global, tx, claim);
      const target = {
        instances: claim.target_instances,
        cores: claim.target_cores,
        ram: claim.target_ram,
      };
      const well = isReached(outcome, target);
      const after = settled(held, { instances, cores, ram }, target, well);
      const parts: Part[] = [usagePart(global, claim.project_id, after.change)];
      if (well) parts.push(holdingPart(global, claim, after.held));
      await allTogether(parts).execute(tx);
    },
    { isolation: "read-committed" },
  );
}

/** Waits for its turn at the project's usage row, as everybody who counts on it does. */
async function lockHolding(global: Store, tx: Tx, { project_id, server_id }: ClaimRow): Promise<Counted> {
  await sql`SELECT 1 FROM ${global.t.quota_usage} WHERE project_id = ${project_id} FOR UPDATE`.execute(tx);
  return (await readHolding(global, tx, server_id)) ?? NOTHING;
}

const holdingPart = (
  { t }: Store,
  { server_id, project_id }: ClaimRow,
  { instances, cores, ram }: Counted,
): Part => ({
  name: "holding",
  body:
    instances === 0
      ? sql`DELETE FROM ${t.quota_holding} WHERE server_id = ${server_id}`
      : sql`${insertInto(t.quota_holding, [{ server_id, project_id, cores, ram }])}
          ON CONFLICT (server_id) DO UPDATE SET cores = excluded.cores, ram = excluded.ram`,
});

/** Whether nobody may be accepted any more under an operation's id. */
export async function isVoid({ t }: Store, tx: Tx, operationId: string): Promise<boolean> {
  const { rows } = await sql`SELECT 1 FROM ${t.operation_void} WHERE operation_id = ${operationId}`.execute(
    tx,
  );
  return rows.length > 0;
}

/** What became of an operation. */
export interface Fate {
  /** A state's word. */
  readonly state: string;
  /** Where it lives on; "" when it was not handed over. */
  readonly handedOverTo: string;
  /** See `StoredOperation.held`. */
  readonly held: HeldQuota | undefined;
}

interface FateRow extends Omit<Fate, "held"> {
  readonly id: string;
  readonly other_fields: Buffer;
}

/** What became of operations, by uuid; without those that are not here. */
export async function fatesOf(
  { db, t }: Store,
  ctx: Ctx,
  operationIds: readonly string[],
): Promise<ReadonlyMap<string, Fate>> {
  const { rows } = await db.statement(ctx, "quota.fates", (at) =>
    sql<FateRow>`
    SELECT id, state, handed_over_to AS "handedOverTo", other_fields FROM ${t.operation} WHERE id = ANY(${operationIds}::text[])`.execute(
      at,
    ),
  );
  return new Map(
    rows.map(({ id, state, handedOverTo, other_fields }) => [
      id,
      { state, handedOverTo, held: withOtherFields(StoredOperation, other_fields)?.held },
    ]),
  );
}

/**
 * Keeps an operation from ever being accepted. The acceptance reads what this writes, and the other way
 * round, so that only one of them can be stored.
 * @returns whether it will not be there; false when it is
 */
export async function voidOperation(
  { db, t }: Store,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  operationId: string,
): Promise<boolean> {
  return db.write(ctx, "quota.void", async (tx) => {
    const { rows } = await sql`SELECT 1 FROM ${t.operation} WHERE id = ${operationId}`.execute(tx);
    if (rows.length > 0) return false;
    await sql`INSERT INTO ${t.operation_void} (operation_id, created_at) VALUES (${operationId}, ${deps.clock.now()}) ON CONFLICT (operation_id) DO NOTHING`.execute(
      tx,
    );
    return true;
  });
}

/** Forgets what was kept from being accepted long ago: whoever wanted it has given up. */
export async function forgetVoid(store: Store, ctx: Ctx, before: Instant): Promise<void> {
  await store.db.statement(ctx, "quota.forget-void", (db) =>
    sql`DELETE FROM ${store.t.operation_void} WHERE created_at < ${before}`.execute(db),
  );
}
