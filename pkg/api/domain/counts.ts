import { CreateErrors } from "../errors.js";

/** How many servers one request makes at least and at most. */
export interface Counts {
  readonly min: number;
  readonly max: number;
}

/** The counts asked for. @throws MIN_ABOVE_MAX */
export function countsOf(min = 1, max = min): Counts {
  if (min > max) throw CreateErrors.MIN_ABOVE_MAX({});
  return { min, max };
}
