import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { vmStateWord } from "../../../model/instance-states.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";

/** A state in which servers wait for the cloud to act by itself, and the column that tells since when. */
export type WaitingState =
  VmState.VM_STATE_SOFT_DELETED | VmState.VM_STATE_SHELVED | VmState.VM_STATE_RESIZED;

const SINCE: Readonly<Record<WaitingState, Sql>> = {
  [VmState.VM_STATE_SOFT_DELETED]: sql`soft_deleted_at`,
  [VmState.VM_STATE_SHELVED]: sql`shelved_at`,
  [VmState.VM_STATE_RESIZED]: sql`resized_at`,
};

/** A server that waits, as it was found. */
export interface DueServer {
  readonly id: string;
  /** When it came into its state. */
  readonly since: Instant;
  readonly generation: bigint;
}

interface DueRow {
  readonly id: string;
  readonly since: Instant;
  readonly generation: number;
}

export interface DueQuery {
  readonly state: WaitingState;
  /** In its state since then or longer. */
  readonly before: Instant;
  /** Has not changed after then, unless it came into its state with its last change. */
  readonly quietSince: Instant;
  /** The last one of the page before. */
  readonly after: DueServer | undefined;
  readonly limit: number;
}

/**
 * Servers that have been in a state for long enough, and that nothing owns or takes elsewhere; the oldest
 * first.
 * @cost one statement over an index of just the servers that wait
 */
export async function dueServers(
  store: Store,
  ctx: Ctx,
  { state, before, quietSince, after, limit }: DueQuery,
): Promise<DueServer[]> {
  const since = SINCE[state];
  const beyond =
    after === undefined ? sql`` : sql`AND (${since}, id) > (${after.since}::timestamptz, ${after.id})`;
  const { rows } = await store.db.statement(ctx, "instances.due", (db) =>
    sql<DueRow>`SELECT id, ${since} AS since, generation FROM ${store.t.instance}
      WHERE ${since} IS NOT NULL AND deleted_at IS NULL AND vm_state = ${vmStateWord(state)} AND ${since} <= ${before} ${beyond}
        AND (updated_at IS NULL OR updated_at = ${since} OR updated_at <= ${quietSince}) AND current_operation = '' AND leaving_to = ''
      ORDER BY ${since}, id LIMIT ${limit}`.execute(db),
  );
  return rows.map(({ id, since: at, generation }) => ({ id, since: at, generation: BigInt(generation) }));
}
