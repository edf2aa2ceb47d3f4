/**
 * Servers that can be restored, by how long that is so: what reclaims them reads those that are due, and no
 * others. A column from its first day, unlike other new fields: a process of the version before leaves it as
 * it is, makes no server SOFT_DELETED, and only ends such servers by deleting them.
 */
export const softDeletedStatements: readonly string[] = [
  `ALTER TABLE instance ADD COLUMN soft_deleted_at timestamptz`,
  `CREATE INDEX instance_soft_deleted ON instance (soft_deleted_at, id)
    WHERE soft_deleted_at IS NOT NULL AND deleted_at IS NULL`,
];
