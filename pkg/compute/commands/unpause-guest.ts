import { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Lets a paused guest go on; one that runs is left alone. */
const unpauseGuest: Command<GuestInput, GuestOutput, never, "unpause"> = {
  name: "unpause-guest",
  input: GuestInput,
  output: GuestOutput,
  capability: { name: "pause", methods: ["unpause"] },
  whenGivenUp: "stops",
  async run({ ctx, serverId, host }) {
    await part(ctx, "driver.unpause", async (c) => host.driver.unpause(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default unpauseGuest;
