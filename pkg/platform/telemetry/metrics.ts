import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

type Labels<L extends string> = Record<L, string>;
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/**
 * Prometheus metrics of one process. Names end in their unit (`_seconds`, `_bytes`, `_total`); labels are
 * closed sets, never ids. Asking for a name again gives the same metric, so that many small parts can share
 * one.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #known = new Map<string, unknown>();

  counter<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
  ): { inc(labels: Labels<L>, by?: number): void } {
    const metric = this.#once(
      name,
      () => new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] }),
    );
    return { inc: (values, by = 1) => metric.inc(values, by) };
  }

  gauge<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
  ): {
    set(labels: Labels<L>, value: number): void;
    inc(labels: Labels<L>): void;
    dec(labels: Labels<L>): void;
  } {
    const metric = this.#once(
      name,
      () => new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] }),
    );
    return {
      set: (values, value) => metric.set(values, value),
      inc: (values) => metric.inc(values),
      dec: (values) => metric.dec(values),
    };
  }

  /** A gauge that is read when somebody looks; several readers of one name add up. */
  reading(name: string, help: string, read: () => number): void {
    this.#once(`${name} readers`, () => {
      const readers: (() => number)[] = [];
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(readers.reduce((sum, one) => sum + one(), 0));
        },
      });
      return readers;
    }).push(read);
  }

  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[] = SECONDS,
  ): { observe(labels: Labels<L>, value: number): void } {
    const metric = this.#once(
      name,
      () =>
        new Histogram({
          name,
          help,
          labelNames: [...labels],
          buckets: [...buckets],
          registers: [this.#registry],
        }),
    );
    return { observe: (values, value) => metric.observe(values, value) };
  }

  /** Adds event loop lag, memory and the like of this process. */
  withProcessMetrics(): this {
    collectDefaultMetrics({ register: this.#registry });
    return this;
  }

  /** Counts errors that nobody caught. Each is a fault of ours: alert on it. */
  strayErrors(): (kind: "rejection" | "exception") => void {
    const counter = this.counter("kilonova_process_stray_errors_total", "Errors that nobody caught", [
      "kind",
    ]);
    return (kind) => counter.inc({ kind });
  }

  /** @returns everything in Prometheus' text format */
  expose(): Promise<string> {
    return this.#registry.metrics();
  }

  #once<T>(name: string, make: () => T): T {
    const existing = this.#known.get(name);
    if (existing !== undefined) return existing as T;
    const made = make();
    this.#known.set(name, made);
    return made;
  }
}
