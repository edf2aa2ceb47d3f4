import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { UNENDED } from "../../../model/migration-states.js";
import { operationIdOf } from "../../operations/store/owned-operation.js";
import type { OperationRow } from "../../store/rows.js";
import type { TwinDatabase } from "./database.js";

/** The host that an operation is about, or where its server is; "" for none. */
export function ownHost(database: TwinDatabase, { server_id: id }: OperationRow): string {
  const server = database.instances.get(id);
  return server === undefined ? (database.node(id)?.host ?? "") : String(server.columns["host"] ?? "");
}

/**
 * Whether an operation works on a host: it is about it, its server is there, one of its steps was, or its
 * server moves from there or to there.
 */
export function operationWorksOn(database: TwinDatabase, operation: string, host: string): boolean {
  const row = database.operations.get(operationIdOf(operation));
  if (row === undefined) return false;
  const steps = StoredSteps.decode(row.steps).steps.map((step) => step.host);
  const moves = [...database.migrations.values()].filter(
    ({ serverId, status, deletedAt }) =>
      serverId === row.server_id && deletedAt === undefined && UNENDED.includes(status),
  );
  const ends = moves.flatMap(({ source, target }) => [source?.host, target?.host]);
  return [ownHost(database, row), ...steps, ...ends].includes(host);
}
