import {
  AddServerSecurityGroupRequest,
  RemoveServerSecurityGroupRequest,
} from "../../../gen/kilonova/api/v1/server_actions.js";
import type {
  AddServerSecurityGroupResponse,
  RemoveServerSecurityGroupResponse,
} from "../../../gen/kilonova/api/v1/server_actions.js";
import { ServerSecurityGroup, TrafficDirection } from "../../../gen/kilonova/api/v1/server_details.js";
import type {
  ListServerSecurityGroupsRequest,
  ListServerSecurityGroupsResponse,
  SecurityGroupRule,
} from "../../../gen/kilonova/api/v1/server_details.js";
import type { PortInfo, SecurityGroupInfo, SecurityGroupRuleInfo } from "../../clients/neutron/ports.js";
import { isCanonicalUuid, parseUuid } from "../../kernel/index.js";
import type { LoadedServer } from "../cells/servers.js";
import { fittingRows } from "../../model/page-bytes.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { rowsOf } from "../domain/page.js";
import { InterfaceErrors } from "../errors.js";
import { ifFound, portsOf } from "../interfaces/ports-of.js";
import { followPorts } from "../interfaces/refresh.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { id, paging } from "../shape/common.js";

/** Lists the security groups of a server's ports, by owner and name. */
export const listServerSecurityGroups = (
  parts: Parts,
): Guarded<ListServerSecurityGroupsRequest, ListServerSecurityGroupsResponse> =>
  guarded({ ...paging, serverId: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const pages = sealedPaging(parts.tokens, ["security-groups", loaded.server.id]);
    const after = pages.open(request.pageToken);
    const ids = [
      ...new Set((await portsOf(parts, ctx, loaded)).flatMap(({ securityGroupIds }) => securityGroupIds)),
    ];
    const groups = ids.length === 0 ? [] : await parts.neutron.listSecurityGroups(ctx, { ids });
    const rows = groups
      .filter((group) => isVisible(ctx, group, loaded))
      .map((group) => ({ group, place: placeOf(group) }))
      .filter(({ place }) => place > after)
      .sort((a, b) => (a.place < b.place ? -1 : 1));
    const page = rows.slice(0, rowsOf(request.pageSize));
    const remote = await remoteGroups(parts, ctx, page, loaded);
    const shown = page.map(({ group, place }) => ({ group: present(group, remote), place }));
    const fitting = fittingRows(shown, ({ group }) => ServerSecurityGroup.encode(group).finish().length);
    return {
      securityGroups: fitting.map(({ group }) => group),
      nextPageToken: fitting.length < rows.length ? pages.seal(fitting.at(-1)?.place ?? "") : "",
    };
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

const isVisible = (ctx: Call, { projectId }: SecurityGroupInfo, { server }: LoadedServer): boolean =>
  ctx.rights.isAdmin || projectId === server.projectId || projectId === ctx.actor.projectId;

/** Owner, name and id: unlike for any two groups. */
const placeOf = ({ projectId, name, id: groupId }: SecurityGroupInfo): string =>
  [projectId, name, groupId].join("\0");

/** Groups whose members the rules of a page let in: those that the caller may know of. */
async function remoteGroups(
  { neutron }: Parts,
  ctx: Call,
  page: readonly { readonly group: SecurityGroupInfo }[],
  loaded: LoadedServer,
): Promise<ReadonlyMap<string, SecurityGroupInfo>> {
  const ids = [
    ...new Set(page.flatMap(({ group }) => group.rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? []))),
  ];
  const known = new Map(page.map(({ group }) => [group.id, group]));
  const missing = ids.filter((one) => !known.has(one));
  const more = missing.length === 0 ? [] : await neutron.listSecurityGroups(ctx, { ids: missing });
  const visible = more.filter((group) => isVisible(ctx, group, loaded));
  return new Map([...known, ...visible.map((group) => [group.id, group] as const)]);
}

const present = (
  group: SecurityGroupInfo,
  remote: ReadonlyMap<string, SecurityGroupInfo>,
): ServerSecurityGroup => ({
  id: group.id,
  name: group.name,
  description: group.description,
  projectId: group.projectId,
  rules: group.rules.map((rule) => presentRule(rule, remote)),
});

function presentRule(
  rule: SecurityGroupRuleInfo,
  remote: ReadonlyMap<string, SecurityGroupInfo>,
): SecurityGroupRule {
  const { id: ruleId, direction, protocol, portRangeMin, portRangeMax } = rule;
  const from = rule.remoteGroupId === undefined ? undefined : remote.get(rule.remoteGroupId);
  return {
    id: ruleId,
    direction:
      direction === "ingress"
        ? TrafficDirection.TRAFFIC_DIRECTION_INGRESS
        : TrafficDirection.TRAFFIC_DIRECTION_EGRESS,
    protocol,
    portMin: portRangeMin,
    portMax: portRangeMax,
    remoteCidr: rule.remoteIpPrefix,
    remoteGroupId: rule.remoteGroupId,
    remoteGroupName: from?.name,
    remoteGroupProjectId: from?.projectId,
  };
}
