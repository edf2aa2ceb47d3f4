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
import { isAtCommand, isDue, requireProgress } from "../domain/progress.js";
import { operationColumns, operationIdOf } from "./owned-operation.js";

/** How far a command of an operation is. */
export interface ProgressReport {
  readonly operation: string;
  readonly commandId: string;
  readonly fence: bigint;
  readonly progress: OperationProgress | undefined;
}

/**
 * Keeps how far the running step of an operation is, and tells of it: one outbox row per operation and second
 * at most. Nothing else of the operation is written but its generation, which orders the feed.
 * @returns false when the last report came less than a second ago
 * @throws FENCE_LOST when the operation is not at that command under that fence; INVALID_ARGUMENT
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
    const { rows } =
      await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${t.operation} AS o WHERE o.id = ${id} FOR UPDATE`.execute(
        tx,
      );
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
  row: OperationRow | undefined,
  report: ProgressReport,
  now: Instant,
): OperationRow | undefined {
  const told = requireProgress(report.progress);
  if (row === undefined || !isAtCommand(row, report))
    throw CellsErrors.FENCE_LOST({ operation: report.operation });
  if (!isDue(row.progress === null ? undefined : OperationProgress.decode(row.progress), now))
    return undefined;
  return {
    ...row,
    progress: encoded(OperationProgress, { ...told, updatedAt: toTimestamp(now) }),
    generation: row.generation + 1,
    updated_at: now,
  };
}
