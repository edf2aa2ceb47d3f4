import type { HostRefusal } from "./verdict.js";

/** How one rule refused hosts for one reason. */
export interface RefusalSummary {
  readonly rule: string;
  readonly reason: string;
  readonly hosts: number;
  readonly nearestHost: string;
  readonly nearestFacts: Readonly<Record<string, string>>;
}

export interface Explanation {
  readonly hostsConsidered: number;
  /** In the order in which the rules ran. */
  readonly refusals: readonly RefusalSummary[];
  readonly acceptedHosts: readonly string[];
}

/**
 * Sums refusals up by rule and reason, with the nearest miss of each. Hosts that tie count in order of their
 * names.
 */
export function explain(
  hostsConsidered: number,
  refused: readonly HostRefusal[],
  accepted: readonly string[],
): Explanation {
  const groups = new Map<string, HostRefusal[]>();
  for (const one of refused) {
    // Each resource class is a reason of its own: "not enough VCPU" and "not enough DISK_GB" have different
    // cures.
    const key = [one.rule, one.refusal.reason, one.refusal.facts["resource_class"] ?? ""].join(" ");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  const refusals = [...groups.values()].flatMap((group) => {
    const [nearest] = [...group].sort(
      (a, b) => a.refusal.missing - b.refusal.missing || (a.host < b.host ? -1 : 1),
    );
    return nearest === undefined
      ? []
      : [
          {
            rule: nearest.rule,
            reason: nearest.refusal.reason,
            hosts: group.length,
            nearestHost: nearest.host,
            nearestFacts: nearest.refusal.facts,
          },
        ];
  });
  return { hostsConsidered, refusals, acceptedHosts: [...accepted].sort() };
}

/**
 * One line for operators, with every fact: `3 of 5 hosts: placement NOT_ENOUGH (resource_class=VCPU needed=4
 * free=2); …`.
 */
export function summaryText({ hostsConsidered, refusals }: Explanation): string {
  if (hostsConsidered === 0) return "no compute host is known";
  const parts = [...refusals]
    .sort((a, b) => b.hosts - a.hosts)
    .slice(0, 6)
    .map(({ rule, reason, hosts, nearestFacts }) => {
      const facts = Object.entries(nearestFacts)
        .map(([key, value]) => `${key}=${value}`)
        .join(" ");
      return `${hosts} of ${hostsConsidered} hosts: ${rule} ${reason}${facts === "" ? "" : ` (${facts})`}`;
    });
  return parts.join("; ");
}
