import type { HostView } from "./host-view.js";
import type { RequestSpec } from "./request-spec.js";
import { multiplierOf } from "./rules.js";
import type { Rules } from "./rules.js";
import { seeded } from "./seed.js";
import type { HostRefusal } from "./verdict.js";

export interface RankedHost {
  readonly host: HostView;
  /** Sum of the weighers, each a ratio 0..1 times its multiplier. */
  readonly weight: number;
}

/**
 * Judges hosts by the filters in their order. Forced hosts are not judged; a rebuild only by the filters
 * meant for it.
 * @cost O(hosts × filters), no I/O
 */
export function filterHosts(
  request: RequestSpec,
  hosts: readonly HostView[],
  rules: Rules,
): { readonly passed: HostView[]; readonly refused: HostRefusal[] } {
  const forced = request.forcedHost !== "" || request.forcedNode !== "";
  const isRebuild = request.purpose === "rebuild-check";
  if (forced && !isRebuild) return { passed: [...hosts], refused: [] };
  const filters = rules.filters.filter((one) => one.onRebuild || !isRebuild);
  const passed: HostView[] = [];
  const refused: HostRefusal[] = [];
  for (const host of hosts) {
    let judged: HostRefusal | undefined;
    for (const filter of filters) {
      const verdict = filter.judge(host, request);
      if (verdict.passed) continue;
      judged = { host: host.host, rule: filter.name, refusal: verdict };
      break;
    }
    if (judged === undefined) passed.push(host);
    else refused.push(judged);
  }
  return { passed, refused };
}

/**
 * Orders hosts, best first. Ties break by the seed.
 * @param seed  the server's id: the same request is always answered alike
 * @source nova scheduler weights: min-max normalisation over the hosts given; one host is not weighed
 */
export function rankHosts(
  request: RequestSpec,
  hosts: readonly HostView[],
  rules: Rules,
  seed: string,
): RankedHost[] {
  const weights = hosts.length > 1 ? weigh(request, hosts, rules) : hosts.map(() => 0);
  const ranked = hosts
    .map((host, number) => ({ host, weight: weights[number] ?? 0, tie: seeded(seed, host.host, host.node) }))
    .sort((a, b) => b.weight - a.weight || a.tie - b.tie);
  const subset = Math.min(rules.hostSubsetSize, ranked.length);
  if (subset > 1) {
    const [lucky] = ranked.splice(Math.floor(seeded(seed, "subset") * subset), 1);
    if (lucky !== undefined) ranked.unshift(lucky);
  }
  return ranked.map(({ host, weight }) => ({ host, weight }));
}

function weigh(request: RequestSpec, hosts: readonly HostView[], rules: Rules): number[] {
  const sums = new Array<number>(hosts.length).fill(0);
  for (const rule of rules.weighers) {
    const raw = hosts.map((host) => rule.weigher.raw(host, request));
    const low = rule.weigher.floor ?? Math.min(...raw);
    const high = Math.max(...raw, low);
    if (high === low) continue;
    for (const [number, host] of hosts.entries()) {
      const norm = (Math.max(raw[number] ?? 0, low) - low) / (high - low);
      sums[number] = (sums[number] ?? 0) + multiplierOf(host, rule) * norm;
    }
  }
  return sums;
}
