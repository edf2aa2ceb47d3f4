import { readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { defineErrors } from "../../kernel/index.js";
import { describeSections } from "./docs.js";

export const ConfigErrors = defineErrors("config", {
  CONFIG_INVALID: ["invalid", (p: { problems: string }) => `The configuration is not usable:\n${p.problems}`],
});

/** Sections by name (`gateway`, `database`, …), each a zod object whose fields carry a description. */
export type Sections = Readonly<Record<string, z.ZodObject>>;
export type ConfigOf<S extends Sections> = { readonly [K in keyof S]: Readonly<z.output<S[K]>> };

/** Marks a field as secret: it prints as `***`. */
export const secret = <T extends z.ZodType>(schema: T): T => schema.meta({ secret: true }) as T;

export interface ConfigSources {
  /** YAML file with one mapping per section; absent file is an error when named. */
  readonly file?: string | undefined;
  /**
   * `KILONOVA_<SECTION>_<FIELD>` in upper snake case; other variables with the prefix are refused unless
   * listed in `ignoreEnv`.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Flags, by section and field; strongest. */
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly ignoreEnv?: readonly string[];
}

/**
 * Reads the configuration once, strongest last: defaults, file, environment, flags.
 * @returns a frozen object, passed to whoever needs a part of it
 * @throws CONFIG_INVALID listing every unknown key and bad value at once
 */
export function loadConfig<S extends Sections>(sections: S, sources: ConfigSources): ConfigOf<S> {
  const problems: string[] = [];
  const raw: Record<string, Record<string, unknown>> = {};
  for (const [section, values] of Object.entries(readFile(sources.file, problems))) {
    if (!(section in sections)) problems.push(`- unknown section "${section}" in the file`);
    else raw[section] = { ...(values as Record<string, unknown>) };
  }
  applyEnvironment(sections, sources, raw, problems);
  for (const [section, values] of Object.entries(sources.overrides ?? {}))
    raw[section] = { ...raw[section], ...withoutUndefined(values) };
  const config: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(sections)) {
    const result = schema.strict().safeParse(raw[name] ?? {});
    if (result.success) config[name] = Object.freeze(result.data);
    else
      for (const issue of result.error.issues)
        problems.push(`- ${[name, ...issue.path].join(".")}: ${issue.message}`);
  }
  if (problems.length > 0) throw ConfigErrors.CONFIG_INVALID({ problems: problems.join("\n") });
  return Object.freeze(config) as ConfigOf<S>;
}

function readFile(file: string | undefined, problems: string[]): Record<string, unknown> {
  if (!file) return {};
  try {
    const parsed: unknown = parseYaml(readFileSync(file, "utf8"));
    if (parsed === null || parsed === undefined) return {};
    if (typeof parsed === "object" && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
    problems.push(`- ${file}: must hold a mapping of sections`);
  } catch (error) {
    problems.push(`- ${file}: ${(error as Error).message}`);
  }
  return {};
}

function applyEnvironment(
  sections: Sections,
  sources: ConfigSources,
  raw: Record<string, Record<string, unknown>>,
  problems: string[],
): void {
  const known = new Map<string, { section: string; field: string; type: z.ZodType }>();
  for (const [section, schema] of Object.entries(sections)) {
    for (const [field, type] of Object.entries(schema.shape))
      known.set(envName(section, field), { section, field, type: type as z.ZodType });
  }
  const ignored = new Set(sources.ignoreEnv);
  for (const [name, value] of Object.entries(sources.env)) {
    if (!name.startsWith("KILONOVA_") || value === undefined || ignored.has(name)) continue;
    const target = known.get(name);
    if (!target) problems.push(`- unknown environment variable ${name}`);
    else raw[target.section] = { ...raw[target.section], [target.field]: fromText(value, target.type) };
  }
}

/** `agent`, `softTimeoutMs` → `KILONOVA_AGENT_SOFT_TIMEOUT_MS` */
export const envName = (section: string, field: string): string =>
  `KILONOVA_${section}_${field}`.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();

/**
 * Environment values are text: numbers, booleans, lists and mappings are read as YAML unless the field wants
 * text.
 */
function fromText(value: string, type: z.ZodType): unknown {
  if (type.safeParse(value).success) return value;
  try {
    return parseYaml(value);
  } catch {
    return value;
  }
}

const withoutUndefined = (values: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined));

/** The configuration with secrets as `***`, for state reports and `kilonova status`. */
export function maskSecrets<S extends Sections>(
  sections: S,
  config: ConfigOf<S>,
): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(sections).map(([name, schema]) => [
      name,
      Object.fromEntries(
        Object.entries(config[name] ?? {}).map(([field, value]) => [
          field,
          isSecret(schema.shape[field]) ? "***" : value,
        ]),
      ),
    ]),
  );
}

const isSecret = (schema: unknown): boolean =>
  schema instanceof z.ZodType && (schema.meta() as { secret?: boolean } | undefined)?.secret === true;

/** Markdown of every option: type, default, environment variable, description. Source of `docs/config.md`. */
export const configDocs = (sections: Sections): string => describeSections(sections, envName);
