import { BuildGuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { DiskPhase, ImagePhase } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import destroyGuest from "./destroy-guest.js";
import { giveVolumes } from "./give-volumes.js";
import { recordOf } from "./record-of.js";

/**
 * Fetches the image, makes disks and config drive, plugs the ports, connects volumes and starts the guest.
 */
/** What a build tells of. */
export type BuildPhase = ImagePhase | DiskPhase;

const buildGuest: Command<BuildGuestInput, GuestOutput, BuildPhase> = {
  name: "build-guest",
  input: BuildGuestInput,
  output: GuestOutput,
  progress: { image_download: 60, image_conversion: 30, disks: 10 },
  whenGivenUp: "stops",
  undo: undoneBy(destroyGuest, () => ({})),
  async run({ ctx, serverId, host, tell }, { instance, secrets, volumes }) {
    const record = recordOf(serverId, instance);
    const wanted = volumes.map((device) => host.volumeOf(device));
    await host.define(ctx, record, secrets, tell);
    await giveVolumes(ctx, host.driver, serverId, wanted);
    ctx.signal.throwIfAborted();
    await host.plug(ctx, record);
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default buildGuest;
