import type {
  InstanceAction,
  ListInstanceActionsRequest,
} from "../../../../gen/kilonova/api/v1/limits_service.js";
import type { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../../kernel/time.js";
import { hostIdOf } from "../../../model/host-id.js";
import { fromTimestamp, toTimestamp, toTimestampOrUnset } from "../../../model/wire-time.js";
import { sqlTime } from "../../../platform/db/index.js";
import { CellsErrors } from "../../errors.js";
import { MAX_EVENTS } from "../../operations/store/read-actions.js";
import { actionRow, cutEvent, stepEvents } from "../../operations/domain/timeline-rows.js";
import type { ActionRow, EventRow } from "../../operations/domain/timeline-rows.js";
import { readToken, writeToken } from "../../store/page-tokens.js";
import type { OperationRow } from "../../store/rows.js";
import { bytewise, pageSize } from "./order.js";
import { orNone } from "../../../model/presence.js";

/** A row of `instance_action` with its events. */
export interface ActionEntry extends Omit<ActionRow, "updated_at"> {
  updated_at: Instant;
  failed: boolean;
  events: readonly EventRow[];
}

/** What was done to servers, as REST shows it. */
export class Timeline {
  readonly #actions: ActionEntry[] = [];

  /** Begins an operation's action. */
  begin(operation: OperationRow, actor: Actor | undefined, now: Instant, events: readonly EventRow[]): void {
    this.put({ ...actionRow(operation, actor, now), failed: false, events });
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
    for (const event of stepEvents(operation, changed, now)) {
      const same = (one: EventRow): boolean => one.step === event.step && one.round === event.round;
      const before = action.events.find(same);
      // As the statement has it: where and when it began stays.
      const kept = before && {
        position: before.position,
        event: before.event,
        started_at: before.started_at,
      };
      action.events = [...action.events.filter((one) => !same(one)), { ...event, ...kept }];
    }
  }

  /** Ends what is shown of an operation that ended otherwise than by a commit of its own. */
  cut(operation: OperationRow, now: Instant): void {
    const action = this.#actions.find(({ id }) => id === operation.id);
    if (action === undefined) return;
    action.events = action.events.map((event) =>
      event.finished_at === null ? { ...event, ...cutEvent(operation, now) } : event,
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
  message: row.failed ? "Error" : undefined,
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
      result: orNone(row.result),
      host: orNone(row.host),
      hostId: orNone(hostIdOf(action.project_id, row.host)),
      details: orNone(row.details),
      traceback: orNone(row.traceback),
    }));
