/**
 * A signal that is given at most once per `ms`, the first time at the end of them: what comes together is
 * told together. A boot makes eight commits in a few milliseconds; each numbering of the feed costs as much
 * as one of them.
 */
export function coalesced(signal: () => void, ms: number): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    setTimeout(() => {
      pending = false;
      signal();
    }, ms).unref();
  };
}
