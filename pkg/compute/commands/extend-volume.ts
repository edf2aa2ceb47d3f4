import { ExtendVolumeInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Has a guest see that a volume has grown; one that is off sees it when it is started. */
const extendVolume: Command<ExtendVolumeInput, GuestOutput, never, "extendVolume"> = {
  name: "extend-volume",
  input: ExtendVolumeInput,
  output: GuestOutput,
  capability: { name: "extend-volume", methods: ["extendVolume"] },
  whenGivenUp: "finishes",
  async run({ ctx, serverId, host }, { volumeId, sizeBytes }) {
    await part(ctx, "driver.extendVolume", async (c) =>
      host.driver.extendVolume(c, serverId, volumeId, Number(sizeBytes)),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default extendVolume;
