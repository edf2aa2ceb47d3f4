import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import type { OperationRow } from "./rows.js";

/** A row of `instance_action`, as it begins. */
export interface ActionRow {
  readonly server_id: string;
  readonly id: string;
  readonly request_id: string;
  readonly action: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly started_at: Instant;
  readonly updated_at: Instant;
}

/** A row of `instance_action_event`, without the action that it belongs to. */
export interface EventRow {
  readonly step: string;
  readonly round: number;
  readonly position: number;
  readonly event: string;
  readonly started_at: Instant;
  readonly finished_at: Instant | null;
  readonly result: string;
  readonly host: string;
  readonly details: string;
  readonly traceback: string;
}

/** The action that starts an operation's timeline. @param actor  who asked for it */
export const actionRow = (operation: OperationRow, actor: Actor | undefined, now: Instant): ActionRow => ({
  server_id: operation.server_id,
  id: operation.id,
  request_id: operation.request_id,
  action: operation.action,
  project_id: actor?.projectId ?? "",
  user_id: actor?.userId ?? "",
  started_at: now,
  updated_at: now,
});

/** The only event of an instant operation. @param event  its name in the timeline */
export const instantEvent = (event: string, now: Instant): EventRow => ({
  step: "instant",
  round: 0,
  position: 0,
  event,
  started_at: now,
  finished_at: now,
  result: "Success",
  host: "",
  details: "",
  traceback: "",
});

/**
 * What the timeline shows of steps: one event for each that has a name there.
 * @param operation  with all its steps
 * @param changed    those that a commit has changed
 */
export function stepEvents(
  operation: OperationRow,
  changed: readonly StepRecord[],
  now: Instant,
): readonly EventRow[] {
  const shown = changed.filter(({ event }) => event !== "");
  if (shown.length === 0) return [];
  const all = StoredSteps.decode(operation.steps).steps;
  return shown.map((step) => ({
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
}

/** How events end that were running when their operation ended otherwise than by a commit of its own. */
export function cutEvent(
  { error }: Pick<OperationRow, "error">,
  now: Instant,
): Pick<EventRow, "finished_at" | "result" | "details" | "traceback"> {
  const { message, reason } = error === null ? NO_ERROR : OperationError.decode(error);
  return { finished_at: now, result: "Error", details: message, traceback: reason };
}

const NO_ERROR = { message: "", reason: "" };

const resultOf = ({ state, errorReason }: StepRecord): string =>
  state === "running"
    ? ""
    : state === "done" || (state === "undone" && errorReason === "")
      ? "Success"
      : "Error";
