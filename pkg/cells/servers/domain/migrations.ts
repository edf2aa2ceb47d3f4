import { MigrationEnd, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { MigrationChange } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { firstStatus, migrationWord, statusMayBecome } from "../../../model/migration-states.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { copyPaths, fieldsIn, pathsOf } from "../../domain/masks.js";
import { CellsErrors } from "../../errors.js";

/** What a change may name; the rest is decided when the record is made. */
const PATHS = pathsOf(MigrationRecord.fromPartial({}), [
  "id",
  "number",
  "serverId",
  "projectId",
  "userId",
  "kind",
  "operation",
  "createdAt",
  "updatedAt",
  "deletedAt",
]);

/** Who makes a migration, and of what. */
export interface Moving {
  /** Before the change. */
  readonly server: Server;
  /** The operation's name. */
  readonly operation: string;
  /** Its uuid: the id of a migration that has none of its own. */
  readonly operationId: string;
  /** Who asked for it. */
  readonly userId: string;
  readonly now: Instant;
  /** Numbers for new ones, as many as are made. */
  readonly numbers: readonly bigint[];
}

/** The ids of the migrations that changes speak of. */
export const migrationIds = (changes: readonly MigrationChange[], operationId: string): string[] =>
  changes.map(({ migration }) => migration?.id || operationId);

/**
 * The migrations that changes make or change, as they are to be stored. Repeatable: one that is there is not
 * made again.
 * @param known  those of the server that the changes speak of, as stored
 * @throws MIGRATION_NOT_FOUND; ILLEGAL_TRANSITION for a status that cannot follow; INVALID_ARGUMENT for a
 *   path that may not be changed and for a new one without a kind
 */
export function changedMigrations(
  known: readonly MigrationRecord[],
  changes: readonly MigrationChange[],
  moving: Moving,
): MigrationRecord[] {
  const all = new Map(known.map((record) => [record.id, record]));
  const written = new Set<string>();
  const numbers = [...moving.numbers];
  for (const { migration: values, updateMask, create } of changes) {
    const id = values?.id || moving.operationId;
    const before = all.get(id);
    if (before === undefined) {
      if (!create || values === undefined) throw CellsErrors.MIGRATION_NOT_FOUND({ migration: id });
      all.set(id, newMigration(values, id, numbers.shift() ?? 0n, moving));
      written.add(id);
    } else if ((updateMask ?? []).length > 0) {
      const after = { ...before, updatedAt: toTimestamp(moving.now) };
      copyPaths(after, values, updateMask, fieldsIn(PATHS), "migrations.update_mask");
      checkStatus(after, before.status);
      all.set(id, after);
      written.add(id);
    }
  }
  return [...all.values()].filter(({ id }) => written.has(id));
}

function newMigration(values: MigrationRecord, id: string, number: bigint, moving: Moving): MigrationRecord {
  const { server, operation, userId, now } = moving;
  if (migrationWord(values.kind) === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "migrations.kind", problem: "is not known" });
  const first = firstStatus(values.kind);
  const record: MigrationRecord = {
    ...values,
    id,
    number,
    serverId: server.id,
    projectId: server.projectId,
    userId,
    status: values.status || first,
    source: values.source ?? endOf(server.hostInfo),
    operation,
    createdAt: toTimestamp(now),
    updatedAt: undefined,
    deletedAt: undefined,
  };
  checkStatus(record, first);
  return record;
}

function checkStatus({ kind, status }: MigrationRecord, before: string): void {
  if (!statusMayBecome(kind, before, status))
    throw CellsErrors.ILLEGAL_TRANSITION({ from: before, to: status });
}

/** The end of a move at which a server is. */
const endOf = (hostInfo: ServerHostInfo | undefined): MigrationEnd =>
  MigrationEnd.fromPartial({
    host: hostInfo?.host ?? "",
    node: hostInfo?.node ?? "",
    computeNodeId: hostInfo?.computeNodeUuid ?? "",
    cell: hostInfo?.cell ?? "",
  });
