/**
 * Lists of operations by project, and of all. What has gone to another database stays stored but is not
 * listed; what is just going is found by its server.
 */
export const operationListStatements: readonly string[] = [
  `CREATE INDEX operation_by_project ON operation (project_id, created_at, id) WHERE state <> 'handed-over'`,
  `CREATE INDEX operation_by_age ON operation (created_at, id) WHERE state <> 'handed-over'`,
  `CREATE INDEX operation_unfinished ON operation (project_id, created_at, id)
    WHERE state IN ('running', 'parked', 'undoing', 'needs-operator')`,
  `CREATE INDEX instance_leaving ON instance (project_id) WHERE leaving_to <> ''`,
];
