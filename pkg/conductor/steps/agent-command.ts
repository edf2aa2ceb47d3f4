import type { CommandHeader } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommandPhase, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { AnyCommand } from "../../compute/commands/command.js";
import { asKilonovaError } from "../../kernel/errors.js";
import { AGENT_REPORT } from "../../model/signals.js";
import { ConductorErrors } from "../errors.js";
import { park } from "../engine/kind.js";
import type { CloudCall, StepResult } from "../engine/kind.js";
import type { HostRef, Ports } from "../ports.js";

/** A report may be lost; asking again repeats the answer. */
const ASK_AGAIN_MS = 20_000;

/** Reports that wait; whoever asks the agent again has no more use for them. */
export const agentReports = (call: CloudCall): readonly string[] =>
  call.signals.filter(({ kind }) => kind === AGENT_REPORT).map(({ id }) => id);

const headerOf = (call: CloudCall, ports: Ports, host: HostRef, commandId: string): CommandHeader => ({
  commandId,
  operation: call.operation.name,
  fence: call.fence,
  serverId: call.operation.serverId,
  host: host.host,
  waitMs: ports.agentWaitMs,
  lane: call.operation.lane,
  closesLanes: call.closesLanes,
});

/** A command's effects besides the usual: its id when it is not the step's own, and what it undoes. */
export interface CommandOptions {
  readonly commandId?: string;
  readonly undoOf?: string;
}

/** Sends a command once, typed by its declaration. @returns how it stands, with its output once it is done */
export async function sendCommand<I, O, P extends string>(
  call: CloudCall,
  ports: Ports,
  host: HostRef,
  command: AnyCommand<I, O, P>,
  input: I,
  { commandId = call.stepId, undoOf = "" }: CommandOptions = {},
): Promise<{ readonly result: CommandResult | undefined; readonly output: O | undefined }> {
  const agent = await ports.agents.at(call.ctx, host);
  const { result } = await agent.runCommand(call.ctx, {
    header: headerOf(call, ports, host, commandId),
    command: command.name,
    input: Buffer.from(command.input.encode(input).finish()),
    undoOf,
  });
  if (result?.errorReason === "COMMAND_SUPERSEDED")
    throw ConductorErrors.FENCE_LOST({ operation: call.operation.name });
  const isDone = result?.phase === CommandPhase.COMMAND_PHASE_DONE;
  return { result, output: isDone ? command.output.decode(result.output) : undefined };
}

/**
 * Ends a command for good. @returns how it stands. An agent of the version before cannot do it: what it runs
 * comes to its own end, or a higher fence stops it
 */
export async function cancelCommand(
  call: CloudCall,
  ports: Ports,
  host: HostRef,
  commandId: string,
): Promise<CommandResult> {
  const agent = await ports.agents.at(call.ctx, host);
  try {
    const { result } = await agent.cancelCommand(call.ctx, {
      header: headerOf(call, ports, host, commandId),
    });
    return result ?? ended;
  } catch (error) {
    if (asKilonovaError(error).kind !== "unsupported") throw error;
    call.ctx.log.warn("agent.cannot-cancel", { operation: call.operation.name, host: host.host });
    return ended;
  }
}

const ended = CommandResult.fromPartial({ phase: CommandPhase.COMMAND_PHASE_UNDONE });

/**
 * Sends a command and waits a while. Sending it again after a report or a timer repeats the stored answer.
 * @param onEnd  what follows from a command that ended
 * @throws FENCE_LOST when a newer command took over
 */
export async function commandAgent<I, O, P extends string>(
  call: CloudCall,
  ports: Ports,
  host: HostRef,
  command: AnyCommand<I, O, P>,
  input: I,
  onEnd: {
    readonly done: (output: O) => StepResult | Promise<StepResult>;
    readonly failed: (result: CommandResult) => StepResult;
  },
): Promise<StepResult> {
  const { result, output } = await sendCommand(call, ports, host, command, input);
  if (output !== undefined) return onEnd.done(output);
  if (result?.phase === CommandPhase.COMMAND_PHASE_FAILED) return onEnd.failed(result);
  return park(AGENT_REPORT, ASK_AGAIN_MS, { host: host.host, consumed: agentReports(call) });
}
