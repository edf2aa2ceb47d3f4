import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { NetworkPorts } from "./allocate-networks.js";
import { backAt } from "./move-ports.js";
import { ledOn } from "./resting-migration.js";

/** With its commit the server is at the host again that it had left, with its old flavor. */
export const returnPorts = (ports: NetworkPorts): Step<EndMoveInput> => ({
  name: "return-ports",
  unfenced: true,
  event: "",
  timeoutMs: 300_000,
  run: async (call) => done({}, await backAt(call, ports, ledOn(call))),
});
