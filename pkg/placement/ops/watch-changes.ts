import type { Ctx } from "../../kernel/ctx.js";
import { follow } from "../../kernel/signals.js";
import type { Clock } from "../../kernel/time.js";
import type { Changes, PlacementStore } from "../ports.js";

/** Wakes whoever waits for news of this process's own commits. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring or after `ms`. @throws the signal's reason */
  wait(ctx: Ctx, ms: number): Promise<void>;
}

export function createBell(clock: Clock): Bell {
  const waiting = new Set<() => void>();
  return {
    ring: () => {
      for (const wake of waiting) wake();
      waiting.clear();
    },
    wait: async (ctx, ms) => {
      const done = new AbortController();
      const release = follow(done, ctx.signal);
      const wake = (): void => done.abort();
      waiting.add(wake);
      try {
        await clock.sleep(ms, done.signal).catch(() => {});
        ctx.signal.throwIfAborted();
      } finally {
        release();
        waiting.delete(wake);
      }
    },
  };
}

export interface WatchedChanges extends Changes {
  readonly reset: boolean;
}

/**
 * Streams changes after a revision, for ever. 0, or a revision this database never reached, begins with
 * everything. Own commits arrive at once, those of other replicas within `pollMs`.
 */
export const watchChanges = (store: PlacementStore, bell: Bell, pollMs: number) =>
  async function* (ctx: Ctx, after: number): AsyncGenerator<WatchedChanges> {
    let at = after;
    for (let first = true; ; first = false) {
      const head = await store.head(ctx);
      const reset = head < at || (first && at === 0);
      if (reset || head > at || first) {
        const changes = await store.read(ctx, "placement.changes", (reader) =>
          reader.changesAfter(reset ? 0 : at),
        );
        yield { ...changes, reset };
        at = changes.revision;
      }
      await bell.wait(ctx, pollMs);
    }
  };
