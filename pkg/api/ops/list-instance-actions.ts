import type { ListInstanceActionsResponse } from "../../../gen/kilonova/api/v1/limits_service.js";
import { ListInstanceActionsRequest } from "../../../gen/kilonova/api/v1/limits_service.js";
import { bindingOf } from "../crypto/hashes.js";
import { rowsOf } from "../domain/page.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { id, paging, time } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";

/** Lists what was done to a server, newest first; also to a deleted one. */
export const listInstanceActions = (
  parts: Parts,
): Guarded<ListInstanceActionsRequest, ListInstanceActionsResponse> =>
  guarded(
    { ...paging, serverId: id, changesSince: time, changesBefore: time },
    parts.servers.about({ withDeleted: true }),
    async (ctx, request, { server }) => {
      const { changesSince, changesBefore } = request;
      const asked = ListInstanceActionsRequest.fromPartial({
        serverId: server.id,
        changesSince,
        changesBefore,
      });
      const pages = sealedPaging(parts.tokens, [
        "actions",
        bindingOf(ListInstanceActionsRequest.encode(asked).finish()),
      ]);
      const pageToken = pages.open(request.pageToken);
      const page = await parts.servers.at(ctx, request.serverId, (inner, database, serverId) =>
        parts.instances.listActions(inner, {
          database,
          query: { ...request, serverId, pageToken, pageSize: rowsOf(request.pageSize) },
          marker: ctx.nova.marker,
        }),
      );
      return { ...page, nextPageToken: pages.seal(page.nextPageToken) };
    },
  );
