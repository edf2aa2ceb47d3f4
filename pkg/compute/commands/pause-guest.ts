import { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Freezes a running guest in memory; a paused one is left alone. */
const pauseGuest: Command<GuestInput, GuestOutput, never, "pause"> = {
  name: "pause-guest",
  input: GuestInput,
  output: GuestOutput,
  capability: { name: "pause", methods: ["pause"] },
  whenGivenUp: "stops",
  async run({ ctx, serverId, host }) {
    await part(ctx, "driver.pause", async (c) => host.driver.pause(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default pauseGuest;
