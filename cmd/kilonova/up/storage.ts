import { cellMigrations, globalMigrations } from "../../../pkg/cells/index.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { placementMigrations } from "../../../pkg/placement/index.js";
import type { DbPool } from "../../../pkg/platform/db/index.js";
import { migrate } from "../../../pkg/platform/db/index.js";

/** Schemas of the one database; the standalone services bring their own. */
export const schemas = {
  global: "global",
  cell0: "cell0",
  cell1: "cell1",
  placement: "placement",
  standalone: "standalone",
} as const;

/**
 * Brings all schemas of Kilonova's own services to this version. @cost one query each when there is nothing
 * to do
 */
export async function migrateAll(ctx: Ctx, pool: DbPool): Promise<void> {
  await Promise.all([
    migrate(ctx, pool, schemas.global, globalMigrations),
    migrate(ctx, pool, schemas.cell0, cellMigrations),
    migrate(ctx, pool, schemas.cell1, cellMigrations),
    migrate(ctx, pool, schemas.placement, placementMigrations),
  ]);
}
