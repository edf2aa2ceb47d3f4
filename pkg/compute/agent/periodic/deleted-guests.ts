import { removeDeletedGuests } from "../deleted-guests.js";
import { intervalMs } from "./options.js";
import type { PeriodicTask } from "./periodic-task.js";

/** Guests that outlived their servers. */
export const deletedGuests: PeriodicTask = {
  name: "deleted-guests",
  does: "removes guests of servers that were deleted while the host was down",
  nova: "_cleanup_running_deleted_instances",
  atStart: true,
  everyMs: ({ runningDeletedInstancePollIntervalS }) => intervalMs(runningDeletedInstancePollIntervalS),
  async run(ctx, host) {
    await removeDeletedGuests(ctx, host, await host.instances(ctx));
  },
};
