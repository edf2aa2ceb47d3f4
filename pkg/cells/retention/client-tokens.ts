import { forgetClientTokens } from "./store/operations.js";
import { daysMs } from "./options.js";
import type { Sweep } from "./sweep.js";

/** What makes calls repeatable. */
export const clientTokens: Sweep = {
  name: "client-tokens",
  does: "client tokens, so long after the end of what they began",
  in: "all",
  keepMs: ({ clientTokenKeepDays }) => daysMs(clientTokenKeepDays),
  // A new server's is where it was accepted, and its operation in a cell by now.
  run: (ctx, { store, stores, before, limit }) =>
    forgetClientTokens(store, ctx, {
      before,
      limit,
      elsewhere: store === stores.global ? stores.all.filter((one) => one !== store) : [],
    }),
};
