import type {
  ListOperationsRequest,
  ListOperationsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { ownerOf } from "../cells/servers.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { id, pageSize, pageToken } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { presentOperation } from "../view/operation-view.js";

const DEFAULT_PAGE = 100;

/** Lists the operations of one server, newest first; also of a deleted one. */
export const listOperations = (parts: Parts): Unary<ListOperationsRequest, ListOperationsResponse> =>
  checked<ListOperationsRequest, ListOperationsResponse>(
    { serverId: id, pageSize, pageToken },
    async (ctx, request) => {
      const { server } = await parts.servers.load(ctx, request.serverId, { withDeleted: true });
      parts.policy.enforce(ctx.actor, "os_compute_api:os-instance-actions:list", ownerOf(server));
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
            pageSize: request.pageSize || DEFAULT_PAGE,
            pageToken: storeToken,
          }),
      );
      return { operations: operations.map(presentOperation), nextPageToken: pages.seal(nextPageToken) };
    },
  );
