/**
 * Block devices and migrations of servers. Each row is its message; what stands beside it is what lists ask
 * for, and `deleted_at`, which counts: a server's end sets it without reading the messages.
 */
export const serverRowStatements: readonly string[] = [
  `CREATE TABLE block_device (
    server_id text NOT NULL,
    id text NOT NULL,
    volume_id text NOT NULL,
    device_name text NOT NULL,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    body bytea NOT NULL,
    PRIMARY KEY (server_id, id)
  )`,
  `CREATE UNIQUE INDEX block_device_volume_once ON block_device (volume_id, server_id)
    WHERE volume_id <> '' AND deleted_at IS NULL`,
  `CREATE TABLE migration (
    id text PRIMARY KEY,
    number int8 NOT NULL,
    server_id text NOT NULL,
    project_id text NOT NULL,
    user_id text NOT NULL,
    kind int8 NOT NULL,
    status text NOT NULL,
    source_host text NOT NULL,
    target_host text NOT NULL,
    hidden bool NOT NULL,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    deleted_at timestamptz,
    body bytea NOT NULL
  )`,
  `CREATE INDEX migration_by_age ON migration (created_at, id)`,
  `CREATE INDEX migration_by_server ON migration (server_id, created_at, id)`,
  `CREATE INDEX migration_by_project ON migration (project_id, created_at, id)`,
  `CREATE INDEX migration_by_user ON migration (user_id, created_at, id)`,
  `CREATE INDEX migration_by_source ON migration (source_host, created_at, id)`,
  `CREATE INDEX migration_by_target ON migration (target_host, created_at, id)`,
  `CREATE INDEX migration_by_status ON migration (status, created_at, id)`,
  `CREATE INDEX migration_by_change ON migration (changed_at)`,
  `INSERT INTO counter (name, value) VALUES ('migration', 0) ON CONFLICT DO NOTHING`,
  `CREATE TABLE operation_void (
    operation_id text PRIMARY KEY,
    created_at timestamptz NOT NULL
  )`,
];
