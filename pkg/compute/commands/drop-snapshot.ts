import { DropSnapshotInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Ends what is still being copied of a guest's disk, and removes the copy. */
const dropSnapshot: Command<DropSnapshotInput, GuestOutput, never, "dropSnapshot"> & {
  readonly untilDone: true;
} = {
  name: "drop-snapshot",
  input: DropSnapshotInput,
  output: GuestOutput,
  capability: { name: "snapshot", methods: ["dropSnapshot"] },
  whenGivenUp: "stops",
  untilDone: true,
  async run({ ctx, serverId, host }, { snapshotId }) {
    await part(ctx, "driver.dropSnapshot", async (c) => host.driver.dropSnapshot(c, serverId, snapshotId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default dropSnapshot;
