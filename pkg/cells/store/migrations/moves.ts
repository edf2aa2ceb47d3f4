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

/**
 * What else of a server goes with a copy, row by row, until the copy wakes; and which client tokens are a
 * server's. `dormant_operation.history` is written by nobody any more.
 */
export const travellingRowStatements: readonly string[] = [
  `CREATE TABLE travelling_row (
    operation_id text NOT NULL,
    source_fence int8 NOT NULL,
    source_table text NOT NULL,
    key text NOT NULL,
    columns text NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (operation_id, source_fence, source_table, key)
  )`,
  `CREATE INDEX client_token_by_operation ON client_token ((operations[1]))`,
];
