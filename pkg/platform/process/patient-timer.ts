const STEPS = {
  /** How much is counted at a time; what comes later by as much stood still. */
  ms: 1_000,
  /** Late ones that are not counted; with more of them in one wait the end comes all the same. */
  mostForgiven: 30,
};

/**
 * Calls `late` when so much time has passed in which this process came to its turn. A machine that stands
 * still delays answers and timers alike, and timers are served first: who waits for a neighbour on the same
 * machine would take it for silent though its answer is there.
 * @returns ends the wait
 * @cost a timer per second
 */
export function patientTimer(ms: number, late: () => void, steps = STEPS): () => void {
  let leftMs = ms;
  let forgiven = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const step = (): void => {
    const stepMs = Math.min(steps.ms, leftMs);
    const startMs = performance.now();
    timer = setTimeout(() => {
      const stood = performance.now() - startMs >= stepMs + steps.ms;
      if (stood && forgiven < steps.mostForgiven) forgiven++;
      else leftMs -= stepMs;
      if (leftMs > 0) step();
      else late();
    }, stepMs);
  };
  step();
  return () => clearTimeout(timer);
}
