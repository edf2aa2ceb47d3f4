import { GuestOutput, SuspendGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { MemoryPhase } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import letGuestGoOn from "./let-guest-go-on.js";

/** Writes a running guest's memory to its host's disk and ends it; a suspended one is left alone. */
const suspendGuest: Command<SuspendGuestInput, GuestOutput, MemoryPhase, "suspend"> = {
  name: "suspend-guest",
  input: SuspendGuestInput,
  output: GuestOutput,
  capability: { name: "suspend", methods: ["suspend"] },
  progress: { memory: 100 },
  whenGivenUp: "stops",
  undo: undoneBy(letGuestGoOn, ({ instance }) => ({ instance })),
  async run({ ctx, serverId, host, tell }) {
    await part(ctx, "driver.suspend", async (c) => host.driver.suspend(c, serverId, tell));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default suspendGuest;
