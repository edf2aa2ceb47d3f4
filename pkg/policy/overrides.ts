import { parse } from "yaml";
import { PolicyErrors } from "./errors.js";
import { renamedRules } from "./renamed-rules.js";

/**
 * Reads an operator's policy file: a YAML (or JSON) map from rule to check. Old names set the rules that
 * replaced them.
 * @throws BAD_POLICY when it is no such map; whether the rules exist is `createPolicy`'s business
 */
export function parseOverrides(text: string): Readonly<Record<string, string>> {
  const document = readYaml(text);
  if (document === null || document === undefined) return {};
  if (typeof document !== "object" || Array.isArray(document))
    throw PolicyErrors.BAD_POLICY({ rule: "(file)", problem: "a map from rule to check is expected" });
  const overrides: Record<string, string> = {};
  const entries = Object.entries(document as Record<string, unknown>).map(
    ([rule, check]) => [rule, asText(rule, check)] as const,
  );
  for (const [rule, check] of entries)
    for (const successor of renamedRules[rule] ?? []) overrides[successor] = check;
  for (const [rule, check] of entries) if (!(rule in renamedRules)) overrides[rule] = check;
  return overrides;
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw PolicyErrors.BAD_POLICY({ rule: "(file)", problem: "it is not valid YAML" }, { cause: error });
  }
}

function asText(rule: string, check: unknown): string {
  if (typeof check !== "string") throw PolicyErrors.BAD_POLICY({ rule, problem: "its check is not a text" });
  return check;
}
