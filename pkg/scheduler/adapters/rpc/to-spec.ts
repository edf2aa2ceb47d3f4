import type { ServerGroup } from "../../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { ServerSpec } from "../../../../gen/kilonova/type/v1/server_spec.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { canonicalImageProperties } from "../../../model/image-properties.js";
import type { GroupSpec, RequestSpec } from "../../domain/request-spec.js";

export interface WireRequest {
  readonly serverId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly spec: ServerSpec | undefined;
  readonly group: ServerGroup | undefined;
  readonly excludeHosts: readonly string[];
  readonly isRebuild: boolean;
}

/**
 * Reads what is to be placed.
 * @param hostsOf  where servers are, as the views know
 * @throws INVALID_ARGUMENT for a spec without flavor, hints that are no object, and unknown group policies
 */
export function toSpec(
  request: WireRequest,
  hostsOf: (serverIds: Iterable<string>) => Set<string>,
): RequestSpec {
  const { spec } = request;
  if (spec?.flavor === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "spec.flavor", problem: "is required" });
  const { flavor, image } = spec;
  return {
    serverId: request.serverId,
    projectId: request.projectId,
    userId: request.userId,
    flavorName: flavor.name,
    vcpus: flavor.vcpus,
    memoryMib: flavor.memoryMib,
    rootGib: flavor.rootGib,
    ephemeralGib: flavor.ephemeralGib,
    swapMib: flavor.swapMib,
    extraSpecs: flavor.extraSpecs,
    image:
      image === undefined
        ? undefined
        : {
            id: image.id,
            diskFormat: image.diskFormat,
            properties: canonicalImageProperties(image.properties),
          },
    availabilityZone: spec.availabilityZone,
    forcedHost: spec.forcedHost,
    forcedNode: spec.forcedNode,
    requestedHost: spec.requestedHost,
    requestedNode: spec.requestedNode,
    excludedHosts: new Set(request.excludeHosts.map((host) => host.toLowerCase())),
    hints: toHints(spec.schedulerHintsJson),
    group: toGroup(request.group, hostsOf),
    isRebuild: request.isRebuild,
  };
}

function toGroup(
  group: ServerGroup | undefined,
  hostsOf: (serverIds: Iterable<string>) => Set<string>,
): GroupSpec | undefined {
  if (group === undefined) return undefined;
  const policy = POLICIES.find((one) => one === group.policy);
  if (policy === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "group.policy", problem: `unknown policy ${group.policy}` });
  return {
    id: group.id,
    policy,
    maxServerPerHost: group.maxServerPerHost || 1,
    members: new Set(group.memberIds),
    hosts: new Set([...group.memberHosts, ...hostsOf(group.memberIds)]),
  };
}

const POLICIES = ["affinity", "anti-affinity", "soft-affinity", "soft-anti-affinity"] as const;

function toHints(json: string): Map<string, readonly string[]> {
  if (json === "") return new Map();
  const bad = (): Error =>
    CommonErrors.INVALID_ARGUMENT({ field: "spec.scheduler_hints_json", problem: "must be a JSON object" });
  let hints: unknown;
  try {
    hints = JSON.parse(json);
  } catch {
    throw bad();
  }
  if (typeof hints !== "object" || hints === null || Array.isArray(hints)) throw bad();
  return new Map(
    Object.entries(hints).map(([key, value]: [string, unknown]) => [
      key,
      (Array.isArray(value) ? value : [value]).map((one: unknown) =>
        typeof one === "string" ? one : JSON.stringify(one),
      ),
    ]),
  );
}
