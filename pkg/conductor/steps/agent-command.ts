import type { CommandHeader, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { AGENT_REPORT } from "../../model/signals.js";
import type { Client } from "../../platform/rpc/index.js";
import { ConductorErrors } from "../errors.js";
import { park } from "../engine/kind.js";
import type { StepCall, StepResult } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";

type AgentClient = Client<typeof AgentServiceDefinition>;

/** A report may be lost; asking again repeats the answer. */
const ASK_AGAIN_MS = 20_000;

/** Reports that wait; whoever asks the agent again has no more use for them. */
export const agentReports = (call: StepCall): readonly string[] =>
  call.signals.filter(({ kind }) => kind === AGENT_REPORT).map(({ id }) => id);

export const headerOf = (
  call: StepCall,
  ports: Ports,
  host: HostRef,
  commandId = call.stepId,
): CommandHeader => ({
  commandId,
  operation: call.operation.name,
  fence: call.fence,
  serverId: call.operation.serverId,
  host: host.host,
  waitMs: ports.agentWaitMs,
});

/**
 * Sends a command and waits a while. Sending it again after a report or a timer repeats the stored answer.
 * @param onEnd  what follows from a command that ended
 * @throws FENCE_LOST when a newer command took over
 */
export async function commandAgent(
  call: StepCall,
  ports: Ports,
  host: HostRef,
  send: (
    agent: AgentClient,
    header: CommandHeader,
  ) => Promise<{ readonly result: CommandResult | undefined }>,
  onEnd: {
    readonly done: (result: CommandResult) => StepResult;
    readonly failed: (result: CommandResult) => StepResult;
  },
): Promise<StepResult> {
  const agent = await ports.agents.at(call.ctx, host);
  const { result } = await send(agent, headerOf(call, ports, host));
  switch (result?.phase) {
    case CommandPhase.COMMAND_PHASE_DONE:
      return onEnd.done(result);
    case CommandPhase.COMMAND_PHASE_FAILED:
      if (result.errorReason === "COMMAND_SUPERSEDED")
        throw ConductorErrors.FENCE_LOST({ operation: call.operation.name });
      return onEnd.failed(result);
    default:
      return park(AGENT_REPORT, ASK_AGAIN_MS, { host: host.host, consumed: agentReports(call) });
  }
}
