import destroyGuest from "../../compute/commands/destroy-guest.js";
import { CommonErrors, isRetryable } from "../../kernel/errors.js";
import type { StepCall } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";
import { sendCommand } from "./agent-command.js";

/**
 * Removes a server's guest from a host. A host that is down is left alone: its agent removes the guests of
 * deleted servers when it comes back, and its fence keeps it from running what it should not.
 * @param command  `undoOf` names the build that must not come to life any more
 * @returns whether the agent did it
 * @throws UNAVAILABLE while it is still at it, or cannot be reached though it is up; FENCE_LOST
 */
export async function destroyAt(
  call: StepCall,
  ports: Ports,
  host: HostRef,
  command: { readonly commandId: string; readonly undoOf: string },
): Promise<boolean> {
  try {
    const { result, output } = await sendCommand(call, ports, host, destroyGuest, {}, command);
    if (output !== undefined) return true;
    throw CommonErrors.UNAVAILABLE({
      what: `The removal of the guest (${result?.errorReason === "" || result === undefined ? "under way" : result.errorReason})`,
    });
  } catch (error) {
    if (!isRetryable(error) || (await ports.agents.isUp(call.ctx, host))) throw error;
    call.ctx.log.warn("guest.left-on-dead-host", { operation: call.operation.name, host: host.host });
    return false;
  }
}
