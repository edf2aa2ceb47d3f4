import { Bitset } from "./bitset.js";
import { eligibleForGroup, eligibleForUnsuffixed, fitting, meeting } from "./eligible.js";
import type { ProviderIndex } from "./provider-index.js";
import type { CandidateRequest, Condition, RequestGroup } from "./request.js";

/** What demands that cannot be told apart have in common: the same amounts from the same providers. */
export interface DemandKind {
  readonly suffixed: boolean;
  /** Positions in `Plan.classes`, and how much. */
  readonly amounts: readonly (readonly [classNumber: number, amount: number])[];
  readonly eligible: Bitset;
  /** Positions in `Plan.sameSubtree` of those that name such a demand's group. */
  readonly inSubtrees: readonly number[];
}

/** One decision of the search: which provider serves this group, or this class of the unsuffixed one. */
export interface Demand {
  readonly suffix: string;
  /** Position in `Plan.kinds`. */
  readonly kind: number;
}

/** A request as the search sees it, whichever the tree. */
export interface Plan {
  readonly classes: readonly string[];
  readonly kinds: readonly DemandKind[];
  /** In the order of the request. */
  readonly demands: readonly Demand[];
  /** Traits that the providers of the unsuffixed group must have together. */
  readonly collective: readonly Condition[];
  readonly isolate: boolean;
  readonly sameSubtree: CandidateRequest["sameSubtree"];
  /** Providers that share; undefined when there are none, which is the rule. */
  readonly sharing: Bitset | undefined;
}

/** Names each of several things by a small number, the same for equal ones. */
class Numbers {
  readonly #known = new Map<string, number>();
  of(key: string): number {
    const known = this.#known.get(key) ?? this.#known.size;
    this.#known.set(key, known);
    return known;
  }
  names(): string[] {
    return [...this.#known.keys()];
  }
}

/** @returns the plan; yields now and then, so that whoever runs it can let others work */
export function* planOf(index: ProviderIndex, request: CandidateRequest): Generator<void, Plan> {
  const classes = new Numbers(),
    kindNumbers = new Numbers();
  const kinds: DemandKind[] = [];
  const demands: Demand[] = [];
  let collective: readonly Condition[] = [];
  const demand = (
    suffix: string,
    resources: readonly (readonly [string, number])[],
    key: string,
    eligible: () => Bitset,
  ): void => {
    const inSubtrees = request.sameSubtree.flatMap((suffixes, number) =>
      suffixes.includes(suffix) ? [number] : [],
    );
    const kind = kindNumbers.of(JSON.stringify([suffix !== "", key, inSubtrees]));
    if (kind === kinds.length)
      kinds.push({
        suffixed: suffix !== "",
        amounts: resources.map(([name, amount]) => [classes.of(name), amount]),
        eligible: eligible(),
        inSubtrees,
      });
    demands.push({ suffix, kind });
  };
  for (const group of request.groups) {
    yield;
    if (group.suffix !== "") {
      demand(group.suffix, [...group.resources], keyOf(group), () => eligibleForGroup(index, group));
      continue;
    }
    collective = group.required.filter(({ forbidden }) => !forbidden);
    const allowed = eligibleForUnsuffixed(index, group);
    for (const one of group.resources)
      demand("", [one], one.join(" "), () => fitting(index, allowed, new Map([one])));
  }
  return {
    classes: classes.names(),
    kinds,
    demands,
    collective,
    isolate: request.groupPolicy === "isolate",
    sameSubtree: request.sameSubtree,
    sharing: index.sharing().empty ? undefined : index.sharing().clone(),
  };
}

const keyOf = ({ resources, required, memberOf, inTree }: RequestGroup): string =>
  JSON.stringify([[...resources].sort(([a], [b]) => (a < b ? -1 : 1)), required, memberOf, inTree]);

/** Roots whose tree, with what is shared with it, has a provider for each demand. */
export function* anchorsOf(
  index: ProviderIndex,
  { kinds, sharing }: Plan,
  request: CandidateRequest,
): Generator<void, Bitset> {
  let anchors = meeting(index.roots, request.rootRequired, (name) => index.withTrait(name));
  for (const { eligible } of kinds) {
    yield;
    const reachable = new Bitset();
    for (const slot of eligible.toArray()) reachable.add(index.rootOf(slot));
    for (const slot of sharing === undefined ? [] : eligible.clone().and(sharing).toArray()) {
      for (const aggregate of index.at(slot)?.aggregates ?? [])
        for (const member of index.inAggregate(aggregate).toArray()) reachable.add(index.rootOf(member));
    }
    anchors = anchors.and(reachable);
  }
  return anchors;
}

/** Slots that can serve a tree: its own, and those that share with any of its members. */
export function reachOf(index: ProviderIndex, { sharing }: Plan, root: number): readonly number[] {
  const members = index.tree(root);
  if (sharing === undefined) return members;
  const reach = Bitset.of(members);
  for (const slot of members)
    for (const aggregate of index.at(slot)?.aggregates ?? [])
      reach.or(index.inAggregate(aggregate).clone().and(sharing));
  return reach.toArray();
}
