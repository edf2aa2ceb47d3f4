import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import renameCommand from "../../compute/commands/rename-volume.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { savedVolume } from "./finish-migration.js";
import { hostOf } from "./host-of.js";

/** Tells the host under which id the volume is known from now on. */
export const keepVolumeId = (ports: Ports): Step<SwapVolumeInput> => {
  // There is only forward by now.
  const { undo: _undo, ...tell } = agentStep(ports, {
    name: "keep-volume-id",
    event: "",
    timeoutMs: 600_000,
    command: renameCommand,
    host: hostOf,
    input: ({ input, outputs }: StepCall<SwapVolumeInput>) => ({
      volumeId: input.newVolumeId,
      newVolumeId: outputs.get(savedVolume).volumeId,
    }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return {
    ...tell,
    needs: "migrate-volume",
    run: async (call) =>
      call.outputs.get(savedVolume).volumeId === call.input.newVolumeId ? done() : tell.run(call),
  };
};
