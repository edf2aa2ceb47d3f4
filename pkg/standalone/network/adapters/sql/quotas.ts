import { expressionBuilder, sql } from "kysely";
import type { AliasableExpression, Kysely, Transaction } from "kysely";
import { quotaDefaults, quotaResources } from "../../domain/quotas.js";
import type { QuotaLimits, QuotaResource } from "../../domain/quotas.js";
import { E } from "../../errors.js";
import type { NetworkTables } from "./tables.js";

type Db = Kysely<NetworkTables>;
type Tx = Transaction<NetworkTables>;

/** Where each countable resource lives; the others do not exist here and count as none. */
const TABLES = {
  network: "network_network",
  subnet: "network_subnet",
  port: "network_port",
  router: "network_router",
  floatingip: "network_floating_ip",
  security_group: "network_security_group",
  security_group_rule: "network_security_group_rule",
} as const satisfies Partial<Record<QuotaResource, keyof NetworkTables>>;
type Counted = keyof typeof TABLES;

/** A project's limits: its own where set, else the defaults. */
export async function quotaOf(db: Db, projectId: string): Promise<QuotaLimits> {
  const rows = await db
    .selectFrom("network_quota")
    .select(["resource", "quota"])
    .where("project_id", "=", projectId)
    .execute();
  return { ...quotaDefaults, ...Object.fromEntries(rows.map((row) => [row.resource, row.quota])) };
}

export async function quotaUse(db: Db, projectId: string): Promise<Readonly<Record<QuotaResource, number>>> {
  const used = new Map<string, number>();
  for (const resource of Object.keys(TABLES) as Counted[])
    used.set(resource, await count(db, resource, projectId));
  return Object.fromEntries(quotaResources.map((resource) => [resource, used.get(resource) ?? 0])) as Record<
    QuotaResource,
    number
  >;
}

async function count(db: Db, resource: Counted, projectId: string): Promise<number> {
  const row = await db
    .selectFrom(TABLES[resource])
    .select((eb) => eb.fn.countAll<number>().as("used"))
    .where("project_id", "=", projectId)
    .executeTakeFirstOrThrow();
  return Number(row.used);
}

/** Whether a project has room for one more, as a part of a statement; without a limit nothing is counted. */
export function hasRoom(resource: Counted, projectId: string): AliasableExpression<boolean> {
  const eb = expressionBuilder<NetworkTables>();
  const own = eb
    .selectFrom("network_quota")
    .select("quota")
    .where("project_id", "=", projectId)
    .where("resource", "=", resource);
  const limit = eb.fn.coalesce(own, sql<number>`${quotaDefaults[resource]}::int8`);
  const used = eb
    .selectFrom(TABLES[resource])
    .select((one) => one.fn.countAll<number>().as("used"))
    .where("project_id", "=", projectId);
  return sql<boolean>`(${limit} < 0 OR (${used}) < ${limit})`;
}

/**
 * Refuses one more when the project has no room; counted in the transaction that adds it. @throws OVER_QUOTA
 */
export async function demandRoom(tx: Tx, resource: Counted, projectId: string): Promise<void> {
  const row = await tx.selectNoFrom(hasRoom(resource, projectId).as("room")).executeTakeFirstOrThrow();
  if (!row.room) throw E.OVER_QUOTA({ resource });
}

/** @throws INVALID_QUOTA_VALUE for limits below what is in use already */
export async function refuseBelowUse(
  tx: Tx,
  projectId: string,
  limits: Readonly<Partial<Record<QuotaResource, number>>>,
): Promise<void> {
  const used = await quotaUse(tx, projectId);
  const under = quotaResources.filter(
    (resource) => (limits[resource] ?? -1) >= 0 && used[resource] > (limits[resource] ?? 0),
  );
  if (under.length > 0) throw E.INVALID_QUOTA_VALUE({ resources: under });
}

export async function setQuota(
  tx: Tx,
  projectId: string,
  limits: Readonly<Partial<Record<QuotaResource, number>>>,
): Promise<void> {
  for (const [resource, quota] of Object.entries(limits)) {
    await tx
      .insertInto("network_quota")
      .values({ project_id: projectId, resource, quota })
      .onConflict((oc) => oc.columns(["project_id", "resource"]).doUpdateSet({ quota }))
      .execute();
  }
}

export async function resetQuota(tx: Tx, projectId: string): Promise<void> {
  await tx.deleteFrom("network_quota").where("project_id", "=", projectId).execute();
}

export const projectsWithQuota = async (db: Db): Promise<string[]> =>
  (await db.selectFrom("network_quota").select("project_id").distinct().orderBy("project_id").execute()).map(
    (row) => row.project_id,
  );
