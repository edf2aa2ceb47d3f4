import { intervalMs } from "./options.js";
import type { PeriodicTask } from "./periodic-task.js";

/** What guests do, against what their records say. The agent reports, the cell decides. */
export const powerSync: PeriodicTask = {
  name: "power-sync",
  does: "tells the cell of guests that do not do what their records say; stops those that the cell says must not run",
  nova: "_sync_power_states",
  atStart: true,
  everyMs: ({ syncPowerStateIntervalS }) => intervalMs(syncPowerStateIntervalS),
  async run(ctx, host) {
    await host.watch.compare(ctx, await host.instances(ctx));
  },
};
