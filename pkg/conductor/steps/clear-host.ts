import destroyGuestThere from "../../compute/commands/destroy-guest.js";
import { done, fail } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports, commandAgent } from "./agent-command.js";
import { claimedHost } from "./destinations.js";
import { freeEarlierMoves } from "./earlier-moves.js";
import { hostOf } from "./host-of.js";

/**
 * Has the new host remove what it may still have of the server: it may have been down when an earlier move or
 * unshelve was taken back, or an operator has reset the server. Only once it is certain that this is not all
 * that there is: when the guest was offered where it is now, or is built anew.
 */
export const clearHost = <I>(ports: Ports): Step<I> => ({
  name: "clear-host",
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const { host } = call.outputs.get(claimedHost).host;
    if (host === hostOf(call)) return done();
    const extra = { host, consumed: agentReports(call) };
    const at = { cell: call.database, host };
    return commandAgent(
      call,
      ports,
      at,
      destroyGuestThere,
      {},
      {
        done: async () => {
          const migrations = await freeEarlierMoves(call, ports, host);
          return done({}, migrations.length === 0 ? undefined : { more: { migrations } }, extra);
        },
        failed: ({ errorReason: reason, errorMessage: message, errorDetails: details }) =>
          fail({ reason, domain: "compute", message }, { ...extra, details, backTo: claimedHost.step }),
      },
    );
  },
});
