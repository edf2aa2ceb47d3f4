import type { Instant } from "../../../kernel/time.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import { assignments } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { OperationRow } from "../../store/rows.js";
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
  const ended = rows.map((row) => ({ ...row, ...decreed(row, hostDeleted(hostId), now) }));
  const [first] = ended;
  return {
    parts: first === undefined ? [] : [endedPart(store, ended, first)],
    events: ended.map((row) => operationChanged(row)),
  };
}

/** @param first  one of them: they end alike, but for their steps and generations */
const endedPart = ({ t }: Store, ended: readonly OperationRow[], first: OperationRow): Part => {
  const { state, owner, ready_at, progress, secrets, waiting_for, error, updated_at } = first;
  const alike = { state, owner, ready_at, progress, secrets, waiting_for, error, updated_at };
  return {
    name: "ended",
    body: sql`UPDATE ${t.operation} AS o SET ${assignments(alike)}, steps = e.steps, generation = e.generation
      FROM unnest(${ended.map(({ id }) => id)}::text[], ${ended.map(({ steps }) => steps)}::bytea[],
        ${ended.map(({ generation }) => generation)}::int8[]) AS e (id, steps, generation)
      WHERE o.id = e.id`,
  };
};
