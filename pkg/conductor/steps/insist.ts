import type { CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommonErrors, isRetryable } from "../../kernel/errors.js";
import type { StepCall } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";

/**
 * Asks a host for what must be done in the end, such as taking something back. A host that is down is left
 * alone: its agent puts right what it finds when it comes back, and its fence keeps it from running what it
 * should not.
 * @param ask    once; asked again with the step
 * @param isSettled  which answers will do
 * @returns whether the agent did it
 * @throws UNAVAILABLE while it is still at it, has failed, or cannot be reached though it is up; FENCE_LOST
 */
export async function insist(
  { ctx, operation }: StepCall,
  { agents }: Pick<Ports, "agents">,
  host: HostRef,
  ask: () => Promise<CommandResult | undefined>,
  isSettled = (phase: CommandPhase): boolean => phase === CommandPhase.COMMAND_PHASE_DONE,
): Promise<boolean> {
  try {
    const result = await ask();
    if (result !== undefined && isSettled(result.phase)) return true;
    const how = result === undefined || result.errorReason === "" ? "under way" : result.errorReason;
    throw CommonErrors.UNAVAILABLE({ what: `The host's part in it (${how})` });
  } catch (error) {
    if (!isRetryable(error) || (await agents.isUp(ctx, host))) throw error;
    ctx.log.warn("host.left-alone", { operation: operation.name, host: host.host });
    return false;
  }
}
