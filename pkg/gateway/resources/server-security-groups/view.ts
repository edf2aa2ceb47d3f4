import type {
  SecurityGroupRule,
  ServerSecurityGroup,
} from "../../../../gen/kilonova/api/v1/server_details.js";
import { TrafficDirection } from "../../../../gen/kilonova/api/v1/server_details.js";
import type { Json, JsonObject } from "../../http/json.js";

/** A security group as Nova shows it: rules for what comes in, and no others. */
export const shownGroup = (group: ServerSecurityGroup): JsonObject => ({
  id: group.id,
  name: group.name,
  description: group.description,
  tenant_id: group.projectId,
  rules: group.rules
    .filter(({ direction }) => direction === TrafficDirection.TRAFFIC_DIRECTION_INGRESS)
    // Its group has just been deleted.
    .filter(
      ({ remoteGroupId, remoteGroupName }) => remoteGroupId === undefined || remoteGroupName !== undefined,
    )
    .map((rule) => shownRule(rule, group.id)),
});

function shownRule(rule: SecurityGroupRule, groupId: string): JsonObject {
  const [from, to] = portsOf(rule);
  const isOfGroup = rule.remoteGroupId !== undefined;
  return {
    id: rule.id,
    parent_group_id: groupId,
    ip_protocol: rule.protocol ?? null,
    from_port: from,
    to_port: to,
    group: isOfGroup ? { name: rule.remoteGroupName ?? "", tenant_id: rule.remoteGroupProjectId ?? "" } : {},
    ip_range: isOfGroup ? {} : { cidr: rule.remoteCidr ?? "0.0.0.0/0" },
  };
}

/** All ports are a range to Nova, and all types of ICMP are -1. */
function portsOf({ protocol, portMin, portMax }: SecurityGroupRule): readonly [Json, Json] {
  if (protocol === undefined || portMin !== undefined || portMax !== undefined)
    return [portMin ?? null, portMax ?? null];
  return ["TCP", "UDP"].includes(protocol.toUpperCase()) ? [1, 65_535] : [-1, -1];
}
