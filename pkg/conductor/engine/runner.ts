import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import { traced, within } from "../../kernel/ctx.js";
import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError, asKilonovaError, causesOf, isRetryable } from "../../kernel/errors.js";
import type { Clock, Instant } from "../../kernel/time.js";
import { OPERATORS_FACT } from "../../model/operation-error.js";
import { fromTimestamp, toTimestamp } from "../../model/wire-time.js";
import { ConductorErrors } from "../errors.js";
import { backoffMs } from "./backoff.js";
import { withTaskState } from "./change.js";
import { isFenceLost } from "./fence.js";
import { handOverTo } from "./hand-over.js";
import type { HandOverOptions } from "./hand-over.js";
import { retry } from "./kind.js";
import type { Step, StepCall, StepResult } from "./kind.js";
import { encodeJson } from "./outputs.js";
import { recordOf } from "./progress.js";
import { isPastPivot, stepAt, stepIndex } from "./registry.js";
import { toOperationError } from "./run.js";
import type { Run } from "./run.js";
import { needsOperator, undoNext } from "./undo.js";
import type { UndoPolicy } from "./undo.js";

export interface RunnerOptions extends HandOverOptions {
  readonly clock: Clock;
  readonly undo: UndoPolicy;
  /** Failing starts of a step after the pivot before an operator is asked. */
  readonly maxForwardAttempts: number;
}

const SOON_MS = 400;
const INLINE_ATTEMPTS = 3;

/**
 * Drives one operation until it ends, parks, or somebody else has it. What ends in any other way is given
 * back, so that nothing stays behind with an owner who does not work on it; whoever pre-empted it learns that
 * nothing is under way any more.
 * @param stopping  when true, no further step is begun; the stored operation is as good as a running one
 */
export async function drive(run: Run, options: RunnerOptions, stopping: () => boolean): Promise<void> {
  try {
    while (!stopping()) {
      const goesOn =
        run.operation.state === OperationState.OPERATION_STATE_UNDOING
          ? await undoNext(run, options.undo, options.crash)
          : await runCurrent(run, options);
      if (!goesOn) return;
    }
  } catch (error) {
    if (isUnknownStep(error)) return strand(run, error);
    await leave(run, options);
    if (!isFenceLost(error)) throw error;
    run.ctx.log.info("operation.fence.lost", { operation: run.name });
  }
}

const isUnknownStep = (error: unknown): boolean =>
  error instanceof KilonovaError && error.reason === "UNKNOWN_STEP";

/** Stored at a step that its version does not have: no conductor can go on, so an operator has to look. */
async function strand(run: Run, error: unknown): Promise<void> {
  const problem = toOperationError(error);
  const { currentStep, state, undoUntil } = run.operation;
  await run.commit({
    state: OperationState.OPERATION_STATE_NEEDS_OPERATOR,
    currentStep,
    steps: [],
    undoUntil,
    error: problem,
    waitingFor: state === OperationState.OPERATION_STATE_UNDOING ? "undoing" : "running",
    change: needsOperator(run, problem),
  });
}

/** Gives the operation back; when that fails, it is free again once its ownership has run out. */
async function leave(run: Run, { undo }: RunnerOptions): Promise<void> {
  const { ctx, name, operation, kind } = run;
  if (ctx.signal.aborted) return;
  try {
    const step = (await run.leave()) ? stepAt(kind, stepIndex(kind, operation.currentStep)) : undefined;
    // Nobody else will: whoever ended the operation believed that nothing could come any more.
    if (step?.unfenced === true)
      await within(ctx, undo.timeoutMs, `Undo of ${step.name}`, async (inner) =>
        step.undo?.(run.callOf(step, recordOf(operation.steps, step, run.now), inner)),
      );
  } catch (error) {
    ctx.log.error("operation.leave.failed", { operation: name, error });
  }
}

