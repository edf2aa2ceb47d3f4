import type { HostView } from "../domain/host-view.js";
import { satisfies } from "../domain/operators.js";
import { hostFilter } from "../domain/rules.js";
import { tells } from "../domain/telling.js";
import { pass, refuse } from "../domain/verdict.js";

const SCOPE = "capabilities";

/**
 * Refuses hosts that lack what the flavor's `capabilities:` extra specs ask for. Unscoped keys count where
 * the host knows them; other scopes belong to other rules.
 * @source nova ComputeCapabilitiesFilter
 */
export default hostFilter("ComputeCapabilitiesFilter", {
  tellings: {
    CAPABILITY_MISSING: tells(
      ({ capability, needed }) => `capability ${capability} missing (${needed} needed)`,
    ),
    CAPABILITY_DIFFERS: tells(
      ({ capability, needed }) => `capability ${capability} differs (${needed} needed)`,
      ["have"],
    ),
  },
  judge: (host, { extraSpecs }) => {
    for (const [key, wanted] of extraSpecs) {
      const path = pathOf(key, host);
      if (path === undefined) continue;
      const have = lookUp(host.capabilities, path);
      if (have === undefined)
        return refuse("CAPABILITY_MISSING", { capability: path.join(":"), needed: wanted });
      if (!(Array.isArray(have) ? have.map(String) : [String(have)]).some((one) => satisfies(one, wanted))) {
        return refuse("CAPABILITY_DIFFERS", {
          capability: path.join(":"),
          needed: wanted,
          have: Array.isArray(have) ? have.join(",") : String(have),
        });
      }
    }
    return pass;
  },
});

function pathOf(key: string, host: HostView): string[] | undefined {
  const parts = key.split(":");
  if (parts[0] === SCOPE && parts.length > 1) return parts.slice(1);
  return parts.length === 1 && Object.hasOwn(host.capabilities, key) ? parts : undefined;
}

function lookUp(capabilities: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let at: unknown = capabilities;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[part];
  }
  return at ?? undefined;
}
