import { ConsoleToken } from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { insertInto } from "../../store/fragments.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store } from "../../store/tables.js";
import { tokenBounds } from "../domain/token-bounds.js";

/** Keeps a token, and forgets those that have ended or have to give way to it. */
export async function storeConsoleToken(
  { db, t }: Store,
  deps: StoreDeps,
  ctx: Ctx,
  token: ConsoleToken,
): Promise<void> {
  const row = {
    token_hash: token.tokenHash,
    server_id: token.serverId,
    project_id: token.projectId,
    expires_at: fromTimestampOrNull(token.expiresAt) ?? 0n,
    body: encoded(ConsoleToken, token),
  };
  const { console_token } = t;
  const beyond = (whose: Sql, kept: number): Sql =>
    sql`DELETE FROM ${console_token} WHERE token_hash IN (
      SELECT token_hash FROM ${console_token} WHERE ${whose} ORDER BY expires_at DESC, token_hash OFFSET ${kept})`;
  await db.write(ctx, "console-tokens.store", async (tx) => {
    await sql`DELETE FROM ${console_token} WHERE expires_at <= ${deps.clock.now()}`.execute(tx);
    await beyond(sql`server_id = ${row.server_id}`, tokenBounds.perServer - 1).execute(tx);
    await beyond(sql`project_id = ${row.project_id}`, tokenBounds.perProject - 1).execute(tx);
    await sql`${insertInto(console_token, [row])} ON CONFLICT (token_hash) DO NOTHING`.execute(tx);
  });
}

/** Forgets tokens that have ended. @returns how many */
export async function forgetConsoleTokens(
  { db, t }: Store,
  ctx: Ctx,
  before: Instant,
  limit: number,
): Promise<number> {
  const { rows } = await db.statement(ctx, "console-tokens.forget", (on) =>
    sql`DELETE FROM ${t.console_token} WHERE token_hash IN (
      SELECT token_hash FROM ${t.console_token} WHERE expires_at <= ${before} ORDER BY expires_at LIMIT ${limit}) RETURNING 1`.execute(
      on,
    ),
  );
  return rows.length;
}

/** @throws CONSOLE_TOKEN_NOT_FOUND, also when it has ended */
export async function findConsoleToken(
  { db, t }: Store,
  deps: StoreDeps,
  ctx: Ctx,
  hash: Buffer,
): Promise<ConsoleToken> {
  const { rows } = await db.statement(ctx, "console-tokens.find", (on) =>
    sql<{
      body: Buffer;
    }>`SELECT body FROM ${t.console_token} WHERE token_hash = ${hash} AND expires_at > ${deps.clock.now()}`.execute(
      on,
    ),
  );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.CONSOLE_TOKEN_NOT_FOUND({});
  return ConsoleToken.decode(row.body);
}
