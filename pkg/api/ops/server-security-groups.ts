import {
  AddServerSecurityGroupRequest,
  RemoveServerSecurityGroupRequest,
} from "../../../gen/kilonova/api/v1/server_actions.js";
import type {
  AddServerSecurityGroupResponse,
  RemoveServerSecurityGroupResponse,
} from "../../../gen/kilonova/api/v1/server_actions.js";
import type {
  ListServerSecurityGroupsRequest,
  ListServerSecurityGroupsResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import type { PortInfo, SecurityGroupInfo } from "../../clients/neutron/ports.js";
import { isCanonicalUuid, parseUuid } from "../../kernel/index.js";
import type { LoadedServer } from "../cells/servers.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { InterfaceErrors } from "../errors.js";
import { ifFound, portsOf } from "../interfaces/ports-of.js";
import { followPorts } from "../interfaces/refresh.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { pageOfGroups, whoMayKnow } from "../interfaces/security-group-page.js";
import { id, paging } from "../shape/common.js";

/** Lists the security groups of a server's ports, by owner and name. */
export const listServerSecurityGroups = (
  parts: Parts,
): Guarded<ListServerSecurityGroupsRequest, ListServerSecurityGroupsResponse> =>
  guarded({ ...paging, serverId: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const pages = sealedPaging(parts.tokens, ["security-groups", loaded.server.id]);
    const mayKnow = whoMayKnow(ctx, loaded.server.projectId);
    const ids = [
      ...new Set((await portsOf(parts, ctx, loaded)).flatMap(({ securityGroupIds }) => securityGroupIds)),
    ];
    const groups = ids.length === 0 ? [] : await parts.neutron.listSecurityGroups(ctx, { ids });
    return pageOfGroups(parts, ctx, {
      groups: groups.filter(mayKnow),
      mayKnow,
      pages,
      pageSize: request.pageSize,
      pageToken: request.pageToken,
    });
  });

/** Puts a security group on all ports of a server. */
export const addServerSecurityGroup = (
  parts: Parts,
): Guarded<AddServerSecurityGroupRequest, AddServerSecurityGroupResponse> =>
  guarded({ serverId: id, securityGroup: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const group = await groupOf(parts, ctx, request.securityGroup);
    const ports = await requirePorts(parts, ctx, loaded);
    // All or none, as far as can be told before.
    if (ports.some((port) => !takesGroups(port))) throw InterfaceErrors.PORT_SECURITY_DISABLED({});
    for (const { id: portId, securityGroupIds } of ports)
      if (!securityGroupIds.includes(group.id))
        await parts.neutron.updatePort(ctx, portId, { securityGroupIds: [...securityGroupIds, group.id] });
    await followPorts(parts, ctx, loaded.server.id, {
      method: "AddServerSecurityGroup",
      body: AddServerSecurityGroupRequest.encode(request).finish(),
    });
    return {};
  });

/** Takes a security group from all ports of a server. */
export const removeServerSecurityGroup = (
  parts: Parts,
): Guarded<RemoveServerSecurityGroupRequest, RemoveServerSecurityGroupResponse> =>
  guarded({ serverId: id, securityGroup: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const group = await groupOf(parts, ctx, request.securityGroup);
    const ports = await requirePorts(parts, ctx, loaded);
    const having = ports.filter(({ securityGroupIds }) => securityGroupIds.includes(group.id));
    if (having.length === 0)
      throw InterfaceErrors.SECURITY_GROUP_NOT_FOUND({
        why: `Security group ${request.securityGroup} not associated with the instance ${loaded.server.id}`,
      });
    for (const { id: portId, securityGroupIds } of having)
      await parts.neutron.updatePort(ctx, portId, {
        securityGroupIds: securityGroupIds.filter((one) => one !== group.id),
      });
    await followPorts(parts, ctx, loaded.server.id, {
      method: "RemoveServerSecurityGroup",
      body: RemoveServerSecurityGroupRequest.encode(request).finish(),
    });
    return {};
  });

/**
 * By id or by name, of the caller's project; administrators may name those of others by id.
 * @throws SECURITY_GROUP_NOT_FOUND, SECURITY_GROUP_AMBIGUOUS
 */
async function groupOf({ neutron }: Parts, ctx: Call, asked: string): Promise<SecurityGroupInfo> {
  const { projectId } = ctx.actor;
  const own = await neutron.listSecurityGroups(ctx, { projectId });
  const groupId = parseUuid(asked);
  const byId = own.find((group) => group.id === groupId);
  if (byId !== undefined) return byId;
  const [found, ...others] = own.filter((group) => group.name === asked);
  if (others.length > 0) throw InterfaceErrors.SECURITY_GROUP_AMBIGUOUS({ group: asked });
  const foreign =
    found === undefined && ctx.rights.isAdmin && isCanonicalUuid(asked)
      ? await ifFound(neutron.getSecurityGroup(ctx, asked))
      : undefined;
  const group = found ?? foreign;
  if (group === undefined)
    throw InterfaceErrors.SECURITY_GROUP_NOT_FOUND({
      why: `Security group ${asked} is not found for project ${projectId}`,
    });
  return group;
}

async function requirePorts(parts: Parts, ctx: Call, loaded: LoadedServer): Promise<readonly PortInfo[]> {
  const ports = await portsOf(parts, ctx, loaded);
  if (ports.length === 0)
    throw InterfaceErrors.SECURITY_GROUP_NOT_FOUND({
      why: `instance_id ${loaded.server.id} could not be found as device id on any ports`,
    });
  return ports;
}

const takesGroups = ({ portSecurityEnabled, fixedIps, ipAllocation }: PortInfo): boolean =>
  portSecurityEnabled && (fixedIps.length > 0 || ipAllocation === "deferred");
