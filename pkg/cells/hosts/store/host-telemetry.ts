import type { HostTelemetry } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import type { StoreDeps } from "../../store/deps.js";
import { insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { sql } from "../../store/sql.js";
import type { Store, Tables } from "../../store/tables.js";

/** What a host has shown of itself: that it lives, and what changes all the time. */
export interface HostReport {
  readonly host: string;
  readonly epoch: number;
  readonly telemetry: HostTelemetry;
}

const NEWEST = sql`ON CONFLICT (host) DO UPDATE
  SET seen_at = excluded.seen_at, uptime = excluded.uptime, disk_free_gib = excluded.disk_free_gib`;

/** One host's telemetry as a part of a statement that registers it. */
export const telemetryPart = (t: Tables, host: string, telemetry: HostTelemetry, now: Instant): Part => ({
  name: "telemetry",
  body: sql`${insertInto(t.host_telemetry, [
    {
      host,
      seen_at: now,
      uptime: telemetry.uptime,
      disk_free_gib: Number(telemetry.diskFreeGib),
    },
  ])} ${NEWEST}`,
});

/**
 * Stores what hosts tell of themselves: no record, no generation and no outbox is touched.
 *
 * @param reports  one of each host and epoch
 * @returns        those that are registered with that epoch, with the generation of their service record
 * @cost           one statement, whatever their number
 */
export async function storeTelemetry(
  store: Store,
  deps: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  reports: readonly HostReport[],
): Promise<readonly { readonly host: string; readonly epoch: number; readonly generation: number }[]> {
  const { t } = store;
  const { rows } = await store.db.statement(ctx, "hosts.telemetry", (db) =>
    sql<{ host: string; epoch: number; generation: number }>`WITH told AS (
      SELECT r.host, r.epoch, r.uptime, r.disk_free_gib, s.generation
      FROM unnest(${reports.map(({ host }) => host)}::text[], ${reports.map(({ epoch }) => epoch)}::int8[],
        ${reports.map(({ telemetry }) => telemetry.uptime)}::text[],
        ${reports.map(({ telemetry }) => Number(telemetry.diskFreeGib))}::int8[])
        AS r(host, epoch, uptime, disk_free_gib)
      JOIN ${t.service} AS s ON s.host = r.host AND s."binary" = 'nova-compute' AND s.epoch = r.epoch
    ), kept AS (
      INSERT INTO ${t.host_telemetry} (host, seen_at, uptime, disk_free_gib)
      SELECT host, ${deps.clock.now()}::timestamptz, uptime, disk_free_gib FROM told ORDER BY host
      ${NEWEST} RETURNING 1
    )
    SELECT host, epoch, generation FROM told`.execute(db),
  );
  return rows;
}
