import { forgetClientTokens } from "./store/operations.js";
import { daysMs } from "./options.js";
import type { Sweep } from "./sweep.js";

/** What makes calls repeatable. */
export const clientTokens: Sweep = {
  name: "client-tokens",
  does: "client tokens, other than those of operations under way",
  in: "all",
  keepMs: ({ clientTokenKeepDays }) => daysMs(clientTokenKeepDays),
  run: (ctx, { store, before, limit }) => forgetClientTokens(store, ctx, before, limit),
};
