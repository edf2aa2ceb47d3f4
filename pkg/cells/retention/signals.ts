import { forgetOldSignals } from "./store/operations.js";
import type { Sweep } from "./sweep.js";

/** Much longer than any report can be late. */
const KEPT_MS = 86_400_000;

/** What operations were told. */
export const signals: Sweep = {
  name: "signals",
  does: "signals of operations that have ended or are not here",
  in: "all",
  keepMs: () => KEPT_MS,
  run: (ctx, { store, before, limit }) => forgetOldSignals(store, ctx, before, limit),
};
