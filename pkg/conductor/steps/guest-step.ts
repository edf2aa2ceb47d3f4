import type { GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import type { Command } from "../../compute/commands/command.js";
import type { OperationDeclaration } from "../../model/operation-declaration.js";
import { faultOf } from "../domain/faults.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, commandAgent } from "./agent-command.js";

/** One command to the agent of the server's host, after which the server is in the state that is declared. */
export interface GuestStep<I, C> {
  readonly name: string;
  readonly event: string;
  readonly timeoutMs: number;
  readonly command: Command<C, GuestOutput>;
  input(call: StepCall<I>): C;
  /** The power state when the agent does not tell. */
  readonly power: PowerState;
}

/** A step out of a command to a guest. It has no undo: the agent reports what became of the guest. */
export const guestStep = <I, C>(
  ports: Ports,
  { ends: [vmState] }: Pick<OperationDeclaration, "ends">,
  { name, event, timeoutMs, command, input, power }: GuestStep<I, C>,
): Step<I> => ({
  name,
  event,
  timeoutMs,
  async run(call) {
    const host = call.server.hostInfo?.host ?? "";
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host: "" }));
    return commandAgent(call, ports, { cell: call.database, host }, command, input(call), {
      done: ({ powerState }) =>
        done(
          {},
          {
            set: {
              ...(vmState === undefined ? {} : { vmState }),
              powerState: powerState === PowerState.POWER_STATE_UNSPECIFIED ? power : powerState,
            },
            dropFault: true,
          },
          { host, consumed: agentReports(call) },
        ),
      failed: ({ errorReason, errorMessage, errorDetails }) =>
        fail(
          { reason: errorReason, domain: "compute", message: errorMessage },
          { details: errorDetails, host, consumed: agentReports(call) },
        ),
    });
  },
});

/** A failure leaves the server's state as it was, with a fault. */
export const keepsItsState = ({ now }: StepCall, error: OperationError, details: string): Change => ({
  set: { taskState: "", fault: faultOf(error, details, now) },
});
