import type { Ctx } from "../../../kernel/index.js";
import { deleteSnapshot, findSnapshot, updateSnapshot } from "../adapters/sql/snapshots.js";
import { E } from "../errors.js";
import type { VolumeParts } from "../ports.js";

const MIB = 2 ** 20;

/** What the work of a snapshot is called in the queue. */
export const snapshotWork = (snapshotId: string): string => `snapshot ${snapshotId}`;

/** Takes the stored work of a snapshot into the queue. */
export function queueSnapshot(parts: VolumeParts, snapshotId: string): void {
  parts.work.submit(snapshotWork(snapshotId), (ctx) => runTask(parts, ctx, snapshotId));
}

async function runTask(parts: VolumeParts, ctx: Ctx, snapshotId: string): Promise<void> {
  const { db, clock, storage, limits } = parts;
  const snapshot = await db.read(ctx, "snapshot.task", (tx) => findSnapshot(tx, snapshotId));
  const task = snapshot?.task;
  if (!snapshot || !task) return;
  try {
    if (task.kind === "delete") {
      await storage.removeSnapshot(ctx, snapshotId);
      await db.write(ctx, "snapshot.removed", (tx) => deleteSnapshot(tx, snapshotId));
    } else {
      if ((await storage.freeBytes()) < limits.freeSpaceMib * MIB) throw E.DISK_FULL({});
      await storage.snapshot(ctx, snapshotId, snapshot.volumeId);
      await db.write(ctx, "snapshot.made", (tx) =>
        updateSnapshot(tx, snapshotId, { status: "available", task: null }, clock.now()),
      );
    }
    ctx.log.info("volume.snapshot.done", { snapshotId, task: task.kind });
  } catch (error) {
    // Cut off: the next start does it again.
    if (ctx.signal.aborted) throw error;
    const status = task.kind === "delete" ? "error_deleting" : "error";
    await db.write(ctx, "snapshot.failed", (tx) =>
      updateSnapshot(tx, snapshotId, { status, task: null }, clock.now()),
    );
    throw error;
  }
}
