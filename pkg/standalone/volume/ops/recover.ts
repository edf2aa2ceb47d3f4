import type { Ctx } from "../../../kernel/index.js";
import { connected } from "../adapters/sql/attachments.js";
import { snapshotIds, snapshotsWithTasks } from "../adapters/sql/snapshots.js";
import { seedDefaultType } from "../adapters/sql/types.js";
import { volumeIds, volumesWithTasks } from "../adapters/sql/volumes.js";
import type { VolumeParts } from "../ports.js";
import { queueSnapshot } from "./snapshot-tasks.js";
import { queueVolume } from "./volume-tasks.js";

/**
 * Goes on where an earlier run was cut off: serves what is connected, removes what belongs to nothing, and
 * takes up the work that was promised.
 */
export async function recover(parts: VolumeParts, ctx: Ctx): Promise<void> {
  const { db, clock, ids, storage } = parts;
  await db.write(ctx, "volume.type.seed", (tx) => seedDefaultType(tx, ids.uuid(), clock.now()));
  const found = await db.read(ctx, "volume.recover", async (tx) => ({
    served: await connected(tx),
    volumes: await volumeIds(tx),
    snapshots: await snapshotIds(tx),
    volumeTasks: await volumesWithTasks(tx),
    snapshotTasks: await snapshotsWithTasks(tx),
  }));
  await storage.restore(ctx, found.served, {
    volumes: new Set(found.volumes),
    snapshots: new Set(found.snapshots),
  });
  for (const id of found.snapshotTasks) queueSnapshot(parts, id);
  for (const id of found.volumeTasks) queueVolume(parts, id);
}
