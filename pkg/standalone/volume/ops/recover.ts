import type { Ctx, Logger } from "../../../kernel/index.js";
import { rootCtx } from "../../../kernel/index.js";
import { connected } from "../adapters/sql/attachments.js";
import { snapshotIds, snapshotsWithTasks } from "../adapters/sql/snapshots.js";
import { seedDefaultType } from "../adapters/sql/types.js";
import { volumeIds, volumesWithTasks } from "../adapters/sql/volumes.js";
import type { VolumeParts } from "../ports.js";
import { queueSnapshot, snapshotWork } from "./snapshot-tasks.js";
import { queueVolume, volumeWork } from "./volume-tasks.js";

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
  }));
  await storage.restore(ctx, found.served, {
    volumes: new Set(found.volumes),
    snapshots: new Set(found.snapshots),
  });
  await takeUp(parts, ctx);
}

/** Takes up stored work that is not in the queue. */
async function takeUp(parts: VolumeParts, ctx: Ctx): Promise<void> {
  const found = await parts.db.read(ctx, "volume.tasks", async (tx) => ({
    volumes: await volumesWithTasks(tx),
    snapshots: await snapshotsWithTasks(tx),
  }));
  for (const id of found.snapshots) if (!parts.work.has(snapshotWork(id))) queueSnapshot(parts, id);
  for (const id of found.volumes) if (!parts.work.has(volumeWork(id))) queueVolume(parts, id);
}

/** How often stored work is looked for. */
const EVERY_MS = 10_000;

/**
 * Takes up, until the signal, what was stored and then not queued or not ended: its client went away
 * during the commit, or the database during the last one.
 */
export async function takeUpLost(
  parts: VolumeParts,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  for (;;) {
    await parts.clock.sleep(EVERY_MS, signal).catch(() => {});
    if (signal.aborted) return;
    const ctx = rootCtx({ requestId: `req-${parts.ids.uuid()}`, log, signal });
    await takeUp(parts, ctx).catch((error: unknown) => {
      if (!signal.aborted) log.warn("volume.work.unseen", { error });
    });
  }
}
