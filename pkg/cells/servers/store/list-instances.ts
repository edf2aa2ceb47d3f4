import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import { ServerFilter } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type { Timestamp } from "../../../../gen/google/protobuf/timestamp.js";
import type {
  InstanceRow,
  ListInstancesRequest,
  ListInstancesResponse,
} from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { MAX_PAGE_BYTES, fittingRows } from "../../../model/page-bytes.js";
import { powerStateNumber, vmStateWord } from "../../../model/instance-states.js";
import { fromTimestamp } from "../../../model/wire-time.js";
import type { Database } from "../../../platform/db/index.js";
import { fromSortValue, sortColumns, sortValue } from "../domain/sort-keys.js";
import type { SortColumn } from "../domain/sort-keys.js";
import { hasRegex, regexConditions } from "./regex-conditions.js";
import { encodedWithProgress, progressColumn } from "./shown-progress.js";
import type { WithProgress } from "./shown-progress.js";
import type { Schema, Store } from "../../store/tables.js";

type Condition = Sql;

/**
 * One page of records, as bytes: one at least, and else no more than {@link MAX_PAGE_BYTES}. Sorted with
 * `COLLATE "C"`; null is smaller than every value, as in Nova's databases: first ascending, last descending.
 * @throws SORT_KEY_INVALID; INVALID_ARGUMENT for a regular expression that is not taken; LIST_TOO_EXPENSIVE,
 *   TOO_MANY_LISTS
 * @cost one indexed statement for the default sort of a project; other sorts read what the filter leaves; one
 *   statement more for a page with records that are long for it
 */
export async function listInstances(
  store: Store,
  ctx: Ctx,
  request: ListInstancesRequest,
): Promise<ListInstancesResponse> {
  const columns = sortColumns(request.sort);
  const limit = Math.min(1000, request.pageSize === 0 ? 1000 : request.pageSize);
  const conditions = [
    ...filterConditions(request.filter, request.projectId),
    ...(request.after.length === 0 ? [] : [afterRow(columns, request.after)]),
  ];
  const order = sql.join(
    columns.map(
      ({ column, kind, descending }) =>
        sql`${sql.ref(column)}${kind === "text" ? sql` COLLATE "C"` : sql``}${descending ? sql` DESC NULLS LAST` : sql` ASC NULLS FIRST`}`,
    ),
  );
  const selected = sql.join(
    [...new Set(["id", "generation", ...columns.map(({ column }) => column)])].map((column) =>
      sql.ref(column),
    ),
  );
  // As many records of this length are no more than a page, whatever the others are.
  const short = Math.floor(MAX_PAGE_BYTES / (limit + 1));
  const read = async (inner: Ctx, on: Database<Schema>): Promise<Listed> => {
    const { rows } = await on.statement(inner, "instances.list", (db) =>
      sql<ListedRow>`
      SELECT ${selected}, ${progressColumn(store.t)}, octet_length(server) AS length, CASE WHEN octet_length(server) <= ${short} THEN server END AS server FROM ${store.t.instance} WHERE ${sql.join(conditions, sql` AND `)} ORDER BY ${order} LIMIT ${limit + 1}`.execute(
        db,
      ),
    );
    const page = fittingRows(rows.slice(0, limit), ({ length }) => length);
    return { page: await withLong(store, inner, on, page), more: page.length < rows.length };
  };
  const { page, more } = await (isCostly(request)
    ? store.costly.run(ctx, request.projectId, read)
    : read(ctx, store.db));
  const rows: InstanceRow[] = [];
  for (const row of page) {
    // It has left this database meanwhile.
    if (row.server === null) return listInstances(store, ctx, request);
    rows.push({
      sortValues: columns.map(({ column, kind }) => sortValue(row[column], kind)),
      serverId: row.id,
      generation: BigInt(row.generation),
      server: encodedWithProgress(row.server, row),
    });
  }
  return { rows, more };
}

