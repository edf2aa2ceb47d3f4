import { inserting } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { sql } from "../../store/sql.js";
import { CellsErrors } from "../../errors.js";
import type { TokenUse } from "../domain/token-use.js";
import type { Store, Tx } from "../../store/tables.js";

/**
 * The operations that an earlier call with the same token started.
 * @throws TOKEN_REUSED when that call asked for something else
 */
export async function replayOf(store: Store, tx: Tx, use: TokenUse): Promise<readonly string[] | undefined> {
  if (use.token === "") return undefined;
  const { rows } = await sql<{
    body_hash: Buffer;
    operations: string[];
  }>`SELECT body_hash, operations FROM ${store.t.client_token}
    WHERE project_id = ${use.projectId} AND user_id = ${use.userId} AND method = ${use.method} AND token = ${use.token}`.execute(
    tx,
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  if (!row.body_hash.equals(use.bodyHash)) throw CellsErrors.TOKEN_REUSED({ token: use.token });
  return row.operations;
}

/** The row that protects a call; its primary key refuses a second one at the same time. */
export const tokenRow = (
  use: TokenUse,
  operations: readonly string[],
  now: bigint,
): Readonly<Record<string, unknown>> => ({
  project_id: use.projectId,
  user_id: use.userId,
  method: use.method,
  token: use.token,
  body_hash: use.bodyHash,
  operations,
  created_at: now,
});

/** The part that stores a call's token; none when it has none. */
export const tokenParts = (
  { t }: Pick<Store, "t">,
  use: TokenUse,
  operations: readonly string[],
  now: bigint,
): readonly Part[] =>
  use.token === "" ? [] : [inserting("tok", t.client_token, [tokenRow(use, operations, now)])];
