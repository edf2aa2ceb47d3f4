import type { Ctx } from "../../kernel/ctx.js";
import { ProviderIndex } from "../index/provider-index.js";
import type { Changes, PlacementStore } from "../ports.js";

/** Applies changes in the order in which they were read. */
function applyChanges(index: ProviderIndex, changes: Changes): void {
  for (const id of changes.deletedProviderIds) index.remove(id);
  for (const one of changes.providers) index.put(one);
  for (const one of changes.usedProviders) index.putUsage(one);
  index.revision = changes.revision;
}

/** The index of one process, shared by all who ask it. */
export interface IndexKeeper {
  fresh(ctx: Ctx): Promise<ProviderIndex>;
}

/**
 * Gives the index as fresh as a read of the database would be: one read of the head serves every caller who
 * asked before it began (read-index), and only what changed since is loaded.
 */
export function createIndexKeeper(store: PlacementStore, background: () => Ctx): IndexKeeper {
  const index = new ProviderIndex();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const refresh = async (): Promise<void> => {
    const ctx = background();
    const head = await store.head(ctx);
    if (head === index.revision) return;
    // The database was restored from an older backup.
    if (head < index.revision) index.clear();
    applyChanges(
      index,
      await store.read(ctx, "placement.changes", (reader) => reader.changesAfter(index.revision)),
    );
  };

  const start = (): Promise<void> => {
    const mine: Promise<void> = refresh().finally(() => {
      if (running === mine) running = undefined;
    });
    running = mine;
    return mine;
  };

  return {
    fresh: async (ctx) => {
      ctx.signal.throwIfAborted();
      if (running === undefined) await start();
      else {
        // The running read may have begun before the caller's own write: wait for the one after it.
        next ??= running
          .catch(() => {})
          .then(() => {
            next = undefined;
            return start();
          });
        await next;
      }
      return index;
    },
  };
}
