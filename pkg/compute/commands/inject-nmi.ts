import { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Interrupts a guest in a way that it cannot ignore. What follows is its own affair. */
const injectNmi: Command<GuestInput, GuestOutput, never, "injectNmi"> = {
  name: "inject-nmi",
  input: GuestInput,
  output: GuestOutput,
  capability: { name: "inject-nmi", methods: ["injectNmi"] },
  whenGivenUp: "finishes",
  async run({ ctx, serverId, host }) {
    await part(ctx, "driver.injectNmi", async (c) => host.driver.injectNmi(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default injectNmi;
