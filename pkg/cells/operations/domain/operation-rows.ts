import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import { OperationError, OperationProgress } from "../../../../gen/kilonova/type/v1/operation.js";
import { StoredOperation, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type {
  PreemptedOperation,
  StoredSignal,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { isLive, operationStateOf } from "../../../model/operation-states.js";
import { operationNameOf } from "../../../model/operation-name.js";
import { toTimestamp, toTimestampOrUnset } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { otherFieldsOf, withOtherFields } from "../../domain/other-fields.js";
import type { OperationRow } from "./rows.js";

/** The name of a row's operation. */
export const nameOf = ({
  subject,
  server_id,
  id,
}: Pick<OperationRow, "subject" | "server_id" | "id">): string =>
  operationNameOf({ kind: subject, id: server_id }, id);

/** A row as a message, without secrets and signals. */
export function toStored(
  row: OperationRow,
  extra: { readonly secrets?: Buffer; readonly signals?: readonly StoredSignal[] } = {},
): StoredOperation {
  const victim = row.preempted === null ? undefined : StoredOperation.decode(row.preempted);
  return {
    ...(withOtherFields(StoredOperation, row.other_fields) ?? NO_OTHERS),
    name: nameOf(row),
    kind: row.kind,
    kindVersion: row.kind_version,
    serverId: row.subject === "server" ? row.server_id : "",
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

/** Fields of a stored operation that have no column, as the row keeps them. */
export const otherOperationFields = ({
  metadata,
  result,
  successor,
  held,
  _unknownFields,
}: Pick<StoredOperation, "metadata" | "result" | "successor" | "_unknownFields"> &
  Partial<Pick<StoredOperation, "held">>): Buffer =>
  otherFieldsOf(StoredOperation, { _unknownFields }, { metadata, result, successor, held });

/** The same with some of them set anew. */
export const withOtherOperationFields = (
  before: Buffer,
  set: Partial<Pick<StoredOperation, "result" | "successor" | "held">>,
): Buffer => otherOperationFields({ ...(withOtherFields(StoredOperation, before) ?? NO_OTHERS), ...set });

const NO_OTHERS = { metadata: undefined, result: undefined, successor: "", held: undefined };

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
          ...(own === undefined ? {} : ownRemains(own)),
          alsoPreempted: others.map(remains),
        }),
      );

/** The same of an operation as a message. */
export const victimsOf = ({
  preempts,
  preemptedKind,
  preemptedInput,
  preemptedSteps,
  alsoPreempted,
}: StoredOperation): Buffer | null =>
  preemptedKind === "" && alsoPreempted.length === 0
    ? null
    : encoded(
        StoredOperation,
        StoredOperation.fromPartial({
          name: preempts,
          kind: preemptedKind,
          input: preemptedInput,
          steps: preemptedSteps,
          alsoPreempted,
        }),
      );

const ownRemains = (row: OperationRow): Partial<StoredOperation> => {
  const { otherFields, ...known } = remains(row);
  return { ...withOtherFields(StoredOperation, otherFields), ...known };
};

const remains = (row: OperationRow): PreemptedOperation => ({
  name: nameOf(row),
  kind: row.kind,
  input: row.input,
  steps: StoredSteps.decode(row.steps).steps,
  otherFields: row.other_fields,
});
