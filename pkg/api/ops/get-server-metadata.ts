import type {
  GetServerMetadataRequest,
  GetServerMetadataResponse,
} from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Reads a server's metadata, or one item of it. */
export const getServerMetadata = (parts: Parts): Unary<GetServerMetadataRequest, GetServerMetadataResponse> =>
  checked<GetServerMetadataRequest, GetServerMetadataResponse>(
    { serverId: id, key: text() },
    async (ctx, { serverId, key }) => {
      const { server } = await parts.servers.loadFor(
        ctx,
        key === "" ? "os_compute_api:server-metadata:index" : "os_compute_api:server-metadata:show",
        serverId,
      );
      if (key === "") return { metadata: server.metadata, generation: server.generation };
      const value = server.metadata.get(key);
      if (value === undefined) throw ApiErrors.METADATA_ITEM_NOT_FOUND({ key });
      return { metadata: new Map([[key, value]]), generation: server.generation };
    },
  );
