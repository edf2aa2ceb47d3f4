import type { PreemptedOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { parseOperationName } from "../../model/operation-name.js";
import { VICTIM_AT_REST } from "../../model/signals.js";
import { park } from "../engine/kind.js";
import type { StepCall, StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/** Its signal may be lost with the conductor that would have sent it. */
const ASK_AGAIN_MS = 1_000;

type Victim = Pick<PreemptedOperation, "name" | "kind" | "input" | "steps">;

/** What an operation pre-empted: the one of its lane first, then those of others. */
export const victimsOf = ({ operation }: Pick<StepCall, "operation">): readonly Victim[] => {
  const { preempts, preemptedKind, preemptedInput, preemptedSteps, alsoPreempted } = operation;
  const own = { name: preempts, kind: preemptedKind, input: preemptedInput, steps: preemptedSteps };
  return [...(preempts === "" ? [] : [own]), ...alsoPreempted];
};

/** Uuids of the operations that this one pre-empted. */
export const victimIds = (call: Pick<StepCall, "operation">): readonly string[] =>
  victimsOf(call).flatMap(({ name }) => parseOperationName(name)?.operationId ?? []);

/** Signals of a victim that has come to rest; of no use once the step goes on. */
export const restSignals = ({ signals }: Pick<StepCall, "signals">): readonly string[] =>
  signals.filter(({ kind }) => kind === VICTIM_AT_REST).map(({ id }) => id);

/**
 * Waits for the ends of unfenced steps that victims may still be in: a look around before would miss what
 * arrives after it.
 * @returns undefined when nothing is under way any more
 */
export async function untilVictimsRest(
  call: StepCall,
  { operations }: Pick<Ports, "operations">,
): Promise<StepResult | undefined> {
  const { database, ctx } = call;
  for (const { name, steps } of victimsOf(call)) {
    if (!steps.some(({ state, unfenced }) => state === "running" && unfenced)) continue;
    const { atRest } = await operations.settleOperation(ctx, { database, name });
    if (!atRest) return park(VICTIM_AT_REST, ASK_AGAIN_MS, { consumed: restSignals(call) });
  }
  return undefined;
}
