import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { operationIdOf } from "../../operations/store/owned-operation.js";
import type { TwinDatabase } from "./database.js";

/** Whether an operation works on a host: it is about it, its server is there, or one of its steps was. */
export function operationWorksOn(database: TwinDatabase, operation: string, host: string): boolean {
  const row = database.operations.get(operationIdOf(operation));
  if (row === undefined) return false;
  const server = database.instances.get(row.server_id);
  const on = server === undefined ? database.node(row.server_id)?.host : server.columns["host"];
  return [on, ...StoredSteps.decode(row.steps).steps.map((step) => step.host)].includes(host);
}
