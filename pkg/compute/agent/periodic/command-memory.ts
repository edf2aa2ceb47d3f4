import { COMMANDS_KEPT_MS } from "../journal-retention.js";
import { intervalMs } from "./options.js";
import type { PeriodicTask } from "./periodic-task.js";

/** Answers to commands, in memory and in the journal. */
export const commandMemory: PeriodicTask = {
  name: "command-memory",
  does: "forgets answers to commands that are older than a day, and writes the journal anew when it has grown",
  nova: "",
  atStart: false,
  everyMs: ({ journalCompactIntervalS }) => intervalMs(journalCompactIntervalS),
  async run(ctx, { commands, compactJournal }) {
    commands.prune(COMMANDS_KEPT_MS);
    await compactJournal(ctx);
  },
};
