import type { Ctx } from "../../kernel/ctx.js";
import type { CoordinationStore, Lease } from "./ports.js";
import { coordinationKeys, lastSegment } from "./keys.js";

const RETAKE_MS = 500;

/** Who is alive, as the leases of hosts say: a copy in memory, kept by one watch. */
export interface HostDirectory {
  isUp(host: string): boolean;
  /** What each living host says of itself. */
  entries(): ReadonlyMap<string, string>;
  /** Calls back after each change, and once now. @returns takes the listener away */
  onChange(listener: () => void): () => void;
  /** Takes a host's lease and keeps it: a lost one is taken again until `ctx` ends. Resolves when it is held for the first time. */
  announce(ctx: Ctx, host: string, value: string): Promise<void>;
  /** Follows the store until `ctx` ends; run it as a task. */
  follow(ctx: Ctx): Promise<void>;
}

/** @param ttlMs  after this long without a sign of life a host counts as down */
export function hostDirectory(store: CoordinationStore, ttlMs: number): HostDirectory {
  const hosts = new Map<string, string>();
  const listeners = new Set<() => void>();

  return {
    isUp: (host) => hosts.has(host),
    entries: () => hosts,
    onChange(listener) {
      listeners.add(listener);
      listener();
      return () => listeners.delete(listener);
    },
    async announce(ctx, host, value) {
      const lease = await take(ctx, store, ttlMs, host, value);
      void keep(ctx, store, ttlMs, host, value, lease);
    },
    async follow(ctx) {
      for await (const event of store.watch(ctx, coordinationKeys.hosts)) {
        if (event.kind === "snapshot") {
          hosts.clear();
          for (const { key, value } of event.entries) hosts.set(lastSegment(key), value);
        } else if (event.kind === "put") hosts.set(lastSegment(event.entry.key), event.entry.value);
        else hosts.delete(lastSegment(event.key));
        for (const listener of listeners) listener();
      }
    },
  };
}

async function take(ctx: Ctx, store: CoordinationStore, ttlMs: number, host: string, value: string): Promise<Lease> {
  const lease = await store.grant(ctx, ttlMs);
  await lease.put(ctx, coordinationKeys.host(host), value);
  return lease;
}

/** Takes a new lease whenever the old one is lost; gives it back when `ctx` ends. */
async function keep(ctx: Ctx, store: CoordinationStore, ttlMs: number, host: string, value: string, first: Lease): Promise<void> {
  for (let lease: Lease | undefined = first; ;) {
    if (lease) await Promise.race([aborted(lease.signal), aborted(ctx.signal)]);
    if (ctx.signal.aborted) {
      await lease?.revoke(ctx);
      return;
    }
    try {
      lease = await take(ctx, store, ttlMs, host, value);
      ctx.log.warn("host.lease.retaken", { host });
    } catch (error) {
      lease = undefined;
      ctx.log.warn("host.lease.failed", { host, error });
      await new Promise((resolve) => setTimeout(resolve, RETAKE_MS));
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> => signal.aborted ? Promise.resolve()
  : new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
