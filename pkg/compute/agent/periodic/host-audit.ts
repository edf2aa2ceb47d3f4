import { plugGuests } from "../plug-guests.js";
import type { PeriodicTask } from "./periodic-task.js";

/** Inventory, telemetry and ports. */
export const hostAudit: PeriodicTask = {
  name: "host-audit",
  does: "registers the host when something of it has changed, else tells its telemetry; connects guests' ports",
  nova: "update_available_resource",
  atStart: true,
  everyMs: ({ auditIntervalMs }) => auditIntervalMs,
  async run(ctx, host) {
    await host.registration.audit(ctx);
    const { plumbing, own, commands } = host;
    const asOf = host.asOf();
    await plugGuests(ctx, { plumbing, commands, driver: own.driver }, await host.instances(ctx), asOf);
  },
};
