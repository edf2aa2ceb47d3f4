import { Migration, MigrationType } from "../../../gen/kilonova/api/v1/migrations_service.js";
import { MigrationKind } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { orNone } from "../../model/presence.js";

const TYPES: ReadonlyMap<MigrationKind, MigrationType> = new Map([
  [MigrationKind.MIGRATION_KIND_MIGRATION, MigrationType.MIGRATION_TYPE_MIGRATION],
  [MigrationKind.MIGRATION_KIND_RESIZE, MigrationType.MIGRATION_TYPE_RESIZE],
  [MigrationKind.MIGRATION_KIND_LIVE_MIGRATION, MigrationType.MIGRATION_TYPE_LIVE_MIGRATION],
  [MigrationKind.MIGRATION_KIND_EVACUATION, MigrationType.MIGRATION_TYPE_EVACUATION],
]);

/** The stored kinds that a filter by type means; none for no filter. */
export const kindsOf = (type: MigrationType): MigrationKind[] =>
  [...TYPES].flatMap(([kind, one]) => (one === type ? [kind] : []));

/** Fields that name hosts. */
export const HOST_FIELDS: readonly string[] = [
  "source_compute",
  "source_node",
  "dest_compute",
  "dest_node",
  "dest_host",
];

/** A migration as users see it. @param hosts  whether the caller may see hosts */
export function presentMigration(record: MigrationRecord, hosts: boolean): Migration {
  const { source, target } = record;
  const host = (name: string | undefined): string | undefined => (hosts ? orNone(name) : undefined);
  return Migration.fromPartial({
    id: record.id,
    number: record.number,
    serverId: record.serverId,
    projectId: record.projectId,
    userId: record.userId,
    type: TYPES.get(record.kind) ?? MigrationType.MIGRATION_TYPE_UNSPECIFIED,
    status: record.status,
    sourceCompute: host(source?.host),
    sourceNode: host(source?.node),
    destCompute: host(target?.host),
    destNode: host(target?.node),
    destHost: host(target?.address),
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    progress: record.counters,
    operation: record.operation,
  });
}
