import { UploadSnapshotInput, UploadSnapshotOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { UploadPhase } from "../driver.js";
import type { Command } from "./command.js";
import { undoneBy } from "./command.js";
import dropSnapshot from "./drop-snapshot.js";

/** Gives an image the data of a copy, and drops the copy. */
const uploadSnapshot: Command<
  UploadSnapshotInput,
  UploadSnapshotOutput,
  UploadPhase,
  "openSnapshot" | "dropSnapshot"
> = {
  name: "upload-snapshot",
  input: UploadSnapshotInput,
  output: UploadSnapshotOutput,
  capability: { name: "snapshot", methods: ["openSnapshot", "dropSnapshot"] },
  progress: { image_upload: 100 },
  whenGivenUp: "stops",
  undo: undoneBy(dropSnapshot, ({ snapshotId }) => ({ snapshotId })),
  async run({ ctx, serverId, host, tell }, { snapshotId, imageId }) {
    await host.uploadImage(ctx, imageId, () => host.driver.openSnapshot(ctx, serverId, snapshotId), tell);
    await host.driver.dropSnapshot(ctx, serverId, snapshotId);
    return {};
  },
};
export default uploadSnapshot;
