import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Instant } from "../../../kernel/time.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { CellsErrors } from "../../errors.js";
import { endedSteps } from "./cut-short.js";
import { LIFE } from "./lanes.js";

/** An end, or a halt, that an operation did not come to by itself. */
export interface Decree {
  readonly state: "failed" | "needs-operator";
  readonly reason: string;
  readonly message: string;
}

/** What an operator ends. @param why  "" when he gave no reason */
export const abandoned = (why: string): Decree => ({
  state: "failed",
  reason: "ABANDONED",
  message: why === "" ? "An operator ended the operation." : why,
});

/** What no conductor can run. */
export const stranded = (kind: string, version: number): Decree => ({
  state: "needs-operator",
  reason: "NO_CONDUCTOR",
  message: `No conductor can run operations of kind ${kind}, version ${version}.`,
});

/** What is about a host that is not registered any more. */
export function hostDeleted(host: string): Decree {
  const { reason, message } = CellsErrors.HOST_NOT_FOUND({ host });
  return { state: "failed", reason, message };
}

/** Of an operation's row, what a decree and a retry change. */
interface Standing {
  readonly state: string;
  readonly waiting_for: string;
  readonly steps: Buffer;
  readonly secrets: Buffer | null;
  readonly generation: number;
}

/** The columns that a decree changes. Who retries an operation that is only halted needs its secrets. */
export function decreed(row: Standing, { state, reason, message }: Decree, now: Instant) {
  const ends = state === "failed";
  const steps = StoredSteps.decode(row.steps);
  return {
    state,
    owner: "",
    ready_at: null,
    progress: null,
    secrets: ends ? null : row.secrets,
    waiting_for: ends ? "" : row.state === "undoing" ? "undoing" : "running",
    steps: ends
      ? encoded(StoredSteps, { ...steps, steps: endedSteps(steps.steps, { reason, message }, now) })
      : row.steps,
    error: encoded(OperationError, OperationError.fromPartial({ reason, domain: "cells", message })),
    generation: row.generation + 1,
    updated_at: now,
  };
}

/** The columns of an operation that goes on where it was halted. */
export const retried = (row: Standing, now: Instant) => ({
  state: row.waiting_for === "undoing" ? "undoing" : "running",
  waiting_for: "",
  steps: withFreshAttempts(row.steps),
  ready_at: now,
  deadline: null,
  generation: row.generation + 1,
  updated_at: now,
});

/** Steps that have not ended may fail as often again as they did. */
function withFreshAttempts(stored: Buffer): Buffer {
  const before = StoredSteps.decode(stored);
  return encoded(StoredSteps, {
    ...before,
    steps: before.steps.map((step) => (step.errorReason === "" ? step : { ...step, attempts: 1 })),
  });
}

/**
 * The server of an operation after a decree: in the lane "life" it is in ERROR and free.
 * @param owner  what the server's record names as its operation
 * @returns undefined when the record does not change
 */
export function serverAfter(
  before: InstanceRecord,
  { lane, name, owner }: { readonly lane: string; readonly name: string; readonly owner: string },
  { reason, message }: Decree,
  now: Instant,
): InstanceRecord | undefined {
  if (lane !== LIFE || (owner !== name && owner !== "")) return undefined;
  const change = InstanceChange.fromPartial({
    server: {
      vmState: VmState.VM_STATE_ERROR,
      taskState: "",
      fault: { code: 500, message, reason, createdAt: toTimestamp(now) },
    },
    updateMask: ["vm_state", "task_state", "fault"],
  });
  return applyChange(before, change, "", now);
}
