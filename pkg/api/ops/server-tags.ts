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
import type { ChangedServer } from "../cells/update-server.js";
import { LABEL_STATES, changeServer } from "../cells/update-server.js";
import { ApiErrors } from "../errors.js";
import { id, tag } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { list, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

const MAX_TAGS = 50;
/** A tag in a question: what no server can have is simply not there. */
const anyTag = text({ min: 1 });

/** Lists tags, sorted. */
export const listServerTags = (parts: Parts): Guarded<ListServerTagsRequest, ListServerTagsResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (_ctx, _request, { server }) => ({
    tags: server.tags,
  }));

/** Succeeds when the server has the tag. */
export const getServerTag = (parts: Parts): Guarded<GetServerTagRequest, GetServerTagResponse> =>
  guarded({ serverId: id, tag: anyTag }, parts.servers.about(), async (_ctx, request, { server }) => {
    if (!server.tags.includes(request.tag))
      throw ApiErrors.TAG_NOT_FOUND({ server: server.id, tag: request.tag });
    return {};
  });

/** Adds one tag. */
export const addServerTag = (parts: Parts): Guarded<AddServerTagRequest, AddServerTagResponse> =>
  guarded({ serverId: id, tag }, parts.servers.about(), async (ctx, request) => ({
    added: (await change(parts, ctx, "update tag", request.serverId, { add: [request.tag] })).changed,
  }));

/** Replaces all tags. */
export const replaceServerTags = (
  parts: Parts,
): Guarded<ReplaceServerTagsRequest, ReplaceServerTagsResponse> =>
  guarded(
    { serverId: id, tags: list(tag, MAX_TAGS) },
    parts.servers.about(),
    async (ctx, { serverId, tags }) => ({
      tags: (await change(parts, ctx, "update tags", serverId, { add: tags, replaceAll: true })).server.tags,
    }),
  );

/** Removes one tag. */
export const removeServerTag = (parts: Parts): Guarded<RemoveServerTagRequest, RemoveServerTagResponse> =>
  guarded({ serverId: id, tag: anyTag }, parts.servers.about(), async (ctx, request) => {
    await change(parts, ctx, "delete tag", request.serverId, { remove: [request.tag] });
    return {};
  });

/** Removes all tags. */
export const clearServerTags = (parts: Parts): Guarded<ClearServerTagsRequest, ClearServerTagsResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (ctx, { serverId }) => {
    await change(parts, ctx, "delete tags", serverId, { replaceAll: true });
    return {};
  });

/** Changes tags where the record is. No lock stops it. */
function change(
  parts: Parts,
  ctx: Call,
  verb: string,
  serverId: string,
  tags: Partial<TagsChange>,
): Promise<ChangedServer> {
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
