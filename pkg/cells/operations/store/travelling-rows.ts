import { createHash } from "node:crypto";
import type { Ctx } from "../../../kernel/ctx.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { DormantRow } from "../../store/rows.js";
import type { Store, Tables, Tx } from "../../store/tables.js";
import type { FoundCopy } from "./dormant.js";

/** A column by which a table's rows are in order, and its type. */
type KeyColumn = readonly [column: string, type: "text" | "int8" | "timestamptz"];

/** A table with rows of a server. */
interface Travelling {
  readonly table: keyof Tables;
  /** Names a row among those of its server, or of its parents; an index has them in this order. */
  readonly key: readonly KeyColumn[];
  /**
   * The column that names an operation: rows of the one that moves stay, its awakening makes them anew.
   */
  readonly madeAnew?: string;
}

/** A table whose rows hang on those of another one. */
interface Below extends Travelling {
  /** @param parents  a query for `server_id` and `id` of rows on which they hang */
  readonly where: (parents: Sql) => Sql;
}

/** A table whose rows have a `server_id`. */
interface OfServer extends Travelling {
  readonly below: readonly Below[];
}

/** Client tokens of operations: an index finds them by the operations' names. */
export const tokensOf = (operations: Sql): Sql =>
  sql`operations[1] IN (SELECT 'operations/' || server_id || '/' || id FROM (${operations}) AS parent)`;

/**
 * All of a server's rows that a cell's database has. Whoever adds a table of them adds it here.
 */
const TRAVELLING: readonly OfServer[] = [
  {
    table: "instance_action",
    key: [["id", "text"]],
    madeAnew: "id",
    below: [
      {
        table: "instance_action_event",
        key: [
          ["action_id", "text"],
          ["step", "text"],
          ["round", "int8"],
        ],
        madeAnew: "action_id",
        where: (actions) => sql`action_id IN (SELECT id FROM (${actions}) AS parent)`,
      },
    ],
  },
  {
    table: "operation",
    key: [
      ["created_at", "timestamptz"],
      ["id", "text"],
    ],
    madeAnew: "id",
    below: [
      {
        table: "client_token",
        key: [
          ["project_id", "text"],
          ["user_id", "text"],
          ["method", "text"],
          ["token", "text"],
        ],
        where: tokensOf,
      },
      // Those of the operation that moves too, consumed ones as well: one that is sent again stays known.
      {
        table: "operation_signal",
        key: [
          ["operation_id", "text"],
          ["signal_id", "text"],
        ],
        where: (operations) => sql`operation_id IN (SELECT id FROM (${operations}) AS parent)`,
      },
    ],
  },
  { table: "block_device", key: [["id", "text"]], below: [] },
  {
    table: "migration",
    key: [
      ["created_at", "timestamptz"],
      ["id", "text"],
    ],
    below: [],
  },
];

/** Rows that are read at once, and at least so many are written. */
const AT_ONCE = 200;

/**
 * Brings a server's rows to where a copy of it waits, page by page. There they lie apart, row by row, until
 * the copy wakes. The source has promised, so that nothing of it changes any more. Repeatable, by several at
 * once: a row is there or not, whoever brought it; nothing is brought to a copy that has woken, and what was
 * cut short is gone on with. All columns go, also those that a newer process has added.
 * @cost one statement, one read for each table, one more for each 200 rows, and one write for 200 rows
 */
export async function carryRows(source: Store, target: Store, ctx: Ctx, copy: FoundCopy): Promise<void> {
  const before = await reachedWith(target, ctx, copy);
  const first = TRAVELLING.findIndex(({ table }) => table === before?.table);
  const { serverId, operationId } = copy;
  const going: PackedRow[] = [];
  let reached = before;
  const take = async (from: Travelling, rows: readonly FoundRow[]): Promise<void> => {
    going.push(...packed(from, rows, operationId));
    if (going.length >= AT_ONCE) await putApart(target, ctx, copy, going.splice(0), reached);
  };
  for (const one of TRAVELLING.slice(Math.max(0, first))) {
    const after = before?.table === one.table ? before.after : undefined;
    for await (const page of pagesOf(source, ctx, one, sql`server_id = ${serverId}`, after)) {
      const ids = page.map((row) => valueOf(one, row, "id"));
      const parents = sql`SELECT ${serverId}::text AS server_id, unnest(${ids}::text[]) AS id`;
      for (const below of one.below)
        for await (const rows of pagesOf(source, ctx, below, below.where(parents))) await take(below, rows);
      await take(one, page);
      // With the next write: what was read so far is in it, or in one before.
      reached = { table: one.table, after: page.at(-1)?.key ?? [] };
    }
  }
  if (going.length > 0) await putApart(target, ctx, copy, going, reached);
}

