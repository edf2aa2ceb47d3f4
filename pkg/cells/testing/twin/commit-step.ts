import type {
  CommitStepRequest,
  CommitStepResponse,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { isLive } from "../../../model/operation-states.js";
import { CellsErrors } from "../../errors.js";
import { LIFE } from "../../operations/domain/lanes.js";
import { nextInstance, nextRow } from "../../operations/store/commit-step.js";
import { isLiveWord, joinRows, operationIdOf } from "../../operations/store/owned-operation.js";
import type { OperationRow } from "../../store/rows.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { InstanceEntry, TwinDatabase } from "./database.js";
import { nextInLane } from "./lanes.js";
import type { TwinState } from "./state.js";

/** A stored commit, and the operation of its lane whose turn it is now. */
interface Committed {
  readonly response: CommitStepResponse;
  readonly next: string | undefined;
}

/** Stores progress under a fence. @throws FENCE_LOST, INVALID_ARGUMENT */
export function commitStep(twin: TwinState, request: CommitStepRequest): Committed {
  const database = twin.database(request.database);
  const { row, instance } = owned(database, request);
  const now = twin.deps.clock.now();
  const waiting = database.pendingSignals(row.id).filter(({ id }) => !request.consumedSignals.includes(id));
  const next = nextRow(row, request, waiting, now);
  const changed = nextInstance(joinRows(row, instance), request, now);
  const record = changed ?? loadRecord(instance);
  database.operations.set(row.id, next);
  if (changed !== undefined) database.store(changed, instance);
  for (const signal of database.signals.get(row.id) ?? [])
    signal.consumed ||= request.consumedSignals.includes(signal.id);
  const { state } = request;
  const failed =
    state === OperationState.OPERATION_STATE_FAILED ||
    state === OperationState.OPERATION_STATE_NEEDS_OPERATOR;
  if (row.action !== "") database.timeline.commit(next, request.steps, failed, now);
  const event = request.change?.deleteRecord === true ? "deleted" : "changed";
  database.tell([
    ...(changed === undefined ? [] : [instanceChanged(changed, instanceColumns(changed), event)]),
    operationChanged(next),
  ]);
  const ends = row.lane !== LIFE && !isLive(state);
  return {
    response: {
      generation: serverOf(record).generation,
      signals: waiting,
      cancelRequested: row.cancel_requested,
      instance: record,
    },
    next: ends ? nextInLane(database, twin.deps, row.lane, record, now) : undefined,
  };
}

/** @throws FENCE_LOST when the fence is not the newest, or when something else owns the instance */
function owned(
  { operations, instances }: TwinDatabase,
  { name, fence }: CommitStepRequest,
): { readonly row: OperationRow; readonly instance: InstanceEntry } {
  const row = operations.get(operationIdOf(name));
  const instance = row === undefined ? undefined : instances.get(row.server_id);
  if (
    row === undefined ||
    instance === undefined ||
    BigInt(row.fence) !== fence ||
    !isLiveWord(row.state) ||
    (row.lane === LIFE ? instance.current_operation !== name : row.turn !== 0)
  )
    throw CellsErrors.FENCE_LOST({ operation: name });
  return { row, instance };
}
