import { MigrationType } from "../../../../gen/kilonova/api/v1/migrations_service.js";
import type { Migration } from "../../../../gen/kilonova/api/v1/migrations_service.js";
import type { Json } from "../../http/json.js";
import type { Links } from "../../http/links.js";
import type { Microversion } from "../../microversion/version.js";
import { since } from "../../microversion/version.js";
import { longTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { LIVE_IN_PROGRESS } from "../../../model/migration-states.js";

/** Nova's words. */
export const TYPE_WORDS: ReadonlyMap<string, MigrationType> = new Map([
  ["migration", MigrationType.MIGRATION_TYPE_MIGRATION],
  ["resize", MigrationType.MIGRATION_TYPE_RESIZE],
  ["live-migration", MigrationType.MIGRATION_TYPE_LIVE_MIGRATION],
  ["evacuation", MigrationType.MIGRATION_TYPE_EVACUATION],
]);
const wordOf = (type: MigrationType): string | null =>
  [...TYPE_WORDS].find(([, one]) => one === type)?.[0] ?? null;

const numberOrNull = (value: bigint | undefined): number | null => (value ? Number(value) : null);
const paged = since("2.59");
const owned = since("2.80");

const common: readonly Field<Migration, Links>[] = [
  { name: "created_at", value: (m) => longTime(m.createdAt) },
  // Null when there is none yet, and where policy hides it.
  { name: "dest_compute", value: (m) => m.destCompute ?? null },
  { name: "dest_host", value: (m) => m.destHost ?? null },
  { name: "dest_node", value: (m) => m.destNode ?? null },
  { name: "source_compute", value: (m) => m.sourceCompute ?? null },
  { name: "source_node", value: (m) => m.sourceNode ?? null },
  { name: "id", value: (m) => Number(m.number) },
  { name: "status", value: (m) => m.status },
  { name: "updated_at", value: (m) => (m.updatedAt === undefined ? null : longTime(m.updatedAt)) },
  { name: "uuid", span: paged, value: (m) => m.id },
  { name: "user_id", span: owned, value: (m) => m.userId },
  { name: "project_id", span: owned, value: (m) => m.projectId },
];

const isUnderWay = ({ type, status }: Migration): boolean =>
  type === MigrationType.MIGRATION_TYPE_LIVE_MIGRATION && LIVE_IN_PROGRESS.includes(status);

const listed: readonly Field<Migration, Links>[] = [
  ...common,
  { name: "instance_uuid", value: (m) => m.serverId },
  { name: "old_instance_type_id", value: (m) => numberOrNull(m.oldFlavorNumber) },
  { name: "new_instance_type_id", value: (m) => numberOrNull(m.newFlavorNumber) },
  { name: "migration_type", span: since("2.23"), value: (m) => wordOf(m.type) },
  {
    name: "links",
    span: since("2.23"),
    value: (m, links) =>
      isUnderWay(m) ? links.both(`servers/${m.serverId}/migrations`, String(m.number)) : undefined,
  },
];

const ofServer: readonly Field<Migration, Links>[] = [
  ...common,
  { name: "server_uuid", value: (m) => m.serverId },
  { name: "memory_total_bytes", value: (m) => numberOrNull(m.progress?.memoryTotalBytes) },
  { name: "memory_processed_bytes", value: (m) => numberOrNull(m.progress?.memoryProcessedBytes) },
  { name: "memory_remaining_bytes", value: (m) => numberOrNull(m.progress?.memoryRemainingBytes) },
  { name: "disk_total_bytes", value: (m) => numberOrNull(m.progress?.diskTotalBytes) },
  { name: "disk_processed_bytes", value: (m) => numberOrNull(m.progress?.diskProcessedBytes) },
  { name: "disk_remaining_bytes", value: (m) => numberOrNull(m.progress?.diskRemainingBytes) },
];

export class MigrationViews {
  readonly #listed = new View<Migration, Links>("migration", listed);
  readonly #ofServer = new View<Migration, Links>("server migration", ofServer);

  /** As `GET /os-migrations` shows it. */
  listed(migration: Migration, version: Microversion, links: Links): Record<string, Json> {
    return this.#listed.shape(version, []).render(migration, links);
  }

  /** As `GET /servers/{id}/migrations` shows it. */
  ofServer(migration: Migration, version: Microversion, links: Links): Record<string, Json> {
    return this.#ofServer.shape(version, []).render(migration, links);
  }
}
