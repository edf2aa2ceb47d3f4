import type { DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import attachCommand from "../../compute/commands/attach-volume.js";
import detachCommand from "../../compute/commands/detach-volume.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports, sendCommand } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { insist } from "./insist.js";
import { takeBack } from "./take-back.js";
import { devicesOf } from "./volume-devices.js";

/** Takes the volume out of the guest; taken back, the guest has it again as its record says. */
export const detachVolume = (ports: Ports): Step<DetachVolumeInput> => ({
  ...agentStep(ports, {
    name: "detach",
    event: "compute_detach_volume",
    timeoutMs: 600_000,
    command: detachCommand,
    host: ({ server }) => server.hostInfo?.host ?? "",
    input: ({ input }: StepCall<DetachVolumeInput>) => ({ volumeId: input.volumeId }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  }),
  needs: "attach-volume",
  async undo(call) {
    const { server, input, stepId } = call;
    const host = { cell: call.database, host: server.hostInfo?.host ?? "" };
    if (host.host === "") return undefined;
    const device = (await devicesOf(call, ports, true)).find((one) => one.volumeId === input.volumeId);
    if (device === undefined) {
      await takeBack(call, ports, host, detachCommand, () => input);
      return undefined;
    }
    const ids = { commandId: `${stepId}/undo`, undoOf: stepId };
    await insist(
      call,
      ports,
      host,
      async () => (await sendCommand(call, ports, host, attachCommand, { device }, ids)).result,
    );
    return undefined;
  },
});
