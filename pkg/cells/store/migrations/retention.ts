/** What is kept for a time is found by its age, so that a sweep reads no more than it deletes. */
export const retentionStatements: readonly string[] = [
  `CREATE INDEX operation_ended ON operation (updated_at, id)
    WHERE state IN ('succeeded', 'failed', 'cancelled', 'preempted')`,
  `CREATE INDEX operation_signal_by_age ON operation_signal (created_at)`,
  `CREATE INDEX client_token_by_age ON client_token (created_at)`,
  `CREATE INDEX instance_deleted ON instance (deleted_at, id) WHERE deleted_at IS NOT NULL`,
  `CREATE INDEX block_device_deleted ON block_device (deleted_at) WHERE deleted_at IS NOT NULL`,
];

/** What hosts' agents have written down of periods; in cells only. */
export const taskLogStatements: readonly string[] = [
  `CREATE TABLE task_log (
    task_name text NOT NULL,
    period_beginning timestamptz NOT NULL,
    period_ending timestamptz NOT NULL,
    host text NOT NULL,
    state text NOT NULL,
    message text NOT NULL,
    task_items int8 NOT NULL,
    errors int8 NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (task_name, period_beginning, period_ending, host)
  )`,
  `CREATE INDEX task_log_by_end ON task_log (period_ending)`,
];
