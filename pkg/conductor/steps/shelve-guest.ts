import { Shelving } from "../../../gen/kilonova/cells/v1/server.js";
import type { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import powerOffGuest from "../../compute/commands/power-off-guest.js";
import powerOnGuest from "../../compute/commands/power-on-guest.js";
import { done } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports, sendCommand } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { powerNow } from "./power-now.js";
import { dropShelvedImage } from "./shelved-image.js";
import { softTimeoutMs } from "./soft-timeout.js";

const { POWER_STATE_SHUTDOWN, POWER_STATE_RUNNING } = PowerState;
const { VM_STATE_ACTIVE, VM_STATE_STOPPED, VM_STATE_SHELVED } = VmState;

const runs = ({ server }: StepCall): boolean => server.vmState === VM_STATE_ACTIVE;

/**
 * Ends a guest that runs, asked first, so that its disk is whole. Guests that stand still are copied as they
 * are: their memory is not given up before there is a copy. Undone, the guest is started again.
 * @param event  as the timeline shows it; "" for nothing
 */
export const shutDown = <I>(ports: Ports, event = "compute_shelve_instance"): Step<I> => {
  const step = agentStep<I, Parameters<typeof powerOffGuest.run>[1], object, never>(ports, {
    name: "shut-down",
    event,
    timeoutMs: 600_000,
    command: powerOffGuest,
    host: hostOf,
    input: ({ instance }) => ({ softTimeoutMs: softTimeoutMs(instance, ports) }),
    done: (call, _output, host) =>
      done({}, { set: { powerState: POWER_STATE_SHUTDOWN } }, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return {
    ...step,
    // A guest that was told to shut down does so, whoever changes his mind: it is waited for, then started.
    finishes: true,
    run: async (call) => (runs(call) ? step.run(call) : done()),
    undo: async (call) => (runs(call) ? startedAgain(call, ports) : undefined),
  };
};

/**
 * Undoes that a guest was ended. What cannot be started again is off: its server is STOPPED, and its user may
 * start it.
 */
export async function startedAgain(call: StepCall, ports: Ports): Promise<Change | undefined> {
  const { database, instance, stepId } = call;
  const host = { cell: database, host: hostOf(call) };
  if (host.host === "") return undefined;
  const ids = { commandId: `${stepId}/undo`, undoOf: stepId };
  await insist(
    call,
    ports,
    host,
    async () => (await sendCommand(call, ports, host, powerOnGuest, { instance }, ids)).result,
    (phase) => phase !== CommandPhase.COMMAND_PHASE_STARTED,
  );
  const now = await powerNow(call, ports);
  const isOff = now?.set?.powerState !== undefined && now.set.powerState !== POWER_STATE_RUNNING;
  return isOff ? { set: { ...now.set, vmState: VM_STATE_STOPPED } } : now;
}

/** The end: what still stands of a paused or suspended guest goes, and the server is shelved. */
export const letGo = <I>(ports: Ports, imageOf: (input: I) => CreateImageInput): Step<I> => {
  const shelved = async (call: StepCall<I>): Promise<Change> => {
    // Of an earlier shelving whose server was reset.
    await dropShelvedImage(call, ports);
    const shelving = Shelving.fromPartial({ imageId: imageOf(call.input).imageId });
    return {
      set: { vmState: VM_STATE_SHELVED, powerState: POWER_STATE_SHUTDOWN, shelving },
      dropFault: true,
    };
  };
  const step = agentStep<I, Parameters<typeof powerOffGuest.run>[1], object, never>(ports, {
    name: "let-go",
    event: "",
    timeoutMs: 600_000,
    command: powerOffGuest,
    host: hostOf,
    input: () => ({ softTimeoutMs: 0 }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  const { name, event, timeoutMs } = step;
  return {
    name,
    event,
    timeoutMs,
    // There is no way back from here, so that nothing of it is undone.
    async run(call) {
      const isOff = runs(call) || call.server.vmState === VM_STATE_STOPPED;
      const result = isOff ? done() : await step.run(call);
      return result.kind === "done" ? { ...result, change: await shelved(call) } : result;
    },
  };
};
