import type {
  GetSecurityGroupRequest,
  GetSecurityGroupResponse,
  ListSecurityGroupsRequest,
  ListSecurityGroupsResponse,
} from "../../../gen/kilonova/compat/v1/nova_security_groups_service.js";
import type { SecurityGroupInfo } from "../../clients/neutron/ports.js";
import { parseUuid } from "../../kernel/index.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { InterfaceErrors } from "../errors.js";
import { ifFound } from "../interfaces/ports-of.js";
import { pageOfGroups, presentGroups, whoMayKnow } from "../interfaces/security-group-page.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { id, paging } from "../shape/common.js";

/** Lists security groups of the caller's project, or of all when an administrator asks so. */
export const listSecurityGroups = (
  parts: Parts,
): Guarded<ListSecurityGroupsRequest, ListSecurityGroupsResponse> =>
  guarded({ ...paging }, own, async (ctx, request) => {
    const { projectId } = ctx.actor;
    const all = request.allProjects && ctx.rights.isAdmin;
    const pages = sealedPaging(parts.tokens, ["security-groups", all ? "" : projectId]);
    const mayKnow = whoMayKnow(ctx);
    const groups = await parts.neutron.listSecurityGroups(ctx, all ? {} : { projectId });
    return pageOfGroups(parts, ctx, { ...request, groups: groups.filter(mayKnow), mayKnow, pages });
  });

/** Reads a security group: one of another project is missing, but to administrators. */
export const getSecurityGroup = (parts: Parts): Guarded<GetSecurityGroupRequest, GetSecurityGroupResponse> =>
  guarded(
    { securityGroupId: id },
    async (ctx, { securityGroupId }) => ({ ...own(ctx), group: await groupOf(parts, ctx, securityGroupId) }),
    async (ctx, _request, { group }) => {
      const [securityGroup] = await presentGroups(parts, ctx, [group], whoMayKnow(ctx));
      return { securityGroup };
    },
  );

/** @throws SECURITY_GROUP_ID_NOT_UUID, SECURITY_GROUP_NOT_FOUND */
async function groupOf({ neutron }: Parts, ctx: Call, asked: string): Promise<SecurityGroupInfo> {
  const groupId = parseUuid(asked);
  if (groupId === undefined) throw InterfaceErrors.SECURITY_GROUP_ID_NOT_UUID({});
  const group = await ifFound(neutron.getSecurityGroup(ctx, groupId));
  if (group === undefined || !whoMayKnow(ctx)(group))
    throw InterfaceErrors.SECURITY_GROUP_NOT_FOUND({ why: `Security group ${groupId} could not be found.` });
  return group;
}
