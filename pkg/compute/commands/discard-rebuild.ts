import { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Throws away what was prepared for a rebuild. Nothing prepared is success. */
const discardRebuild: Command<GuestInput, GuestOutput, never, "discardRebuild"> & {
  readonly untilDone: true;
} = {
  name: "discard-rebuild",
  input: GuestInput,
  output: GuestOutput,
  capability: { name: "rebuild", methods: ["discardRebuild"] },
  whenGivenUp: "stops",
  untilDone: true,
  async run({ ctx, serverId, host }) {
    await part(ctx, "driver.discardRebuild", async (c) => host.driver.discardRebuild(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default discardRebuild;
