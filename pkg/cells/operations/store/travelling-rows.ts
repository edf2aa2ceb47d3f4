import { createHash } from "node:crypto";
import type { Ctx } from "../../../kernel/ctx.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import { insertInto } from "../../store/fragments.js";
import type { DormantRow } from "../../store/rows.js";
import type { Store, Tables, Tx } from "../../store/tables.js";
import type { FoundCopy } from "./dormant.js";

type Row = Readonly<Record<string, unknown>>;

/** Which rows of a table go with a server from cell to cell, beside its own record. */
interface Travelling {
  readonly table: keyof Tables;
  /** Its primary key. */
  readonly key: readonly string[];
  /** Of the server; `servers` is a list of ids in brackets, or a query for them. */
  readonly where: (t: Tables, servers: Sql) => Sql;
  /** Those of the operation that moves stay: its awakening makes them anew. */
  readonly madeAnew?: (row: Row, moving: string) => boolean;
}

const isItself = ({ id }: Row, moving: string): boolean => id === moving;

/** Client tokens of servers: an index finds them by the names of their operations. */
export const tokensOf = (t: Tables, servers: Sql): Sql =>
  sql`operations[1] IN (SELECT 'operations/' || server_id || '/' || id FROM ${t.operation} WHERE server_id IN ${servers})`;

/**
 * All of a server's rows that a cell's database has. Whoever adds a table of them adds it here.
 */
const TRAVELLING: readonly Travelling[] = [
  {
    table: "instance_action_event",
    key: ["action_id", "step", "round"],
    where: (t, servers) =>
      sql`action_id IN (SELECT id FROM ${t.instance_action} WHERE server_id IN ${servers})`,
    madeAnew: ({ action_id: action }, moving) => action === moving,
  },
  {
    table: "instance_action",
    key: ["server_id", "id"],
    where: (_t, servers) => sql`server_id IN ${servers}`,
    madeAnew: isItself,
  },
  {
    table: "client_token",
    key: ["project_id", "user_id", "method", "token"],
    where: tokensOf,
  },
  // Those of the operation that moves go too, consumed ones as well: one that is sent again stays known.
  {
    table: "operation_signal",
    key: ["operation_id", "signal_id"],
    where: (t, servers) => sql`operation_id IN (SELECT id FROM ${t.operation} WHERE server_id IN ${servers})`,
  },
  {
    table: "block_device",
    key: ["server_id", "id"],
    where: (_t, servers) => sql`server_id IN ${servers}`,
  },
  { table: "migration", key: ["id"], where: (_t, servers) => sql`server_id IN ${servers}` },
  {
    table: "operation",
    key: ["id"],
    where: (_t, servers) => sql`server_id IN ${servers}`,
    madeAnew: isItself,
  },
];

/** Rows of one statement. */
const AT_ONCE = 200;

/**
 * Brings a server's rows to where a copy of it waits, page by page. There they lie apart, row by row, until
 * the copy wakes. The source has promised, so that nothing of it changes any more. Repeatable, by several at
 * once: a row is there or not, whoever brought it; and nothing is brought to a copy that has woken. All
 * columns go, also those that a newer process has added.
 * @cost for each table one read, one more for each 200 rows, and one write for 200 rows
 */
export async function carryRows(source: Store, target: Store, ctx: Ctx, copy: FoundCopy): Promise<void> {
  const going: PackedRow[] = [];
  for (const one of TRAVELLING) {
    let rows: readonly Row[] = [];
    do {
      rows = await rowsAfter(source, ctx, one, copy.serverId, rows.at(-1));
      for (const row of rows)
        if (one.madeAnew?.(row, copy.operationId) !== true) going.push(packed(one, row));
      while (going.length >= AT_ONCE) await putApart(target, ctx, copy, going.splice(0, AT_ONCE));
    } while (rows.length === AT_ONCE);
  }
  if (going.length > 0) await putApart(target, ctx, copy, going);
}

/** The next page of a table's rows, in the order of its key. */
async function rowsAfter(
  { db, t }: Store,
  ctx: Ctx,
  { table, key, where }: Travelling,
  serverId: string,
  last: Row | undefined,
): Promise<readonly Row[]> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const after = last && sql` AND (${columns}) > (${sql.join(key.map((column) => last[column]))})`;
  const { rows } = await db.statement(ctx, "handover.pack", (on) =>
    sql<Row>`SELECT * FROM ${t[table]} WHERE ${where(t, sql`(${serverId})`)}${after ?? sql``}
      ORDER BY ${columns} LIMIT ${AT_ONCE}`.execute(on),
  );
  return rows;
}

