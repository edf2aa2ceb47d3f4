import { CreateErrors } from "../errors.js";

/** How many servers one request makes at least and at most. */
export interface Counts {
  readonly min: number;
  readonly max: number;
}

/** The counts asked for; 0 means not given. @throws MIN_ABOVE_MAX */
export function countsOf(minCount: number, maxCount: number): Counts {
  const min = minCount || 1;
  const max = maxCount || min;
  if (min > max) throw CreateErrors.MIN_ABOVE_MAX({});
  return { min, max };
}
