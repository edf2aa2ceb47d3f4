import type { Server } from "../../gen/kilonova/cells/v1/server.js";
import { vmStateWord } from "./instance-states.js";
import type { Form } from "./operation-declaration.js";

/** Why nothing may begin on a server as it is. */
export type StateRefusal =
  | { readonly reason: "INSTANCE_LOCKED" | "NOT_READY" }
  | { readonly reason: "INVALID_STATE"; readonly attr: string; readonly state: string };

/**
 * Judges in Nova's order: lock, vm_state, task_state, launched. Few operations ask for the host before the
 * states; the others ask for it last, so that a server without one hears of the state that it is in.
 * @param bypassLock  whether the actor may pass locks
 * @source compute-api-states §3
 */
export function stateRefusal(
  server: Server,
  form: Omit<Form, "taskState" | "contention">,
  bypassLock: boolean,
): StateRefusal | undefined {
  const { vmState, taskState, launchedAt, lock, hostInfo } = server;
  const refused = (attr: string, state: string): StateRefusal => ({ reason: "INVALID_STATE", attr, state });
  if (form.lock !== "ignores" && !bypassLock && lock !== undefined)
    return form.lock === "hides" ? refused("never-launched", "") : { reason: "INSTANCE_LOCKED" };
  const lacksHost = (when: Form["needsHost"]): boolean =>
    form.needsHost === when && (hostInfo?.host ?? "") === "";
  if (lacksHost("first")) return { reason: "NOT_READY" };
  if (form.vmStates !== undefined && !form.vmStates.includes(vmState))
    return refused("vm_state", vmStateWord(vmState));
  if (form.taskStates !== undefined && !form.taskStates.includes(taskState))
    return taskState === "" ? refused("never-launched", "") : refused("task_state", taskState);
  if (form.needsLaunch === true && launchedAt === undefined) return refused("never-launched", "");
  return lacksHost("last") ? { reason: "NOT_READY" } : undefined;
}
