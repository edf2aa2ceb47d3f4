import type { Instant } from "../../../kernel/time.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import { assignments } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import type { OutboxRow } from "../../store/outbox.js";
import { sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";
import { decreed, hostDeleted } from "../domain/decree.js";
import { haltedOn, liveBeside } from "./lanes.js";

/**
 * Ends the operations of a host that is deleted in the same transaction, those that wait included: no agent
 * will ever answer them.
 * @cost three statements
 */
export async function endHostOperations(
  store: Store,
  tx: Tx,
  hostId: string,
  now: Instant,
): Promise<{ readonly parts: readonly Part[]; readonly events: readonly OutboxRow[] }> {
  const { t } = store;
  await sql`SELECT 1 FROM ${t.operation_subject} WHERE id = ${hostId} FOR UPDATE`.execute(tx);
  const rows = [...(await liveBeside(store, tx, hostId)), ...(await haltedOn(store, tx, hostId))];
  const ended = rows.map((row) => ({ row, changes: decreed(row, hostDeleted(hostId), now) }));
  return {
    parts: ended.map(({ row, changes }, index) => ({
      name: `ended${index}`,
      body: sql`UPDATE ${t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`,
    })),
    events: ended.map(({ row, changes }) => operationChanged({ ...row, ...changes })),
  };
}
