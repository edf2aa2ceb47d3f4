import type {
  AllocationCandidate,
  ListAllocationCandidatesRequest,
  ResourceProvider,
} from "../../../gen/kilonova/placement/v1/placement_service.js";
import type { Call, Route } from "../call.js";
import { RestErrors } from "../errors.js";
import { counted, firstOf, parseMembersOf, parseRequired, parseResources, parseUuidParam } from "../query.js";
import type { ConditionMessage } from "../query.js";
import type { Query } from "../../platform/http/index.js";
import { newest } from "../views/providers.js";

interface Group {
  suffix: string;
  resources: Map<string, bigint>;
  required: ConditionMessage[];
  memberOf: ConditionMessage[];
  inTree: string;
}

/** Keys that a group may have, and the minor versions from which they are known. */
const GROUP_KEYS = [
  ["resources", 10],
  ["required", 17],
  ["member_of", 21],
  ["in_tree", 31],
] as const;
const OTHER_KEYS: Readonly<Record<string, number>> = {
  limit: 16,
  group_policy: 25,
  root_required: 35,
  same_subtree: 36,
};

/** Beyond what any answer holds. */
const MAX_LIMIT = 2_147_483_647;

const suffixPattern = (minor: number): string =>
  minor < 25 ? "" : minor < 33 ? "(?:[1-9][0-9]*)?" : "[A-Za-z0-9_-]{0,64}";

/** Reads the whole query. @throws QUERY_* */
function parseCandidatesQuery(
  query: Query,
  minor: number,
): { groups: Group[] } & Pick<ListAllocationCandidatesRequest, "groupPolicy" | "limit"> & {
    rootRequired: ConditionMessage[];
    sameSubtree: { suffixes: string[] }[];
  } {
  const groups = new Map<string, Group>();
  const key = new RegExp(
    `^(${GROUP_KEYS.filter(([, since]) => minor >= since)
      .map(([name]) => name)
      .join("|")})(${suffixPattern(minor)})$`,
  );
  for (const [name, values] of query) {
    const since = Object.hasOwn(OTHER_KEYS, name) ? OTHER_KEYS[name] : undefined;
    if (since !== undefined && minor >= since) continue;
    const match = key.exec(name);
    if (match?.[1] === undefined) throw RestErrors.QUERY_INVALID({ problem: `'${name}' was unexpected` });
    const suffix = match[2] ?? "";
    let group = groups.get(suffix);
    if (group === undefined)
      groups.set(suffix, (group = { suffix, resources: new Map(), required: [], memberOf: [], inTree: "" }));
    readGroupKey(group, match[1], values, minor);
  }
  const sameSubtree = (query.get("same_subtree") ?? []).map((text) => ({ suffixes: suffixesIn(text) }));
  assertResources(
    [...groups.values()],
    sameSubtree.flatMap(({ suffixes }) => suffixes),
    minor,
  );
  return {
    groups: [...groups.values()],
    sameSubtree,
    groupPolicy: policyIn(query),
    limit: limitIn(query),
    rootRequired: rootIn(query, minor),
  };
}

function readGroupKey(group: Group, key: string, values: readonly string[], minor: number): void {
  switch (key) {
    case "resources":
      group.resources = parseResources(values.at(-1) ?? "");
      break;
    case "required":
      group.required = counted(values, minor >= 39).flatMap((text) =>
        parseRequired(text, minor, { forbidden: minor >= 22, anyOf: true }),
      );
      break;
    case "member_of":
      group.memberOf = parseMembersOf(`${key}${group.suffix}`, values, minor);
      break;
    default:
      group.inTree = parseUuidParam(key, values.at(-1) ?? "");
  }
}

function assertResources(groups: readonly Group[], inSubtree: readonly string[], minor: number): void {
  if (!groups.some(({ resources }) => resources.size > 0)) {
    const problem = "There must be at least one resources or resources[$S] parameter.";
    throw minor >= 36 ? RestErrors.QUERY_MISSING({ problem }) : RestErrors.QUERY_INVALID({ problem });
  }
  for (const { suffix, resources } of groups) {
    if (resources.size > 0 || (minor >= 36 && inSubtree.includes(suffix))) continue;
    throw RestErrors.QUERY_INVALID({
      problem: `All request groups must specify resources, but group "${suffix}" does not.`,
    });
  }
}