/** Values of a key as the database writes them. */
type Key = readonly string[];

/** How far rows were brought: to this key of this table, in the order of the list. */
interface Reached {
  readonly table: string;
  readonly after: Key;
}

/** A row of the source. */
interface FoundRow {
  readonly key: Key;
  /** JSON as the database makes it. */
  readonly body: string;
}

/** A row of `travelling_row`. */
interface PackedRow {
  readonly table: string;
  /** Names the row among those of its table; its own key may be too long for an index once more. */
  readonly key: string;
  readonly columns: string;
  readonly body: string;
}

const PACKED = "packed_row";
const keyName = (index: number): string => `key_${index}`;

/** A table's rows in the order of its key, page by page; none is empty. */
async function* pagesOf(
  { db, t }: Store,
  ctx: Ctx,
  { table, key }: Travelling,
  where: Sql,
  after?: Key,
): AsyncGenerator<readonly FoundRow[]> {
  const columns = sql.join(key.map(([column]) => sql.ref(column)));
  const values = sql.join(
    key.map(([column], index) => sql`${sql.ref(column)}::text AS ${sql.ref(keyName(index))}`),
  );
  let last = after;
  for (;;) {
    const bound = last?.map((value, index) => sql`${value}::${TYPES[key[index]?.[1] ?? "text"]}`);
    const rest = bound === undefined ? sql`` : sql` AND (${columns}) > (${sql.join(bound)})`;
    const { rows } = await db.statement(ctx, "handover.pack", (on) =>
      sql<Readonly<Record<string, unknown>>>`
      SELECT ${values}, to_jsonb(one)::text AS ${sql.ref(PACKED)} FROM (
        SELECT * FROM ${t[table]} WHERE ${where}${rest} ORDER BY ${columns} LIMIT ${AT_ONCE}
      ) AS one ORDER BY ${columns}`.execute(on),
    );
    const found = rows.map((row) => ({
      key: key.map((_column, index) => String(row[keyName(index)])),
      body: String(row[PACKED]),
    }));
    if (found.length > 0) yield found;
    if (found.length < AT_ONCE) return;
    last = found.at(-1)?.key;
  }
}

const valueOf = ({ key }: Travelling, row: FoundRow, wanted: string): string =>
  row.key[key.findIndex(([column]) => column === wanted)] ?? "";

const TYPES = { text: sql`text`, int8: sql`int8`, timestamptz: sql`timestamptz` };

/** Rows that go, without those that are made anew. */
function packed(from: Travelling, rows: readonly FoundRow[], moving: string): PackedRow[] {
  const { table, madeAnew } = from;
  const columns = Object.keys(JSON.parse(rows[0]?.body ?? "{}") as object).join();
  return rows
    .filter((row) => madeAnew === undefined || valueOf(from, row, madeAnew) !== moving)
    .map(({ key, body }) => ({ table, key: hashOf(key), columns, body }));
}

const hashOf = (key: Key): string => createHash("sha256").update(JSON.stringify(key)).digest("hex");

/** Rows of a copy that lie apart. */
const apartFor = ({ operationId, sourceFence }: Pick<FoundCopy, "operationId" | "sourceFence">): Sql =>
  sql`operation_id = ${operationId} AND source_fence = ${sourceFence}`;

/** Stands among the rows of a copy for how far they were brought. */
const REACHED = "";

