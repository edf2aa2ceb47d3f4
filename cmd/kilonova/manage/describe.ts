import type { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { isoMicros } from "../../../pkg/kernel/index.js";

const names = new Map<number, string>(
  Object.entries(OperationState).map(([name, value]) => [value, name.replace("OPERATION_STATE_", "")]),
);

export const shortState = (state: OperationState | undefined): string => names.get(state ?? 0) ?? "UNKNOWN";

const time = (at: { readonly seconds: bigint; readonly nanos: number } | undefined): string =>
  at ? isoMicros(at.seconds * 1_000_000n + BigInt(Math.floor(at.nanos / 1000))) : "-";

/** An operation as text: head, progress, error, then a line per step. */
export function describeOperation(o: StoredOperation): readonly string[] {
  return [
    `${o.name}`,
    `kind ${o.kind} v${o.kindVersion}, ${shortState(o.state)}, step ${o.currentStep || "-"}, fence ${o.fence}, owner ${o.owner || "-"}`,
    `request ${o.requestId}, accepted ${time(o.createdAt)}, changed ${time(o.updatedAt)}`,
    ...(o.progress
      ? [
          `progress ${o.progress.percent} %, ${o.progress.phase} ${o.progress.done} of ${o.progress.total}, told ${time(o.progress.updatedAt)}`,
        ]
      : []),
    ...(o.error
      ? [`error ${o.error.reason}: ${o.error.message}`, ...[...o.error.facts].map(([k, v]) => `  ${k}: ${v}`)]
      : []),
    ...o.steps.map(
      (s) =>
        `  ${s.name.padEnd(24)} ${s.state.padEnd(8)} ${time(s.startedAt)} .. ${time(s.finishedAt)}${s.attempts > 1 ? ` (${s.attempts} starts)` : ""}${s.errorReason ? ` ${s.errorReason}: ${s.errorMessage}` : ""}`,
    ),
  ];
}
