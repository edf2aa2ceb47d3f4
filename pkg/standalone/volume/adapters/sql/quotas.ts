import type { Kysely, Transaction } from "kysely";
import { sql } from "kysely";
import type { VolumeConfig } from "../../config.js";
import { quotaDefaults } from "../../domain/quotas.js";
import type { QuotaLimits, Usage } from "../../domain/quotas.js";
import { E } from "../../errors.js";
import type { VolumeTables } from "./tables.js";

type Db = Kysely<VolumeTables>;
type Tx = Transaction<VolumeTables>;

/** A project's limits: its own where set, else the defaults. */
export async function quotaOf(db: Db, projectId: string, config: VolumeConfig): Promise<QuotaLimits> {
  const rows = await db
    .selectFrom("volume_quota")
    .select(["resource", "quota"])
    .where("project_id", "=", projectId)
    .execute();
  return { ...quotaDefaults(config), ...Object.fromEntries(rows.map((row) => [row.resource, row.quota])) };
}

export async function usageOf(db: Db, projectId: string): Promise<Usage> {
  const count = async (table: "volume_volume" | "volume_snapshot") => {
    const row = await db
      .selectFrom(table)
      .select((eb) => [
        eb.fn.countAll<number>().as("count"),
        sql<number>`coalesce(sum(size_gib), 0)::int8`.as("gib"),
      ])
      .where("project_id", "=", projectId)
      .executeTakeFirstOrThrow();
    return { count: Number(row.count), gib: Number(row.gib) };
  };
  const volumes = await count("volume_volume");
  const snapshots = await count("volume_snapshot");
  return {
    volumes: volumes.count,
    snapshots: snapshots.count,
    gigabytes: volumes.gib + snapshots.gib,
  };
}

/**
 * Refuses what the project has no room for; counted in the transaction that adds it.
 * @throws VOLUMES_EXHAUSTED, SNAPSHOTS_EXHAUSTED, GIGABYTES_EXHAUSTED, VOLUME_TOO_LARGE
 */
export async function demandRoom(
  tx: Tx,
  projectId: string,
  wish: {
    readonly what: "volume" | "snapshot" | "growth";
    /** GiB more. */
    readonly gib: number;
    /** GiB of the whole volume. */
    readonly size?: number;
  },
  config: VolumeConfig,
): Promise<void> {
  const limits = await quotaOf(tx, projectId, config);
  const used = await usageOf(tx, projectId);
  const lacks = (limit: number, want: number): boolean => limit >= 0 && want > limit;
  if (wish.size !== undefined && lacks(limits.per_volume_gigabytes, wish.size))
    throw E.VOLUME_TOO_LARGE({ size: wish.size, limit: limits.per_volume_gigabytes });
  if (wish.what === "volume" && lacks(limits.volumes, used.volumes + 1))
    throw E.VOLUMES_EXHAUSTED({ allowed: limits.volumes });
  if (wish.what === "snapshot" && lacks(limits.snapshots, used.snapshots + 1))
    throw E.SNAPSHOTS_EXHAUSTED({ allowed: limits.snapshots });
  if (lacks(limits.gigabytes, used.gigabytes + wish.gib))
    throw E.GIGABYTES_EXHAUSTED({
      requested: wish.gib,
      quota: limits.gigabytes,
      consumed: used.gigabytes,
    });
}

export async function setQuota(
  tx: Tx,
  projectId: string,
  limits: Readonly<Partial<QuotaLimits>>,
): Promise<void> {
  for (const [resource, quota] of Object.entries(limits))
    await tx
      .insertInto("volume_quota")
      .values({ project_id: projectId, resource, quota })
      .onConflict((oc) => oc.columns(["project_id", "resource"]).doUpdateSet({ quota }))
      .execute();
}

export async function resetQuota(tx: Tx, projectId: string): Promise<void> {
  await tx.deleteFrom("volume_quota").where("project_id", "=", projectId).execute();
}
