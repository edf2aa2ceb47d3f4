import { GuestOutput, PowerOffGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Powers a guest off, gracefully first. */
const powerOffGuest: Command<PowerOffGuestInput, GuestOutput> = {
  name: "power-off-guest",
  input: PowerOffGuestInput,
  output: GuestOutput,
  whenGivenUp: "stops",
  async run({ ctx, serverId, host }, { softTimeoutMs }) {
    await part(ctx, "driver.powerOff", (c) => host.driver.powerOff(c, serverId, softTimeoutMs));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default powerOffGuest;
