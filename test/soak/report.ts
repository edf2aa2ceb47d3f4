import { isExplained } from "./failed-boots.js";
import type { Failure } from "./failed-boots.js";
import type { OneProcessReport } from "./one-process.js";
import type { SoakReport } from "./run.js";

const SHOWN = 40;
const counts = (of: ReadonlyMap<string, number>): string =>
  [...of]
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what} ×${count}`)
    .join(", ");

/** A report as people read it. */
export function rendered(seed: number, report: SoakReport): string {
  const { outcomes, operations, blows, wrong } = report;
  const states = new Map<string, Map<string, number>>();
  for (const { kind, state, count } of operations)
    states.set(kind, (states.get(kind) ?? new Map<string, number>()).set(state, Number(count)));
  const lines = (of: ReadonlyMap<string, ReadonlyMap<string, number>>): string[] =>
    [...of].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, each]) => `  ${kind}: ${counts(each)}`);
  return [
    `seed ${seed}: ${report.steps} steps, ${report.servers} servers`,
    `answers: p50 ${report.p50Ms.toFixed(0)} ms, p99 ${report.p99Ms.toFixed(0)} ms; at rest after ${(report.settledMs / 1000).toFixed(0)} s`,
    "requests by kind and answer:",
    ...lines(outcomes),
    "operations by kind and end:",
    ...lines(states),
    "failed operations by kind and reason:",
    ...lines(byReason(report.failures)),
    `blows: ${counts(blows)}`,
    wrong.length === 0 ? "everything agrees" : `${wrong.length} things are wrong:`,
    ...wrong.slice(0, SHOWN).map((one) => `  ${one}`),
  ].join("\n");
}

/** By kind, how often which reason; of a failed boot those of the hosts that were tried, too. */
function byReason(failures: readonly Failure[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const failure of failures) {
    const { kind, reason, steps, refusals } = failure;
    const more = kind === "server.boot" ? [...steps.map((step) => step.reason), ...refusals] : [];
    const others = more.filter((one) => one !== reason);
    const mark = kind === "server.boot" && !isExplained(failure) ? " UNEXPLAINED" : "";
    const why = `${reason}${others.length === 0 ? "" : ` (${[...new Set(others)].join(", ")})`}${mark}`;
    const row = found.get(kind) ?? new Map<string, number>();
    found.set(kind, row.set(why, (row.get(why) ?? 0) + 1));
  }
  return found;
}

/** The report of a life in one process. */
export function renderedOneProcess(seed: number, { accepted, failed, wrong }: OneProcessReport): string {
  const table = (of: ReadonlyMap<string, number>): string[] =>
    [...of].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, times]) => `  ${what} ×${times}`);
  return [
    `seed ${seed}, in one process`,
    "asked, by kind:",
    ...table(accepted),
    "failed operations by kind and reason:",
    ...table(failed),
    wrong.length === 0 ? "everything agrees" : `${wrong.length} things are wrong:`,
    ...wrong.slice(0, SHOWN).map((one) => `  ${one}`),
  ].join("\n");
}
