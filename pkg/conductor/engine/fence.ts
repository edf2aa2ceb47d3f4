import { KilonovaError } from "../../kernel/errors.js";

/**
 * Whether somebody said that a newer owner is at work. Whoever said it (store, agent, placement): stop at
 * once, clean up nothing.
 */
export const isFenceLost = (error: unknown): boolean =>
  error instanceof KilonovaError &&
  (error.reason === "FENCE_LOST" || error.reason === "PREEMPTED" || error.reason === "CLAIM_TOMBSTONED");
