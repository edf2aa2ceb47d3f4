import { Quiesce } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { SnapshotGuestInput, SnapshotGuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { SnapshotPhase, Quiesce as Wanted } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import dropSnapshot from "./drop-snapshot.js";

const wanted: ReadonlyMap<Quiesce, Wanted> = new Map<Quiesce, Wanted>([
  [Quiesce.QUIESCE_IF_POSSIBLE, "if-possible"],
  [Quiesce.QUIESCE_REQUIRED, "required"],
]);

/** Copies a guest's root disk as it is at one moment; the guest goes on. The copy stays on the host. */
const snapshotGuest: Command<SnapshotGuestInput, SnapshotGuestOutput, SnapshotPhase, "takeSnapshot"> = {
  name: "snapshot-guest",
  input: SnapshotGuestInput,
  output: SnapshotGuestOutput,
  capability: { name: "snapshot", methods: ["takeSnapshot"] },
  progress: { disk_copy: 100 },
  whenGivenUp: "stops",
  undo: undoneBy(dropSnapshot, ({ snapshotId }) => ({ snapshotId })),
  async run({ ctx, serverId, host, tell }, { snapshotId, quiesce }) {
    const request = { snapshotId, quiesce: wanted.get(quiesce) ?? "no" };
    const copy = await part(ctx, "driver.takeSnapshot", async (c) =>
      host.driver.takeSnapshot(c, serverId, request, tell),
    );
    return {
      diskFormat: copy.diskFormat,
      sizeBytes: BigInt(copy.sizeBytes),
      virtualSizeBytes: BigInt(copy.virtualSizeBytes),
    };
  },
};
export default snapshotGuest;
