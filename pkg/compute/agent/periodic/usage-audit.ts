import { toTimestamp } from "../../../model/wire-time.js";
import { lastCompletedPeriod } from "./audit-period.js";
import type { PeriodicTask } from "./periodic-task.js";

const EVERY_MS = 60_000;

/** How many servers a host had in each period, written down once by its cell. */
export const usageAudit: PeriodicTask = {
  name: "usage-audit",
  does: "has the cell write down once, for each period that is over, how many servers the host had in it",
  nova: "_instance_usage_audit",
  atStart: false,
  everyMs: ({ instanceUsageAudit }) => (instanceUsageAudit ? EVERY_MS : 0),
  async run(ctx, { cells, cell, host, config, clock, audited }) {
    const { beginning, ending } = lastCompletedPeriod(config.instanceUsageAuditPeriod, clock.now());
    if (audited.until === ending) return;
    const { taskItems, isNew } = await cells.recordUsageAudit(ctx, {
      cell,
      host,
      periodBeginning: toTimestamp(beginning),
      periodEnding: toTimestamp(ending),
    });
    audited.until = ending;
    if (isNew) ctx.log.info("agent.usage.audited", { servers: taskItems });
  },
};
