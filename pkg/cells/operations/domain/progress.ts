import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { OperationProgress } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Instant } from "../../../kernel/time.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { fromTimestamp } from "../../../model/wire-time.js";

/** Reports of one operation that are kept are at least this far apart. */
const APART_MS = 1_000n;
const PHASE = /^[a-z0-9_-]{1,64}$/;

/** Where an operation stands, as far as its progress depends on it. */
export interface Standing {
  readonly id: string;
  readonly state: string;
  readonly current_step: string;
  readonly fence: number;
}

/** Whether a command is what the operation is at, under the fence that it has now. */
export const isAtCommand = (
  { id, state, current_step: step, fence }: Standing,
  told: { readonly commandId: string; readonly fence: bigint },
): boolean =>
  (state === "running" || state === "parked") &&
  BigInt(fence) === told.fence &&
  // The first step is named by its first commit.
  told.commandId.startsWith(step === "" ? `${id}/` : `${id}/${step}/`);

/**
 * The host where the running command is: the one that its step has told, else the operation's own.
 * @param own  the operation's host, or its server's by the record
 */
export const commandHost = (
  steps: readonly Pick<StepRecord, "name" | "host">[],
  currentStep: string,
  own: string,
): string => steps.findLast(({ name }) => name === currentStep)?.host || own;

/** @throws INVALID_ARGUMENT: owners see it, so that nothing but figures may be in it */
export function requireProgress(progress: OperationProgress | undefined): OperationProgress {
  if (progress === undefined || !PHASE.test(progress.phase))
    throw CommonErrors.INVALID_ARGUMENT({ field: "progress.phase", problem: "must be a short name" });
  if (progress.percent > 100)
    throw CommonErrors.INVALID_ARGUMENT({ field: "progress.percent", problem: "must be 100 at most" });
  if (progress.total > 0n && progress.done > progress.total)
    throw CommonErrors.INVALID_ARGUMENT({ field: "progress.done", problem: "must be the total at most" });
  return progress;
}

/** Whether the next report comes long enough after the one that is stored. */
export function isDue(stored: OperationProgress | undefined, now: Instant): boolean {
  if (stored?.updatedAt === undefined) return true;
  const passed = now - fromTimestamp(stored.updatedAt);
  // In the future: another process's clock is ahead, and nobody should have to wait for it.
  return passed < 0n || passed >= APART_MS * 1000n;
}

/** Whether a commit leaves the operation at the step where it was: only then its progress still counts. */
export const goesOnAt = (
  step: string,
  { state, currentStep }: { readonly state: OperationState; readonly currentStep: string },
): boolean =>
  (state === OperationState.OPERATION_STATE_RUNNING || state === OperationState.OPERATION_STATE_PARKED) &&
  (step === "" || step === currentStep);
