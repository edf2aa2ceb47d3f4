import type { CommandHeader, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Client } from "../../platform/rpc/index.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, commandAgent } from "./agent-command.js";

/** One command to the agent of the server's host that ends in a lasting state. */
export interface PowerCommand<I> {
  readonly name: string;
  readonly event: string;
  readonly timeoutMs: number;
  readonly ends: VmState;
  /** When the agent does not tell. */
  readonly power: PowerState;
  send(
    call: StepCall<I>,
    agent: Client<typeof AgentServiceDefinition>,
    header: CommandHeader,
  ): Promise<{ readonly result: CommandResult | undefined }>;
}

/** A step out of a power command. It has no undo: the agent reports what became of the guest. */
export const powerStep = <I>(ports: Ports, command: PowerCommand<I>): Step<I> => ({
  name: command.name,
  event: command.event,
  timeoutMs: command.timeoutMs,
  async run(call) {
    const host = call.server.hostInfo?.host ?? "";
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host: "" }));
    return commandAgent(
      call,
      ports,
      { cell: call.database, host },
      (agent, header) => command.send(call, agent, header),
      {
        done: (result) =>
          done(
            {},
            {
              set: {
                vmState: command.ends,
                powerState: result.powerState === 0 ? command.power : result.powerState,
              },
              dropFault: true,
            },
            { host, consumed: agentReports(call) },
          ),
        failed: (result) =>
          fail(
            { reason: result.errorReason, domain: "compute", message: result.errorMessage },
            { details: result.errorDetails, host, consumed: agentReports(call) },
          ),
      },
    );
  },
});
