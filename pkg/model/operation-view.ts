import type { StepRecord, StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation, OperationInitiator, OperationStep } from "../../gen/kilonova/type/v1/operation.js";
import { InitiatorKind, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { ownersError } from "./operation-error.js";
import { isLive, stepResult } from "./operation-states.js";
import { orNone } from "./presence.js";
import { partyOf } from "./server-lock.js";

const WITH_ERROR: ReadonlySet<OperationState> = new Set<OperationState>([
  OperationState.OPERATION_STATE_FAILED,
  OperationState.OPERATION_STATE_CANCELLED,
  OperationState.OPERATION_STATE_NEEDS_OPERATOR,
]);

/** Whether the record was left behind by a hand-over: the operation goes on in another database. */
export const isMoving = (stored: StoredOperation): boolean =>
  stored.state === OperationState.OPERATION_STATE_UNSPECIFIED && stored.handedOverTo !== "";

/**
 * What users see of a stored operation: no inputs, outputs, owners or hosts. Answers and feeds show the same.
 */
export function presentOperation(stored: StoredOperation): Operation {
  const state = isMoving(stored) ? OperationState.OPERATION_STATE_RUNNING : stored.state;
  const done = !isLive(state);
  return {
    name: stored.name,
    kind: stored.kind,
    serverId: orNone(stored.serverId),
    projectId: orNone(stored.projectId),
    requestId: stored.requestId,
    state,
    done,
    currentStep: done ? undefined : orNone(stored.currentStep),
    steps: stored.steps.map(presentStep),
    error: WITH_ERROR.has(state) ? ownersError(stored.error) : undefined,
    createdAt: stored.createdAt,
    updatedAt: stored.updatedAt,
    progress: stored.progress,
    action: orNone(stored.action),
    metadata: stored.metadata,
    result: state === OperationState.OPERATION_STATE_SUCCEEDED ? stored.result : undefined,
    initiator: initiatorOf(stored),
    successor: state === OperationState.OPERATION_STATE_PREEMPTED ? orNone(stored.successor) : undefined,
    generation: stored.generation,
  };
}

const presentStep = (step: StepRecord): OperationStep => ({
  name: step.name,
  startedAt: step.startedAt,
  finishedAt: step.finishedAt,
  result: stepResult(step.state),
  attempts: step.attempts,
});

/** Users by their ids, without roles; of the cloud's own services no more than that it was the cloud. */
function initiatorOf(stored: StoredOperation): OperationInitiator {
  const { actor } = stored;
  if (actor?.kind !== "user") return { kind: InitiatorKind.INITIATOR_KIND_SYSTEM };
  const ofProject = partyOf(stored, actor) === "owner";
  return {
    kind: ofProject ? InitiatorKind.INITIATOR_KIND_PROJECT : InitiatorKind.INITIATOR_KIND_OPERATOR,
    userId: orNone(actor.userId),
    projectId: orNone(actor.projectId),
  };
}
