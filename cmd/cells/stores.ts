import { cellMigrations, globalMigrations, listSlots } from "../../pkg/cells/index.js";
import type { CellsConfig, CellsDeps } from "../../pkg/cells/index.js";
import type { FairSlots } from "../../pkg/kernel/index.js";
import { ConfigErrors } from "../../pkg/platform/config/index.js";
import { openDatabase } from "../../pkg/platform/db/index.js";
import type { FeedTables } from "../../pkg/platform/db/feed/index.js";
import type { DbPool, Migration } from "../../pkg/platform/db/index.js";
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
  cellsConfig: CellsConfig,
): Promise<Pick<CellsDeps, "global" | "globalLists" | "cells">> {
  if (config.cells.length < 2)
    throw ConfigErrors.CONFIG_INVALID({
      problems: "- databases.cells: must name cell0 and at least one cell with hosts",
    });
  const slots = new Map<string, FairSlots>();
  const [global, ...rest] = await Promise.all(
    placesOf(config).map(async ({ option, url, schema, migrations }) => {
      const pool = await pools.open(option, url, config.maxConnections);
      await pools.requireMigrated(pool, schema, migrations);
      const { costlyListConnections, costlyListTimeoutMs } = cellsConfig;
      const bounded = await pools.openBounded(url, costlyListConnections, costlyListTimeoutMs);
      const shared = slots.get(url) ?? listSlots(cellsConfig);
      slots.set(url, shared);
      const open = (on: DbPool) => openDatabase<FeedTables>(on, { schema, clock: systemClock });
      return { database: open(pool), lists: { database: open(bounded), slots: shared } };
    }),
  );
  if (!global) throw new Error("no global database");
  return {
    global: global.database,
    globalLists: global.lists,
    cells: config.cells.flatMap(({ name, uuid }, i) => {
      const opened = rest[i];
      return opened ? [{ name, uuid, ...opened }] : [];
    }),
  };
}
