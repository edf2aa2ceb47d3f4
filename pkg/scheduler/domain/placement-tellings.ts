import type { Shortfall } from "../../placement/index/index.js";
import { tells } from "./telling.js";
import type { Tellings } from "./telling.js";
import type { RefusalFacts } from "./verdict.js";

/** Resource classes in the words of flavors. */
const WORDS: Readonly<Record<string, readonly [what: string, unit: string]>> = {
  VCPU: ["vCPUs", ""],
  PCPU: ["dedicated CPUs", ""],
  MEMORY_MB: ["memory", " MiB"],
  DISK_GB: ["disk", " GiB"],
};

const words = (facts: RefusalFacts): readonly [what: string, unit: string] => {
  const resourceClass = facts["resource_class"] ?? "";
  return WORDS[resourceClass] ?? [resourceClass, ""];
};

const tooLittle = (facts: RefusalFacts): string => {
  const [what, unit] = words(facts);
  return `not enough ${what} (${facts["needed"]}${unit} needed, nearest has ${facts["free"]} free)`;
};

/** What Placement lacks there. */
export const placementTellings: Tellings<Shortfall["reason"] | "NO_PROVIDER"> = {
  NO_PROVIDER: tells("not ready, its inventory is not known yet"),
  NO_INVENTORY: tells((facts) => `no ${words(facts)[0]} to give (${facts["needed"]} needed)`),
  NOT_ENOUGH: tells(tooLittle),
  UNIT_VIOLATED: tells((facts) => {
    const [what, unit] = words(facts);
    const limits = `${facts["min_unit"]} to ${facts["max_unit"]}${unit} for one server`;
    return `${what} only in other amounts (${facts["needed"]}${unit} needed, ${limits})`;
  }),
  TRAIT_MISSING: tells(({ trait }) => `trait ${trait} missing`),
  TRAIT_FORBIDDEN: tells(({ trait }) =>
    trait === "COMPUTE_STATUS_DISABLED" ? "disabled by the operator" : `trait ${trait} not wanted`,
  ),
  NOT_IN_AGGREGATE: tells("resources in other aggregates only"),
  NOT_IN_TREE: tells("resources in another provider tree only", ["tree"]),
  NO_COMBINATION: tells("each resource is there, but not all of them together"),
};

/** Why Placement may refuse a claim of a host that seemed to fit: somebody was faster. */
export const claimTellings: Tellings<
  "CAPACITY_EXCEEDED" | "INVENTORY_MISSING" | "UNIT_VIOLATED" | "PROVIDER_UNKNOWN"
> = {
  CAPACITY_EXCEEDED: tells("given to another server a moment before"),
  INVENTORY_MISSING: tells("its inventory changed a moment before"),
  UNIT_VIOLATED: tells("its inventory changed a moment before"),
  PROVIDER_UNKNOWN: tells("removed a moment before"),
};
