import { removeDeletedGuests } from "../deleted-guests.js";
import { intervalMs } from "./options.js";
import type { PeriodicTask } from "./periodic-task.js";

const DELETING = "deleting";

/** Guests that outlived their servers. */
export const deletedGuests: PeriodicTask = {
  name: "deleted-guests",
  does: "removes guests of servers that were deleted while the host was down",
  nova: "_cleanup_running_deleted_instances",
  atStart: true,
  everyMs: ({ runningDeletedInstancePollIntervalS }) => intervalMs(runningDeletedInstancePollIntervalS),
  async run(ctx, host, again) {
    const instances = await host.instances(ctx);
    await removeDeletedGuests(ctx, host, instances);
    // Its deletion may have left us alone because we were down, and not have come to its end yet.
    if (instances.some(({ server }) => server?.taskState === DELETING)) again();
  },
};
