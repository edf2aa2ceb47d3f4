import type { GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import type { OperationDeclaration } from "../../model/operation-declaration.js";
import { faultOf } from "../domain/faults.js";
import { done } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import type { AgentStep } from "./agent-step.js";
import { hostOf } from "./host-of.js";

/** One command to the agent of the server's host, after which the server is in the state that is declared. */
export interface GuestStep<I, C, P extends string> extends Pick<
  AgentStep<I, C, GuestOutput, P>,
  "name" | "event" | "timeoutMs" | "command" | "input"
> {
  /** The power state when the agent does not tell. */
  readonly power: PowerState;
  /** What else changes when it is done. */
  set?(call: StepCall<I>): NonNullable<Change["set"]>;
  /** As of `AgentStep`; commands that take back what was done to a guest answer as all do. */
  undone?(call: StepCall<I>, output: GuestOutput): Change;
}

/** A step out of a command to a guest. */
export const guestStep = <I, C, P extends string>(
  ports: Ports,
  { ends: [vmState] }: Pick<OperationDeclaration, "ends">,
  { power, set, undone, ...step }: GuestStep<I, C, P>,
): Step<I> => ({
  ...agentStep(ports, {
    ...step,
    host: hostOf,
    done: (call, { powerState }, host) =>
      done(
        {},
        {
          set: {
            ...(vmState === undefined ? {} : { vmState }),
            powerState: powerState === PowerState.POWER_STATE_UNSPECIFIED ? power : powerState,
            ...set?.(call),
          },
          dropFault: true,
        },
        { host, consumed: agentReports(call) },
      ),
    failed: commandFailed,
    ...(undone === undefined ? {} : { undone: (call, output) => undone(call, output as GuestOutput) }),
  }),
  ...(step.command.capability === undefined ? {} : { needs: step.command.capability.name }),
});

/** A failure leaves the server's state as it was, with a fault. */
export const keepsItsState = ({ now }: StepCall, error: OperationError, details: string): Change => ({
  set: { taskState: "", fault: faultOf(error, details, now) },
});

const CANCELLED = ConductorErrors.OPERATION_CANCELLED({ operation: "" }).reason;

/** A failure puts the server in ERROR, with a fault; cancelled, it is as it was. */
export const breaksUnlessCancelled = (call: StepCall, error: OperationError, details: string): Change => {
  const kept = keepsItsState(call, error, details);
  return error.reason === CANCELLED ? kept : { set: { ...kept.set, vmState: VmState.VM_STATE_ERROR } };
};
