import { parseOperationName } from "../../model/operation-name.js";
import { VICTIM_AT_REST } from "../../model/signals.js";
import { park } from "../engine/kind.js";
import type { StepCall, StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/** Its signal may be lost with the conductor that would have sent it. */
const ASK_AGAIN_MS = 1_000;

/** Uuid of the operation that this one pre-empted. */
export const victimId = ({ operation }: Pick<StepCall, "operation">): string | undefined =>
  parseOperationName(operation.preempts)?.operationId;

/** Signals of a victim that has come to rest; of no use once the step goes on. */
export const restSignals = ({ signals }: Pick<StepCall, "signals">): readonly string[] =>
  signals.filter(({ kind }) => kind === VICTIM_AT_REST).map(({ id }) => id);

/**
 * Waits for the end of an unfenced step that the victim may still be in: a look around before would miss what
 * arrives after it.
 * @returns undefined when nothing is under way any more
 */
export async function untilVictimRests(
  call: StepCall,
  { operations }: Pick<Ports, "operations">,
): Promise<StepResult | undefined> {
  const { operation, database, ctx } = call;
  if (!operation.preemptedSteps.some(({ state, unfenced }) => state === "running" && unfenced))
    return undefined;
  const { atRest } = await operations.settleOperation(ctx, { database, name: operation.preempts });
  return atRest ? undefined : park(VICTIM_AT_REST, ASK_AGAIN_MS, { consumed: restSignals(call) });
}
