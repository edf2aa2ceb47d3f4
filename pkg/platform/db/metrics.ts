import type { Metrics } from "../telemetry/index.js";

export type AccessKind = "read" | "write" | "statement";

/** One finished call, for metrics. `name` comes from code, so it is a closed set. */
export interface DbSample {
  readonly kind: AccessKind;
  readonly name: string;
  readonly attempts: number;
  readonly seconds: number;
  /** `refused`: the function threw an error of its own; `failed`: the database did. */
  readonly outcome: "ok" | "refused" | "failed";
}
export interface DbMetrics {
  observe(sample: DbSample): void;
}

/** Time and reruns of every call, for Prometheus. */
export function dbMetrics(metrics: Metrics): DbMetrics {
  const duration = metrics.histogram(
    "kilonova_db_duration_seconds",
    "Time of a transaction or statement, reruns and waiting for a connection included.",
    ["kind", "name", "outcome"],
  );
  const reruns = metrics.counter(
    "kilonova_db_reruns_total",
    "Transactions that ran again after a conflict.",
    ["name"],
  );
  return {
    observe: ({ kind, name, attempts, seconds, outcome }) => {
      duration.observe({ kind, name, outcome }, seconds);
      if (attempts > 1) reruns.inc({ name }, attempts - 1);
    },
  };
}
