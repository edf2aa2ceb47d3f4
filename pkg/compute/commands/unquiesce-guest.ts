import { GuestInput, UnquiesceGuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Thaws what quiesce-guest has frozen. A guest that is not frozen, or not there, is success. */
const unquiesceGuest: Command<GuestInput, UnquiesceGuestOutput, never, "unquiesce"> & {
  readonly untilDone: true;
} = {
  name: "unquiesce-guest",
  input: GuestInput,
  output: UnquiesceGuestOutput,
  capability: { name: "quiesce", methods: ["unquiesce"] },
  // Nobody is left frozen.
  whenGivenUp: "finishes",
  untilDone: true,
  async run({ ctx, serverId, host }) {
    const stoodStill = await part(ctx, "driver.unquiesce", async (c) => host.driver.unquiesce(c, serverId));
    return { stoodStill };
  },
};
export default unquiesceGuest;
