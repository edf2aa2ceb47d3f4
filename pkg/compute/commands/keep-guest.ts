import { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** A guest that was to leave stays: it may be started again, and its disks are nobody else's. */
const keepGuest: Command<GuestInput, GuestOutput, never, "keepDisks"> & { readonly untilDone: true } = {
  name: "keep-guest",
  input: GuestInput,
  output: GuestOutput,
  capability: { name: "move", methods: ["keepDisks"] },
  whenGivenUp: "stops",
  untilDone: true,
  async run({ ctx, serverId, host }) {
    await part(ctx, "driver.keepDisks", async (c) => host.driver.keepDisks(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default keepGuest;
