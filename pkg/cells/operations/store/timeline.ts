import { sql } from "../../store/sql.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { changing, inserting } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import type { OperationRow } from "../../store/rows.js";
import type { Tables } from "../../store/tables.js";

export const resultOf = ({ state, errorReason }: StepRecord): string =>
  state === "running"
    ? ""
    : state === "done" || (state === "undone" && errorReason === "")
      ? "Success"
      : "Error";

/** The timeline's part of a commit: one event for each changed step that has a name there. */
export function timelineParts(
  t: Tables,
  operation: OperationRow,
  steps: readonly StepRecord[],
  failed: boolean,
  now: Instant,
): ConditionalPart[] {
  const { id: operationId, server_id: serverId } = operation;
  const shown = steps.filter(({ event }) => event !== "");
  const action = changing(
    "timeline_action",
    sql`UPDATE ${t.instance_action} SET updated_at = ${now}, failed = failed OR ${failed} WHERE server_id = ${serverId} AND id = ${operationId}`,
  );
  if (shown.length === 0) return [action];
  const all = StoredSteps.decode(operation.steps).steps;
  const rows = shown.map((step) => ({
    action_id: operationId,
    step: step.name,
    round: step.round,
    position: all.findIndex(({ name, round }) => name === step.name && round === step.round),
    event: step.event,
    started_at: fromTimestampOrNull(step.startedAt) ?? now,
    finished_at: fromTimestampOrNull(step.finishedAt),
    result: resultOf(step),
    host: step.host,
    details: step.errorMessage,
    traceback: step.errorReason,
  }));
  const events = inserting(
    "timeline_events",
    t.instance_action_event,
    rows,
    sql` ON CONFLICT (action_id, step, round) DO UPDATE SET
    finished_at = excluded.finished_at, result = excluded.result, host = excluded.host, details = excluded.details, traceback = excluded.traceback`,
  );
  return [action, events];
}
