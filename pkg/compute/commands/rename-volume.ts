import { GuestOutput, RenameVolumeInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** A migrated volume is known under the id that it had before. */
const renameVolume: Command<RenameVolumeInput, GuestOutput, never, "renameVolume"> = {
  name: "rename-volume",
  input: RenameVolumeInput,
  output: GuestOutput,
  capability: { name: "migrate-volume", methods: ["renameVolume"] },
  whenGivenUp: "finishes",
  async run({ ctx, serverId, host }, { volumeId, newVolumeId }) {
    await part(ctx, "driver.renameVolume", async (c) =>
      host.driver.renameVolume(c, serverId, volumeId, newVolumeId),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default renameVolume;
