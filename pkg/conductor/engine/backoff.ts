const BASE_MS = 100;
const CAP_MS = 15_000;

/**
 * Doubling with jitter between half and all of it, so that many operations hit by one outage do not come back
 * together.
 */
export const backoffMs = (attempt: number, random: () => number): number => {
  const bound = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 12));
  return Math.round(bound * (0.5 + random() / 2));
};
