import type { AllocationRow, LedgerDiff } from "./ledger-types.js";
import type { ProviderState } from "./ledger-fit.js";
import type { Consumer } from "./model.js";

/** Usages of a provider that are not what they were when it was read. */
export function usagesOf(
  providerId: string,
  providers: ReadonlyMap<string, ProviderState>,
): LedgerDiff["usages"] {
  const state = providers.get(providerId);
  if (state === undefined) return [];
  return [...state.used]
    .filter(([resourceClass, used]) => state.inventories.get(resourceClass)?.used !== used)
    .map(([resourceClass, used]) => ({ providerId, resourceClass, used }));
}

/** What changed of consumers, down to the single amount. */
export function consumerDiff(
  before: ReadonlyMap<string, Consumer>,
  now: ReadonlyMap<string, Consumer>,
): Pick<LedgerDiff, "consumers" | "removedConsumers" | "allocations" | "removedAllocations"> {
  const changed = [...now.values()].filter((one) => before.get(one.consumerId) !== one);
  const removedConsumers = [...before.keys()].filter((id) => !now.has(id));
  const allocations: AllocationRow[] = [];
  const removedAllocations: Omit<AllocationRow, "amount">[] = [];
  for (const consumerId of [...changed.map((one) => one.consumerId), ...removedConsumers]) {
    const was = rowsOf(consumerId, before.get(consumerId)),
      is = rowsOf(consumerId, now.get(consumerId));
    for (const [key, row] of is) if (was.get(key)?.amount !== row.amount) allocations.push(row);
    for (const [key, { providerId, resourceClass }] of was)
      if (!is.has(key)) removedAllocations.push({ consumerId, providerId, resourceClass });
  }
  return { consumers: changed, removedConsumers, allocations, removedAllocations };
}

const rowsOf = (consumerId: string, consumer: Consumer | undefined): Map<string, AllocationRow> =>
  new Map(
    (consumer?.holdings ?? []).flatMap(({ providerId, resources }) =>
      [...resources].map(
        ([resourceClass, amount]) =>
          [`${providerId} ${resourceClass}`, { consumerId, providerId, resourceClass, amount }] as const,
      ),
    ),
  );
