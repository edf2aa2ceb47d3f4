import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import { insertInto } from "../../store/fragments.js";
import type { DormantRow } from "../../store/rows.js";
import type { Store, Tables, Tx } from "../../store/tables.js";

type Row = Readonly<Record<string, unknown>>;

/** Which rows of a table go with a server from cell to cell, beside its own record. */
interface Travelling {
  readonly table: keyof Tables;
  /** Of the server; `servers` is a list of ids in brackets, or a query for them. */
  readonly where: (t: Tables, servers: Sql) => Sql;
  /** Those of the operation that moves stay: its awakening makes them anew. */
  readonly madeAnew?: (row: Row, moving: string) => boolean;
}

const isItself = ({ id }: Row, moving: string): boolean => id === moving;

/**
 * All of a server's rows that a cell's database has. Whoever adds a table of them adds it here.
 */
const TRAVELLING: readonly Travelling[] = [
  {
    table: "instance_action_event",
    where: (t, servers) =>
      sql`action_id IN (SELECT id FROM ${t.instance_action} WHERE server_id IN ${servers})`,
    madeAnew: ({ action_id: action }, moving) => action === moving,
  },
  { table: "instance_action", where: (_t, servers) => sql`server_id IN ${servers}`, madeAnew: isItself },
  {
    table: "client_token",
    where: (t, servers) =>
      sql`operations[1] IN (SELECT 'operations/' || server_id || '/' || id FROM ${t.operation} WHERE server_id IN ${servers})`,
  },
  { table: "block_device", where: (_t, servers) => sql`server_id IN ${servers}` },
  { table: "migration", where: (_t, servers) => sql`server_id IN ${servers}` },
  { table: "operation", where: (_t, servers) => sql`server_id IN ${servers}`, madeAnew: isItself },
];

type Rows = Readonly<Record<string, readonly Row[]>>;

/**
 * Everything that goes with a server, but the operation that moves it, which has a copy of its own. All
 * columns go, also those that a newer process has added.
 */
export async function packHistory(store: Store, tx: Tx, serverId: string, moving: string): Promise<Buffer> {
  const packed: Record<string, readonly Row[]> = {};
  for (const { table, where, madeAnew } of TRAVELLING) {
    const { rows } =
      await sql<Row>`SELECT * FROM ${store.t[table]} WHERE ${where(store.t, sql`(${serverId})`)}`.execute(tx);
    packed[table] = rows.filter((row) => madeAnew?.(row, moving) !== true);
  }
  return Buffer.from(JSON.stringify(packed, packValue));
}

/** Stores what came with a server. What it left here when it was here before gives way. */
export async function unpackHistory(store: Store, tx: Tx, { server_id, history }: DormantRow): Promise<void> {
  const { t } = store;
  await sql`DELETE FROM ${t.operation} WHERE server_id = ${server_id} AND state = 'handed-over'`.execute(tx);
  if (history === null) return;
  const packed = JSON.parse(history.toString(), unpackValue) as Rows;
  for (const { table } of TRAVELLING) {
    const rows = packed[table] ?? [];
    for (let from = 0; from < rows.length; from += AT_ONCE)
      await sql`${insertInto(t[table], rows.slice(from, from + AT_ONCE))} ON CONFLICT DO NOTHING`.execute(tx);
  }
}

/** Parts of a statement that forget everything that has gone with the servers that `gone` names. */
export const forgettingHistory = (t: Tables, gone: Sql): { readonly name: string; readonly body: Sql }[] =>
  TRAVELLING.map(({ table, where }) => ({
    name: `gone_${table}`,
    body: sql`DELETE FROM ${t[table]} WHERE ${where(t, gone)}${table === "operation" ? sql` AND state <> 'handed-over'` : sql``}`,
  }));

/** Rows of one statement. */
const AT_ONCE = 50;

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
