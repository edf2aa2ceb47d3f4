import { findCandidates, ProviderIndex, Bitset } from "../../placement/index/index.js";
import type { Candidate, CandidateRequest, Holding } from "../../placement/index/index.js";

/**
 * Which providers serve which group of a claim that is held already: placement keeps amounts, not groups. The
 * search runs on what is held alone, as if nothing else were there, so that a host that is full by now does
 * not matter.
 * @param index  all providers, for their trees, traits and aggregates
 * @returns undefined when what is held does not answer the request: either has changed since
 */
export function mappingsOf(
  index: ProviderIndex,
  request: CandidateRequest,
  rootId: string,
  holdings: readonly Holding[],
): Candidate["mappings"] | undefined {
  const ids = holdings.map(({ providerId }) => providerId);
  if (request.groups.every(({ suffix }) => suffix === "")) return new Map([["", ids]]);
  const held = new Map(holdings.map(({ providerId, resources }) => [providerId, resources]));
  const trial = new ProviderIndex();
  const slots = new Set([rootId, ...ids].flatMap((id) => index.slotOf(id) ?? []));
  for (const slot of [...slots].flatMap((one) => index.tree(index.rootOf(one)))) {
    const provider = index.at(slot);
    if (provider === undefined) continue;
    const amounts = held.get(provider.id);
    const inventories = provider.inventories.flatMap((one) => {
      const total = amounts?.get(one.resourceClass) ?? 0;
      return total === 0 ? [] : [{ ...one, total, reserved: 0, allocationRatio: 1, used: 0 }];
    });
    trial.put({ ...provider, inventories });
  }
  const among = Bitset.of([trial.slotOf(rootId) ?? []].flat());
  // What the root must have besides was judged when the claim was made.
  const asked = { ...request, rootRequired: [], limit: 0 };
  return findCandidates(trial, asked, { among }).find((one) => takesAll(one.holdings, held))?.mappings;
}

const takesAll = (taken: readonly Holding[], held: ReadonlyMap<string, Holding["resources"]>): boolean =>
  taken.length === held.size &&
  taken.every(({ providerId, resources }) => {
    const mine = held.get(providerId);
    return (
      mine?.size === resources.size && [...resources].every(([name, amount]) => mine.get(name) === amount)
    );
  });
