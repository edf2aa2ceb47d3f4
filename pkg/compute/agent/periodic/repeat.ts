import type { Clock, Ctx } from "../../../kernel/index.js";
import type { Metrics } from "../../../platform/telemetry/index.js";

export interface RepeatDeps {
  readonly clock: Pick<Clock, "now" | "monotonicMs" | "sleep">;
  /** 0 to 1. */
  readonly random: () => number;
  /** How a run went. */
  readonly told: (outcome: "done" | "failed", seconds: number) => void;
}

/** So much earlier or later each time, as a part: hosts that started together do not work together. */
const SPREAD = 0.2;
/** What was not done at the start, or asks for it, is done within this time. */
const SOON_MS = 60_000;

/**
 * Works again and again until the context ends, one run after the other: the pause begins when a run has
 * ended, however. A failed one is logged; the next may go better.
 * @param everyMs  0 for never
 * @param soon     whether the first run comes within a minute instead of after a whole pause
 * @param work     calls `again` for the next run to come within a minute
 */
export async function repeat(
  ctx: Ctx,
  { clock, random, told }: RepeatDeps,
  { name, everyMs, soon }: { readonly name: string; readonly everyMs: number; readonly soon: boolean },
  work: (ctx: Ctx, again: () => void) => Promise<void>,
): Promise<void> {
  if (everyMs <= 0) return;
  let isSoon = soon;
  const pause = (): number =>
    isSoon ? Math.min(everyMs, SOON_MS) * random() : everyMs * (1 + SPREAD * (2 * random() - 1));
  while (!ctx.signal.aborted) {
    await clock.sleep(pause(), ctx.signal).catch(() => {});
    if (ctx.signal.aborted) return;
    isSoon = false;
    const began = clock.monotonicMs();
    const seconds = (): number => (clock.monotonicMs() - began) / 1000;
    try {
      await work(ctx, () => {
        isSoon = true;
      });
      told("done", seconds());
    } catch (error) {
      if (ctx.signal.aborted) return;
      ctx.log.warn("agent.periodic.failed", { task: name, error });
      told("failed", seconds());
    }
  }
}

/** Counts runs by task and outcome, and says when each task last went well. */
export function periodicMetrics(
  metrics: Metrics,
  host: string,
  clock: Pick<Clock, "now">,
): (task: string, outcome: "done" | "failed", seconds: number) => void {
  const took = metrics.histogram(
    "kilonova_compute_periodic_seconds",
    "How long periodic tasks of agents took.",
    ["task", "outcome"],
  );
  const last = metrics.gauge(
    "kilonova_compute_periodic_last_done_timestamp_seconds",
    "When a periodic task of an agent last went well.",
    ["task", "host"],
  );
  return (task, outcome, seconds) => {
    took.observe({ task, outcome }, seconds);
    if (outcome === "done") last.set({ task, host }, Number(clock.now()) / 1e6);
  };
}
