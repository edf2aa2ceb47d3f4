/** Long work in small steps: it yields wherever somebody else may go first. */
export type PacedWork<T> = Generator<void, T>;

/** Runs long work so that everything else in the process goes on. */
export interface Pacer {
  /**
   * Runs short work in one go, long work in slices of a few milliseconds: one slice at a time in the whole
   * process, with a rest as long as the slice after each.
   *
   * @param work  makes the work; is told how to ask for how many milliseconds it ran so far, rests excluded
   * @returns the result itself when the work was short, else a promise
   * @throws what the work throws, and the signal's reason when it aborts
   */
  run<T>(signal: AbortSignal, work: (ranMs: () => number) => PacedWork<T>): T | Promise<T>;
}