/** One `same_subtree`: suffixes, blanks around them do not count. */
function suffixesIn(text: string): string[] {
  const suffixes = new Set(text.split(",").map((suffix) => suffix.trim()));
  if (suffixes.has(""))
    throw RestErrors.QUERY_BAD_VALUE({
      problem: "Empty string (unsuffixed group) can not be specified in `same_subtree`",
    });
  return [...suffixes];
}

/** "" when there is none. The first one counts. */
const policyIn = (query: Query): string =>
  firstOf(query.get("group_policy") ?? [], (policy) => {
    if (policy === "none" || policy === "isolate") return policy;
    throw RestErrors.QUERY_INVALID({ problem: `'${policy}' is not one of ['none', 'isolate']` });
  }) ?? "";

/** 0 when there is none. The first one counts. */
const limitIn = (query: Query): number =>
  firstOf(query.get("limit") ?? [], (limit) => {
    if (!/^[1-9]\d*$/.test(limit))
      throw RestErrors.QUERY_INVALID({ problem: "limit must be a positive integer" });
    return Math.min(Number(limit), MAX_LIMIT);
  }) ?? 0;

function rootIn(query: Query, minor: number): ConditionMessage[] {
  const values = query.get("root_required") ?? [];
  if (values.length > 1) throw RestErrors.QUERY_DUPLICATE({ key: "root_required" });
  return values.flatMap((text) => parseRequired(text, minor, { forbidden: true, anyOf: false }));
}

const amounts = (resources: ReadonlyMap<string, bigint>): Record<string, number> =>
  Object.fromEntries([...resources].map(([name, amount]) => [name, Number(amount)]));

/** Below 1.29 a candidate never used two providers of one tree. */
function knownBefore29({ allocations }: AllocationCandidate, roots: ReadonlyMap<string, string>): boolean {
  const used = allocations.map(({ providerId }) => roots.get(providerId) ?? providerId);
  return new Set(used).size === used.length;
}

const candidateView = ({ allocations, mappings }: AllocationCandidate, minor: number): unknown => ({
  allocations:
    minor >= 12
      ? Object.fromEntries(allocations.map((one) => [one.providerId, { resources: amounts(one.resources) }]))
      : allocations.map((one) => ({
          resource_provider: { uuid: one.providerId },
          resources: amounts(one.resources),
        })),
  ...(minor >= 34
    ? { mappings: Object.fromEntries([...mappings].map(([suffix, { ids }]) => [suffix, ids])) }
    : {}),
});

/** @param asked  classes of the request: below 1.27 only those are shown */
function summaryView(one: ResourceProvider, minor: number, asked: ReadonlySet<string>): unknown {
  const shown = one.inventories.filter(({ resourceClass }) => minor >= 27 || asked.has(resourceClass));
  const capacity = (inventory: (typeof shown)[number]): number =>
    Math.trunc(Number(inventory.total - inventory.reserved) * inventory.allocationRatio);
  return {
    resources: Object.fromEntries(
      shown.map((inventory) => [
        inventory.resourceClass,
        { capacity: capacity(inventory), used: Number(inventory.used) },
      ]),
    ),
    ...(minor >= 17 ? { traits: one.traits } : {}),
    ...(minor >= 29
      ? { parent_provider_uuid: one.parentId === "" ? null : one.parentId, root_provider_uuid: one.rootId }
      : {}),
  };
}

async function listCandidates({ ctx, placement, query, minor }: Call) {
  const request = parseCandidatesQuery(query, minor);
  const { candidates, summaries } = await placement.listAllocationCandidates(ctx, request);
  const roots = new Map(summaries.map((one) => [one.id, one.rootId]));
  const shown = minor >= 29 ? candidates : candidates.filter((one) => knownBefore29(one, roots));
  const used = new Set(shown.flatMap(({ allocations }) => allocations.map(({ providerId }) => providerId)));
  const summarized = minor >= 29 ? summaries : summaries.filter(({ id }) => used.has(id));
  const asked = new Set(request.groups.flatMap(({ resources }) => [...resources.keys()]));
  return {
    status: 200,
    modified: newest(summarized),
    json: {
      allocation_requests: shown.map((one) => candidateView(one, minor)),
      provider_summaries: Object.fromEntries(
        summarized.map((one) => [one.id, summaryView(one, minor, asked)]),
      ),
    },
  };
}

export const candidateRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/allocation_candidates",
    since: 10,
    policy: "admin-or-service",
    handler: listCandidates,
  },
];
