import type { Ctx } from "../../kernel/ctx.js";
import type { Instant } from "../../kernel/time.js";
import type { Stores } from "../stores.js";
import type { Store } from "../store/tables.js";
import type { RetentionConfig } from "./options.js";

/** What a sweep works in. */
export interface SweepCall {
  readonly store: Store;
  readonly stores: Pick<Stores, "global" | "all">;
  /** Older than this goes. */
  readonly before: Instant;
  /** Rows at once: of servers and operations so many, with all that hangs on them. */
  readonly limit: number;
}

/** Rows of one kind that go when they are old. One file declares all of it. */
export interface Sweep {
  /** As logs name it. */
  readonly name: string;
  /** What goes, in a sentence. */
  readonly does: string;
  /** Databases that have such rows. */
  readonly in: "all" | "global" | "cells";
  /** How long they are kept, in ms; undefined: for ever. */
  keepMs(config: RetentionConfig): number | undefined;
  /**
   * Deletes the oldest. Repeatable, and may run anywhere at once.
   * @returns how many went; as many as `limit` when there may be more
   */
  run(ctx: Ctx, call: SweepCall): Promise<number>;
}
