import type { Ctx } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";
import { keepKey } from "./kept-key.js";
import { coordinationKeys, lastSegment } from "./keys.js";
import type { CoordinationStore } from "./ports.js";

/** Who is alive, as the leases of hosts say: a copy in memory, kept by one watch. */
export interface HostDirectory {
  isUp(host: string): boolean;
  /**
   * Whether absence means something yet. After this process or the store itself has begun anew, hosts that
   * are well may not have announced themselves; they get two lease times for it.
   */
  settled(): boolean;
  /** What each living host says of itself. */
  entries(): ReadonlyMap<string, string>;
  /** Calls back after each change, and once now. @returns takes the listener away */
  onChange(listener: () => void): () => void;
  /**
   * Takes a host's lease and keeps it: a lost one is taken again until `ctx` ends. Resolves when it is held
   * for the first time.
   */
  announce(ctx: Ctx, host: string, value: string): Promise<void>;
  /** Follows the store until `ctx` ends; run it as a task. */
  follow(ctx: Ctx): Promise<void>;
}

/** @param ttlMs  after this long without a sign of life a host counts as down */
export function hostDirectory(store: CoordinationStore, ttlMs: number, clock: Clock): HostDirectory {
  const hosts = new Map<string, string>();
  const listeners = new Set<() => void>();
  let settledAtMs = Infinity;

  return {
    isUp: (host) => hosts.has(host),
    settled: () => clock.monotonicMs() >= settledAtMs,
    entries: () => hosts,
    onChange(listener) {
      listeners.add(listener);
      listener();
      return () => listeners.delete(listener);
    },
    async announce(ctx, host, value) {
      await keepKey(ctx, store, ttlMs, coordinationKeys.host(host), value);
    },
    async follow(ctx) {
      for await (const event of store.watch(ctx, coordinationKeys.hosts)) {
        if (event.kind === "snapshot") {
          settledAtMs = clock.monotonicMs() + 2 * ttlMs;
          hosts.clear();
          for (const { key, value } of event.entries) hosts.set(lastSegment(key), value);
        } else if (event.kind === "put") hosts.set(lastSegment(event.entry.key), event.entry.value);
        else hosts.delete(lastSegment(event.key));
        for (const listener of listeners) listener();
      }
    },
  };
}
