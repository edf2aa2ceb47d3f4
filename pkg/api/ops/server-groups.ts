import type {
  CreateServerGroupResponse,
  DeleteServerGroupRequest,
  DeleteServerGroupResponse,
  GetServerGroupRequest,
  GetServerGroupResponse,
  ListServerGroupsRequest,
  ListServerGroupsResponse,
  ServerGroup,
} from "../../../gen/kilonova/api/v1/server_groups_service.js";
import {
  CreateServerGroupRequest,
  ServerGroupPolicy,
} from "../../../gen/kilonova/api/v1/server_groups_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { RuleName } from "../../policy/index.js";
import { bodyHash } from "../crypto/hashes.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import { ApiErrors } from "../errors.js";
import { clientToken, id, name, pageSize, pageToken } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, number, oneOf, optional } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Makes a group for the caller's project. */
export const createServerGroup = (parts: Parts): Unary<CreateServerGroupRequest, CreateServerGroupResponse> =>
  checked<CreateServerGroupRequest, CreateServerGroupResponse>(
    {
      clientToken,
      name,
      policy: oneOf(ServerGroupPolicy, { unset: false }),
      maxServerPerHost: optional(number({ min: 1 })),
    },
    async (ctx, request) => {
      const { projectId, userId } = ctx.actor;
      parts.policy.enforce(ctx.actor, "os_compute_api:os-server-groups:create", {
        project_id: projectId,
        user_id: userId,
      });
      if (projectId === "") throw ApiErrors.NOT_AUTHORIZED({ what: "A token of a project is needed." });
      if (
        request.maxServerPerHost !== undefined &&
        request.policy !== ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY
      )
        throw ApiErrors.RULES_NEED_ANTI_AFFINITY({});
      const hash = bodyHash(CreateServerGroupRequest.encode({ ...request, clientToken: "" }).finish());
      return parts.groups.createStoredServerGroup(ctx, {
        serverGroup: {
          id: parts.ids.uuid(),
          name: request.name,
          policy: request.policy,
          maxServerPerHost: request.maxServerPerHost,
          memberIds: [],
          projectId,
          userId,
        },
        once: { clientToken: request.clientToken, bodyHash: Buffer.from(hash), method: "CreateServerGroup" },
      });
    },
  );

/** Reads a group. */
export const getServerGroup = (parts: Parts): Unary<GetServerGroupRequest, GetServerGroupResponse> =>
  checked<GetServerGroupRequest, GetServerGroupResponse>(
    { serverGroupId: id },
    async (ctx, { serverGroupId }) => ({
      serverGroup: await readServerGroup(parts, ctx, serverGroupId, "os_compute_api:os-server-groups:show"),
    }),
  );

/** Lists groups, oldest first. */
export const listServerGroups = (parts: Parts): Unary<ListServerGroupsRequest, ListServerGroupsResponse> =>
  checked<ListServerGroupsRequest, ListServerGroupsResponse>(
    { pageSize, pageToken },
    async (ctx, request) => {
      const { projectId, userId } = ctx.actor;
      parts.policy.enforce(ctx.actor, "os_compute_api:os-server-groups:index", {
        project_id: projectId,
        user_id: userId,
      });
      if (request.allProjects)
        parts.policy.enforce(ctx.actor, "os_compute_api:os-server-groups:index:all_projects");
      const binding = JSON.stringify(["server-groups", request.allProjects, projectId]);
      const [after = ""] =
        request.pageToken === "" ? [] : decodePageToken(parts.tokens, binding, request.pageToken);
      const page = await parts.groups.listStoredServerGroups(ctx, {
        projectId: request.allProjects ? "" : projectId || "(none)",
        pageSize: request.pageSize,
        pageToken: after,
        skip: request.skip,
      });
      return {
        serverGroups: page.serverGroups,
        nextPageToken:
          page.nextPageToken === "" ? "" : encodePageToken(parts.tokens, binding, [page.nextPageToken]),
      };
    },
  );

/** Deletes a group; its servers stay. */
export const deleteServerGroup = (parts: Parts): Unary<DeleteServerGroupRequest, DeleteServerGroupResponse> =>
  checked<DeleteServerGroupRequest, DeleteServerGroupResponse>(
    { serverGroupId: id },
    async (ctx, { serverGroupId }) => {
      await readServerGroup(parts, ctx, serverGroupId, "os_compute_api:os-server-groups:delete");
      return parts.groups.deleteStoredServerGroup(ctx, {
        serverGroupId,
        projectId: parts.servers.scope(ctx),
      });
    },
  );

/**
 * Reads a group that the caller may see, and asks a rule about its owner. @throws SERVER_GROUP_NOT_FOUND,
 * FORBIDDEN
 */
async function readServerGroup(
  parts: Parts,
  ctx: Ctx,
  serverGroupId: string,
  rule: RuleName,
): Promise<ServerGroup> {
  const { serverGroup } = await parts.groups.getStoredServerGroup(ctx, {
    serverGroupId,
    projectId: parts.servers.scope(ctx),
  });
  if (serverGroup === undefined) throw ApiErrors.SERVER_GROUP_NOT_FOUND({ group: serverGroupId });
  parts.policy.enforce(ctx.actor, rule, { project_id: serverGroup.projectId, user_id: serverGroup.userId });
  return serverGroup;
}
