import { GuestOutput, PowerOnGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { recordOf } from "./record-of.js";

/** Powers a defined guest on; one that runs is left alone. */
const powerOnGuest: Command<PowerOnGuestInput, GuestOutput> = {
  name: "power-on-guest",
  input: PowerOnGuestInput,
  output: GuestOutput,
  whenOvertaken: "stops",
  async run({ ctx, serverId, host }, { instance }) {
    await host.plug(ctx, recordOf(serverId, instance));
    ctx.signal.throwIfAborted();
    await host.driver.powerOn(ctx, serverId);
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default powerOnGuest;
