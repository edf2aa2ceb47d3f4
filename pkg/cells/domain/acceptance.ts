import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../gen/kilonova/type/v1/server.js";
import { vmStateWord } from "../../model/instance-states.js";
import { CellsErrors } from "../errors.js";

/** What an operation asks of the instance before it is accepted. */
export type Conditions = Pick<
  AcceptOperationRequest,
  | "verb"
  | "allowedVmStates"
  | "allowedTaskStates"
  | "mustHaveHost"
  | "mustHaveLaunched"
  | "checkLock"
  | "bypassLock"
>;

/**
 * Checks in Nova's order: lock, host, vm_state, task_state, launched.
 * @throws INSTANCE_LOCKED, NOT_READY, INVALID_STATE
 * @source compute-api-states §3
 */
export function checkAcceptable(server: Server, conditions: Conditions): void {
  const { verb, allowedVmStates, allowedTaskStates } = conditions;
  const refuse = (attr: string, state: string): never => {
    throw CellsErrors.INVALID_STATE({ server: server.id, method: verb, attr, state });
  };
  if (conditions.checkLock && !conditions.bypassLock && server.lock !== undefined)
    throw CellsErrors.INSTANCE_LOCKED({ server: server.id });
  if (conditions.mustHaveHost && (server.hostInfo?.host ?? "") === "")
    throw CellsErrors.NOT_READY({ server: server.id });
  if (allowedVmStates.length > 0 && !allowedVmStates.includes(server.vmState))
    refuse("vm_state", vmStateWord(server.vmState));
  if (allowedTaskStates.length > 0 && !allowedTaskStates.includes(server.taskState)) {
    if (server.taskState === "") refuse("never-launched", "");
    else refuse("task_state", server.taskState);
  }
  if (conditions.mustHaveLaunched && server.launchedAt === undefined) refuse("never-launched", "");
}
