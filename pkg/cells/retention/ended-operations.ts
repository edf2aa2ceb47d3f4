import { forgetOperations } from "./store/operations.js";
import { daysMs } from "./options.js";
import type { Sweep } from "./sweep.js";

/** Operations that have ended. */
export const endedOperations: Sweep = {
  name: "ended-operations",
  does: "operations that have ended, with their signals and client tokens; none of a server, host or cloud that has one under way, none whose move rests",
  in: "all",
  // A repeated call answers the operation that it has begun.
  keepMs: ({ operationKeepDays, clientTokenKeepDays }) =>
    daysMs(Math.max(operationKeepDays, clientTokenKeepDays)),
  run: (ctx, { store, before, limit }) => forgetOperations(store, ctx, before, limit),
};
