import type { Ctx } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";
import type { Store } from "../store/tables.js";
import { letRest } from "./store/settle.js";

const EVERY_MS = 10_000;
/** Much longer than an owner goes without a renewal while it lives. */
const ABANDONED_MS = 60_000n;

/**
 * Lets pre-empted operations of dead owners rest until the context ends. While there are none it reads, and
 * writes nothing.
 */
export const restingTask =
  (store: Store, { clock }: { readonly clock: Clock }) =>
  async (ctx: Ctx): Promise<void> => {
    while (!ctx.signal.aborted) {
      const rested = await letRest(store, ctx, clock.now() - ABANDONED_MS * 1_000n);
      if (rested > 0) ctx.log.info("cells.operations.rested", { database: store.name, count: rested });
      await clock.sleep(EVERY_MS, ctx.signal);
    }
  };
