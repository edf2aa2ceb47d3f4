import type { StepRecord, StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation, OperationStep } from "../../../gen/kilonova/type/v1/operation.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { ownersError } from "../../model/operation-error.js";
import { isLive, stepResult } from "../../model/operation-states.js";

const WITH_ERROR: ReadonlySet<OperationState> = new Set<OperationState>([
  OperationState.OPERATION_STATE_FAILED,
  OperationState.OPERATION_STATE_CANCELLED,
  OperationState.OPERATION_STATE_NEEDS_OPERATOR,
]);

/** Whether the record was left behind by a hand-over: the operation goes on in another database. */
export const isMoving = (stored: StoredOperation): boolean =>
  stored.state === OperationState.OPERATION_STATE_UNSPECIFIED && stored.handedOverTo !== "";

/** What users see of a stored operation: no inputs, outputs, owners or hosts. */
export function presentOperation(stored: StoredOperation): Operation {
  const state = isMoving(stored) ? OperationState.OPERATION_STATE_RUNNING : stored.state;
  const done = !isLive(state);
  return {
    name: stored.name,
    kind: stored.kind,
    serverId: stored.serverId,
    projectId: stored.projectId,
    requestId: stored.requestId,
    state,
    done,
    currentStep: done ? "" : stored.currentStep,
    steps: stored.steps.map(presentStep),
    error: WITH_ERROR.has(state) ? ownersError(stored.error) : undefined,
    createdAt: stored.createdAt,
    updatedAt: stored.updatedAt,
    progress: stored.progress,
  };
}

const presentStep = (step: StepRecord): OperationStep => ({
  name: step.name,
  startedAt: step.startedAt,
  finishedAt: step.finishedAt,
  result: stepResult(step.state),
  attempts: step.attempts,
});
