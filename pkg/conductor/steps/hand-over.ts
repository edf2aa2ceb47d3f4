import { handOver } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { selectedHosts } from "./destinations.js";

/** Cell of servers that never got a host. */
const NOWHERE = "cell0";

/** Moves the server and its operation to the cell of the chosen host, or to cell0 when there is none. */
export const handOverToCell = (): Step => ({
  name: "hand-over",
  event: "",
  timeoutMs: 300_000,
  run: async ({ outputs }) => {
    const chosen = outputs.get(selectedHosts).hosts[0];
    return handOver(
      chosen?.cell ?? NOWHERE,
      {},
      chosen === undefined ? undefined : { set: { availabilityZone: chosen.zone } },
    );
  },
});
