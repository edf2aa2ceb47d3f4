import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { operationIdOf } from "../../operations/store/owned-operation.js";
import type { TwinDatabase } from "./database.js";

/** Whether an operation works on a host: its server is there, or one of its steps was. */
export function operationWorksOn(
  { operations, instances }: TwinDatabase,
  operation: string,
  host: string,
): boolean {
  const row = operations.get(operationIdOf(operation));
  if (row === undefined) return false;
  const on = instances.get(row.server_id)?.columns["host"] ?? null;
  return [on, ...StoredSteps.decode(row.steps).steps.map((step) => step.host)].includes(host);
}
