import type { ConductorOptions } from "./conductor.js";

/** Values of everything that is not a port; wiring and tests override single ones. */
export const engineDefaults = {
  ownershipMs: 15_000,
  concurrency: 64,
  pollMs: 1_000,
  dormantMs: 2_000,
  unclaimedMs: 300_000,
  maxForwardAttempts: 40,
  undo: { maxAttempts: 12, timeoutMs: 120_000 },
} as const satisfies Partial<ConductorOptions>;
