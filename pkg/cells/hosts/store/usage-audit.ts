import type { Ctx } from "../../../kernel/ctx.js";
import type { StoreDeps } from "../../store/deps.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";
import { USAGE_AUDIT, usageMessage } from "../domain/usage-period.js";
import type { UsagePeriod } from "../domain/usage-period.js";

/** What is written down of a period. */
interface Audited {
  readonly taskItems: number;
  readonly isNew: boolean;
}

/**
 * Writes down how many servers a host had in a period, unless that was done. Repeatable.
 * @cost the host's records, and one row
 */
export async function recordUsageAudit(
  { db, t }: Store,
  { clock }: Pick<StoreDeps, "clock">,
  ctx: Ctx,
  host: string,
  { beginning, ending }: UsagePeriod,
): Promise<Audited> {
  const key = sql`task_name = ${USAGE_AUDIT} AND period_beginning = ${beginning} AND period_ending = ${ending} AND host = ${host}`;
  return db.write(ctx, "hosts.usage-audit", async (tx) => {
    const { rows: known } = await sql<{
      task_items: number;
    }>`SELECT task_items FROM ${t.task_log} WHERE ${key}`.execute(tx);
    if (known[0] !== undefined) return { taskItems: known[0].task_items, isNew: false };
    const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM ${t.instance}
      WHERE host = ${host} AND launched_at < ${ending} AND (terminated_at IS NULL OR terminated_at > ${beginning})`.execute(
      tx,
    );
    const taskItems = rows[0]?.count ?? 0;
    await sql`INSERT INTO ${t.task_log}
      (task_name, period_beginning, period_ending, host, state, message, task_items, errors, updated_at)
      VALUES (${USAGE_AUDIT}, ${beginning}, ${ending}, ${host}, 'DONE', ${usageMessage(host, taskItems)}, ${taskItems}, 0, ${clock.now()})
      ON CONFLICT (task_name, period_beginning, period_ending, host) DO NOTHING`.execute(tx);
    return { taskItems, isNew: true };
  });
}

/** Forgets the oldest periods. @returns how many rows */
export async function forgetTaskLogs(
  { db, t }: Store,
  ctx: Ctx,
  before: bigint,
  limit: number,
): Promise<number> {
  const key = sql`(task_name, period_beginning, period_ending, host)`;
  const { rows } = await db.statement(ctx, "retention.task-logs", (on) =>
    sql`DELETE FROM ${t.task_log} WHERE ${key} IN (
      SELECT task_name, period_beginning, period_ending, host FROM ${t.task_log}
      WHERE period_ending < ${before} ORDER BY period_ending LIMIT ${limit}) RETURNING 1`.execute(on),
  );
  return rows.length;
}
