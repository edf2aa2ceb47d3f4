import { sql } from "../../store/sql.js";
import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../../kernel/time.js";
import { changing, inserting } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import type { OperationRow } from "../../store/rows.js";
import type { Tables } from "../../store/tables.js";
import { stepEvents } from "../domain/timeline-rows.js";

/** The timeline's part of a commit: the action, and one event for each changed step that is shown. */
export function timelineParts(
  t: Tables,
  operation: OperationRow,
  steps: readonly StepRecord[],
  failed: boolean,
  now: Instant,
): ConditionalPart[] {
  const { id, server_id: serverId } = operation;
  const action = changing(
    "timeline_action",
    sql`UPDATE ${t.instance_action} SET updated_at = ${now}, failed = failed OR ${failed} WHERE server_id = ${serverId} AND id = ${id}`,
  );
  const rows = stepEvents(operation, steps, now).map((event) => ({ action_id: id, ...event }));
  if (rows.length === 0) return [action];
  const events = inserting(
    "timeline_events",
    t.instance_action_event,
    rows,
    sql` ON CONFLICT (action_id, step, round) DO UPDATE SET
    finished_at = excluded.finished_at, result = excluded.result, host = excluded.host, details = excluded.details, traceback = excluded.traceback`,
  );
  return [action, events];
}
