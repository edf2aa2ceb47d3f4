import { SchedulerHints } from "../../gen/kilonova/type/v1/scheduler_hints.js";
import type { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";

/** Hints with a field of their own, by their names in REST and in filters: of one value, and of several. */
const SINGLE = {
  group: "group",
  build_near_host_ip: "buildNearHostIp",
  cidr: "cidr",
  query: "query",
  target_cell: "targetCell",
} as const satisfies Readonly<Record<string, keyof SchedulerHints>>;
const SEVERAL = {
  same_host: "sameHost",
  different_host: "differentHost",
  different_cell: "differentCell",
} as const satisfies Readonly<Record<string, keyof SchedulerHints>>;

/** Names that `others` may not have. */
export const NAMED_HINTS: ReadonlySet<string> = new Set([...Object.keys(SINGLE), ...Object.keys(SEVERAL)]);

/** All hints by name, as filters and REST know them: single values are lists of one. */
export function hintsByName(hints: SchedulerHints | undefined): Map<string, readonly string[]> {
  const out = new Map<string, readonly string[]>();
  if (hints === undefined) return out;
  for (const [name, field] of Object.entries(SINGLE)) {
    const value = hints[field];
    if (value !== undefined) out.set(name, [value]);
  }
  for (const [name, field] of Object.entries(SEVERAL))
    if (hints[field].length > 0) out.set(name, hints[field]);
  for (const [name, { values }] of hints.others) out.set(name, values);
  return out;
}

/**
 * Hints as REST writes them: a value or a list for each name. What is no text becomes its JSON. Undefined
 * when there are none.
 */
export function hintsOfObject(object: Readonly<Record<string, unknown>>): SchedulerHints | undefined {
  const hints = SchedulerHints.fromPartial({});
  for (const [name, value] of Object.entries(object)) {
    const values = (Array.isArray(value) ? value : [value]).map(textOf);
    if (isKeyOf(SEVERAL, name)) hints[SEVERAL[name]] = values;
    else if (isKeyOf(SINGLE, name)) hints[SINGLE[name]] = values.length === 1 ? values[0] : textOf(value);
    else hints.others.set(name, { values });
  }
  return Object.keys(object).length === 0 ? undefined : hints;
}

/** Hints of a stored record: records that were made before there were fields for them have JSON. */
export function storedHints({
  schedulerHints,
  schedulerHintsJson,
}: Pick<ServerSpec, "schedulerHints" | "schedulerHintsJson">): SchedulerHints | undefined {
  if (schedulerHints !== undefined || schedulerHintsJson === "") return schedulerHints;
  return hintsOfObject(JSON.parse(schedulerHintsJson) as Record<string, unknown>);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
const isKeyOf = <T extends object>(table: T, name: string): name is Extract<keyof T, string> =>
  Object.hasOwn(table, name);
