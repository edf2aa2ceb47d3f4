import type { CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { AnyCommand } from "../../compute/commands/command.js";
import { fail } from "../engine/kind.js";
import type { Change, CloudCall, Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, commandAgent } from "./agent-command.js";
import { takeBack } from "./take-back.js";

/** One command to an agent. */
export interface AgentStep<I, C, O, P extends string> extends Pick<
  Step,
  "name" | "event" | "taskState" | "timeoutMs"
> {
  readonly command: AnyCommand<C, O, P>;
  /** Name of the host, in the cell where the operation is; "" while there is none. */
  host(call: StepCall<I>): string;
  input(call: StepCall<I>): C;
  done(call: StepCall<I>, output: O, host: string): StepResult;
  failed(call: StepCall<I>, result: CommandResult, host: string): StepResult;
  /** What changes once it is taken back. @param output  of the command that took it back */
  undone?(call: StepCall<I>, output: unknown): Change | undefined;
}

/** A command's failure as the step's. */
export const commandFailed = (
  call: CloudCall,
  { errorReason, errorMessage, errorDetails }: CommandResult,
  host: string,
): StepResult =>
  fail(
    { reason: errorReason, domain: "compute", message: errorMessage },
    { details: errorDetails, host, consumed: agentReports(call) },
  );

/** A step out of a command. What takes it back follows from the command's declaration. */
export const agentStep = <I, C, O, P extends string>(
  ports: Ports,
  { command, host: hostOf, input, done, failed, undone, ...step }: AgentStep<I, C, O, P>,
): Step<I> => ({
  ...step,
  finishes: command.whenGivenUp === "finishes",
  async run(call) {
    const host = hostOf(call);
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host }));
    return commandAgent(call, ports, { cell: call.database, host }, command, input(call), {
      done: (output) => done(call, output, host),
      failed: (result) => failed(call, result, host),
    });
  },
  async undo(call) {
    const host = hostOf(call);
    if (host === "") return undefined;
    const at = { cell: call.database, host };
    const output = await takeBack(call, ports, at, command, () => input(call));
    return output === undefined ? undefined : undone?.(call, output);
  },
});
