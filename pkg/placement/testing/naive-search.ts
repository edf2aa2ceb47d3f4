import { eligibleForGroup, eligibleForUnsuffixed, fitting } from "../index/eligible.js";
import type { ProviderIndex } from "../index/provider-index.js";
import type { Candidate, CandidateRequest } from "../index/request.js";

/**
 * What the search must find in one tree, the slow way: every product of providers and demands, judged as a
 * whole. Ways in the order of demands with the fewest options first, then of providers.
 * @returns each way as `wayText` writes it
 */
export function naiveWays(index: ProviderIndex, request: CandidateRequest, root: number): string[] {
  const reach = new Set(index.tree(root));
  for (const slot of index.tree(root))
    for (const aggregate of index.at(slot)?.aggregates ?? [])
      for (const one of index.inAggregate(aggregate).clone().and(index.sharing()).toArray()) reach.add(one);
  const demands = request.groups.flatMap((group) =>
    group.suffix !== ""
      ? [{ group, resources: group.resources, eligible: eligibleForGroup(index, group) }]
      : [...group.resources].map((one) => ({
          group,
          resources: new Map([one]),
          eligible: fitting(index, eligibleForUnsuffixed(index, group), new Map([one])),
        })),
  );
  const options = demands.map(({ eligible }) =>
    [...reach].filter((slot) => eligible.has(slot)).sort((a, b) => a - b),
  );
  const order = [...demands.keys()].sort((a, b) => (options[a]?.length ?? 0) - (options[b]?.length ?? 0));
  let products: number[][] = [[]];
  for (const number of order)
    products = products.flatMap((product) => (options[number] ?? []).map((slot) => [...product, slot]));
  const inOrder = (product: readonly number[]): number[] =>
    [...demands.keys()].map((number) => product[order.indexOf(number)] ?? 0);
  const goes = (chosen: readonly number[]): boolean => {
    const sums = new Map<string, number>();
    for (const [number, { resources }] of demands.entries())
      for (const [name, amount] of resources) {
        const key = `${chosen[number]} ${name}`;
        sums.set(key, (sums.get(key) ?? 0) + amount);
      }
    for (const [key, sum] of sums) {
      const [slot = "", name = ""] = key.split(" ");
      const column = index.column(name);
      if (sum > (column?.capacity[Number(slot)] ?? 0) - (column?.used[Number(slot)] ?? 0)) return false;
      if (sum > (column?.maxUnit[Number(slot)] ?? 0)) return false;
    }
    const of = (wanted: (suffix: string) => boolean): number[] =>
      chosen.filter((_, number) => wanted(demands[number]?.group.suffix ?? ""));
    const suffixed = of((suffix) => suffix !== "");
    if (request.groupPolicy === "isolate" && new Set(suffixed).size < suffixed.length) return false;
    const together = of((suffix) => suffix === "");
    for (const { suffix, required } of request.groups)
      for (const { anyOf, forbidden } of suffix === "" ? required : [])
        if (!forbidden && !anyOf.some((name) => together.some((slot) => index.withTrait(name).has(slot))))
          return false;
    return request.sameSubtree.every((suffixes) => {
      const slots = of((suffix) => suffixes.includes(suffix));
      return slots.some((top) => slots.every((slot) => isUnder(index, slot, top)));
    });
  };
  return products
    .map(inOrder)
    .filter(goes)
    .map((chosen) => {
      const amounts = chosen.flatMap((slot, number) =>
        [...(demands[number]?.resources ?? [])].map(
          ([name, amount]) => [`${index.at(slot)?.id ?? ""} ${name}`, amount] as const,
        ),
      );
      const groups = chosen.map(
        (slot, number) => [demands[number]?.group.suffix ?? "", index.at(slot)?.id ?? ""] as const,
      );
      return wayText(amounts, groups);
    });
}

/** A way as text: what each provider gives, and which providers serve which group. */
function wayText(
  amounts: readonly (readonly [what: string, amount: number])[],
  groups: readonly (readonly [suffix: string, provider: string])[],
): string {
  const sums = new Map<string, number>();
  for (const [what, amount] of amounts) sums.set(what, (sums.get(what) ?? 0) + amount);
  const given = [...sums].map(([what, amount]) => `${what}=${amount}`).sort();
  const served = [...new Set(groups.map(([suffix, provider]) => `${suffix}:${provider}`))].sort();
  return `${given.join(" ")} | ${served.join(" ")}`;
}

export const candidateText = ({ holdings, mappings }: Candidate): string =>
  wayText(
    holdings.flatMap(({ providerId, resources }) =>
      [...resources].map(([name, amount]) => [`${providerId} ${name}`, amount] as const),
    ),
    [...mappings].flatMap(([suffix, ids]) => ids.map((id) => [suffix, id] as const)),
  );

function isUnder(index: ProviderIndex, slot: number, top: number): boolean {
  for (let at: number | undefined = slot; at !== undefined; at = index.parentOf(at))
    if (at === top) return true;
  return false;
}
