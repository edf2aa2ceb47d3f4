import { GuestOutput, PrepareRebuildInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { DiskPhase, ImagePhase } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import discardRebuild from "./discard-rebuild.js";
import { recordOf } from "./record-of.js";

/** Fetches the image and makes the disks of a rebuild beside those in use; the guest does not notice. */
const prepareRebuild: Command<PrepareRebuildInput, GuestOutput, ImagePhase | DiskPhase, "prepareRebuild"> = {
  name: "prepare-rebuild",
  input: PrepareRebuildInput,
  output: GuestOutput,
  capability: { name: "rebuild", methods: ["prepareRebuild"] },
  progress: { image_download: 60, image_conversion: 30, disks: 10 },
  whenGivenUp: "stops",
  undo: undoneBy(discardRebuild, () => ({})),
  async run({ ctx, serverId, host, tell }, { instance, secrets, key, preserveEphemeral }) {
    const spec = await host.specOf(ctx, recordOf(serverId, instance), secrets, tell);
    await part(ctx, "driver.prepareRebuild", async (c) =>
      host.driver.prepareRebuild(c, spec, { key, keepsEphemeral: preserveEphemeral }, tell),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default prepareRebuild;
