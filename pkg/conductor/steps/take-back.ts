import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { AnyCommand } from "../../compute/commands/command.js";
import type { StepCall } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";
import { cancelCommand, sendCommand } from "./agent-command.js";
import { insist } from "./insist.js";

/**
 * Takes a step's command back as it declares: by its undo, or, without one, by seeing to its end. Both may
 * come before the command, after it, or without it, and may be repeated; the command runs no more afterwards.
 * @returns what the undo answers; undefined without one, and of a host that is down
 * @throws UNAVAILABLE, FENCE_LOST as `insist`
 */
export async function takeBack<C, O, P extends string>(
  call: StepCall,
  ports: Ports,
  host: HostRef,
  { undo }: AnyCommand<C, O, P>,
  input: () => C,
): Promise<unknown> {
  if (undo === undefined) {
    await insist(
      call,
      ports,
      host,
      () => cancelCommand(call, ports, host, call.stepId),
      (phase) => phase !== CommandPhase.COMMAND_PHASE_STARTED,
    );
    return undefined;
  }
  let output: unknown;
  const ids = { commandId: `${call.stepId}/undo`, undoOf: call.stepId };
  await insist(call, ports, host, async () => {
    const sent = await sendCommand(call, ports, host, undo.command, undo.input(input()), ids);
    output = sent.output;
    return sent.result;
  });
  return output;
}
