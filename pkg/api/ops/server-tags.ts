import type {
  AddServerTagRequest,
  AddServerTagResponse,
  ClearServerTagsRequest,
  ClearServerTagsResponse,
  GetServerTagRequest,
  GetServerTagResponse,
  ListServerTagsRequest,
  ListServerTagsResponse,
  RemoveServerTagRequest,
  RemoveServerTagResponse,
  ReplaceServerTagsRequest,
  ReplaceServerTagsResponse,
} from "../../../gen/kilonova/api/v1/server_tags_service.js";
import type { TagsChange } from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { RuleName } from "../../policy/index.js";
import type { ChangedServer } from "../cells/update-server.js";
import { LABEL_STATES, changeServer } from "../cells/update-server.js";
import { ApiErrors } from "../errors.js";
import { id, tag } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, list, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

const MAX_TAGS = 50;
/** A tag in a question: what no server can have is simply not there. */
const anyTag = text({ min: 1 });

/** Lists tags, sorted. */
export const listServerTags = (parts: Parts): Unary<ListServerTagsRequest, ListServerTagsResponse> =>
  checked<ListServerTagsRequest, ListServerTagsResponse>({ serverId: id }, async (ctx, { serverId }) => ({
    tags: (await parts.servers.loadFor(ctx, "os_compute_api:os-server-tags:index", serverId)).server.tags,
  }));

/** Succeeds when the server has the tag. */
export const getServerTag = (parts: Parts): Unary<GetServerTagRequest, GetServerTagResponse> =>
  checked<GetServerTagRequest, GetServerTagResponse>({ serverId: id, tag: anyTag }, async (ctx, request) => {
    const { server } = await parts.servers.loadFor(
      ctx,
      "os_compute_api:os-server-tags:show",
      request.serverId,
    );
    if (!server.tags.includes(request.tag))
      throw ApiErrors.TAG_NOT_FOUND({ server: server.id, tag: request.tag });
    return {};
  });

/** Adds one tag. */
export const addServerTag = (parts: Parts): Unary<AddServerTagRequest, AddServerTagResponse> =>
  checked<AddServerTagRequest, AddServerTagResponse>({ serverId: id, tag }, async (ctx, request) => ({
    added: (
      await change(parts, ctx, "os_compute_api:os-server-tags:update", "update tag", request.serverId, {
        add: [request.tag],
      })
    ).changed,
  }));

/** Replaces all tags. */
export const replaceServerTags = (parts: Parts): Unary<ReplaceServerTagsRequest, ReplaceServerTagsResponse> =>
  checked<ReplaceServerTagsRequest, ReplaceServerTagsResponse>(
    { serverId: id, tags: list(tag, MAX_TAGS) },
    async (ctx, { serverId, tags }) => ({
      tags: (
        await change(parts, ctx, "os_compute_api:os-server-tags:update_all", "update tags", serverId, {
          add: tags,
          replaceAll: true,
        })
      ).server.tags,
    }),
  );

/** Removes one tag. */
export const removeServerTag = (parts: Parts): Unary<RemoveServerTagRequest, RemoveServerTagResponse> =>
  checked<RemoveServerTagRequest, RemoveServerTagResponse>(
    { serverId: id, tag: anyTag },
    async (ctx, request) => {
      await change(parts, ctx, "os_compute_api:os-server-tags:delete", "delete tag", request.serverId, {
        remove: [request.tag],
      });
      return {};
    },
  );

/** Removes all tags. */
export const clearServerTags = (parts: Parts): Unary<ClearServerTagsRequest, ClearServerTagsResponse> =>
  checked<ClearServerTagsRequest, ClearServerTagsResponse>({ serverId: id }, async (ctx, { serverId }) => {
    await change(parts, ctx, "os_compute_api:os-server-tags:delete_all", "delete tags", serverId, {
      replaceAll: true,
    });
    return {};
  });

/** Changes tags where the record is. No lock stops it. */
async function change(
  parts: Parts,
  ctx: Ctx,
  rule: RuleName,
  verb: string,
  serverId: string,
  tags: Partial<TagsChange>,
): Promise<ChangedServer> {
  await parts.servers.loadFor(ctx, rule, serverId);
  return changeServer(parts, ctx, serverId, {
    tags: { add: [], remove: [], replaceAll: false, maxTags: MAX_TAGS, ...tags },
    conditions: {
      verb,
      allowedVmStates: LABEL_STATES,
      checkLock: false,
      bypassLock: false,
      mustHaveLaunched: false,
    },
  });
}
