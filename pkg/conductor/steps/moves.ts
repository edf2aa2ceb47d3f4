import {
  MigrationChange,
  MigrationEnd,
  MigrationRecord,
} from "../../../gen/kilonova/cells/v1/server_records.js";
import type { ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../kernel/errors.js";
import { GLOBAL } from "../../model/database-names.js";
import { COLD_KINDS, NOT_CLEARED } from "../../model/migration-states.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import type { StoredDestination } from "./destinations.js";

type MigrationPorts = Pick<Ports, "migrations">;

/** Uuid of the operation: that of the migration that it has made. */
export const ownMigrationId = ({ operation }: Pick<StepCall, "operation">): string =>
  parseOperationName(operation.name)?.operationId ?? "";

/** One of the server's migrations, as it is stored now. @throws MIGRATION_NOT_FOUND */
export async function readMigration(
  { ctx, database, server }: Pick<StepCall, "ctx" | "database" | "server">,
  { migrations }: MigrationPorts,
  migrationId: string,
): Promise<MigrationRecord> {
  const { migration } = await migrations.getMigration(ctx, { database, serverId: server.id, migrationId });
  if (migration === undefined) throw CommonErrors.INTERNAL({}, { cause: `no migration ${migrationId}` });
  return migration;
}

/** The host that a server has left. @throws INTERNAL: one that was moved always has one */
export function sourceOf({ id, source }: MigrationRecord): MigrationEnd {
  if (source === undefined) throw CommonErrors.INTERNAL({}, { cause: `migration ${id} has no source` });
  return source;
}

/**
 * Resizes and cold migrations of the server that may have left something on either host: those that nobody
 * has confirmed or reverted, and those that failed. Of build requests none.
 * @cost one list, by the server
 */
export async function unclearedMoves(
  { ctx, database, server }: Pick<StepCall, "ctx" | "database" | "server">,
  { migrations }: MigrationPorts,
): Promise<MigrationRecord[]> {
  if (database === GLOBAL) return [];
  const { rows } = await migrations.listMigrations(ctx, {
    database,
    serverIds: [server.id],
    kinds: [...COLD_KINDS],
    statuses: [...NOT_CLEARED],
  });
  return rows.flatMap(({ migration }) => migration ?? []);
}

/** New values of some fields of a migration. @param values  without an id: the operation's own */
export const migrationChange = (
  values: Partial<MigrationRecord>,
  updateMask: readonly string[],
): MigrationChange =>
  MigrationChange.fromPartial({
    migration: MigrationRecord.fromPartial(values),
    updateMask: [...updateMask],
  });

/** A migration's next status. @param id  "" for the operation's own */
export const statusIs = (status: string, id = ""): MigrationChange =>
  migrationChange({ id, status }, ["status"]);

/** A destination as the end of a migration. */
export const endAt = ({ cell, host, node, computeNodeId, zone, address }: StoredDestination): MigrationEnd =>
  MigrationEnd.fromPartial({
    cell,
    host,
    node,
    computeNodeId,
    availabilityZone: zone,
    address: address ?? "",
  });

/** What is known of a server's place once it is at one end of a migration. */
export const placeAt = (
  info: ServerHostInfo | undefined,
  { host, node, computeNodeId }: Pick<MigrationEnd, "host" | "node" | "computeNodeId">,
): ServerHostInfo => ({ ...info, host, node, computeNodeUuid: computeNodeId });
