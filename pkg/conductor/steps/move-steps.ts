import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { KindDeps } from "../kind-factory.js";
import { awaitLanes } from "./await-lanes.js";
import { claimDestination } from "./claim-destination.js";
import { clearHost } from "./clear-host.js";
import { stateBy } from "./confirm-move.js";
import { exportGuest } from "./export-guest.js";
import { keepsItsState } from "./guest-step.js";
import { importGuest } from "./import-guest.js";
import { keepRunning } from "./keep-running.js";
import { reachHost } from "./leave-host.js";
import { movePorts } from "./move-ports.js";
import { moveVolumes } from "./move-volumes.js";
import { statusIs } from "./moves.js";
import { searchDestination } from "./search-destination.js";
import { startMovedGuest } from "./start-moved-guest.js";

/**
 * The way to another host, of a guest that is off meanwhile. All of it can be undone: the host that it leaves
 * keeps its disks as they are.
 */
export const moveSteps = (
  { ports, factsOf, maxAttempts }: KindDeps,
  purpose: RequestPurpose,
): readonly Step<MoveInput>[] => [
  awaitLanes<MoveInput>(ports, "conductor_migrate_server"),
  searchDestination(ports, { alternates: maxAttempts - 1, purpose }),
  keepRunning(ports),
  claimDestination(ports),
  reachHost<MoveInput>(ports),
  exportGuest(ports),
  clearHost<MoveInput>(ports),
  moveVolumes(ports),
  importGuest(ports),
  movePorts({ neutron: ports.neutron, migrations: ports.migrations, factsOf }),
  startMovedGuest(ports),
];

/**
 * The server is as it was, and its migration has failed. One that an operator had to look after is what its
 * guest is by now.
 */
export function moveFailed(call: StepCall<MoveInput>, error: OperationError, details: string): Change {
  const { set } = keepsItsState(call, error, details);
  const { vmState, powerState } = call.server;
  return {
    set: { ...set, ...(vmState === VmState.VM_STATE_ERROR ? { vmState: stateBy(powerState) } : {}) },
    more: { migrations: [statusIs("error")] },
  };
}
