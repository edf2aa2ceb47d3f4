import { GuestOutput, PowerOnGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";
import { leaveRescue } from "./unrescue-guest.js";

/** Powers a defined guest on; one that runs is left alone. */
const powerOnGuest: Command<PowerOnGuestInput, GuestOutput> = {
  name: "power-on-guest",
  input: PowerOnGuestInput,
  output: GuestOutput,
  whenGivenUp: "stops",
  async run(call, { instance }) {
    const { ctx, serverId, host } = call;
    const record = recordOf(serverId, instance);
    await leaveRescue(call, record);
    await host.makeReady(ctx, record);
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default powerOnGuest;
