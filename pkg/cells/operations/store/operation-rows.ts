import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import {
  Operation,
  OperationError,
  OperationProgress,
  OperationState,
} from "../../../../gen/kilonova/type/v1/operation.js";
import type { OperationStep } from "../../../../gen/kilonova/type/v1/operation.js";
import { StoredOperation, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type {
  PreemptedOperation,
  StepRecord,
  StoredSignal,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { isLive, operationStateOf, stepResult } from "../../../model/operation-states.js";
import { ownersError } from "../../../model/operation-error.js";
import { operationName } from "../../../model/operation-name.js";
import { toTimestamp, toTimestampOrUnset } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { withOtherFields } from "../../domain/other-fields.js";
import type { OperationRow } from "../../store/rows.js";

/** All columns of `operation`, for statements that read whole rows. */
export const OPERATION_COLUMNS = [
  "id",
  "server_id",
  "project_id",
  "kind",
  "kind_version",
  "action",
  "request_id",
  "actor",
  "traceparent",
  "input",
  "secrets",
  "state",
  "current_step",
  "undo_until",
  "steps",
  "generation",
  "fence",
  "owner",
  "ready_at",
  "deadline",
  "waiting_for",
  "cancel_requested",
  "error",
  "preempts",
  "preempted",
  "handed_over_to",
  "other_fields",
  "lane",
  "turn",
  "progress",
  "created_at",
  "updated_at",
] as const satisfies readonly (keyof OperationRow)[];

/** A row as a message, without secrets and signals. */
export function toStored(
  row: OperationRow,
  extra: { readonly secrets?: Buffer; readonly signals?: readonly StoredSignal[] } = {},
): StoredOperation {
  const victim = row.preempted === null ? undefined : StoredOperation.decode(row.preempted);
  return {
    ...withOtherFields(StoredOperation, row.other_fields),
    name: operationName(row.server_id, row.id),
    kind: row.kind,
    kindVersion: row.kind_version,
    serverId: row.server_id,
    projectId: row.project_id,
    actor: Actor.decode(row.actor),
    requestId: row.request_id,
    traceparent: row.traceparent,
    input: row.input,
    secrets: extra.secrets ?? Buffer.alloc(0),
    state: operationStateOf(row.state),
    currentStep: row.current_step,
    steps: StoredSteps.decode(row.steps).steps,
    fence: BigInt(row.fence),
    owner: row.owner,
    deadline: toTimestampOrUnset(row.deadline),
    wakeAt: row.state === "parked" ? toTimestampOrUnset(row.ready_at) : undefined,
    waitingFor: row.waiting_for,
    signals: [...(extra.signals ?? [])],
    error: row.error === null ? undefined : OperationError.decode(row.error),
    cancelRequested: row.cancel_requested,
    preempts: row.preempts,
    preemptedSteps: victim?.steps ?? [],
    preemptedKind: victim?.kind ?? "",
    preemptedInput: victim?.input ?? Buffer.alloc(0),
    action: row.action,
    createdAt: toTimestamp(row.created_at),
    updatedAt: toTimestamp(row.updated_at),
    handedOverTo: row.handed_over_to,
    undoUntil: row.undo_until,
    generation: BigInt(row.generation),
    lane: row.lane,
    turn: isLive(operationStateOf(row.state)) ? BigInt(row.turn) : 0n,
    alsoPreempted: victim?.alsoPreempted ?? [],
    progress:
      row.progress === null || !isLive(operationStateOf(row.state))
        ? undefined
        : OperationProgress.decode(row.progress),
  };
}

const toPublicStep = (step: StepRecord): OperationStep => ({
  name: step.name,
  startedAt: step.startedAt,
  finishedAt: step.finishedAt,
  result: stepResult(step.state),
  attempts: step.attempts,
});

/** What users see of an operation. */
export function toPublic(stored: StoredOperation): Operation {
  const done = !isLive(stored.state);
  const failed =
    stored.state === OperationState.OPERATION_STATE_FAILED ||
    stored.state === OperationState.OPERATION_STATE_CANCELLED ||
    stored.state === OperationState.OPERATION_STATE_NEEDS_OPERATOR;
  return {
    name: stored.name,
    kind: stored.kind,
    serverId: stored.serverId,
    projectId: stored.projectId,
    requestId: stored.requestId,
    state: stored.state,
    done,
    currentStep: done ? "" : stored.currentStep,
    steps: stored.steps.map(toPublicStep),
    error: failed ? ownersError(stored.error) : undefined,
    createdAt: stored.createdAt,
    updatedAt: stored.updatedAt,
    progress: stored.progress,
  };
}

/**
 * What a pre-empting operation keeps of its victims: the input of its clean-up.
 * @param own     the one of its own lane
 * @param others  those of other lanes
 */
export const victimBytes = (own: OperationRow | undefined, others: readonly OperationRow[]): Buffer | null =>
  own === undefined && others.length === 0
    ? null
    : encoded(
        StoredOperation,
        StoredOperation.fromPartial({
          ...(own === undefined ? {} : withOtherFields(StoredOperation, own.other_fields)),
          ...(own === undefined ? {} : remains(own)),
          alsoPreempted: others.map(remains),
        }),
      );

const remains = ({ server_id, id, kind, input, steps }: OperationRow): PreemptedOperation => ({
  name: operationName(server_id, id),
  kind,
  input,
  steps: StoredSteps.decode(steps).steps,
});
