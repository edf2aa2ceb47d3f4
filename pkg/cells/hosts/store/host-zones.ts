import { sql } from "../../store/sql.js";
import type { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { zonesOf } from "../../../model/aggregate-zone.js";
import { listAggregates } from "./aggregates.js";
import type { Store } from "../../store/tables.js";

type Zones = ReadonlyMap<string, string>;

/**
 * Zones that aggregates give to hosts, by host. Every change of an aggregate counts in a row of its own, so
 * that what this process has read serves until another process has changed something.
 * @cost one row; all aggregates after a change
 */
export function hostZones(global: Store): (ctx: Ctx) => Promise<Zones> {
  let known: { readonly changes: number; readonly zones: Zones } | undefined;
  return async (ctx) => {
    // Counted before they are read: what is remembered may be newer than its count, never older.
    const { rows } = await global.db.statement(ctx, "aggregates.changes", (db) =>
      sql<{ value: number }>`SELECT value FROM ${global.t.counter} WHERE name = 'aggregate-change'`.execute(
        db,
      ),
    );
    const changes = rows[0]?.value ?? 0;
    if (known?.changes !== changes) known = { changes, zones: zonesOf(await allAggregates(global, ctx)) };
    return known.zones;
  };
}

async function allAggregates(global: Store, ctx: Ctx): Promise<Aggregate[]> {
  const found: Aggregate[] = [];
  for (let pageToken = ""; ;) {
    const page = await listAggregates(global, ctx, { host: "", pageSize: 0, pageToken });
    found.push(...page.aggregates);
    pageToken = page.nextPageToken;
    if (pageToken === "") return found;
  }
}
