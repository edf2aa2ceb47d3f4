import type { Amounts, ProviderDetails } from "../domain/model.js";
import { fitting, inBounds, meeting } from "./eligible.js";
import type { ProviderIndex } from "./provider-index.js";
import type { Condition } from "./request.js";

/** Conditions on single providers; all hold. */
export interface ProviderQuery {
  readonly id: string;
  readonly name: string;
  readonly inTree: string;
  readonly memberOf: readonly Condition[];
  readonly resources: Amounts;
  readonly required: readonly Condition[];
}

/**
 * Providers that meet a query each by itself, by name. Unlike in candidates, aggregates of the root do not
 * count.
 */
export function selectProviders(index: ProviderIndex, query: ProviderQuery): ProviderDetails[] {
  const inAggregates = meeting(inBounds(index, query.inTree), query.memberOf, (name) =>
    index.inAggregate(name),
  );
  const withTraits = meeting(inAggregates, query.required, (name) => index.withTrait(name));
  return fitting(index, withTraits, query.resources)
    .toArray()
    .flatMap((slot) => index.at(slot) ?? [])
    .filter(
      (one) => (query.id === "" || one.id === query.id) && (query.name === "" || one.name === query.name),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
