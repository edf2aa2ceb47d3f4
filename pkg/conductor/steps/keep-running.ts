import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { leavingGuest } from "./export-guest.js";
import { ownMigrationId, readMigration } from "./moves.js";
import { startedAgain } from "./shelve-guest.js";

/**
 * Does nothing but to be undone: a guest that ran before it was to leave runs again. Not between two hosts
 * that are tried, when it would only be ended again.
 */
export const keepRunning = (ports: Ports): Step<MoveInput> => ({
  name: "keep-running",
  event: "",
  timeoutMs: 60_000,
  run: async () => done(),
  async undo(call) {
    if (!call.operation.steps.some(({ name }) => name === leavingGuest.step)) return undefined;
    const { wasOff } = await readMigration(call, ports, ownMigrationId(call));
    return wasOff ? undefined : startedAgain(call, ports);
  },
});
