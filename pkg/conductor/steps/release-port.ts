import type { DetachInterfaceInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Neutron } from "../../clients/neutron/ports.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { free } from "./bind-port.js";

/** Deletes a port that was made for the server, or frees one of its user's; the record loses it. */
export const releasePort = (neutron: Neutron): Step<DetachInterfaceInput> => ({
  name: "release-port",
  unfenced: true,
  event: "",
  timeoutMs: 120_000,
  async run(call) {
    const { portId } = call.input;
    const port = call.instance.ports.find((one) => one.portId === portId);
    if (port?.createdByUs === true) await neutron.deletePort(call.ctx, portId);
    else if (port !== undefined) await free(call, neutron, portId);
    return done({}, { removePorts: [portId] });
  },
});
