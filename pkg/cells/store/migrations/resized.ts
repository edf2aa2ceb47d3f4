/**
 * Servers that are resized and wait for their owner's word, by how long they do: what confirms them by itself
 * reads those that are due, and no others. A process of the version before leaves the column as it is: who
 * reads it looks at the state as well.
 */
export const resizedStatements: readonly string[] = [
  `ALTER TABLE instance ADD COLUMN resized_at timestamptz`,
  `CREATE INDEX instance_resized ON instance (resized_at, id)
    WHERE resized_at IS NOT NULL AND deleted_at IS NULL`,
];
