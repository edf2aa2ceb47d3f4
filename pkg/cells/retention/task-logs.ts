import { forgetTaskLogs } from "../hosts/store/usage-audit.js";
import { daysMs } from "./options.js";
import type { Sweep } from "./sweep.js";

/** What was written down of hosts' periods. */
export const taskLogs: Sweep = {
  name: "task-logs",
  does: "counts of the servers that hosts had, by period",
  in: "cells",
  keepMs: ({ usageAuditKeepDays }) => daysMs(usageAuditKeepDays),
  run: (ctx, { store, before, limit }) => forgetTaskLogs(store, ctx, before, limit),
};
