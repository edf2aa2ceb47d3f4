import { cellMigrations, globalMigrations } from "../../pkg/cells/index.js";
import type { CellSource } from "../../pkg/cells/index.js";
import { ConfigErrors } from "../../pkg/platform/config/index.js";
import { openDatabase } from "../../pkg/platform/db/index.js";
import type { FeedTables } from "../../pkg/platform/db/feed/index.js";
import type { Migration } from "../../pkg/platform/db/index.js";
import { systemClock } from "../../pkg/platform/process/index.js";
import type { Pools } from "../../pkg/platform/service/index.js";
import type { DatabasesConfig } from "./config.js";

export interface Place {
  readonly option: string;
  readonly url: string;
  readonly schema: string;
  readonly migrations: readonly Migration[];
}

/** Every database of the configuration: global first, then the cells. */
export const placesOf = ({
  globalUrl,
  globalSchema,
  cells,
}: DatabasesConfig): readonly [Place, ...Place[]] => [
  { option: "databases.globalUrl", url: globalUrl, schema: globalSchema, migrations: globalMigrations },
  ...cells.map(({ name, url, schema }) => ({
    option: `databases.cells (${name})`,
    url,
    schema: schema || name,
    migrations: cellMigrations,
  })),
];

/** Opens all databases, each checked to be of this version. @throws MIGRATIONS_PENDING, CONFIG_INVALID */
export async function openStores(
  pools: Pools,
  config: DatabasesConfig,
): Promise<{ readonly global: CellSource["database"]; readonly cells: readonly CellSource[] }> {
  if (config.cells.length < 2)
    throw ConfigErrors.CONFIG_INVALID({
      problems: "- databases.cells: must name cell0 and at least one cell with hosts",
    });
  const [global, ...rest] = await Promise.all(
    placesOf(config).map(async ({ option, url, schema, migrations }) => {
      const pool = await pools.open(option, url, config.maxConnections);
      await pools.requireMigrated(pool, schema, migrations);
      return openDatabase<FeedTables>(pool, { schema, clock: systemClock });
    }),
  );
  if (!global) throw new Error("no global database");
  return {
    global,
    cells: config.cells.flatMap(({ name, uuid }, i) => {
      const database = rest[i];
      return database ? [{ name, uuid, database }] : [];
    }),
  };
}