/** A record, or null while it is too long to be read before it is known that it fits. */
interface ListedRecord {
  readonly id: string;
  readonly generation: number;
  readonly server: Buffer | null;
}
type ListedRow = Readonly<Record<string, unknown>> &
  WithProgress &
  ListedRecord & { readonly length: number };

/** Rows that fit into a page, and whether there are others behind them. */
interface Listed {
  readonly page: readonly ListedRow[];
  readonly more: boolean;
}

/** The rows with the records that were too long at first, as they are by now. */
async function withLong(
  store: Store,
  ctx: Ctx,
  on: Database<Schema>,
  page: readonly ListedRow[],
): Promise<readonly ListedRow[]> {
  const ids = page.filter(({ server }) => server === null).map(({ id }) => id);
  if (ids.length === 0) return page;
  const { rows } = await on.statement(ctx, "instances.list-long", (db) =>
    sql<ListedRecord>`SELECT id, generation, server FROM ${store.t.instance} WHERE id = ANY(${ids}::text[])`.execute(
      db,
    ),
  );
  const long = new Map(rows.map((row) => [row.id, row]));
  return page.map((row) => ({ ...row, ...long.get(row.id) }));
}

/** Whether the work depends on what a user wrote, rather than on the length of the page. */
const isCostly = ({ filter, sort }: ListInstancesRequest): boolean =>
  (filter !== undefined && (hasRegex(filter) || hasTags(filter))) ||
  sort.some(({ field }) => !INDEXED.has(field));

/** Sort keys that an index serves. */
const INDEXED: ReadonlySet<string> = new Set(["created_at", "id", "uuid"]);

const hasTags = ({ tags, tagsAny, notTags, notTagsAny }: ServerFilter): boolean =>
  [tags, tagsAny, notTags, notTagsAny].some((list) => list.length > 0);

/** Rows after the given one: (a > x) or (a = x and b > y) …, where null is the smallest value. */
function afterRow(columns: readonly SortColumn[], after: readonly string[]): Condition {
  if (after.length !== columns.length)
    throw CommonErrors.INVALID_ARGUMENT({ field: "after", problem: "it belongs to another sort" });
  const values = columns.map(({ kind }, index) => fromSortValue(after[index] ?? "", kind));
  const cases = columns.map((column, index) => {
    const equal = columns.slice(0, index).map((before, at) => equals(before, values[at] ?? null));
    return sql`(${sql.join([...equal, beyond(column, values[index] ?? null)], sql` AND `)})`;
  });
  return sql`(${sql.join(cases, sql` OR `)})`;
}

const collated = ({ column, kind }: SortColumn): Sql =>
  kind === "text" ? sql`${sql.ref(column)} COLLATE "C"` : sql`${sql.ref(column)}`;
const equals = (column: SortColumn, value: string | number | boolean | null): Condition =>
  value === null ? sql`${sql.ref(column.column)} IS NULL` : sql`${sql.ref(column.column)} = ${value}`;

function beyond(column: SortColumn, value: string | number | boolean | null): Condition {
  if (!column.descending)
    return value === null ? sql`${sql.ref(column.column)} IS NOT NULL` : sql`${collated(column)} > ${value}`;
  return value === null
    ? sql`false`
    : sql`(${collated(column)} < ${value} OR ${sql.ref(column.column)} IS NULL)`;
}

function filterConditions(filter: ServerFilter | undefined, projectId: string): Condition[] {
  const out: Condition[] = [];
  const project = projectId === "" ? filter?.projectId : projectId;
  if (project !== undefined) out.push(sql`project_id = ${project}`);
  if (filter === undefined) return [...out, ...deletedConditions(ServerFilter.fromPartial({}))];
  if (projectId !== "" && (filter.projectId ?? projectId) !== projectId) out.push(sql`false`);
  out.push(
    ...deletedConditions(filter),
    ...textConditions(filter),
    ...stateConditions(filter),
    ...tagConditions(filter),
    ...timeConditions(filter),
  );
  return out.length === 0 ? [sql`true`] : out;
}

