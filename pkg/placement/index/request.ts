import { E } from "../errors.js";
import type { Amounts, Holding } from "../domain/model.js";

/** Has at least one of the names; or, forbidden, none of them. Several conditions are ANDed. */
export interface Condition {
  readonly anyOf: readonly string[];
  readonly forbidden: boolean;
}

export interface RequestGroup {
  /** "" for the group whose classes may come from different providers of a tree. */
  readonly suffix: string;
  readonly resources: Amounts;
  readonly required: readonly Condition[];
  readonly memberOf: readonly Condition[];
  /** "" or a provider whose tree the group is bound to. */
  readonly inTree: string;
}

export interface CandidateRequest {
  readonly groups: readonly RequestGroup[];
  /** "" only with fewer than two suffixed groups. */
  readonly groupPolicy: "" | "none" | "isolate";
  readonly rootRequired: readonly Condition[];
  /** Each list: suffixes of groups of which one provider must be an ancestor, or the same, of all others. */
  readonly sameSubtree: readonly (readonly string[])[];
  /** 0 for no limit. */
  readonly limit: number;
}

/** One way in which a request fits. */
export interface Candidate {
  /** Root of the tree that was searched; resources of sharing providers may come from elsewhere. */
  readonly rootId: string;
  readonly holdings: readonly Holding[];
  /** Providers by group suffix. */
  readonly mappings: ReadonlyMap<string, readonly string[]>;
}

/** @throws CANDIDATES_INVALID for what no provider could ever satisfy or what is contradictory */
export function assertRequest(request: CandidateRequest): void {
  const { groups, groupPolicy, sameSubtree } = request;
  const bad = (problem: string): Error => E.CANDIDATES_INVALID({ problem });
  const suffixed = groups.filter(({ suffix }) => suffix !== "");
  if (!groups.some(({ resources }) => resources.size > 0))
    throw bad("at least one group must ask for resources.");
  if (suffixed.length > 1 && groupPolicy === "")
    throw bad('the "group_policy" parameter is required when specifying more than one numbered group.');
  const suffixes = new Set(suffixed.map(({ suffix }) => suffix));
  if (suffixes.size < suffixed.length) throw bad("a group occurs twice.");
  const inSubtree = new Set(sameSubtree.flat());
  for (const suffix of inSubtree)
    if (!suffixes.has(suffix)) throw bad(`same_subtree names the unknown group "${suffix}".`);
  for (const { suffix, resources } of groups) {
    if (resources.size === 0 && !inSubtree.has(suffix))
      throw bad(`group "${suffix}" asks for no resources and is in no same_subtree.`);
  }
  for (const conditions of [...groups.map(({ required }) => required), request.rootRequired])
    assertNoContradiction(conditions);
}

function assertNoContradiction(conditions: readonly Condition[]): void {
  const forbidden = new Set(conditions.filter((one) => one.forbidden).flatMap(({ anyOf }) => anyOf));
  const impossible = conditions.find(
    (one) => !one.forbidden && one.anyOf.length > 0 && one.anyOf.every((name) => forbidden.has(name)),
  );
  if (impossible !== undefined)
    throw E.CANDIDATES_INVALID({
      problem: `conflicting required and forbidden traits: ${impossible.anyOf.join(", ")}.`,
    });
}