/** Starts the current step and stores how that ended. @returns whether to go on */
async function runCurrent(run: Run, options: RunnerOptions): Promise<boolean> {
  const { kind, operation } = run;
  const index = stepIndex(kind, operation.currentStep);
  const step = stepAt(kind, index);
  const record = recordOf(operation.steps, step, run.now);
  const forwardOnly = isPastPivot(kind, index);
  const deadline =
    operation.deadline === undefined || operation.currentStep === ""
      ? run.now + BigInt(step.timeoutMs) * 1000n
      : fromTimestamp(operation.deadline);
  const begun = operation.steps.includes(record) && run.fresh !== step.name;
  if (!forwardOnly && operation.cancelRequested && !(begun && step.finishes === true))
    return giveUp(
      run,
      step,
      record,
      toOperationError(ConductorErrors.OPERATION_CANCELLED({ operation: run.name })),
      "",
    );
  if (!forwardOnly && deadline <= run.now)
    return giveUp(
      run,
      step,
      record,
      toOperationError(ConductorErrors.STEP_DEADLINE({ step: step.name })),
      "",
    );
  let result = await start(
    run,
    options,
    step,
    record,
    forwardOnly ? run.now + BigInt(step.timeoutMs) * 1000n : deadline,
  );
  if (result.kind === "hand-over") {
    const handedOver = await handOverTo(run, options, step, record, result);
    if (typeof handedOver === "boolean") return handedOver;
    result = handedOver;
  }
  switch (result.kind) {
    case "done":
      return finish(run, options, index, record, result);
    case "park":
      return parkAt(run, step, record, result, deadline);
    case "retry":
      return again(run, options, step, record, result.afterMs, undefined, forwardOnly, deadline);
    case "fail": {
      const error = {
        ...result.error,
        facts: new Map([
          ...result.error.facts,
          ...(result.details === "" ? [] : [[OPERATORS_FACT, result.details] as const]),
        ]),
      };
      if (forwardOnly)
        return again(
          run,
          options,
          step,
          record,
          backoffMs(record.attempts, Math.random),
          error,
          true,
          deadline,
        );
      return giveUp(
        run,
        step,
        { ...record, host: result.host === "" ? record.host : result.host },
        error,
        result.backTo,
        result.consumed,
      );
    }
  }
}

/**
 * Runs a step; thrown errors become results. Short outages are sat out here, without a commit for each
 * attempt.
 */
async function start(
  run: Run,
  options: RunnerOptions,
  step: Step,
  record: StepRecord,
  deadline: Instant,
): Promise<StepResult> {
  for (let attempt = 0; ; attempt++) {
    try {
      if (step.unfenced === true) await run.confirm();
      const leftMs = Math.max(1, Number((deadline - run.now) / 1000n));
      const call = (ctx: Ctx): StepCall => run.callOf(step, record, ctx);
      return await within(run.ctx, leftMs, `Step ${step.name}`, (ctx) =>
        traced(ctx, `step ${step.name}`, { "step.attempt": record.attempts }, (inner) => {
          const now = call(inner);
          run.fresh = "";
          return step.run(now);
        }),
      );
    } catch (error) {
      if (isFenceLost(error) || run.ctx.signal.aborted) throw error;
      const problem = asKilonovaError(error);
      run.ctx.log.warn("operation.step.failed", {
        operation: run.name,
        step: step.name,
        attempt,
        error: problem.cause ?? error,
        reason: problem.reason,
      });
      const transient = isRetryable(error) || (problem.kind === "deadline" && deadline > run.now);
      if (!transient)
        return {
          kind: "fail",
          error: toOperationError(error),
          backTo: "",
          details: causesOf(problem),
          consumed: [],
          host: "",
        };
      const waitMs = backoffMs(attempt, Math.random);
      if (attempt >= INLINE_ATTEMPTS || waitMs > SOON_MS)
        return retry(backoffMs(record.attempts + INLINE_ATTEMPTS, Math.random));
      await options.clock.sleep(waitMs, run.ctx.signal);
    }
  }
}

