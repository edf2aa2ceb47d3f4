import type { Ctx } from "../../kernel/ctx.js";
import { abortReason } from "../process/abort.js";
import { CoordinationErrors } from "./errors.js";
import { coordinationKeys } from "./keys.js";
import type { CoordinationStore, KeyValue, Leadership, Lease } from "./ports.js";

export interface Election {
  /**
   * Waits until this candidate leads. The value is what others see of the leader: an address, an id.
   * @throws LEASE_LOST when the candidate's lease goes first; the context's reason when that ends first
   */
  campaign(ctx: Ctx, lease: Lease, value: string): Promise<Leadership>;
  /** Who leads now, as far as the store knows. */
  leader(ctx: Ctx): Promise<KeyValue | undefined>;
}

/** One key per election: whoever creates it leads, until it is deleted or its lease ends. Not fair, and need not be. */
export function election(store: CoordinationStore, name: string): Election {
  const key = coordinationKeys.election(name);

  async function untilFree(ctx: Ctx): Promise<void> {
    for await (const event of store.watch(ctx, key)) {
      if (event.kind === "snapshot" && !event.entries.some((entry) => entry.key === key)) return;
      if (event.kind === "delete" && event.key === key) return;
    }
  }

  return {
    leader: (ctx) => store.get(ctx, key),
    campaign: async (ctx, lease, value) => {
      const signal = AbortSignal.any([ctx.signal, lease.signal]);
      for (;;) {
        if (signal.aborted) throw abortReason({ ...ctx, signal });
        const token = await lease.putIfAbsent(ctx, key, value);
        if (token !== undefined) return lead(store, key, lease, token);
        await untilFree({ ...ctx, signal });
      }
    },
  };
}

/** Leadership ends with the lease or by resignation; the key cannot change hands while the lease holds it. */
function lead(store: CoordinationStore, key: string, lease: Lease, token: number): Leadership {
  const ended = new AbortController();
  const onLost = (): void => ended.abort(lease.signal.reason);
  if (lease.signal.aborted) onLost(); else lease.signal.addEventListener("abort", onLost, { once: true });
  return {
    token, signal: ended.signal,
    resign: async (ctx) => {
      lease.signal.removeEventListener("abort", onLost);
      ended.abort(CoordinationErrors.RESIGNED({}));
      const found = await store.get(ctx, key);
      if (found?.createRevision === token) await lease.delete(ctx, key);
    },
  };
}
