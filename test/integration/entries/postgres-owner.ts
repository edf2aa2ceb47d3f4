/**
 * Owns an embedded PostgreSQL until SIGTERM: `postgres-owner.ts <stateDir>`. Prints what the tests want to
 * know.
 */
import { openPool } from "../../../pkg/platform/db/index.js";
import { startPostgres } from "../../../pkg/platform/postgres/index.js";
import { silentLogger } from "../../../pkg/kernel/logger.js";
import { testCtx } from "../../../pkg/testkit/ctx.js";

const ctx = testCtx({ deadlineMs: undefined });
const server = await startPostgres(ctx, { stateDir: process.argv[2] ?? "", log: silentLogger });
const pool = openPool(server.connection);
const session = await pool.acquire(ctx);
const { rows } = await session.client.query("SELECT 1 AS one");
await session.client.query("CREATE TABLE IF NOT EXISTS mark (note text)");
await session.client.query("INSERT INTO mark (note) VALUES ('here')");
const marks = Number(
  (await session.client.query<{ n: number }>("SELECT count(*) AS n FROM mark")).rows[0]?.n,
);
const { rows: roles } = await session.client.query<{ may: boolean }>(
  "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls AS may FROM pg_roles WHERE rolname = current_user",
);
session.release();

process.once("SIGTERM", () => {
  void pool
    .close()
    .then(() => server.stop())
    .then(() => process.exit(0));
});
console.log(
  JSON.stringify({
    ok: rows.length === 1,
    marks,
    mayMore: roles[0]?.may,
    adopted: server.adopted,
    pid: server.pid(),
    connection: server.connection,
  }),
);
setInterval(() => {}, 1_000);
