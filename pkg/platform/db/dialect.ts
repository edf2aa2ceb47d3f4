import type pg from "pg";

/**
 * Real differences between PostgreSQL and CockroachDB live here, each with its reason.
 * DDL: CockroachDB cannot hold several schema changes in one transaction
 * (https://www.cockroachlabs.com/docs/stable/online-schema-changes).
 */
export async function isCockroach(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ version: string }>("SELECT version() AS version");
  return (rows[0]?.version ?? "").includes("CockroachDB");
}