/** A row of `travelling_row`. */
interface PackedRow {
  readonly table: string;
  /** Names the row among those of its table; its own key may be too long for an index once more. */
  readonly key: string;
  readonly body: string;
}

const packed = ({ table, key }: Travelling, row: Row): PackedRow => ({
  table,
  key: createHash("sha256")
    .update(
      JSON.stringify(
        key.map((column) => row[column]),
        packValue,
      ),
    )
    .digest("hex"),
  body: JSON.stringify(row, packValue),
});

async function putApart(
  { db, t }: Store,
  ctx: Ctx,
  { operationId, sourceFence }: FoundCopy,
  rows: readonly PackedRow[],
): Promise<void> {
  const tables = rows.map(({ table }) => table);
  const keys = rows.map(({ key }) => key);
  const bodies = rows.map(({ body }) => body);
  await db.statement(ctx, "handover.carry", (on) =>
    sql`WITH held AS (
      SELECT 1 FROM ${t.dormant_operation}
      WHERE operation_id = ${operationId} AND source_fence = ${sourceFence} AND NOT activated FOR UPDATE
    )
    INSERT INTO ${t.travelling_row} (operation_id, source_fence, source_table, key, body)
    SELECT ${operationId}::text, ${sourceFence}::int8, one.source_table, one.key, one.body
    FROM held, unnest(${tables}::text[], ${keys}::text[], ${bodies}::text[]) AS one (source_table, key, body)
    ON CONFLICT DO NOTHING`.execute(on),
  );
}

/** Stores what came with a server. What it left here when it was here before gives way. */
export async function unpackRows(store: Store, tx: Tx, dormant: DormantRow): Promise<void> {
  const { t } = store;
  const { server_id, operation_id, source_fence } = dormant;
  await sql`DELETE FROM ${t.operation} WHERE server_id = ${server_id} AND state = 'handed-over'`.execute(tx);
  const its = sql`operation_id = ${operation_id} AND source_fence = ${source_fence}`;
  for (const { table } of TRAVELLING) {
    let rows: readonly { readonly key: string; readonly body: string }[] = [];
    do {
      const page = sql<(typeof rows)[number]>`SELECT key, body FROM ${t.travelling_row}
        WHERE ${its} AND source_table = ${table} AND key > ${rows.at(-1)?.key ?? ""} ORDER BY key LIMIT ${AT_ONCE}`;
      ({ rows } = await page.execute(tx));
      for (const alike of byColumns(rows.map(({ body }) => JSON.parse(body, unpackValue) as Row)))
        await sql`${insertInto(t[table], alike)} ON CONFLICT DO NOTHING`.execute(tx);
    } while (rows.length === AT_ONCE);
  }
  await sql`DELETE FROM ${t.travelling_row} WHERE ${its}`.execute(tx);
}

/** Rows by the columns that they have: the source's table may have got one while they were read. */
function byColumns(rows: readonly Row[]): Iterable<Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const columns = Object.keys(row).join();
    const group = groups.get(columns);
    if (group === undefined) groups.set(columns, [row]);
    else group.push(row);
  }
  return groups.values();
}

/** Parts of a statement that forget everything that has gone with the servers that `gone` names. */
export const forgettingHistory = (t: Tables, gone: Sql): { readonly name: string; readonly body: Sql }[] =>
  TRAVELLING.map(({ table, where }) => ({
    name: `gone_${table}`,
    body: sql`DELETE FROM ${t[table]} WHERE ${where(t, gone)}${table === "operation" ? sql` AND state <> 'handed-over'` : sql``}`,
  }));

const BIG = "$bigint";
const BYTES = "$bytes";

/** Buffers are JSON before the replacer sees them. */
function packValue(this: unknown, key: string, value: unknown): unknown {
  const raw = (this as Row)[key];
  if (Buffer.isBuffer(raw)) return { [BYTES]: raw.toString("base64") };
  return typeof raw === "bigint" ? { [BIG]: raw.toString() } : value;
}

function unpackValue(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (BYTES in value) return Buffer.from(String(value[BYTES]), "base64");
  return BIG in value ? BigInt(String(value[BIG])) : value;
}
