/** Times of one kind of request, in ms. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** What one attack does to somebody else. */
export interface LoadResult {
  readonly name: string;
  readonly victim: { readonly alone: Percentiles; readonly attacked: Percentiles };
  /** What else is worth a look: how much the attacker got through, how often it was refused, memory. */
  readonly facts?: Readonly<Record<string, string | number>>;
  /** What did not hold although the times do. */
  readonly failures?: readonly string[];
}

export function percentiles(samplesMs: readonly number[]): Percentiles {
  const sorted = [...samplesMs].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** Runs a call so often, one after the other, and tells how long each took. */
export async function timed(count: number, call: (i: number) => Promise<unknown>): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await call(i);
    samples.push(performance.now() - started);
  }
  return samples;
}
