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
import { ownerOf } from "../cells/servers.js";
import { rowsOf } from "../domain/page.js";
import { bodyHash } from "../crypto/hashes.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import { ApiErrors } from "../errors.js";
import { clientToken, id, name, pageSize, pageToken } from "../shape/common.js";
import type { About, Guarded, Subject } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { number, oneOf, optional } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Makes a group for the caller's project. */
export const createServerGroup = (
  parts: Parts,
): Guarded<CreateServerGroupRequest, CreateServerGroupResponse> =>
  guarded(
    {
      clientToken,
      name,
      policy: oneOf(ServerGroupPolicy, { unset: false }),
      maxServerPerHost: optional(number({ min: 1 })),
    },
    own,
    async (ctx, request) => {
      const { projectId, userId } = ctx.actor;
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

/** What calls are about that name a group. @throws SERVER_GROUP_NOT_FOUND */
const theGroup =
  (
    parts: Parts,
  ): About<{ readonly serverGroupId: string }, Subject & { readonly serverGroup: ServerGroup }> =>
  async (ctx, { serverGroupId }) => {
    const projectId = parts.servers.scope(ctx);
    const { serverGroup } = await parts.groups.getStoredServerGroup(ctx, { serverGroupId, projectId });
    if (serverGroup === undefined) throw ApiErrors.SERVER_GROUP_NOT_FOUND({ group: serverGroupId });
    return { serverGroup, owner: ownerOf(serverGroup) };
  };

/** Reads a group. */
export const getServerGroup = (parts: Parts): Guarded<GetServerGroupRequest, GetServerGroupResponse> =>
  guarded({ serverGroupId: id }, theGroup(parts), async (_ctx, _request, { serverGroup }) => ({
    serverGroup,
  }));

/** Lists groups, oldest first. */
export const listServerGroups = (parts: Parts): Guarded<ListServerGroupsRequest, ListServerGroupsResponse> =>
  guarded({ pageSize, pageToken }, own, async (ctx, request) => {
    const { projectId } = ctx.actor;
    if (request.allProjects) ctx.rights.enforce("os_compute_api:os-server-groups:index:all_projects");
    const binding = JSON.stringify(["server-groups", request.allProjects, projectId]);
    const [after = ""] =
      request.pageToken === "" ? [] : decodePageToken(parts.tokens, binding, request.pageToken);
    const page = await parts.groups.listStoredServerGroups(ctx, {
      projectId: request.allProjects ? "" : projectId || "(none)",
      pageSize: rowsOf(request.pageSize),
      pageToken: after,
      skip: ctx.nova.skip,
    });
    return {
      serverGroups: page.serverGroups,
      nextPageToken:
        page.nextPageToken === "" ? "" : encodePageToken(parts.tokens, binding, [page.nextPageToken]),
    };
  });

/** Deletes a group; its servers stay. */
export const deleteServerGroup = (
  parts: Parts,
): Guarded<DeleteServerGroupRequest, DeleteServerGroupResponse> =>
  guarded({ serverGroupId: id }, theGroup(parts), async (ctx, { serverGroupId }) => {
    return parts.groups.deleteStoredServerGroup(ctx, {
      serverGroupId,
      projectId: parts.servers.scope(ctx),
    });
  });
