import type {
  WaitOperationRequest,
  WaitOperationResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import type { Duration } from "../../../gen/google/protobuf/duration.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { remainingMs } from "../../kernel/index.js";
import { durationMs } from "../../model/wire-time.js";
import { id } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { optional } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { theOperation } from "./read-operation.js";

const MAX_WAIT_MS = 600_000;
/** Kept of the caller's deadline for the answer itself. */
const ANSWER_MS = 200;

export const timeout: Rule<Duration> = (value, path, report) => {
  const ms = durationMs(value);
  if (ms < 0 || ms > MAX_WAIT_MS) report(path, "must be between 0 and 10 minutes");
};

/** Waits for an operation's end, whatever it is; after the timeout it tells where the operation stands. */
export const waitOperation = (parts: Parts): Guarded<WaitOperationRequest, WaitOperationResponse> =>
  guarded(
    { name: id, timeout: optional(timeout) },
    theOperation(parts),
    async (ctx, request, { operation }) => {
      const wantedMs =
        request.timeout === undefined ? parts.config.defaultWaitMs : durationMs(request.timeout);
      const endMs = endOfWait(parts, ctx, wantedMs);
      return { operation: operation.done ? operation : await untilDone(parts, ctx, request, endMs) };
    },
  );

/** When a wait ends: before the caller's deadline. */
export const endOfWait = ({ clock }: Pick<Parts, "clock">, ctx: Call, wantedMs: number): number =>
  clock.monotonicMs() + Math.min(wantedMs, Math.max(0, remainingMs(ctx) - ANSWER_MS));

/** @param endMs  on the monotonic clock @returns the operation when it is done, or as it is then */
export async function untilDone(
  parts: Parts,
  ctx: Call,
  request: Pick<WaitOperationRequest, "name">,
  endMs: number,
): Promise<Operation> {
  const news = parts.signals.subscribe(request.name); // before the read, so that nothing is missed between
  try {
    for (;;) {
      const { operation } = await theOperation(parts)(ctx, request);
      const leftMs = endMs - parts.clock.monotonicMs();
      if (operation.done || leftMs <= 0) return operation;
      await news.next(leftMs, ctx.signal);
    }
  } finally {
    news.close();
  }
}
