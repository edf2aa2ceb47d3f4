import { resumeGuests } from "../resume-guests.js";
import type { PeriodicTask } from "./periodic-task.js";

/** Guests that ran before the machine went down. */
export const resumeAtStart: PeriodicTask = {
  name: "resume-guests",
  does: "powers on guests that ran by their record, where `resumeGuestsStateOnHostBoot` says so",
  nova: "init_host",
  atStart: true,
  everyMs: () => 0,
  async run(ctx, host) {
    if (!host.resumesGuests) return;
    const { own, watch, commands } = host;
    const asOf = host.asOf();
    const deps = { own, commands, note: watch.note.bind(watch) };
    await resumeGuests(ctx, deps, await host.instances(ctx), asOf);
  },
};