async function finish(
  run: Run,
  options: RunnerOptions,
  index: number,
  record: StepRecord,
  result: Extract<StepResult, { kind: "done" }>,
): Promise<boolean> {
  const { kind } = run;
  const finished: StepRecord = {
    ...record,
    state: "done",
    output: encodeJson(result.output),
    note: Buffer.alloc(0),
    finishedAt: toTimestamp(run.now),
    errorReason: "",
    errorMessage: "",
    host: result.host === "" ? record.host : result.host,
  };
  const step = stepAt(kind, index);
  await options.crash.hit(kind.kind, step.name, "before");
  const last = index === kind.steps.length - 1;
  if (last) {
    await run.commit({
      state: OperationState.OPERATION_STATE_SUCCEEDED,
      currentStep: step.name,
      steps: [finished],
      change: kind.lane === "life" ? withTaskState(result.change, "") : result.change,
      consumed: result.consumed,
    });
  } else {
    const next = stepAt(kind, index + 1);
    await run.commit({
      state: OperationState.OPERATION_STATE_RUNNING,
      currentStep: next.name,
      steps: [finished, recordOf(run.operation.steps, next, run.now)],
      change: withTaskState(result.change, next.taskState),
      consumed: result.consumed,
      deadline: run.now + BigInt(next.timeoutMs) * 1000n,
    });
    run.fresh = next.name;
  }
  await options.crash.hit(kind.kind, step.name, "after");
  return !last;
}

async function parkAt(
  run: Run,
  step: Step,
  record: StepRecord,
  result: Extract<StepResult, { kind: "park" }>,
  deadline: Instant,
): Promise<boolean> {
  const wakeAt = run.now + BigInt(result.wakeAfterMs) * 1000n;
  await run.commit({
    state: OperationState.OPERATION_STATE_PARKED,
    currentStep: step.name,
    steps: [
      {
        ...record,
        host: result.host === "" ? record.host : result.host,
        note: result.note === undefined ? record.note : encodeJson(result.note),
      },
    ],
    release: true,
    waitingFor: result.signal,
    consumed: result.consumed,
    wakeAt: wakeAt < deadline ? wakeAt : deadline,
    deadline,
    error: run.operation.error,
  });
  return false;
}

async function again(
  run: Run,
  options: RunnerOptions,
  step: Step,
  record: StepRecord,
  afterMs: number,
  error: OperationError | undefined,
  forwardOnly: boolean,
  deadline: Instant,
): Promise<boolean> {
  const attempts = record.attempts + 1;
  const steps = [
    { ...record, attempts, errorReason: error?.reason ?? "", errorMessage: error?.message ?? "" },
  ];
  if (forwardOnly && attempts > options.maxForwardAttempts) {
    const problem = error ?? toOperationError(ConductorErrors.STEP_DEADLINE({ step: step.name }));
    await run.commit({
      state: OperationState.OPERATION_STATE_NEEDS_OPERATOR,
      currentStep: step.name,
      steps,
      error: problem,
      waitingFor: "running",
      change: needsOperator(run, problem),
    });
    return false;
  }
  const wakeAt = run.now + BigInt(afterMs) * 1000n;
  await run.commit({
    state: OperationState.OPERATION_STATE_RUNNING,
    currentStep: step.name,
    steps,
    release: true,
    deadline,
    error: run.operation.error,
    wakeAt: forwardOnly || wakeAt < deadline ? wakeAt : deadline,
  });
  return false;
}

/** Stores the failure; from here on the operation is undone, by whoever has it. */
async function giveUp(
  run: Run,
  step: Step,
  record: StepRecord,
  error: OperationError,
  backTo: string,
  consumed: readonly string[] = [],
): Promise<boolean> {
  const failed: StepRecord = {
    ...record,
    state: "failed",
    finishedAt: toTimestamp(run.now),
    errorReason: error.reason,
    errorMessage: error.message,
  };
  await run.commit({
    state: OperationState.OPERATION_STATE_UNDOING,
    currentStep: step.name,
    steps: [failed],
    error,
    undoUntil: backTo,
    consumed,
  });
  return true;
}
