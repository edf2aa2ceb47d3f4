import { DetachVolumeInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/**
 * Takes a volume out of a guest: out of a running one with the guest's consent, and out of what it is started
 * with. One that is not there is success.
 */
const detachVolume: Command<DetachVolumeInput, GuestOutput, never, "detachVolume"> & {
  readonly untilDone: true;
} = {
  name: "detach-volume",
  input: DetachVolumeInput,
  output: GuestOutput,
  capability: { name: "attach-volume", methods: ["detachVolume"] },
  whenGivenUp: "stops",
  untilDone: true,
  async run({ ctx, serverId, host }, { volumeId }) {
    if ((await host.driver.inspect(ctx, serverId)) !== undefined)
      await part(ctx, "driver.detachVolume", async (c) => host.driver.detachVolume(c, serverId, volumeId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default detachVolume;
