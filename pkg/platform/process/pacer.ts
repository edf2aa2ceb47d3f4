import type { PacedWork, Pacer } from "../../kernel/pacer.js";

export interface PacerOptions {
  /** Most milliseconds before work has to queue. */
  readonly firstMs?: number;
  /** Milliseconds of one slice. */
  readonly sliceMs?: number;
  /** Milliseconds on a clock that only moves forward. */
  now?(): number;
  later?(fn: () => void, ms: number): void;
}

/**
 * Slices are dealt in turn to whatever work is waiting, one between two rests, so that any number of long
 * jobs takes at most half of the process and never more than a slice at a time.
 */
export function createPacer({
  firstMs = 2,
  sliceMs = 2,
  now = () => performance.now(),
  later = (fn, ms) => void setTimeout(fn, ms),
}: PacerOptions = {}): Pacer {
  const waiting: (() => void)[] = [];
  let dealing = false;
  const dealAfter = (ms: number): void => {
    later(() => {
      const next = waiting.shift();
      if (next === undefined) dealing = false;
      else next();
    }, ms);
  };
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (dealing) return;
      dealing = true;
      dealAfter(sliceMs);
    });

  return {
    run: <T>(signal: AbortSignal, work: (ranMs: () => number) => PacedWork<T>): T | Promise<T> => {
      let ranMs = 0,
        since: number | undefined;
      const job = work(() => ranMs + (since === undefined ? 0 : now() - since));
      const slice = (ms: number): IteratorResult<void, T> => {
        const started = (since = now());
        try {
          for (;;) {
            const step = job.next();
            if (step.done === true || now() - started >= ms) return step;
          }
        } finally {
          ranMs += now() - started;
          since = undefined;
        }
      };
      signal.throwIfAborted();
      const first = slice(firstMs);
      if (first.done === true) return first.value;
      const rest = async (): Promise<T> => {
        for (;;) {
          await turn();
          const before = ranMs;
          try {
            signal.throwIfAborted();
            const step = slice(sliceMs);
            if (step.done === true) return step.value;
          } finally {
            dealAfter(ranMs - before);
          }
        }
      };
      return rest();
    },
  };
}

/** The process's own pacer: all long work of all services takes turns here. */
export const systemPacer: Pacer = createPacer();
