/**
 * Servers that are shelved on their hosts, by how long that is so: what takes them off reads those that are
 * due, and no others. A process of the version before leaves the column as it is: who reads it looks at the
 * state as well, and what such a process shelves stays where it is.
 */
export const shelvedStatements: readonly string[] = [
  `ALTER TABLE instance ADD COLUMN shelved_at timestamptz`,
  `CREATE INDEX instance_shelved ON instance (shelved_at, id)
    WHERE shelved_at IS NOT NULL AND deleted_at IS NULL`,
];
