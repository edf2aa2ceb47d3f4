import detachInterface from "../../compute/commands/detach-interface.js";
import restoreCommand from "../../compute/commands/restore-interface.js";
import type { DetachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { sendCommand } from "./agent-command.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { takeBack } from "./take-back.js";

/** Takes back that an interface was taken out: the guest has it again, as the record says. */
export async function restoreInterface(
  call: StepCall<DetachInterfaceInput>,
  ports: Ports,
): Promise<undefined> {
  const { server, instance, input, stepId } = call;
  const host = { cell: call.database, host: hostOf(call) };
  if (host.host === "") return;
  const port = instance.ports.find(({ portId }) => portId === input.portId);
  if (port === undefined) {
    await takeBack(call, ports, host, detachInterface, () => input);
    return;
  }
  const ids = { commandId: `${stepId}/undo`, undoOf: stepId };
  await insist(
    call,
    ports,
    host,
    async () =>
      (await sendCommand(call, ports, host, restoreCommand, { hostname: server.hostname, port }, ids)).result,
  );
}