async function putApart(
  { db, t }: Store,
  ctx: Ctx,
  copy: FoundCopy,
  rows: readonly PackedRow[],
  reached: Reached | undefined,
): Promise<void> {
  const all = [...rows, { table: REACHED, key: "", columns: "", body: JSON.stringify(reached ?? {}) }];
  const column = (of: (row: PackedRow) => string): Sql => sql`${all.map(of)}::text[]`;
  await db.statement(ctx, "handover.carry", (on) =>
    sql`WITH held AS (
      SELECT operation_id, source_fence FROM ${t.dormant_operation} WHERE ${apartFor(copy)} AND NOT activated FOR UPDATE
    )
    INSERT INTO ${t.travelling_row} (operation_id, source_fence, source_table, key, columns, body)
    SELECT held.operation_id, held.source_fence, one.source_table, one.key, one.columns, one.body::jsonb
    FROM held, unnest(${column(({ table }) => table)}, ${column(({ key }) => key)}, ${column(({ columns }) => columns)},
      ${column(({ body }) => body)}) AS one (source_table, key, columns, body)
    ON CONFLICT (operation_id, source_fence, source_table, key) DO UPDATE SET body = excluded.body`.execute(
      on,
    ),
  );
}

/** How far a copy's rows were brought by whoever was cut short. */
async function reachedWith({ db, t }: Store, ctx: Ctx, copy: FoundCopy): Promise<Reached | undefined> {
  const { rows } = await db.statement(ctx, "handover.carried", (on) =>
    sql<{
      body: Reached;
    }>`SELECT body FROM ${t.travelling_row} WHERE ${apartFor(copy)} AND source_table = ${REACHED}`.execute(
      on,
    ),
  );
  return rows[0]?.body;
}

/**
 * Stores what came with a server, a table's rows at once. What it left here when it was here before gives
 * way.
 */
export async function unpackRows({ t }: Store, tx: Tx, dormant: DormantRow): Promise<void> {
  const { server_id: serverId, operation_id: operationId, source_fence: sourceFence } = dormant;
  const its = apartFor({ operationId, sourceFence });
  await sql`DELETE FROM ${t.operation} WHERE server_id = ${serverId} AND state = 'handed-over'`.execute(tx);
  // A source's table may have got a column while it was read: rows have what their table had then.
  const { rows: shapes } = await sql<{ source_table: string; columns: string }>`
    SELECT DISTINCT source_table, columns FROM ${t.travelling_row} WHERE ${its}`.execute(tx);
  for (const { table } of TABLES)
    for (const { columns } of shapes.filter((shape) => shape.source_table === table)) {
      const names = columns.split(",");
      const stored = sql.join(names.map((name) => sql.ref(name)));
      const packed = sql.join(names.map((name) => sql.ref(`one.${name}`)));
      await sql`INSERT INTO ${t[table]} (${stored}) SELECT ${packed} FROM (
          SELECT body FROM ${t.travelling_row} WHERE ${its} AND source_table = ${table} AND columns = ${columns}
        ) AS r CROSS JOIN LATERAL jsonb_populate_record(NULL::${t[table]}, r.body) AS one ON CONFLICT DO NOTHING`.execute(
        tx,
      );
    }
  await sql`DELETE FROM ${t.travelling_row} WHERE ${its}`.execute(tx);
}

const TABLES: readonly Travelling[] = TRAVELLING.flatMap((one) => [one, ...one.below]);

/** Parts of a statement that forget everything that has gone with the servers that `gone` names. */
export const forgettingHistory = (t: Tables, gone: Sql): { readonly name: string; readonly body: Sql }[] => {
  const forgetting = ({ table }: Travelling, where: Sql): { readonly name: string; readonly body: Sql } => ({
    name: `gone_${table}`,
    body: sql`DELETE FROM ${t[table]} WHERE ${where}${table === "operation" ? sql` AND state <> 'handed-over'` : sql``}`,
  });
  return TRAVELLING.flatMap((one) => {
    const parents = sql`SELECT server_id, id FROM ${t[one.table]} WHERE server_id IN ${gone}`;
    return [
      ...one.below.map((below) => forgetting(below, below.where(parents))),
      forgetting(one, sql`server_id IN ${gone}`),
    ];
  });
};
