import { ServerSecurityGroup, TrafficDirection } from "../../../gen/kilonova/api/v1/server_details.js";
import type { SecurityGroupRule } from "../../../gen/kilonova/api/v1/server_details.js";
import type { SecurityGroupInfo, SecurityGroupRuleInfo } from "../../clients/neutron/ports.js";
import { fittingRows } from "../../model/page-bytes.js";
import type { SealedPaging } from "../crypto/page-tokens.js";
import { rowsOf } from "../domain/page.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** Whether the caller may know of a group. */
type MayKnow = (group: SecurityGroupInfo) => boolean;

/** Groups of the caller's project and of a further one; administrators may know of all. */
export const whoMayKnow =
  (ctx: Call, alsoOf = ctx.actor.projectId): MayKnow =>
  ({ projectId }) =>
    ctx.rights.isAdmin || projectId === alsoOf || projectId === ctx.actor.projectId;

interface Asked {
  /** All there are that the caller may know of. */
  readonly groups: readonly SecurityGroupInfo[];
  readonly mayKnow: MayKnow;
  readonly pages: SealedPaging;
  readonly pageSize: number;
  readonly pageToken: string;
}

/**
 * A page of security groups by owner and name. The Network service is asked once more for groups that rules
 * name.
 */
export async function pageOfGroups(
  parts: Parts,
  ctx: Call,
  { groups, mayKnow, pages, pageSize, pageToken }: Asked,
): Promise<{ securityGroups: ServerSecurityGroup[]; nextPageToken: string }> {
  const after = pages.open(pageToken);
  const rows = groups
    .map((group) => ({ group, place: placeOf(group) }))
    .filter(({ place }) => place > after)
    .sort((a, b) => (a.place < b.place ? -1 : 1));
  const page = rows.slice(0, rowsOf(pageSize));
  const shown = await presentGroups(
    parts,
    ctx,
    page.map(({ group }) => group),
    mayKnow,
  );
  const fitting = fittingRows(shown, (group) => ServerSecurityGroup.encode(group).finish().length);
  return {
    securityGroups: [...fitting],
    nextPageToken: fitting.length < rows.length ? pages.seal(page[fitting.length - 1]?.place ?? "") : "",
  };
}

/** Groups as they are shown: a group that a rule names has a name there when the caller may know of it. */
export async function presentGroups(
  parts: Parts,
  ctx: Call,
  groups: readonly SecurityGroupInfo[],
  mayKnow: MayKnow,
): Promise<ServerSecurityGroup[]> {
  const remote = await remoteGroups(parts, ctx, groups, mayKnow);
  return groups.map((group) => present(group, remote));
}

/** Owner, name and id: unlike for any two groups. */
const placeOf = ({ projectId, name, id }: SecurityGroupInfo): string => [projectId, name, id].join("\0");

/** Groups whose members the rules of a page let in: those that the caller may know of. */
async function remoteGroups(
  { neutron }: Parts,
  ctx: Call,
  page: readonly SecurityGroupInfo[],
  mayKnow: MayKnow,
): Promise<ReadonlyMap<string, SecurityGroupInfo>> {
  const ids = [
    ...new Set(page.flatMap(({ rules }) => rules.flatMap(({ remoteGroupId }) => remoteGroupId ?? []))),
  ];
  const known = new Map(page.map((group) => [group.id, group]));
  const missing = ids.filter((one) => !known.has(one));
  const more = missing.length === 0 ? [] : await neutron.listSecurityGroups(ctx, { ids: missing });
  return new Map([...known, ...more.filter(mayKnow).map((group) => [group.id, group] as const)]);
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
