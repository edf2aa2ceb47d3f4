/**
 * Operations of hosts and of the cloud. `operation.server_id` is the id of the subject, whatever its kind is.
 * What a server's record does for the server's operations, a row of `operation_subject` does for the others:
 * it is locked to find their place in a lane, and mints their fences.
 */
export const subjectStatements: readonly string[] = [
  `ALTER TABLE operation ADD COLUMN subject text NOT NULL DEFAULT 'server'`,
  `CREATE TABLE operation_subject (
    id text PRIMARY KEY,
    operation_fence int8 NOT NULL DEFAULT 0
  )`,
];
