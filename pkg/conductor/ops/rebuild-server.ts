import type { RebuildInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import rebuildServer from "../../model/operations/rebuild-server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import type { Change, StepCall } from "../engine/kind.js";
import { checkRebuildHost } from "../steps/check-rebuild-host.js";
import { keepsItsState } from "../steps/guest-step.js";
import { prepareRebuild, REPLACE, replaceDisks, spawnRebuilt } from "../steps/rebuild-guest.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * All that may go wrong comes first, while the old guest runs on. No step touches placement or migrations:
 * what fails here leaves the server on its host with what it holds.
 */
export default ({ ports }: KindDeps) =>
  defineKind(rebuildServer, {
    version: 1,
    steps: [checkRebuildHost(ports), prepareRebuild(ports), replaceDisks(ports), spawnRebuilt(ports)],
    failed,
  });

/** How a server is left by a rebuild that failed or was cancelled, everything undone. */
export function failed(call: StepCall<RebuildInput>, error: OperationError, details: string): Change {
  const replacing = call.operation.steps.find(({ name }) => name === REPLACE);
  const isReplaced = replacing !== undefined && replacing.output.length > 0;
  const cancelled = error.reason === "OPERATION_CANCELLED";
  // These two steps are cancelled only before they begin: either the old disks are in place, or the new ones.
  if (replacing === undefined || (cancelled && !isReplaced)) return keepsItsState(call, error, details);
  const fault = faultOf(error, details, call.now);
  return {
    set: cancelled
      ? {
          vmState: VmState.VM_STATE_STOPPED,
          powerState: PowerState.POWER_STATE_SHUTDOWN,
          taskState: "",
          fault,
        }
      : { vmState: VmState.VM_STATE_ERROR, taskState: "", fault },
  };
}
