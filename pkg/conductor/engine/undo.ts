import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { within } from "../../kernel/ctx.js";
import { OPERATORS_FACT } from "../../model/operation-error.js";
import { toTimestamp } from "../../model/wire-time.js";
import { operationError } from "./kind.js";
import type { Change, Step } from "./kind.js";
import { withTaskState } from "./change.js";
import type { CrashPoints } from "./crash-points.js";
import { backoffMs } from "./backoff.js";
import { isFenceLost } from "./fence.js";
import { recordOf, toUndo } from "./progress.js";
import { stepAt, stepIndex } from "./registry.js";
import { toOperationError } from "./run.js";
import type { Progress, Run } from "./run.js";

export interface UndoPolicy {
  /** Failing undos of one step before an operator is asked. */
  readonly maxAttempts: number;
  /** Longest an undo may take. */
  readonly timeoutMs: number;
}

/**
 * Takes back one step, the last one that is still standing, and stores that. With none left, ends the
 * operation or begins anew at the step where undoing was to end.
 * @returns whether this conductor goes on with the operation
 */
export async function undoNext(run: Run, policy: UndoPolicy, crash: CrashPoints): Promise<boolean> {
  const { operation, kind } = run;
  const standing = toUndo(kind, operation.steps, operation.currentStep, operation.undoUntil);
  const step = standing.find((one) => one.undo !== undefined);
  if (step === undefined) return finishUndo(run, standing, [], undefined);
  const record = recordOf(operation.steps, step, run.now);
  let change: Change | undefined;
  try {
    if (step.unfenced === true) await run.confirm();
    change = await within(run.ctx, policy.timeoutMs, `Undo of ${step.name}`, async (ctx) =>
      step.undo?.(run.callOf(step, record, ctx)),
    );
  } catch (error) {
    if (isFenceLost(error) || run.ctx.signal.aborted) throw error;
    return undoFailed(run, step, record, error, policy);
  }
  await crash.hit(kind.kind, step.name, "undo-before");
  const undone: StepRecord = {
    ...record,
    state: "undone",
    finishedAt: record.finishedAt ?? toTimestamp(run.now),
  };
  const rest = standing.slice(standing.indexOf(step) + 1);
  const goesOn = rest.some((one) => one.undo !== undefined)
    ? await run
        .commit({
          state: OperationState.OPERATION_STATE_UNDOING,
          currentStep: step.name,
          steps: [undone],
          change,
          error: operation.error,
          undoUntil: operation.undoUntil,
        })
        .then(() => true)
    : await finishUndo(
        run,
        standing.filter((one) => one !== step),
        [undone],
        change,
      );
  await crash.hit(kind.kind, step.name, "undo-after");
  return goesOn;
}

/**
 * Ends the operation, or gives it back to begin anew: effects that were undone are refused under the fence
 * that undid them.
 */
async function finishUndo(
  run: Run,
  leftovers: readonly Step[],
  undone: readonly StepRecord[],
  change: Change | undefined,
): Promise<boolean> {
  const { operation, kind } = run;
  if (operation.undoUntil === "") {
    await run.commit(ending(run, undone, operation.error, change));
    return false;
  }
  const step = stepAt(kind, stepIndex(kind, operation.undoUntil));
  const cleared = leftovers.map((one): StepRecord => ({
    ...recordOf(operation.steps, one, run.now),
    state: "undone",
  }));
  const steps = [...undone, ...cleared];
  await run.commit({
    state: OperationState.OPERATION_STATE_RUNNING,
    currentStep: step.name,
    steps,
    error: operation.error,
    change: withTaskState(change, step.taskState),
    deadline: run.now + BigInt(step.timeoutMs) * 1000n,
    release: true,
  });
  run.again = true;
  return false;
}

/** How an operation ends that was undone as a whole. */
function ending(
  run: Run,
  steps: readonly StepRecord[],
  error: OperationError | undefined,
  undone: Change | undefined,
): Progress {
  const { operation, kind } = run;
  const reason =
    error ?? operationError({ reason: "INTERNAL", domain: "conductor", message: "The operation failed." });
  const cancelled = reason.reason === "OPERATION_CANCELLED";
  const failed = stepAt(kind, stepIndex(kind, operation.currentStep));
  const last = kind.failed(
    run.callOf(failed, recordOf(operation.steps, failed, run.now)),
    reason,
    reason.facts.get(OPERATORS_FACT) ?? "",
  );
  const change: Change = { ...undone, ...last, set: { ...undone?.set, ...last.set } };
  return {
    state: cancelled ? OperationState.OPERATION_STATE_CANCELLED : OperationState.OPERATION_STATE_FAILED,
    currentStep: operation.currentStep,
    steps,
    change,
    error: reason,
  };
}

async function undoFailed(
  run: Run,
  step: Step,
  record: StepRecord,
  error: unknown,
  policy: UndoPolicy,
): Promise<boolean> {
  const { operation } = run;
  const attempts = record.attempts + 1;
  const problem = toOperationError(error);
  run.ctx.log.warn("operation.undo.failed", { operation: run.name, step: step.name, attempts, error });
  const failed: StepRecord = {
    ...record,
    attempts,
    errorReason: problem.reason,
    errorMessage: problem.message,
  };
  const common = {
    currentStep: operation.currentStep,
    steps: [failed],
    undoUntil: operation.undoUntil,
    error: operation.error,
  };
  if (attempts > policy.maxAttempts) {
    await run.commit({
      ...common,
      state: OperationState.OPERATION_STATE_NEEDS_OPERATOR,
      waitingFor: "undoing",
      change: needsOperator(run, problem),
    });
  } else {
    await run.commit({
      ...common,
      state: OperationState.OPERATION_STATE_UNDOING,
      release: true,
      wakeAt: run.now + BigInt(backoffMs(attempts, Math.random)) * 1000n,
    });
  }
  return false;
}

/** What users see while a person has to look: ERROR. What a server is does not hang on the other lanes. */
export const needsOperator = (run: Run, error: OperationError): Change | undefined =>
  run.kind.lane !== "life"
    ? undefined
    : {
        set: {
          vmState: VmState.VM_STATE_ERROR,
          taskState: "",
          fault: {
            code: 500,
            message: error.message,
            details: `needs an operator: ${error.reason}`,
            createdAt: toTimestamp(run.now),
            reason: error.reason,
          },
        },
      };
