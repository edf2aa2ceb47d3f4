import { QuiesceGuestInput, QuiesceGuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { KilonovaError } from "../../kernel/index.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import unquiesceGuest from "./unquiesce-guest.js";

/** Has the agent inside a guest freeze file systems, until unquiesce-guest or for so long at most. */
const quiesceGuest: Command<QuiesceGuestInput, QuiesceGuestOutput, never, "quiesce"> = {
  name: "quiesce-guest",
  input: QuiesceGuestInput,
  output: QuiesceGuestOutput,
  capability: { name: "quiesce", methods: ["quiesce"] },
  // A guest that was asked to freeze may do so after nobody waits for it any more.
  whenGivenUp: "finishes",
  undo: undoneBy(unquiesceGuest, () => ({})),
  async run({ ctx, serverId, host }, { required, mostMs }) {
    try {
      await part(ctx, "driver.quiesce", async (c) => host.driver.quiesce(c, serverId, mostMs));
      return { frozen: true };
    } catch (error) {
      if (required || !(error instanceof KilonovaError) || error.reason !== "QUIESCE_FAILED") throw error;
      return { frozen: false };
    }
  },
};
export default quiesceGuest;
