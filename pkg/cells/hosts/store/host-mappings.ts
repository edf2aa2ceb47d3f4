import { within } from "../../../kernel/ctx.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { insertInto } from "../../store/fragments.js";
import { sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

/** How long a registration waits for the global database: a host does without the note, see `Stores`. */
const NOTE_MS = 1_000;

/**
 * Notes in the global database in which cell a host is: its operations are found there, also when it has been
 * deleted. Each process writes it once per host. What cannot be noted now is found by asking all cells.
 */
export function hostNotes(global: Store): (ctx: Ctx, hostId: string, cell: string) => Promise<void> {
  const noted = new Map<string, string>();
  return async (ctx, hostId, cell) => {
    if (noted.get(hostId) === cell) return;
    try {
      await within(ctx, NOTE_MS, "The global database", (inner) => noteHost(global, inner, hostId, cell));
      noted.set(hostId, cell);
    } catch (error) {
      if (!(error instanceof KilonovaError) || ctx.signal.aborted) throw error;
      ctx.log.warn("hosts.mapping.late", { hostId, cell, error });
    }
  };
}

const noteHost = async ({ db, t }: Store, ctx: Ctx, hostId: string, cell: string): Promise<void> => {
  await db.statement(ctx, "hosts.note", (on) =>
    sql`${insertInto(t.host_mapping, [{ host_id: hostId, database: cell }])}
      ON CONFLICT (host_id) DO UPDATE SET database = excluded.database`.execute(on),
  );
};

/** The cell in which a host registered last; undefined when nobody has noted it. @cost one statement */
export async function notedCell({ db, t }: Store, ctx: Ctx, hostId: string): Promise<string | undefined> {
  const { rows } = await db.statement(ctx, "hosts.noted", (on) =>
    sql<{ database: string }>`SELECT database FROM ${t.host_mapping} WHERE host_id = ${hostId}`.execute(on),
  );
  return rows[0]?.database;
}

/** Whether a host is, or was, in a cell: its record, or what its operations have left. */
export async function knowsHost({ db, t }: Store, ctx: Ctx, hostId: string): Promise<boolean> {
  const { rows } = await db.statement(ctx, "hosts.locate", (on) =>
    sql`SELECT 1 FROM ${t.compute_node} WHERE id = ${hostId}
      UNION ALL SELECT 1 FROM ${t.operation_subject} WHERE id = ${hostId} LIMIT 1`.execute(on),
  );
  return rows.length > 0;
}
