import { GuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Ends the guest and removes every trace of it. Absent is success. */
const destroyGuest: Command<GuestInput, GuestOutput> & { readonly untilDone: true } = {
  name: "destroy-guest",
  input: GuestInput,
  output: GuestOutput,
  whenGivenUp: "stops",
  untilDone: true,
  async run({ ctx, serverId, host }) {
    await part(ctx, "driver.remove", (c) => host.driver.remove(c, serverId));
    ctx.signal.throwIfAborted();
    await host.unplug(ctx, serverId);
    return { powerState: PowerState.POWER_STATE_NOSTATE };
  },
};
export default destroyGuest;
