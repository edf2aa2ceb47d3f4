/**
 * What YAML cannot say shortly: `{$repeat: [text, times]}` is a long text, `{$join: [parts]}` one of parts,
 * `{$list: [item, times]}` a long list, `{$map: [key, value, times]}` a large object, `{$deep: times}` lists
 * in lists.
 */
const GENERATORS: Readonly<Record<string, (argument: unknown, names: Names) => unknown>> = {
  $repeat: repeat,
  $list: list,
  $map: map,
  $join: textOf,
  $deep: (times) => nested(Number(times)),
};

type Names = ReadonlyMap<string, string>;

/**
 * Puts the stage's ids in the place of `<name>`, and makes what is generated. Unknown names stay as they are.
 */
export function expand(value: unknown, names: Names): unknown {
  if (typeof value === "string") return named(value, names);
  if (Array.isArray(value)) return value.map((item) => expand(item, names));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [key, argument] = entries.length === 1 ? (entries[0] ?? []) : [];
  const generate = key === undefined || !Object.hasOwn(GENERATORS, key) ? undefined : GENERATORS[key];
  if (generate) return generate(argument, names);
  return Object.fromEntries(entries.map(([name, inner]) => [named(name, names), expand(inner, names)]));
}

export const named = (text: string, names: Names): string =>
  text.replace(/<([a-z-]+)>/g, (all, name: string) => names.get(name) ?? all);

/** A text given whole or in parts. */
export function textOf(value: unknown, names: Names): string {
  return Array.isArray(value)
    ? value.map((part) => String(expand(part, names))).join("")
    : String(expand(value, names));
}

function repeat(argument: unknown, names: Names): string {
  const [text, times] = argument as [string, number];
  return named(text, names).repeat(times);
}

/** `<number>` in the item's texts becomes the number of the item. */
function list(argument: unknown, names: Names): unknown[] {
  const [item, times] = argument as [unknown, number];
  return Array.from({ length: times }, (_, i) => expand(item, new Map([...names, ["number", String(i)]])));
}

function map(argument: unknown, names: Names): Record<string, unknown> {
  const [key, value, times] = argument as [unknown, unknown, number];
  return Object.fromEntries(
    (list([{ key, value }, times], names) as { key: string; value: unknown }[]).map((entry) => [
      entry.key,
      entry.value,
    ]),
  );
}

function nested(times: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < times; i++) value = [value];
  return value;
}

/** Puts `value` at a JSON pointer (RFC 6901), or takes away what is there when it is undefined. */
export function put(target: unknown, pointer: string, value: unknown): void {
  const keys = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  let at = target as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[last];
  else Object.defineProperty(at, last, { value, enumerable: true, configurable: true, writable: true });
}
