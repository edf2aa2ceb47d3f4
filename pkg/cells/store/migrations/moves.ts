/** Servers that go from cell to cell: which protocol a copy follows, what comes with it, and what is kept. */
export const moveStatements: readonly string[] = [
  `ALTER TABLE dormant_operation ADD COLUMN protocol text NOT NULL DEFAULT 'new-server'`,
  `ALTER TABLE dormant_operation ADD COLUMN history bytea`,
  `CREATE TABLE kept_server (
    server_id text PRIMARY KEY,
    operation_id text NOT NULL,
    number int8 NOT NULL,
    server bytea NOT NULL,
    details bytea NOT NULL,
    user_data bytea,
    kept_at timestamptz NOT NULL
  )`,
];
