import { readFileSync } from "node:fs";

/** One fact: in which versions an answer has a field, and of which types. */
interface Fact {
  readonly types: ReadonlySet<string>;
  readonly freeKeys: boolean;
  readonly required: boolean;
  readonly min: number;
  readonly max: number;
}

/** The fields of one route by path; `*` stands for a free key, `[]` for an item. */
export type RouteContract = ReadonlyMap<string, readonly Fact[]>;

/** Reads the table of facts beside this file. */
export function readContract(): ReadonlyMap<string, RouteContract> {
  const routes = new Map<string, Map<string, Fact[]>>();
  for (const line of readFileSync(new URL("contract.tsv", import.meta.url), "utf8").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [route = "", path = "", types = "", presence = "", span = ""] = line.split("\t");
    const [min = "", max = ""] = span.split("-");
    const names = types.replace("+", "").split("|");
    const fact = {
      types: new Set(names.length > 1 ? names.filter((name) => name !== "any") : names),
      freeKeys: types.endsWith("+"),
      required: presence === "req",
      min: Number(min),
      max: max === "" ? Infinity : Number(max),
    };
    const fields = routes.get(route) ?? new Map<string, Fact[]>();
    fields.set(path, [...(fields.get(path) ?? []), fact]);
    routes.set(route, fields);
  }
  return routes;
}

/** Every way in which an answer breaks its contract at a version. */
export function breaches(contract: RouteContract, version: number, answer: unknown): string[] {
  const live = new Map(
    [...contract].flatMap(([path, facts]) => {
      const fact = facts.find(({ min, max }) => version >= min && version <= max);
      return fact ? [[path, fact] as const] : [];
    }),
  );
  return check(live, "", answer);
}

function check(live: ReadonlyMap<string, Fact>, path: string, value: unknown): string[] {
  const fact = live.get(path === "" ? "(body)" : path);
  if (!fact) return [`${path}: not in the contract`];
  const type = typeOf(value);
  if (!fact.types.has("any") && !fact.types.has(type) && !(type === "integer" && fact.types.has("number"))) {
    return [`${path}: ${type} instead of ${[...fact.types].join("|")}`];
  }
  if (Array.isArray(value))
    return live.has(`${path}[]`) ? value.flatMap((item: unknown) => check(live, `${path}[]`, item)) : [];
  if (type !== "object") return [];
  return checkObject(live, path, fact, value as Readonly<Record<string, unknown>>);
}

function checkObject(
  live: ReadonlyMap<string, Fact>,
  path: string,
  fact: Fact,
  value: Readonly<Record<string, unknown>>,
): string[] {
  const prefix = path === "" ? "" : `${path}.`;
  const found: string[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const at = live.has(`${prefix}${key}`) ? `${prefix}${key}` : `${prefix}*`;
    if (live.has(at)) found.push(...check(live, at, inner));
    else if (!fact.freeKeys) found.push(`${prefix}${key}: not in the contract`);
  }
  for (const [other, { required }] of live) {
    const name = other.startsWith(prefix) ? other.slice(prefix.length) : "";
    if (
      required &&
      name !== "" &&
      name !== "*" &&
      name !== "(body)" &&
      !/[.[]/.test(name) &&
      !Object.hasOwn(value, name)
    ) {
      found.push(`${other}: missing`);
    }
  }
  return found;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
