import { Command } from "commander";
import { sections as cellsSections } from "../../cells/config.js";
import { placesOf } from "../../cells/stores.js";
import type { Place } from "../../cells/stores.js";
import { sections as placementSections } from "../../placement/config.js";
import { sections as standaloneSections } from "../../standalone/config.js";
import { placementMigrations } from "../../../pkg/placement/index.js";
import { standaloneMigrations } from "../../../pkg/standalone/migrations/index.js";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { KilonovaError, rootCtx, serviceActor } from "../../../pkg/kernel/index.js";
import { ConfigErrors } from "../../../pkg/platform/config/index.js";
import { migrate, openPool, pendingMigrations } from "../../../pkg/platform/db/index.js";
import type { DbPool } from "../../../pkg/platform/db/index.js";
import { createLogger } from "../../../pkg/platform/log/index.js";
import { systemIds } from "../../../pkg/platform/process/index.js";
import { processSections, readConfig } from "../../../pkg/platform/service/index.js";
import { printTable } from "../table.js";

/** The databases of each service that has some, from the same configuration that the service reads. */
const placesByService: Readonly<Record<string, (args: readonly string[]) => readonly Place[]>> = {
  cells: (args) =>
    placesOf(readConfig({ ...processSections, ...cellsSections }, args, process.env).databases),
  placement: (args) => {
    const {
      database: { url, schema },
    } = readConfig({ ...processSections, ...placementSections }, args, process.env);
    return [{ option: "database.url", url, schema: schema || "placement", migrations: placementMigrations }];
  },
  standalone: (args) => {
    const {
      database: { url, schema },
    } = readConfig({ ...processSections, ...standaloneSections }, args, process.env);
    return [
      { option: "database.url", url, schema: schema || "standalone", migrations: standaloneMigrations },
    ];
  },
};

interface Flags {
  readonly config?: string;
  readonly set: readonly string[];
}

/** `kilonova manage db`: schemas of a real deployment. `kilonova up` brings its own up to date by itself. */
export function dbCommand(): Command {
  const db = new Command("db").description("databases of a real deployment");
  const add = (
    verb: string,
    description: string,
    run: (ctx: Ctx, pool: DbPool, place: Place) => Promise<readonly string[]>,
  ): void => {
    db.command(`${verb} <service>`)
      .description(description)
      .option("--config <file>", "the service's configuration; its environment variables hold too")
      .option(
        "--set <section.option=value>",
        "an option, stronger than the file",
        (value: string, before: readonly string[]) => [...before, value],
        [] as readonly string[],
      )
      .action((service: string, flags: Flags) => overDatabases(service, flags, run));
  };
  add(
    "migrate",
    "bring the databases of cells, placement or standalone to this version; repeatable, safe while services run",
    async (ctx, pool, place) => {
      await migrate(ctx, pool, place.schema, place.migrations);
      return [];
    },
  );
  add("status", "show what migrate would do; ends with 1 when that is something", (ctx, pool, place) =>
    pendingMigrations(ctx, pool, place.schema, place.migrations),
  );
  return db;
}

/** Runs `work` on each database and prints what is still pending there. */
async function overDatabases(
  service: string,
  { config, set }: Flags,
  work: (ctx: Ctx, pool: DbPool, place: Place) => Promise<readonly string[]>,
): Promise<void> {
  const log = createLogger({ level: "info" });
  const ctx = rootCtx({ requestId: `req-${systemIds.uuid()}`, actor: serviceActor("operator"), log });
  try {
    const places = placesByService[service]?.([
      ...(config ? ["--config", config] : []),
      ...set.flatMap((one) => ["--set", one]),
    ]);
    if (!places)
      throw ConfigErrors.CONFIG_INVALID({
        problems: `- there is no service "${service}" with databases; there are: ${Object.keys(placesByService).join(", ")}`,
      });
    const rows: string[][] = [];
    for (const place of places) {
      if (!place.url) throw ConfigErrors.CONFIG_INVALID({ problems: `- ${place.option}: must be set` });
      const pool = openPool({
        connectionString: place.url,
        max: 2,
        allowExitOnIdle: true,
        applicationName: "kilonova-manage",
        log,
      });
      const pending = await work(ctx, pool, place).finally(() => pool.close());
      rows.push([place.schema, pending.length === 0 ? "up to date" : `pending: ${pending.join(", ")}`]);
      if (pending.length > 0) process.exitCode = 1;
    }
    printTable(["SCHEMA", "STATE"], rows);
  } catch (error) {
    console.error(error instanceof KilonovaError && error.kind !== "internal" ? error.message : error);
    process.exitCode = 1;
  }
}
