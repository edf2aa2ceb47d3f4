import type { Instant } from "../../../kernel/time.js";
import { GLOBAL } from "../../../model/database-names.js";
import { UNDER_WAY } from "../../../model/migration-states.js";
import { NO_ROWS } from "../../servers/domain/plan-change.js";
import { rowParts, toMigration } from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether } from "../../store/fragments.js";
import type { OperationRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";
import { cutShort, endedMigrations } from "../domain/cut-short.js";
import { nameOf } from "../domain/operation-rows.js";

/**
 * Ends the migration records of operations that were cut short. The caller has locked their server's row;
 * what it changes of the same records itself comes after this, and holds.
 * @param leader  whom the server's record names as its operation, before it changes
 * @cost none when none of them is a server's; else one statement, and one more when there is something to end
 */
export async function endMigrations(
  store: Store,
  deps: Pick<StoreDeps, "box">,
  tx: Tx,
  cut: readonly OperationRow[],
  leader: string,
  now: Instant,
): Promise<void> {
  const servers = [...new Set(cut.flatMap((row) => (row.subject === "server" ? [row.server_id] : [])))];
  // Build requests do not move.
  if (servers.length === 0 || store.name === GLOBAL) return;
  const { rows } = await sql<
    Parameters<typeof toMigration>[0]
  >`SELECT body, deleted_at FROM ${store.t.migration}
    WHERE server_id = ANY(${servers}::text[]) AND status = ANY(${UNDER_WAY}::text[]) AND deleted_at IS NULL`.execute(
    tx,
  );
  const ended = cut.map((row) => cutShort({ ...row, name: nameOf(row) }, leader));
  const migrations = endedMigrations(rows.map(toMigration), ended, now);
  if (migrations.length > 0) await allTogether(rowParts(store, deps, { ...NO_ROWS, migrations })).execute(tx);
}
