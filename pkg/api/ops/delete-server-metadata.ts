import type {
  DeleteServerMetadataRequest,
  DeleteServerMetadataResponse,
} from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { changeServer } from "../cells/update-server.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { metadataConditions } from "./update-server-metadata.js";

/** Removes one item of a server's metadata. */
export const deleteServerMetadata = (
  parts: Parts,
): Guarded<DeleteServerMetadataRequest, DeleteServerMetadataResponse> =>
  guarded({ serverId: id, key: id }, parts.servers.about(), async (ctx, { serverId, key }) => {
    const { server } = await changeServer(parts, ctx, serverId, {
      metadata: { set: new Map(), remove: [key], replaceAll: false, maxItems: -1n },
      conditions: metadataConditions(ctx, "delete metadata"),
    });
    return { generation: server.generation };
  });
