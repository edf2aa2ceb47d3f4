import { daysMs } from "./options.js";
import { forgetDetachedDevices } from "./store/servers.js";
import type { Sweep } from "./sweep.js";

/** Block devices that servers have had. */
export const detachedDevices: Sweep = {
  name: "detached-devices",
  does: "block devices that were taken out of servers",
  in: "all",
  keepMs: ({ deletedServerKeepDays }) => daysMs(deletedServerKeepDays),
  run: (ctx, { store, before, limit }) => forgetDetachedDevices(store, ctx, before, limit),
};
