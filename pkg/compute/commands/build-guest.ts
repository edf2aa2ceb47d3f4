import { BuildGuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";

/** Fetches the image, makes disks and config drive, plugs the ports and starts the guest. */
const buildGuest: Command<BuildGuestInput, GuestOutput> = {
  name: "build-guest",
  input: BuildGuestInput,
  output: GuestOutput,
  whenOvertaken: "stops",
  async run({ ctx, serverId, host }, { instance, secrets }) {
    const record = recordOf(serverId, instance);
    await host.define(ctx, record, secrets);
    ctx.signal.throwIfAborted();
    await host.plug(ctx, record);
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default buildGuest;
