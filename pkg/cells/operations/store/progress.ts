import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationProgress } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { OperationRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";
import { commandHost, isAtCommand, isDue, requireProgress } from "../domain/progress.js";
import { operationColumns, operationIdOf } from "./owned-operation.js";

/** How far a command of an operation is. */
export interface ProgressReport {
  readonly operation: string;
  /** Who tells it. */
  readonly host: string;
  readonly commandId: string;
  readonly fence: bigint;
  readonly progress: OperationProgress | undefined;
}

type ReportedRow = OperationRow & {
  /** The operation's host, or its server's by the record; "" for none. */
  readonly own_host: string;
};

/**
 * Keeps how far the running step of an operation is, and tells of it: one outbox row per operation and second
 * at most. Nothing else of the operation is written but its generation, which orders the feed.
 * @returns false when the last report came less than a second ago
 * @throws FENCE_LOST when the operation is not at that command under that fence; WRONG_OPERATION when that is
 *   another host's command; INVALID_ARGUMENT
 */
export async function storeProgress(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  report: ProgressReport,
): Promise<boolean> {
  const { t } = store;
  const id = operationIdOf(report.operation);
  requireProgress(report.progress);
  return store.db.write(ctx, "operations.progress", async (tx) => {
    const { rows } = await sql<ReportedRow>`SELECT ${operationColumns("o")}, COALESCE(
        (SELECT i.host FROM ${t.instance} AS i WHERE i.id = o.server_id),
        (SELECT n.host FROM ${t.compute_node} AS n WHERE n.id = o.server_id), '') AS own_host
        FROM ${t.operation} AS o WHERE o.id = ${id} FOR UPDATE`.execute(tx);
    const now = deps.clock.now();
    const next = progressed(rows[0], report, now);
    if (next === undefined) return false;
    const { progress, generation, updated_at } = next;
    const changes = { progress, generation, updated_at };
    await allTogether([
      { name: "op", body: sql`UPDATE ${t.operation} SET ${assignments(changes)} WHERE id = ${id}` },
      outboxPart(t, deps.ids, [operationChanged(next)], now),
    ]).execute(tx);
    return true;
  });
}

/** An operation's row after a report; undefined when that comes too soon. @throws as `storeProgress` */
export function progressed(
  row: ReportedRow | undefined,
  report: ProgressReport,
  now: Instant,
): OperationRow | undefined {
  const told = requireProgress(report.progress);
  if (row === undefined || !isAtCommand(row, report))
    throw CellsErrors.FENCE_LOST({ operation: report.operation });
  const steps = StoredSteps.decode(row.steps).steps;
  if (commandHost(steps, row.current_step, row.own_host) !== report.host)
    throw CellsErrors.WRONG_OPERATION({ operation: report.operation });
  if (!isDue(row.progress === null ? undefined : OperationProgress.decode(row.progress), now))
    return undefined;
  const { own_host: _, ...operation } = row;
  return {
    ...operation,
    progress: encoded(OperationProgress, { ...told, updatedAt: toTimestamp(now) }),
    generation: row.generation + 1,
    updated_at: now,
  };
}
