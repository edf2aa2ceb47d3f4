import { BuildGuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { DiskPhase, ImagePhase } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import destroyGuest from "./destroy-guest.js";
import { recordOf } from "./record-of.js";

/** Fetches the image, makes disks and config drive, plugs the ports and starts the guest. */
const buildGuest: Command<BuildGuestInput, GuestOutput, ImagePhase | DiskPhase> = {
  name: "build-guest",
  input: BuildGuestInput,
  output: GuestOutput,
  progress: { image_download: 60, image_conversion: 30, disks: 10 },
  whenGivenUp: "stops",
  undo: undoneBy(destroyGuest, () => ({})),
  async run({ ctx, serverId, host, tell }, { instance, secrets }) {
    const record = recordOf(serverId, instance);
    await host.define(ctx, record, secrets, tell);
    ctx.signal.throwIfAborted();
    await host.plug(ctx, record);
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default buildGuest;
