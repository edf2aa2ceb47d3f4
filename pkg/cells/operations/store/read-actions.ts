import { sql } from "../../store/sql.js";
import type {
  InstanceAction,
  InstanceActionEvent,
  ListInstanceActionsRequest,
} from "../../../../gen/kilonova/api/v1/limits_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestamp, toTimestamp, toTimestampOrUnset } from "../../../model/wire-time.js";
import { fittingRows } from "../../../model/page-bytes.js";
import { hostIdOf } from "../../../model/host-id.js";
import { CellsErrors } from "../../errors.js";
import { readToken, writeToken } from "../../store/page-tokens.js";
import type { Store, Tx } from "../../store/tables.js";
import { orNone } from "../../../model/presence.js";
import type { ActionRow, EventRow } from "../domain/timeline-rows.js";

interface FoundAction extends ActionRow {
  readonly failed: boolean;
}
/** What is read of an event. */
type FoundEvent = Omit<EventRow, "step" | "round" | "position">;

const toAction = (row: FoundAction, events: InstanceActionEvent[] = []): InstanceAction => ({
  requestId: row.request_id,
  action: row.action,
  serverId: row.server_id,
  projectId: row.project_id,
  userId: row.user_id,
  startedAt: toTimestamp(row.started_at),
  updatedAt: toTimestamp(row.updated_at),
  message: row.failed ? "Error" : undefined,
  events,
});

const toEvent =
  (projectId: string) =>
  (row: FoundEvent): InstanceActionEvent => ({
    event: row.event,
    startedAt: toTimestamp(row.started_at),
    finishedAt: toTimestampOrUnset(row.finished_at),
    result: orNone(row.result),
    host: orNone(row.host),
    hostId: orNone(hostIdOf(projectId, row.host)),
    details: orNone(row.details),
    traceback: orNone(row.traceback),
  });

/** Events of an action that are told: an operation that is begun anew again and again has ever more. */
export const MAX_EVENTS = 1_000;

/** About as long as an event is, encoded. */
const bytesOf = ({ event, host, details, traceback }: FoundEvent): number =>
  100 + 3 * (event.length + host.length + details.length + traceback.length);

/** One action with its newest events, oldest first: MAX_EVENTS, or what fits. @throws ACTION_NOT_FOUND */
export async function getAction(
  store: Store,
  ctx: Ctx,
  serverId: string,
  requestId: string,
): Promise<InstanceAction> {
  const { t } = store;
  return store.db.read(ctx, "actions.get", async (tx) => {
    const { rows } =
      await sql<FoundAction>`SELECT * FROM ${t.instance_action} WHERE server_id = ${serverId} AND request_id = ${requestId} ORDER BY started_at LIMIT 1`.execute(
        tx,
      );
    const row = rows[0];
    if (row === undefined) throw CellsErrors.ACTION_NOT_FOUND({ request: requestId });
    const events =
      await sql<FoundEvent>`SELECT event, started_at, finished_at, result, host, details, traceback FROM ${t.instance_action_event}
      WHERE action_id = ${row.id} ORDER BY started_at DESC, round DESC, position DESC LIMIT ${MAX_EVENTS}`.execute(
        tx,
      );
    const newest = fittingRows(events.rows, bytesOf);
    return toAction(row, newest.map(toEvent(row.project_id)).reverse());
  });
}

/** Newest first, without events. @throws MARKER_NOT_FOUND */
export async function listActions(
  store: Store,
  ctx: Ctx,
  query: ListInstanceActionsRequest,
  marker: string,
): Promise<{ actions: InstanceAction[]; nextPageToken: string }> {
  const { t } = store;
  const limit = Math.min(1000, query.pageSize === 0 ? 1000 : query.pageSize);
  return store.db.read(ctx, "actions.list", async (tx) => {
    const after =
      marker === "" ? readToken(query.pageToken) : await markerPlace(store, tx, query.serverId, marker);
    const conditions = [
      sql`server_id = ${query.serverId}`,
      ...(query.changesSince === undefined ? [] : [sql`updated_at >= ${fromTimestamp(query.changesSince)}`]),
      ...(query.changesBefore === undefined
        ? []
        : [sql`updated_at <= ${fromTimestamp(query.changesBefore)}`]),
      ...(after === undefined ? [] : [sql`(started_at, id) < (${after.at}::timestamptz, ${after.id})`]),
    ];
    const { rows } =
      await sql<FoundAction>`SELECT * FROM ${t.instance_action} WHERE ${sql.join(conditions, sql` AND `)} ORDER BY started_at DESC, id DESC LIMIT ${limit + 1}`.execute(
        tx,
      );
    const last = rows.slice(0, limit).at(-1);
    return {
      actions: rows.slice(0, limit).map((row) => toAction(row)),
      nextPageToken: rows.length > limit && last !== undefined ? writeToken(last.started_at, last.id) : "",
    };
  });
}

async function markerPlace(
  store: Store,
  tx: Tx,
  serverId: string,
  marker: string,
): Promise<{ at: Instant | string; id: string }> {
  const { rows } =
    await sql<FoundAction>`SELECT * FROM ${store.t.instance_action} WHERE server_id = ${serverId} AND request_id = ${marker}`.execute(
      tx,
    );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.MARKER_NOT_FOUND({ marker });
  return { at: row.started_at, id: row.id };
}
