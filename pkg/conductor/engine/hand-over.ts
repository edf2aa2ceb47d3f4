import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { toTimestamp } from "../../model/wire-time.js";
import { toInstanceChange, withTaskState } from "./change.js";
import type { CrashPoints } from "./crash-points.js";
import type { Step, StepResult } from "./kind.js";
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

/**
 * Moves an operation and its instance to another database: a dormant copy at the target, the source's commit,
 * which alone decides, and the awakening. A crash in between leaves a dormant copy whose finder asks the
 * source.
 * @returns true: this conductor goes on at the target, unless somebody else has woken the copy
 */
export async function handOverTo(
  run: Run,
  { store, ownership, crash }: HandOverOptions,
  step: Step,
  record: StepRecord,
  result: Extract<StepResult, { kind: "hand-over" }>,
): Promise<boolean> {
  const { kind, operation, database } = run;
  const next = stepAt(kind, stepIndex(kind, step.name) + 1);
  const finished: StepRecord = {
    ...record,
    state: "done",
    output: encodeJson(result.output),
    finishedAt: toTimestamp(run.now),
  };
  const steps = withRecords(operation.steps, [finished, recordOf(operation.steps, next, run.now)]);
  const moved = {
    ...operation,
    currentStep: next.name,
    steps,
    deadline: toTimestamp(run.now + BigInt(next.timeoutMs) * 1000n),
    signals: [],
    waitingFor: "",
  };
  const change = toInstanceChange(withTaskState(result.change, next.taskState));
  const instance = Buffer.from(InstanceRecord.encode(run.instance).finish());
  const base = { name: run.name, targetDatabase: result.database };
  await run.repeatedly((ctx) =>
    store.prepareHandover(ctx, {
      database: result.database,
      sourceDatabase: database,
      operation: moved,
      instance,
      fence: operation.fence,
      ...(change === undefined ? {} : { change }),
    }),
  );
  await crash.hit(kind.kind, step.name, "before");
  const { cancelRequested } = await run.repeatedly((ctx) =>
    store.commitHandover(ctx, { database, fence: operation.fence, ...base }),
  );
  await crash.hit(kind.kind, step.name, "after");
  const awake = await run.repeatedly((ctx) =>
    ownership.awaken(ctx, result.database, run.name, { database, cancelRequested }),
  );
  if (awake.operation === undefined || awake.instance === undefined) {
    // Pre-empted there since it woke for us, when the answer was lost; else somebody else's, to whom this
    // does nothing.
    await ownership.leave(run.ctx, {
      database: result.database,
      name: run.name,
      fence: operation.fence + 1n,
    });
    return false;
  }
  run.database = result.database;
  run.operation = awake.operation;
  run.instance = awake.instance;
  run.fresh = next.name;
  return true;
}
