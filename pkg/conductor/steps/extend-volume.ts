import type { ExtendVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import extendCommand from "../../compute/commands/extend-volume.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { hostOf } from "./host-of.js";
import { volumeSize } from "./read-volume-size.js";

const BYTES_PER_GIB = 1024n ** 3n;

/** Has a running guest see how large its volume is; one that is off sees it when it is started. */
export const extendVolume = (ports: Ports): Step<ExtendVolumeInput> => {
  const tell = agentStep(ports, {
    name: "extend",
    event: "compute_extend_volume",
    timeoutMs: 300_000,
    command: extendCommand,
    host: hostOf,
    input: ({ input, outputs }: StepCall<ExtendVolumeInput>) => ({
      volumeId: input.volumeId,
      sizeBytes: BigInt(outputs.get(volumeSize).sizeGib ?? 0) * BYTES_PER_GIB,
    }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return {
    ...tell,
    needs: "extend-volume",
    run: async (call) => (call.outputs.get(volumeSize).sizeGib === undefined ? done() : tell.run(call)),
  };
};
