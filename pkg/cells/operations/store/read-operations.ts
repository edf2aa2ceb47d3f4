import { pageOf } from "../../store/page.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type {
  ListStoredOperationsRequest,
  ListStoredOperationsResponse,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { CLOUD } from "../../../model/operation-name.js";
import { isLive, operationStateWord } from "../../../model/operation-states.js";
import { fromTimestamp, toTimestamp } from "../../../model/wire-time.js";
import { sqlTime } from "../../../platform/db/index.js";
import { CellsErrors } from "../../errors.js";
import { toStored } from "./operation-rows.js";
import { operationColumns, operationIdOf } from "./owned-operation.js";
import type { OperationRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";

/** @throws OPERATION_NOT_FOUND */
export async function getOperation(store: Store, ctx: Ctx, name: string): Promise<StoredOperation> {
  const { rows } = await store.db.statement(ctx, "operations.get", (db) =>
    sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o WHERE o.id = ${operationIdOf(name)}`.execute(
      db,
    ),
  );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return toStored(row);
}

/**
 * The database to which an operation has gone from here; "" when it is here, undefined when it is not (yet).
 */
export async function handedOverTo(store: Store, ctx: Ctx, name: string): Promise<string | undefined> {
  const { rows } = await store.db.statement(ctx, "operations.handed-over-to", (db) =>
    sql<
      Pick<OperationRow, "handed_over_to">
    >`SELECT handed_over_to FROM ${store.t.operation} WHERE id = ${operationIdOf(name)}`.execute(db),
  );
  return rows[0]?.handed_over_to;
}

/** Operations that a page with filters looks at, at most: few of them may fit, and a project has many. */
export const SEARCHED_AT_ONCE = 5_000;

/**
 * One page, newest first. What has gone to another database is not shown, except while its server has not
 * been forgotten here: then it is running, so that nothing is missing between two databases. It may be there
 * already: `handedOverTo` says where to look.
 * @param searchedAtOnce  see SEARCHED_AT_ONCE
 * @throws INVALID_ARGUMENT for a token of another list
 * @cost one statement over an index; two when kinds or ended states are looked for. They read no more rows
 *   than the page has, or `searchedAtOnce`, or have not ended, however many there are
 */
export async function listOperations(
  store: Store,
  ctx: Ctx,
  query: ListStoredOperationsRequest,
  searchedAtOnce = SEARCHED_AT_ONCE,
): Promise<ListStoredOperationsResponse> {
  const limit = Math.min(1000, query.pageSize === 0 ? 100 : query.pageSize);
  const range = rangeConditions(query);
  const filters = filterConditions(query);
  const end = searches(query) ? await endOfStretch(store, ctx, range, searchedAtOnce) : undefined;
  const rows = await pageRows(store, ctx, {
    listed: [
      ...range,
      ...filters,
      ...(onlyUnfinished(query) ? [UNFINISHED] : []),
      ...(end === undefined ? [] : [sql`${PLACE} >= ${placeOf(end)}`]),
    ],
    moving: showsRunning(query)
      ? [...ofMovingServers(query), ...range, ...kindCondition(query)]
      : [sql`false`],
    limit,
  });
  const found = rows.map((row) => toStored(shown(row)));
  const { page, more } = pageOf(found, limit, (one) => StoredOperation.encode(one).finish().length);
  const last = rows[page.length - 1];
  const searchedTo = more && last !== undefined ? { at: last.created_at, id: last.id } : end;
  return {
    operations: [...page],
    nextPageToken: searchedTo === undefined ? "" : writeToken(searchedTo.at, searchedTo.id),
    searchedTo:
      searchedTo === undefined ? undefined : { createdAt: toTimestamp(searchedTo.at), id: searchedTo.id },
  };
}

/** A row's place in the list. Ids are canonical uuids, so every collation sorts them alike. */
const PLACE = sql`(o.created_at, o.id)`;

export interface Place {
  /** As SQL writes it, when it comes out of a token. */
  readonly at: Instant | string;
  readonly id: string;
}
const placeOf = ({ at, id }: Place): Sql => sql`(${at}::timestamptz, ${id}::text)`;

export const afterOf = ({ after, pageToken }: ListStoredOperationsRequest): Place | undefined =>
  after === undefined
    ? readToken(pageToken)
    : { at: after.createdAt === undefined ? 0n : fromTimestamp(after.createdAt), id: after.id };

/** Whether few of the rows that an index finds may fit: then a page looks at so many and no more. */
export const searches = (query: ListStoredOperationsRequest): boolean =>
  query.states.length + query.kinds.length > 0 && !onlyUnfinished(query);

/** What an index finds. */
function rangeConditions(query: ListStoredOperationsRequest): Sql[] {
  const { serverId, projectId, hostId, cloud, ofServers, createdSince } = query;
  const after = afterOf(query);
  return [
    ...(serverId === "" ? [] : [sql`o.server_id = ${serverId}`]),
    ...(hostId === "" ? [] : [sql`o.server_id = ${hostId}`]),
    ...(cloud ? [sql`o.server_id = ${CLOUD.id}`] : []),
    ...(ofServers ? [sql`o.subject = 'server'`] : []),
    ...(projectId === "" ? [] : [sql`o.project_id = ${projectId}`]),
    ...(createdSince === undefined ? [] : [sql`o.created_at >= ${fromTimestamp(createdSince)}`]),
    ...(after === undefined ? [] : [sql`${PLACE} < ${placeOf(after)}`]),
  ];
}

/** The same of the servers that are just going: by these they are found. */
const ofMovingServers = ({ serverId, projectId }: ListStoredOperationsRequest): Sql[] => [
  ...(serverId === "" ? [] : [sql`i.id = ${serverId}`]),
  ...(projectId === "" ? [] : [sql`i.project_id = ${projectId}`]),
];

const kindCondition = ({ kinds }: ListStoredOperationsRequest): Sql[] =>
  kinds.length === 0 ? [] : [sql`o.kind = ANY(${kinds}::text[])`];

/** What is looked for among the rows that an index finds. */
const filterConditions = (query: ListStoredOperationsRequest): Sql[] => [
  ...(query.states.length === 0 ? [] : [sql`o.state = ANY(${query.states.map(operationStateWord)}::text[])`]),
  ...kindCondition(query),
];

/** As the index `operation_unfinished` says it: few operations, however many a project has had. */
const UNFINISHED = sql`o.state IN ('running', 'parked', 'undoing', 'needs-operator')`;

const onlyUnfinished = ({ states }: ListStoredOperationsRequest): boolean =>
  states.length > 0 &&
  states.every((state) => isLive(state) || state === OperationState.OPERATION_STATE_NEEDS_OPERATOR);

const showsRunning = ({ states }: ListStoredOperationsRequest): boolean =>
  states.length === 0 || states.includes(OperationState.OPERATION_STATE_RUNNING);

/** Where the next `rows` rows end; undefined when there are fewer. */
async function endOfStretch(
  { db, t }: Store,
  ctx: Ctx,
  range: readonly Sql[],
  rows: number,
): Promise<{ readonly at: Instant; readonly id: string } | undefined> {
  const found = await db.statement(ctx, "operations.stretch", (on) =>
    sql<{ created_at: Instant; id: string }>`SELECT o.created_at, o.id FROM ${t.operation} AS o
      WHERE ${sql.join([sql`o.state <> 'handed-over'`, ...range], sql` AND `)}
      ORDER BY o.created_at DESC, o.id DESC OFFSET ${rows - 1} LIMIT 1`.execute(on),
  );
  const last = found.rows[0];
  return last === undefined ? undefined : { at: last.created_at, id: last.id };
}

interface Wanted {
  readonly listed: readonly Sql[];
  /** Of those that are between two databases. */
  readonly moving: readonly Sql[];
  readonly limit: number;
}

/** One row more than the page needs. The source of a hand-over keeps its server until the target has it. */
async function pageRows(
  { db, t }: Store,
  ctx: Ctx,
  { listed, moving, limit }: Wanted,
): Promise<readonly OperationRow[]> {
  const columns = operationColumns("o");
  const newest = sql`ORDER BY o.created_at DESC, o.id DESC LIMIT ${limit + 1}`;
  const here = sql.join([sql`o.state <> 'handed-over'`, ...listed], sql` AND `);
  const going = sql.join([sql`i.leaving_to <> ''`, ...moving], sql` AND `);
  const { rows } = await db.statement(ctx, "operations.list", (on) =>
    sql<OperationRow>`SELECT ${columns} FROM (
      (SELECT ${columns} FROM ${t.operation} AS o WHERE ${here} ${newest})
      UNION ALL
      (SELECT ${columns} FROM ${t.instance} AS i CROSS JOIN LATERAL (
        SELECT ${columns} FROM ${t.operation} AS o
        WHERE o.server_id = i.id AND o.state = 'handed-over' AND o.handed_over_to = i.leaving_to
        ORDER BY o.created_at DESC, o.id DESC LIMIT 1) AS o WHERE ${going} ${newest})
    ) AS o ${newest}`.execute(on),
  );
  return rows;
}

/** What is between two databases runs, wherever that is; `handedOverTo` tells it from the others. */
const shown = (row: OperationRow): OperationRow =>
  row.state === "handed-over" ? { ...row, state: "running" } : row;

export const writeToken = (at: Instant, id: string): string =>
  Buffer.from(JSON.stringify([sqlTime(at), id])).toString("base64url");

/** Reads a token made of a time and an id. @throws INVALID_ARGUMENT */
export function readToken(token: string): { at: string; id: string } | undefined {
  if (token === "") return undefined;
  try {
    const [at, id] = JSON.parse(Buffer.from(token, "base64url").toString()) as unknown[];
    if (typeof at === "string" && typeof id === "string") return { at, id };
  } catch {
    /* Not ours: refused below. */
  }
  throw CommonErrors.INVALID_ARGUMENT({ field: "page_token", problem: "it belongs to another list" });
}