/**
 * Deleted ones are shown when asked for, and with changes-since and changes-before, as in Nova; so are those
 * that can be restored.
 */
function deletedConditions(filter: ServerFilter): Condition[] {
  const { deleted, softDeleted, changesSince, changesBefore, vmStates } = filter;
  if (deleted === true)
    return [softDeleted === false ? DELETED : sql`(${DELETED} OR vm_state = ${SOFT_DELETED})`];
  if (deleted === undefined && (changesSince !== undefined || changesBefore !== undefined)) return [];
  const withSoft = softDeleted ?? vmStates.includes(VmState.VM_STATE_SOFT_DELETED);
  return withSoft ? [PRESENT] : [PRESENT, sql`vm_state <> ${SOFT_DELETED}`];
}

const DELETED = sql`deleted_at IS NOT NULL`;
const PRESENT = sql`deleted_at IS NULL`;
const SOFT_DELETED = vmStateWord(VmState.VM_STATE_SOFT_DELETED);

function textConditions(filter: ServerFilter): Condition[] {
  const exact: [string, string | undefined][] = [
    ["image_id", filter.imageId],
    ["flavor_id", filter.flavorId],
    ["user_id", filter.userId],
    ["host", filter.host],
    ["node", filter.node],
    ["availability_zone", filter.availabilityZone],
    ["key_name", filter.keyName],
    ["reservation_id", filter.reservationId],
    ["description", filter.description],
  ];
  return [
    ...(filter.ids.length === 0 ? [] : [sql`id = ANY(${filter.ids}::text[])`]),
    ...exact
      .filter(([, value]) => value !== undefined)
      .map(([column, value]) => sql`${sql.ref(column)} = ${value}`),
    ...regexConditions(filter),
  ];
}

function stateConditions(filter: ServerFilter): Condition[] {
  const out: Condition[] = [];
  if (filter.vmStates.length > 0) out.push(sql`vm_state = ANY(${filter.vmStates.map(vmStateWord)}::text[])`);
  if (filter.powerStates.length > 0)
    out.push(sql`power_state = ANY(${filter.powerStates.map(powerStateNumber)}::int8[])`);
  if (filter.taskStates.length > 0) {
    const named = sql`task_state = ANY(${filter.taskStates.filter((task) => task !== "")}::text[])`;
    out.push(filter.taskStates.includes("") ? sql`(task_state IS NULL OR ${named})` : named);
  }
  if (filter.configDrive !== undefined) out.push(sql`config_drive = ${filter.configDrive}`);
  if (filter.locked !== undefined)
    out.push(filter.locked ? sql`locked_by IS NOT NULL` : sql`locked_by IS NULL`);
  if (filter.progress !== undefined) out.push(sql`progress = ${filter.progress}`);
  return out;
}

function tagConditions(filter: ServerFilter): Condition[] {
  return [
    ...(filter.tags.length === 0 ? [] : [sql`tags @> ${filter.tags}::text[]`]),
    ...(filter.tagsAny.length === 0 ? [] : [sql`tags && ${filter.tagsAny}::text[]`]),
    ...(filter.notTags.length === 0 ? [] : [sql`NOT tags @> ${filter.notTags}::text[]`]),
    ...(filter.notTagsAny.length === 0 ? [] : [sql`NOT tags && ${filter.notTagsAny}::text[]`]),
  ];
}

function timeConditions(filter: ServerFilter): Condition[] {
  const when = (column: string, operator: Sql, at: Timestamp | undefined): Condition[] =>
    at === undefined ? [] : [sql`${sql.ref(column)} ${operator} ${fromTimestamp(at)}`];
  return [
    ...when("updated_at", sql`>=`, filter.changesSince),
    ...when("updated_at", sql`<=`, filter.changesBefore),
    ...when("created_at", sql`=`, filter.createdAt),
    ...when("launched_at", sql`=`, filter.launchedAt),
    ...when("terminated_at", sql`=`, filter.terminatedAt),
  ];
}
