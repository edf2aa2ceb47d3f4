/** How much is counted at a time. */
const STEP_MS = 1_000;
/** Late steps that are not counted; with more of them in one wait the end comes all the same. */
const MOST_FORGIVEN = 30;

/**
 * Calls `late` when so much time has passed in which this process came to its turn. A machine that stands
 * still delays answers and timers alike, and timers are served first: who waits for a neighbour on the same
 * machine would take it for silent though its answer is there.
 * @returns ends the wait
 * @cost a timer per second
 */
export function patientTimer(ms: number, late: () => void): () => void {
  let leftMs = ms;
  let forgiven = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const step = (): void => {
    const stepMs = Math.min(STEP_MS, leftMs);
    const startMs = performance.now();
    timer = setTimeout(() => {
      const stood = performance.now() - startMs >= stepMs + STEP_MS;
      if (stood && forgiven < MOST_FORGIVEN) forgiven++;
      else leftMs -= stepMs;
      if (leftMs > 0) step();
      else late();
    }, stepMs);
  };
  step();
  return () => clearTimeout(timer);
}
