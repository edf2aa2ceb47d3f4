import { RequestPurpose } from "../../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type {
  SelectDestinationsRequest,
  ServerGroup,
} from "../../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { ServerSpec } from "../../../../gen/kilonova/type/v1/server_spec.js";
import { isVolumeBacked } from "../../../model/boot-devices.js";
import { canonicalImageProperties } from "../../../model/image-properties.js";
import { hintsByName, storedHints } from "../../../model/scheduler-hints.js";
import type { MemberOf, TraitRequirement } from "../../../../gen/kilonova/placement/v1/placement_service.js";
import type { Condition } from "../../../placement/index/index.js";
import { keepsSource } from "../../domain/request-spec.js";
import type { GroupSpec, Purpose, RequestSpec } from "../../domain/request-spec.js";

/** What of a request describes the server and where it may go; without a purpose it is a boot's. */
export type WireRequest = Pick<
  SelectDestinationsRequest,
  "serverId" | "projectId" | "userId" | "spec" | "group" | "excludeHosts"
> &
  Partial<SelectDestinationsRequest>;

const PURPOSES: Readonly<Record<RequestPurpose, Purpose>> = {
  [RequestPurpose.REQUEST_PURPOSE_UNSPECIFIED]: "boot",
  [RequestPurpose.REQUEST_PURPOSE_BOOT]: "boot",
  [RequestPurpose.REQUEST_PURPOSE_RESIZE]: "resize",
  [RequestPurpose.REQUEST_PURPOSE_COLD_MIGRATION]: "cold-migration",
  [RequestPurpose.REQUEST_PURPOSE_LIVE_MIGRATION]: "live-migration",
  [RequestPurpose.REQUEST_PURPOSE_EVACUATION]: "evacuation",
  [RequestPurpose.REQUEST_PURPOSE_UNSHELVE]: "unshelve",
  [RequestPurpose.REQUEST_PURPOSE_REBUILD_CHECK]: "rebuild-check",
};

const invalid = (field: string, problem: string): Error => CommonErrors.INVALID_ARGUMENT({ field, problem });

/**
 * Reads what is to be placed.
 * @param hostsOf  where servers are, as the views know
 * @throws INVALID_ARGUMENT for a spec without flavor, unknown purposes and group policies,
 *   request groups that share a suffix, and when what the purpose needs is missing
 */
export function toSpec(
  request: WireRequest,
  hostsOf: (serverIds: Iterable<string>) => Set<string>,
): RequestSpec {
  const { spec } = request;
  if (spec?.flavor === undefined) throw invalid("spec.flavor", "is required");
  const { flavor } = spec;
  const purpose = purposeOf(request);
  return {
    serverId: request.serverId,
    projectId: request.projectId,
    userId: request.userId,
    flavorName: flavor.name,
    vcpus: flavor.vcpus,
    memoryMib: flavor.memoryMib,
    rootGib: isVolumeBacked(spec) ? 0 : flavor.rootGib,
    ephemeralGib: flavor.ephemeralGib,
    swapMib: flavor.swapMib,
    extraSpecs: flavor.extraSpecs,
    image: imageOf(spec),
    availabilityZone: spec.availabilityZone,
    ...wishesOf(request, purpose),
    excludedHosts: new Set(request.excludeHosts.map((host) => host.toLowerCase())),
    hints: hintsByName(storedHints(spec)),
    group: toGroup(request.group, hostsOf),
    purpose,
    source: sourceOf(request, purpose),
    onlyCells: new Set(request.onlyCells),
    exceptCells: new Set(request.exceptCells),
    ...groupsOf(request),
    pciRequests: (request.pciRequests ?? []).map(({ requestId }) => requestId),
  };
}

/**
 * Of a server on a volume the image is only what that volume says of itself: it needs no room on the host.
 */
function imageOf(spec: ServerSpec): RequestSpec["image"] {
  const { image, volumeImageProperties } = spec;
  if (image === undefined && volumeImageProperties.size === 0) return undefined;
  return {
    id: image?.id ?? "",
    diskFormat: isVolumeBacked(spec) ? "" : (image?.diskFormat ?? ""),
    properties: canonicalImageProperties(image?.properties ?? volumeImageProperties),
  };
}

