import type {
  DeleteServerMetadataRequest,
  DeleteServerMetadataResponse,
} from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { changeServer } from "../cells/update-server.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { metadataConditions } from "./update-server-metadata.js";

/** Removes one item of a server's metadata. */
export const deleteServerMetadata = (
  parts: Parts,
): Unary<DeleteServerMetadataRequest, DeleteServerMetadataResponse> =>
  checked<DeleteServerMetadataRequest, DeleteServerMetadataResponse>(
    { serverId: id, key: id },
    async (ctx, { serverId, key }) => {
      await parts.servers.loadFor(ctx, "os_compute_api:server-metadata:delete", serverId);
      const { server } = await changeServer(parts, ctx, serverId, {
        metadata: { set: new Map(), remove: [key], replaceAll: false, maxItems: -1n },
        conditions: metadataConditions(parts, ctx, "delete metadata"),
      });
      return { generation: server.generation };
    },
  );
