import { GuestOutput, PowerOnGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";

/** Powers a defined guest on; one that runs is left alone. */
const powerOnGuest: Command<PowerOnGuestInput, GuestOutput> = {
  name: "power-on-guest",
  input: PowerOnGuestInput,
  output: GuestOutput,
  whenGivenUp: "stops",
  async run({ ctx, serverId, host }, { instance }) {
    await host.plug(ctx, recordOf(serverId, instance));
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default powerOnGuest;
