import type {
  CommitHandoverResponse,
  StepRecord,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { KilonovaError } from "../../kernel/errors.js";
import { toTimestamp } from "../../model/wire-time.js";
import { toInstanceChange, withTaskState } from "./change.js";
import type { CrashPoints } from "./crash-points.js";
import { fail, retry } from "./kind.js";
import type { FailResult, RetryResult, Step, StepResult } from "./kind.js";
import type { OperationStore } from "./operation-store.js";
import { encodeJson } from "./outputs.js";
import type { Ownership } from "./ownership.js";
import { recordOf, withRecords } from "./progress.js";
import { stepAt, stepIndex } from "./registry.js";
import type { Run } from "./run.js";

export interface HandOverOptions {
  readonly store: OperationStore;
  readonly ownership: Ownership;
  readonly crash: CrashPoints;
}

type HandOverResult = Extract<StepResult, { kind: "hand-over" }>;

/** Pause before a server is asked for again that something in another lane holds. */
const BUSY_MS = 1_000;

/**
 * Moves an operation and its instance to another database: a dormant copy at the target, the source's
 * promise, after which the target decides, and the awakening. A crash in between leaves a dormant copy whose
 * finder asks the source.
 * @returns true: this conductor goes on at the target, unless somebody else has woken the copy; or how the
 *   step ended instead, when nothing was promised
 */
export async function handOverTo(
  run: Run,
  options: HandOverOptions,
  step: Step,
  record: StepRecord,
  result: HandOverResult,
): Promise<boolean | FailResult | RetryResult> {
  const { kind, database } = run;
  const { crash, ownership } = options;
  const after = stepsAfter(run, step, record, result);
  const late = await promised(run, options, after, result);
  if ("kind" in late) return late;
  for (const { name } of after.finished) await crash.hit(kind.kind, name, "after");
  const { cancelRequested, signals } = late;
  const awake = await run.repeatedly((ctx) =>
    ownership.awaken(ctx, result.database, run.name, { database, cancelRequested, signals }),
  );
  if (awake.operation === undefined || awake.instance === undefined) {
    // Pre-empted there since it woke for us, when the answer was lost; else somebody else's, to whom this
    // does nothing.
    await ownership.leave(run.ctx, {
      database: result.database,
      name: run.name,
      fence: run.operation.fence + 1n,
    });
    return false;
  }
  run.database = result.database;
  run.operation = { ...awake.operation, signals };
  run.instance = awake.instance;
  run.fresh = after.next.name;
  return true;
}

/** What a hand-over does to the steps of its operation. */
interface StepsAfter {
  /** Records that it finishes: its own, and that of the step which it has done as well. */
  readonly finished: readonly StepRecord[];
  /** The step that begins at the target. */
  readonly next: Step;
}

function stepsAfter(
  { kind, operation, now }: Pick<Run, "kind" | "operation" | "now">,
  step: Step,
  record: StepRecord,
  { output, alsoDone }: HandOverResult,
): StepsAfter {
  const index = stepIndex(kind, step.name);
  const finish = (one: StepRecord, what: unknown): StepRecord => ({
    ...one,
    state: "done",
    output: encodeJson(what),
    finishedAt: toTimestamp(now),
  });
  const finished = [finish(record, output)];
  if (alsoDone === undefined) return { finished, next: stepAt(kind, index + 1) };
  const also = stepAt(kind, index + 1);
  if (also.name !== alsoDone.step)
    throw new Error(`${kind.kind}: ${step.name} is followed by ${also.name}, not by ${alsoDone.step}`);
  finished.push(finish(recordOf(operation.steps, also, now), alsoDone.output));
  return { finished, next: stepAt(kind, index + 2) };
}

/** The copy and the promise, again while users change the record in between. */
async function promised(
  run: Run,
  { store, crash }: HandOverOptions,
  { finished, next }: StepsAfter,
  { database: target, protocol, change }: HandOverResult,
): Promise<CommitHandoverResponse | FailResult | RetryResult> {
  const { kind, operation, database } = run;
  const moved = {
    ...operation,
    currentStep: next.name,
    steps: withRecords(operation.steps, [...finished, recordOf(operation.steps, next, run.now)]),
    deadline: toTimestamp(run.now + BigInt(next.timeoutMs) * 1000n),
    signals: [],
    waitingFor: "",
  };
  const stored = toInstanceChange(withTaskState(change, next.taskState));
  const { fence } = operation;
  try {
    for (;;) {
      const instance = Buffer.from(InstanceRecord.encode(run.instance).finish());
      await run.repeatedly((ctx) =>
        store.prepareHandover(ctx, {
          database: target,
          sourceDatabase: database,
          protocol,
          operation: moved,
          instance,
          fence,
          ...(stored === undefined ? {} : { change: stored }),
        }),
      );
      for (const { name } of finished) await crash.hit(kind.kind, name, "before");
      const answer = await run.repeatedly((ctx) =>
        store.commitHandover(ctx, {
          database,
          name: run.name,
          fence,
          targetDatabase: target,
          protocol,
          instanceGeneration: run.instance.server?.generation ?? 0n,
        }),
      );
      if (answer.stale === undefined) return answer;
      run.instance = answer.stale;
    }
  } catch (error) {
    return refusal(error);
  }
}

/** Refusals of a hand-over that has promised nothing. Everything else is the runner's. */
function refusal(error: unknown): FailResult | RetryResult {
  if (error instanceof KilonovaError) {
    if (error.reason === "OPERATION_IN_PROGRESS") return retry(BUSY_MS);
    if (error.reason === "RECORD_NOT_KEPT") return fail(error);
  }
  throw error;
}
