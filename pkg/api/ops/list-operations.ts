import type {
  ListOperationsRequest,
  ListOperationsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { rowsOf } from "../domain/page.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { id, pageSize, pageToken } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { presentOperation } from "../view/operation-view.js";

/** Lists the operations of one server, newest first; also of a deleted one. */
export const listOperations = (parts: Parts): Guarded<ListOperationsRequest, ListOperationsResponse> =>
  guarded(
    { serverId: id, pageSize, pageToken },
    parts.servers.about({ withDeleted: true }),
    async (ctx, request, { server }) => {
      const pages = sealedPaging(parts.tokens, ["operations", server.id]);
      const storeToken = pages.open(request.pageToken);
      const { operations, nextPageToken } = await parts.servers.at(
        ctx,
        request.serverId,
        (inner, database, serverId) =>
          parts.operations.listStoredOperations(inner, {
            database,
            serverId,
            states: [],
            pageSize: rowsOf(request.pageSize),
            pageToken: storeToken,
          }),
      );
      return { operations: operations.map(presentOperation), nextPageToken: pages.seal(nextPageToken) };
    },
  );
