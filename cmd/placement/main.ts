import { buildPlacement, placementMigrations } from "../../pkg/placement/index.js";
import type { PlacementTables } from "../../pkg/placement/index.js";
import { openDatabase } from "../../pkg/platform/db/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { Pools, joinCluster, runProcess } from "../../pkg/platform/service/index.js";
import { sections } from "./config.js";

await runProcess("placement", sections, async (service) => {
  const {
    config: {
      database: { url, maxConnections, schema },
      placement,
    },
    log,
  } = service;
  const cluster = await joinCluster(service);
  const pools = new Pools(service);
  const pool = await pools.open("database.url", url, maxConnections);
  await pools.requireMigrated(pool, schema || "placement", placementMigrations);
  const database = openDatabase<PlacementTables>(pool, { schema: schema || "placement", clock: systemClock });
  await cluster.serve(
    buildPlacement({ database, clock: systemClock, ids: systemIds, log, config: placement }),
  );
});
