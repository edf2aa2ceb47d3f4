import { sql } from "../../store/sql.js";
import type { QuotaLimit } from "../../../../gen/kilonova/cells/v1/global_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { COUNTED } from "../domain/quota.js";
import type { Counted } from "../domain/quota.js";
import type { Store, Tx } from "../../store/tables.js";

/** Limits for projects that have none of their own, by resource; -1 is unlimited. */
export type DefaultLimits = Readonly<Record<string, number>>;

interface QuotaRow {
  readonly kind: string;
  readonly resource: string;
  readonly value: number;
}

/**
 * Limits in force and present use, in one statement. A project without servers has no row and uses nothing.
 */
async function readQuota(
  store: Store,
  tx: Tx,
  projectId: string,
  userId: string,
  defaults: DefaultLimits,
): Promise<Quota> {
  const { limits, used } = await queryQuota(store, tx, projectId, userId, defaults);
  return { limits, used: used ?? NOTHING };
}

/**
 * As `readQuota`, and keeps everybody else from using more until the transaction ends. Under READ COMMITTED
 * this waits for its turn and sees what those before it have used; under SERIALIZABLE all but one of them
 * would have to begin anew.
 */
export async function lockQuota(
  store: Store,
  tx: Tx,
  projectId: string,
  userId: string,
  defaults: DefaultLimits,
): Promise<Quota> {
  const known = await queryQuota(store, tx, projectId, userId, defaults, sql`FOR UPDATE`);
  if (known.used !== undefined) return { ...known, used: known.used };
  await sql`INSERT INTO ${store.t.quota_usage} (project_id, instances, cores, ram) VALUES (${projectId}, 0, 0, 0) ON CONFLICT (project_id) DO NOTHING`.execute(
    tx,
  );
  const { limits, used } = await queryQuota(store, tx, projectId, userId, defaults, sql`FOR UPDATE`);
  return { limits, used: used ?? NOTHING };
}

interface Quota {
  readonly limits: Readonly<Record<string, number>>;
  readonly used: Counted;
}

const NOTHING: Counted = { instances: 0, cores: 0, ram: 0 };

/** @returns `used` undefined when the project has no usage row yet */
async function queryQuota(
  { t }: Store,
  tx: Tx,
  projectId: string,
  userId: string,
  defaults: DefaultLimits,
  lock = sql``,
): Promise<Pick<Quota, "limits"> & { readonly used: Counted | undefined }> {
  const { rows } = await sql<QuotaRow>`
    WITH used AS (SELECT instances, cores, ram FROM ${t.quota_usage} WHERE project_id = ${projectId} ${lock})
    SELECT 'limit' AS kind, resource, max AS value FROM ${t.quota_limit} WHERE project_id = ${projectId} AND user_id IN ('', ${userId})
    UNION ALL SELECT 'used', 'instances', instances FROM used
    UNION ALL SELECT 'used', 'cores', cores FROM used
    UNION ALL SELECT 'used', 'ram', ram FROM used`.execute(tx);
  const limits: Record<string, number> = { ...defaults };
  const used: Record<string, number> = {};
  for (const { kind, resource, value } of rows) (kind === "limit" ? limits : used)[resource] = value;
  const { instances, cores, ram } = used;
  return {
    limits,
    used:
      instances === undefined || cores === undefined || ram === undefined
        ? undefined
        : { instances, cores, ram },
  };
}

/** The limit of one resource in force for a user of a project; -1 is unlimited. */
export async function limitOf(
  store: Store,
  tx: Tx,
  projectId: string,
  userId: string,
  resource: string,
  defaults: DefaultLimits,
): Promise<number> {
  const { rows } = await sql<{ max: number }>`SELECT max FROM ${store.t.quota_limit}
    WHERE resource = ${resource} AND project_id = ${projectId} AND user_id IN ('', ${userId}) ORDER BY user_id DESC LIMIT 1`.execute(
    tx,
  );
  return rows[0]?.max ?? defaults[resource] ?? -1;
}

/** The counted part of limits. */
export const countedLimits = (limits: Readonly<Record<string, number>>): Counted => ({
  instances: limits["instances"] ?? -1,
  cores: limits["cores"] ?? -1,
  ram: limits["ram"] ?? -1,
});

/** All limits of a project with what is used of them. */
export async function getQuota(
  store: Store,
  ctx: Ctx,
  projectId: string,
  userId: string,
  defaults: DefaultLimits,
): Promise<QuotaLimit[]> {
  return store.db.read(ctx, "quota.get", async (tx) => {
    const { limits, used } = await readQuota(store, tx, projectId, userId, defaults);
    const { rows } = await sql<
      Readonly<Record<string, number>>
    >`SELECT (SELECT count(*) FROM ${store.t.key_pair} WHERE user_id = ${userId}) AS key_pairs,
      (SELECT count(*) FROM ${store.t.server_group} WHERE project_id = ${projectId}) AS server_groups`.execute(
      tx,
    );
    const inUse = (resource: string): number =>
      rows[0]?.[resource] ??
      (COUNTED.find((one) => one === resource) === undefined ? 0 : used[resource as keyof Counted]);
    return Object.entries(limits).map(([resource, limit]) => ({
      resource,
      limit: BigInt(limit),
      used: BigInt(inUse(resource)),
    }));
  });
}

/**
 * Releases what servers held and what was claimed for them, takes them out of their groups and marks their
 * mappings deleted. A second release of the same server finds nothing to subtract. READ COMMITTED: what is
 * subtracted is what was deleted, and releases of one project wait for each other at its usage row instead of
 * failing.
 */
export async function releaseHoldings(store: Store, ctx: Ctx, serverIds: readonly string[]): Promise<void> {
  const { t } = store;
  await store.db.statement(ctx, "quota.release", (tx) =>
    sql`
    WITH gone AS (
      DELETE FROM ${t.quota_holding} WHERE server_id = ANY(${serverIds}::text[]) RETURNING project_id, cores, ram
    ), claimed AS (
      DELETE FROM ${t.quota_claim} WHERE server_id = ANY(${serverIds}::text[]) RETURNING project_id, instances, cores, ram
    ), sums AS (
      SELECT project_id, sum(instances)::int8 AS instances, sum(cores)::int8 AS cores, sum(ram)::int8 AS ram
      FROM (SELECT project_id, 1 AS instances, cores, ram FROM gone UNION ALL SELECT project_id, instances, cores, ram FROM claimed) AS all_gone
      GROUP BY project_id
    ), usage AS (
      UPDATE ${t.quota_usage} AS u SET instances = u.instances - s.instances, cores = u.cores - s.cores, ram = u.ram - s.ram
      FROM sums AS s WHERE u.project_id = s.project_id RETURNING 1
    ), membership AS (
      DELETE FROM ${t.server_group_member} WHERE server_id = ANY(${serverIds}::text[]) RETURNING 1
    ), mapping AS (
      UPDATE ${t.instance_mapping} SET deleted = true WHERE server_id = ANY(${serverIds}::text[]) AND NOT deleted RETURNING 1
    ) SELECT 1`.execute(tx),
  );
}
