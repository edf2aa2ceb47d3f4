import type {
  InstanceAction,
  ListInstanceActionsRequest,
} from "../../../../gen/kilonova/api/v1/limits_service.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../../kernel/time.js";
import { hostIdOf } from "../../../model/host-id.js";
import {
  fromTimestamp,
  fromTimestampOrNull,
  toTimestamp,
  toTimestampOrUnset,
} from "../../../model/wire-time.js";
import { sqlTime } from "../../../platform/db/index.js";
import { CellsErrors } from "../../errors.js";
import { MAX_EVENTS } from "../../operations/store/read-actions.js";
import { readToken, writeToken } from "../../operations/store/read-operations.js";
import { resultOf } from "../../operations/store/timeline.js";
import type { OperationRow } from "../../store/rows.js";
import { bytewise, pageSize } from "./order.js";

/** A row of `instance_action_event`. */
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

/** A row of `instance_action` with its events. */
export interface ActionEntry {
  readonly server_id: string;
  readonly id: string;
  readonly request_id: string;
  readonly action: string;
  readonly project_id: string;
  readonly user_id: string;
  readonly started_at: Instant;
  updated_at: Instant;
  failed: boolean;
  events: readonly EventRow[];
}

/** What was done to servers, as REST shows it. */
export class Timeline {
  readonly #actions: ActionEntry[] = [];

  /** Begins an operation's action. */
  begin(operation: OperationRow, actor: Actor | undefined, now: Instant, events: readonly EventRow[]): void {
    this.put({
      server_id: operation.server_id,
      id: operation.id,
      request_id: operation.request_id,
      action: operation.action,
      project_id: actor?.projectId ?? "",
      user_id: actor?.userId ?? "",
      started_at: now,
      updated_at: now,
      failed: false,
      events,
    });
  }

  put(action: ActionEntry): void {
    this.#actions.push(action);
  }

  /** What a commit shows of the steps that it changed. */
  commit(operation: OperationRow, changed: readonly StepRecord[], failed: boolean, now: Instant): void {
    const action = this.#actions.find(({ id }) => id === operation.id);
    if (action === undefined) return;
    action.updated_at = now;
    action.failed ||= failed;
    const all = StoredSteps.decode(operation.steps).steps;
    for (const step of changed.filter(({ event }) => event !== "")) {
      const same = (one: EventRow): boolean => one.step === step.name && one.round === step.round;
      const before = action.events.find(same);
      const after: EventRow = {
        step: step.name,
        round: step.round,
        position:
          before?.position ?? all.findIndex(({ name, round }) => name === step.name && round === step.round),
        event: before?.event ?? step.event,
        started_at: before?.started_at ?? fromTimestampOrNull(step.startedAt) ?? now,
        finished_at: fromTimestampOrNull(step.finishedAt),
        result: resultOf(step),
        host: step.host,
        details: step.errorMessage,
        traceback: step.errorReason,
      };
      action.events = [...action.events.filter((one) => !same(one)), after];
    }
  }

  /** Ends what is shown of an operation that ended otherwise than by a commit of its own. */
  cut(operation: OperationRow, now: Instant): void {
    const action = this.#actions.find(({ id }) => id === operation.id);
    if (action === undefined) return;
    const { message: details, reason: traceback } =
      operation.error === null ? { message: "", reason: "" } : OperationError.decode(operation.error);
    action.events = action.events.map((event) =>
      event.finished_at === null
        ? { ...event, finished_at: now, result: "Error", details, traceback }
        : event,
    );
    if (operation.state === "preempted") return;
    action.updated_at = now;
    action.failed = true;
  }

  /** An operation goes on that had failed for the time being. */
  resume({ id }: OperationRow, now: Instant): void {
    const action = this.#actions.find((one) => one.id === id);
    if (action === undefined) return;
    action.updated_at = now;
    action.failed = false;
  }

  /** @throws ACTION_NOT_FOUND */
  get(serverId: string, requestId: string): InstanceAction {
    const [found] = this.#of(serverId)
      .filter(({ request_id }) => request_id === requestId)
      .reverse();
    if (found === undefined) throw CellsErrors.ACTION_NOT_FOUND({ request: requestId });
    return { ...toAction(found), events: eventsOf(found) };
  }

  /** Newest first. @throws MARKER_NOT_FOUND, INVALID_ARGUMENT */
  list(
    query: ListInstanceActionsRequest,
    marker: string,
  ): { actions: InstanceAction[]; nextPageToken: string } {
    const limit = pageSize(query.pageSize);
    const all = this.#of(query.serverId);
    const after = marker === "" ? readToken(query.pageToken) : this.#place(all, marker);
    const rows = all.filter(
      (row) =>
        (query.changesSince === undefined || row.updated_at >= fromTimestamp(query.changesSince)) &&
        (query.changesBefore === undefined || row.updated_at <= fromTimestamp(query.changesBefore)) &&
        (after === undefined || bytewise(sqlTime(row.started_at) + row.id, after.at + after.id) < 0),
    );
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      actions: page.map(toAction),
      nextPageToken: rows.length > limit && last !== undefined ? writeToken(last.started_at, last.id) : "",
    };
  }

  clear(): void {
    this.#actions.length = 0;
  }

  /** Newest first. */
  #of(serverId: string): ActionEntry[] {
    return this.#actions
      .filter((row) => row.server_id === serverId)
      .sort((a, b) =>
        a.started_at === b.started_at ? bytewise(b.id, a.id) : a.started_at < b.started_at ? 1 : -1,
      );
  }

  #place(all: readonly ActionEntry[], marker: string): { at: string; id: string } {
    const row = all.find(({ request_id }) => request_id === marker);
    if (row === undefined) throw CellsErrors.MARKER_NOT_FOUND({ marker });
    return { at: sqlTime(row.started_at), id: row.id };
  }
}

const toAction = (row: ActionEntry): InstanceAction => ({
  requestId: row.request_id,
  action: row.action,
  serverId: row.server_id,
  projectId: row.project_id,
  userId: row.user_id,
  startedAt: toTimestamp(row.started_at),
  updatedAt: toTimestamp(row.updated_at),
  message: row.failed ? "Error" : "",
  events: [],
});

const eventsOf = (action: ActionEntry): InstanceAction["events"] =>
  [...action.events]
    .sort((a, b) =>
      a.started_at === b.started_at
        ? a.round - b.round || a.position - b.position
        : a.started_at < b.started_at
          ? -1
          : 1,
    )
    .slice(-MAX_EVENTS)
    .map((row) => ({
      event: row.event,
      startedAt: toTimestamp(row.started_at),
      finishedAt: toTimestampOrUnset(row.finished_at),
      result: row.result,
      host: row.host,
      hostId: hostIdOf(action.project_id, row.host),
      details: row.details,
      traceback: row.traceback,
    }));
