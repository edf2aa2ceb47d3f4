import type {
  ListInstanceActionsRequest,
  ListInstanceActionsResponse,
} from "../../../gen/kilonova/api/v1/limits_service.js";
import { ownerOf } from "../cells/servers.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { id, paging } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Lists what was done to a server, newest first; also to a deleted one. */
export const listInstanceActions = (
  parts: Parts,
): Unary<ListInstanceActionsRequest, ListInstanceActionsResponse> =>
  checked<ListInstanceActionsRequest, ListInstanceActionsResponse>(
    { ...paging, serverId: id },
    async (ctx, request) => {
      const { server } = await parts.servers.load(ctx, request.serverId, { withDeleted: true });
      parts.policy.enforce(ctx.actor, "os_compute_api:os-instance-actions:list", ownerOf(server));
      const pages = sealedPaging(parts.tokens, ["actions", server.id]);
      const pageToken = pages.open(request.pageToken);
      const page = await parts.servers.at(ctx, request.serverId, (inner, database, serverId) =>
        parts.instances.listActions(inner, { database, query: { ...request, serverId, pageToken } }),
      );
      return { ...page, nextPageToken: pages.seal(page.nextPageToken) };
    },
  );
