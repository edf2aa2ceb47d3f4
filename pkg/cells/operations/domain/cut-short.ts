import type { MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { StepRecord } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../../kernel/time.js";
import { statusWhenCut, wayOf } from "../../../model/migration-states.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { LIFE } from "./lanes.js";

/** An operation that has ended otherwise than by a commit of its own: taken over, withdrawn, or by decree. */
export interface CutShort {
  readonly name: string;
  /** A state's word. */
  readonly state: string;
  /** Whether it led its server: it was in the lane "life", and no other one has that by now. */
  readonly led: boolean;
}

/** @param leader  whom the server's record names as its operation, before it changes; "" for nobody */
export const cutShort = (
  { name, lane, state }: { readonly name: string; readonly lane: string; readonly state: string },
  leader: string,
): CutShort => ({ name, state, led: lane === LIFE && (leader === "" || leader === name) });

const WITHDRAWN: ReadonlySet<string> = new Set(["preempted", "cancelled"]);

/**
 * The migrations that end with operations that were cut short, as they are to be stored: those which they
 * have made, and with one that led its server also those that it led on from their rest. What rests is the
 * owner's to decide and stays as it is.
 * @param known  those of their servers; others than those under way change nothing
 */
export function endedMigrations(
  known: readonly MigrationRecord[],
  cut: readonly CutShort[],
  now: Instant,
): MigrationRecord[] {
  return known.flatMap((record) => {
    const way = wayOf(record.kind, record.status);
    const by = cut.find(({ name, led }) =>
      way === "on" ? led : way === "there" && name === record.operation,
    );
    if (by === undefined || record.deletedAt !== undefined) return [];
    const status = statusWhenCut(record.kind, WITHDRAWN.has(by.state));
    return [{ ...record, status, updatedAt: toTimestamp(now) }];
  });
}

/** Steps of an operation that ended by decree: none of them runs any more. */
export const endedSteps = (
  steps: readonly StepRecord[],
  why: { readonly reason: string; readonly message: string },
  now: Instant,
): StepRecord[] =>
  steps.map((step) =>
    step.state === "running"
      ? {
          ...step,
          state: "failed",
          finishedAt: toTimestamp(now),
          errorReason: why.reason,
          errorMessage: why.message,
        }
      : step,
  );
