import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type {
  CommitStepRequest,
  CommitStepResponse,
  StepRecord,
  StoredSignal,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import { OperationError, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { resultOf } from "../../../model/operation-declaration.js";
import { isLive, operationStateWord } from "../../../model/operation-states.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { endedWell } from "../../quota/domain/claims.js";
import { planChange, touchesRows } from "../../servers/domain/plan-change.js";
import type { ChangedServer, KnownRows } from "../../servers/domain/plan-change.js";
import { serverOf } from "../../servers/domain/records.js";
import type { Kinds } from "./asked-operation.js";
import { LIFE, mayBeAlone } from "./lanes.js";
import { withOtherOperationFields } from "./operation-rows.js";
import { goesOnAt } from "./progress.js";
import type { OperationRow } from "./rows.js";

/** An operation that commits a step, and its server. */
export interface Committing {
  readonly row: OperationRow;
  /** The server's record; undefined when the operation is about none. */
  readonly before: InstanceRecord | undefined;
  /** Name of the operation that owns the server. */
  readonly owner: string;
}

/** By what a commit is decided besides. */
export interface CommitFacts {
  /** Signals that nobody has consumed, this commit included. */
  readonly waiting: readonly StoredSignal[];
  readonly known: KnownRows;
  /** For new migrations. */
  readonly numbers: readonly bigint[];
  readonly now: Instant;
  readonly newId: () => string;
}

/** How things are after a commit. */
export interface AfterCommit {
  readonly next: OperationRow;
  /** The server and the rows to be stored; undefined when nothing of it changes. */
  readonly changed: ChangedServer | undefined;
  /** The server, changed or not; undefined when the operation is about none. */
  readonly record: InstanceRecord | undefined;
  /** Whether the timeline shows the operation as failed from now on. */
  readonly failed: boolean;
}

/**
 * What comes after a commit.
 * @throws INVALID_ARGUMENT when another lane than "life" would change the task state, or an operation that is
 *   about no server a server; what `planChange` throws
 */
export function afterCommit(
  kinds: Kinds,
  committing: Committing,
  request: CommitStepRequest,
  facts: CommitFacts,
): AfterCommit {
  const { row, before } = committing;
  const changed = changedServer(committing, request, facts);
  const record = changed?.record ?? before;
  return {
    next: withResult(kinds, nextRow(row, request, facts), record),
    changed,
    record,
    failed:
      request.state === OperationState.OPERATION_STATE_FAILED ||
      request.state === OperationState.OPERATION_STATE_NEEDS_OPERATOR,
  };
}

function changedServer(
  { row, before, owner }: Committing,
  { name, change, state }: CommitStepRequest,
  { known, numbers, now, newId }: CommitFacts,
): ChangedServer | undefined {
  const refuse = (problem: string): never => {
    throw CommonErrors.INVALID_ARGUMENT({ field: "change", problem });
  };
  const beside = row.lane !== LIFE;
  if (before === undefined) {
    if (change !== undefined) refuse(`an operation of a ${row.subject} has no server to change`);
    return undefined;
  }
  if (beside && change?.updateMask?.includes("task_state") === true)
    refuse(`task_state cannot be changed in the lane ${row.lane}`);
  const ends = !beside && !isLive(state);
  if (change === undefined && !ends) return undefined;
  return planChange(before, change, known, {
    owner: ends ? "" : owner,
    operation: name,
    operationId: row.id,
    userId: touchesRows(change) ? Actor.decode(row.actor).userId : "",
    now,
    newId,
    numbers,
  });
}

/** Steps after a commit: changed ones replace those of the same name and round, new ones come last. */
function withSteps(stored: Buffer, changed: readonly StepRecord[]): Buffer {
  const before = StoredSteps.decode(stored);
  const steps = [...before.steps];
  for (const step of changed) {
    const at = steps.findIndex(({ name, round }) => name === step.name && round === step.round);
    if (at === -1) steps.push(step);
    else steps[at] = { ...steps[at], ...step };
  }
  return encoded(StoredSteps, { ...before, steps });
}

/** The operation's row after the commit. Ended operations have no owner, no timer and no secrets. */
function nextRow(
  row: OperationRow,
  request: CommitStepRequest,
  facts: Pick<CommitFacts, "waiting" | "now">,
): OperationRow {
  const live = isLive(request.state);
  const needsOperator = request.state === OperationState.OPERATION_STATE_NEEDS_OPERATOR;
  return {
    ...row,
    state: operationStateWord(request.state),
    current_step: request.currentStep,
    undo_until: request.undoUntil,
    steps: withSteps(row.steps, request.steps),
    generation: row.generation + 1,
    owner: live && !request.release ? row.owner : "",
    ready_at: readyAt(row, request, facts),
    deadline: fromTimestampOrNull(request.deadline) ?? row.deadline,
    waiting_for:
      request.state === OperationState.OPERATION_STATE_PARKED || needsOperator ? request.waitingFor : "",
    error: request.error === undefined ? null : encoded(OperationError, request.error),
    progress: goesOnAt(row.current_step, request) ? row.progress : null,
    secrets: live || needsOperator ? row.secrets : null,
    updated_at: facts.now,
  };
}

/** When somebody may take the operation: at once, when a timer or an ownership ends, or never. */
function readyAt(
  row: OperationRow,
  request: CommitStepRequest,
  { waiting, now }: Pick<CommitFacts, "waiting" | "now">,
): Instant | null {
  if (!isLive(request.state)) return null;
  if (!request.release) return row.ready_at;
  const timer = fromTimestampOrNull(request.wakeAt);
  if (request.state !== OperationState.OPERATION_STATE_PARKED) return timer ?? now;
  const arrived = request.waitingFor !== "" && waiting.some(({ kind }) => kind === request.waitingFor);
  return arrived || row.cancel_requested ? now : timer;
}

/** A row with what its kind promises, once it has succeeded. @param after  its server as it leaves it */
function withResult(kinds: Kinds, row: OperationRow, after: InstanceRecord | undefined): OperationRow {
  if (after === undefined) return row;
  const declaration = row.state === "succeeded" ? kinds.find(row.kind) : undefined;
  const result = declaration && resultOf(declaration, serverOf(after), StoredSteps.decode(row.steps).steps);
  return result === undefined
    ? row
    : { ...row, other_fields: withOtherOperationFields(row.other_fields, { result }) };
}

/** What the conductor is answered. @param cancelRequested  as the commit found it */
export const answerOf = (
  { next, record }: Pick<AfterCommit, "next" | "record">,
  request: CommitStepRequest,
  signals: readonly StoredSignal[],
  cancelRequested: boolean,
): CommitStepResponse => ({
  operationGeneration: BigInt(next.generation),
  generation: record === undefined ? 0n : serverOf(record).generation,
  signals: [...signals],
  cancelRequested,
  instance: record && needsRecord(request, serverOf(record).generation) ? record : undefined,
});

/** Whether the conductor goes on with an older record than the one of this generation. */
const needsRecord = (
  { instanceGeneration, state, release }: CommitStepRequest,
  generation: bigint,
): boolean => instanceGeneration === 0n || (isLive(state) && !release && instanceGeneration !== generation);

/** Whether a commit gives the turn to others: to the next of its lane, or to those that let it be alone. */
export const passesTurn = (
  kinds: Kinds,
  { lane, kind, input }: Pick<OperationRow, "lane" | "kind" | "input">,
  state: OperationState,
): boolean => !isLive(state) && (lane !== LIFE || mayBeAlone(kinds.find(kind), input));

/** Quota to be settled with an operation's end; `well` says whether it ended well. */
export interface EndedQuota {
  readonly operationId: string;
  readonly well: boolean;
}

/** What is to be settled with an operation's end; undefined when nothing is, or it has not ended. */
export function endedQuota(
  kinds: Kinds,
  { id, kind }: Pick<OperationRow, "id" | "kind">,
  state: OperationState,
): EndedQuota | undefined {
  const well = kinds.find(kind)?.quota === undefined ? undefined : endedWell(state);
  return well === undefined ? undefined : { operationId: id, well };
}
