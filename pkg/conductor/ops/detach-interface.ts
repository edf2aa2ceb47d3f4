import type { DetachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import detachCommand from "../../compute/commands/detach-interface.js";
import detachInterface from "../../model/operations/detach-interface.js";
import { defineKind, done, fail } from "../engine/kind.js";
import type { StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { KindDeps } from "../kind-factory.js";
import { agentReports } from "../steps/agent-command.js";
import { agentStep, commandFailed } from "../steps/agent-step.js";
import { hostOf } from "../steps/host-of.js";
import { releasePort } from "../steps/release-port.js";
import { restoreInterface } from "../steps/restore-interface.js";

/** The port may have gone while the operation waited for its turn. */
const has = ({ instance }: StepCall, portId: string): boolean =>
  instance.ports.some((port) => port.portId === portId);

export default ({ ports }: KindDeps) => {
  const detach = agentStep(ports, {
    name: "detach",
    event: "compute_detach_interface",
    timeoutMs: 600_000,
    command: detachCommand,
    host: hostOf,
    input: ({ input }: StepCall<DetachInterfaceInput>) => ({ portId: input.portId }),
    done: (call, _output, host) => done({}, undefined, { host, consumed: agentReports(call) }),
    failed: commandFailed,
  });
  return defineKind(detachInterface, {
    steps: [
      {
        ...detach,
        needs: "attach-interface",
        run: async (call) =>
          has(call, call.input.portId)
            ? detach.run(call)
            : fail(ConductorErrors.PORT_NOT_FOUND({ port: call.input.portId })),
        undo: (call) => restoreInterface(call, ports),
      },
      releasePort(ports.neutron),
    ],
    failed: () => ({}),
  });
};
