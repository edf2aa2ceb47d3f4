import type { StepRecord } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../kernel/time.js";
import { toTimestamp } from "../../model/wire-time.js";
import type { OperationKind, Step } from "./kind.js";
import { stepIndex } from "./registry.js";

/**
 * The record of a step's present round: the stored one, or a new one after an undo or before the first start.
 */
export function recordOf(steps: readonly StepRecord[], step: Step, now: Instant): StepRecord {
  const last = steps.findLast(({ name }) => name === step.name);
  if (last !== undefined && last.state !== "undone") return last;
  return {
    name: step.name,
    state: "running",
    output: Buffer.alloc(0),
    note: Buffer.alloc(0),
    attempts: 1,
    startedAt: toTimestamp(now),
    finishedAt: undefined,
    errorReason: "",
    errorMessage: "",
    event: step.event,
    host: "",
    round: last === undefined ? 0 : last.round + 1,
    unfenced: step.unfenced ?? false,
  };
}

/** Steps in memory after a commit: the same rule as the store's. */
export function withRecords(steps: readonly StepRecord[], changed: readonly StepRecord[]): StepRecord[] {
  const merged = [...steps];
  for (const record of changed) {
    const at = merged.findIndex(({ name, round }) => name === record.name && round === record.round);
    if (at === -1) merged.push(record);
    else merged[at] = { ...merged[at], ...record };
  }
  return merged;
}

/**
 * Steps that have to be taken back, last first: all that were started and have an undo, down to `until` (""
 * for all). The failed one is among them, since a start that failed may have left something.
 */
export function toUndo(
  kind: OperationKind,
  steps: readonly StepRecord[],
  from: string,
  until: string,
): Step[] {
  const last = stepIndex(kind, from);
  const first = until === "" ? 0 : stepIndex(kind, until);
  const started = (step: Step): boolean => {
    const record = steps.findLast(({ name }) => name === step.name);
    return record !== undefined && record.state !== "undone";
  };
  return kind.steps
    .slice(first, last + 1)
    .filter((step) => started(step))
    .reverse();
}