function purposeOf({
  purpose = RequestPurpose.REQUEST_PURPOSE_UNSPECIFIED,
  isRebuild = false,
}: WireRequest): Purpose {
  if (purpose === RequestPurpose.REQUEST_PURPOSE_UNSPECIFIED && isRebuild) return "rebuild-check";
  const known: Purpose | undefined = PURPOSES[purpose];
  if (known === undefined) throw invalid("purpose", `unknown purpose ${purpose}`);
  return known;
}

/**
 * Which host is wanted. What a boot was forced to holds for the boot alone. @source traps.md, workflows 12
 */
function wishesOf(
  { spec, requestedDestination: asked, source }: WireRequest,
  purpose: Purpose,
): Pick<RequestSpec, "forcedHost" | "forcedNode" | "requestedHost" | "requestedNode"> {
  const none = { forcedHost: "", forcedNode: "", requestedHost: "", requestedNode: "" };
  if (purpose === "rebuild-check") {
    const host = source?.host ?? spec?.forcedHost ?? "";
    if (host === "") throw invalid("source.host", "is required");
    return { ...none, forcedHost: host, forcedNode: source === undefined ? (spec?.forcedNode ?? "") : "" };
  }
  if (asked !== undefined)
    return asked.forced
      ? { ...none, forcedHost: asked.host, forcedNode: asked.node }
      : { ...none, requestedHost: asked.host, requestedNode: asked.node };
  if (purpose !== "boot" || spec === undefined) return none;
  const { forcedHost, forcedNode, requestedHost, requestedNode } = spec;
  return { forcedHost, forcedNode, requestedHost, requestedNode };
}

function sourceOf({ source, migrationId = "" }: WireRequest, purpose: Purpose): RequestSpec["source"] {
  if (keepsSource(purpose) && migrationId === "") throw invalid("migration_id", "is required");
  const { cell = "", host = "", computeNodeId = "", allowed = false } = source ?? {};
  if (keepsSource(purpose) || purpose === "evacuation") {
    if (cell === "" || host === "" || computeNodeId === "")
      throw invalid("source", "needs cell, host and compute_node_id");
    return { cell, host, computeNodeId, allowed, hypervisor: undefined };
  }
  return undefined;
}

function groupsOf({
  groups = [],
  groupPolicy = "",
  sameSubtree = [],
}: WireRequest): Pick<RequestSpec, "groups" | "groupPolicy" | "sameSubtree"> {
  if (groupPolicy !== "" && groupPolicy !== "none" && groupPolicy !== "isolate")
    throw invalid("group_policy", `unknown policy ${groupPolicy}`);
  if (groups.some(({ suffix }) => suffix === "")) throw invalid("groups.suffix", "is required");
  return {
    groups: groups.map((group) => ({
      suffix: group.suffix,
      resources: new Map([...group.resources].map(([name, amount]) => [name, Number(amount)])),
      required: toConditions(group.required),
      memberOf: toConditions(group.memberOf),
      inTree: group.inTree,
    })),
    groupPolicy,
    sameSubtree: sameSubtree.map(({ suffixes }) => suffixes),
  };
}

const toConditions = (conditions: readonly (MemberOf | TraitRequirement)[]): Condition[] =>
  conditions.map(({ anyOf, forbidden }) => ({ anyOf, forbidden }));

function toGroup(
  group: ServerGroup | undefined,
  hostsOf: (serverIds: Iterable<string>) => Set<string>,
): GroupSpec | undefined {
  if (group === undefined) return undefined;
  const policy = POLICIES.find((one) => one === group.policy);
  if (policy === undefined) throw invalid("group.policy", `unknown policy ${group.policy}`);
  return {
    id: group.id,
    policy,
    maxServerPerHost: group.maxServerPerHost || 1,
    members: new Set(group.memberIds),
    hosts: new Set([...group.memberHosts, ...hostsOf(group.memberIds)]),
  };
}

const POLICIES = ["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"] as const;
