import { daysMs } from "./options.js";
import { forgetDeletedServers } from "./store/servers.js";
import type { Sweep } from "./sweep.js";

/** Records of servers that are no more. */
export const deletedServers: Sweep = {
  name: "deleted-servers",
  does: "records of deleted servers, with everything that hangs on them, mappings included",
  in: "all",
  keepMs: ({ deletedServerKeepDays }) => daysMs(deletedServerKeepDays),
  run: (ctx, { store, stores, before, limit }) =>
    forgetDeletedServers(store, stores.global, ctx, { before, limit }),
};
