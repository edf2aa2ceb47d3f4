import { commandMemory } from "./command-memory.js";
import { deletedGuests } from "./deleted-guests.js";
import { hostAudit } from "./host-audit.js";
import { imageAgeing } from "./image-ageing.js";
import type { PeriodicTask } from "./periodic-task.js";
import { powerSync } from "./power-sync.js";
import { resumeAtStart } from "./resume-guests.js";
import { usageAudit } from "./usage-audit.js";

/**
 * Everything that an agent does by itself, in the order of its start: first the host is registered, then goes
 * what must not run, then comes what must, and only then the cell is told of what is otherwise.
 */
export const periodicTasks: readonly PeriodicTask[] = [
  hostAudit,
  deletedGuests,
  resumeAtStart,
  powerSync,
  imageAgeing,
  commandMemory,
  usageAudit,
];
