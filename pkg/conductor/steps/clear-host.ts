import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import destroyGuestThere from "../../compute/commands/destroy-guest.js";
import { done, fail } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { agentReports, commandAgent } from "./agent-command.js";
import { claimedHost } from "./destinations.js";
import { ownMigrationId, unclearedMoves } from "./moves.js";

/**
 * Has the new host remove what an earlier move may have left there: it may have been down when that was taken
 * back, or an operator has reset the server. Only once the guest was offered where it is now, which proves
 * that it is there in full.
 */
export const clearHost = (ports: Ports): Step<MoveInput> => ({
  name: "clear-host",
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const { host } = call.outputs.get(claimedHost).host;
    const mayHaveLeft = (await unclearedMoves(call, ports)).some(
      ({ id, source, target }) =>
        id !== ownMigrationId(call) && (source?.host === host || target?.host === host),
    );
    if (!mayHaveLeft) return done();
    const extra = { host, consumed: agentReports(call) };
    const at = { cell: call.database, host };
    return commandAgent(
      call,
      ports,
      at,
      destroyGuestThere,
      {},
      {
        done: () => done({}, undefined, extra),
        failed: ({ errorReason: reason, errorMessage: message, errorDetails: details }) =>
          fail({ reason, domain: "compute", message }, { ...extra, details, backTo: claimedHost.step }),
      },
    );
  },
});
