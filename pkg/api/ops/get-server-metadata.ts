import type {
  GetServerMetadataRequest,
  GetServerMetadataResponse,
} from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Reads a server's metadata, or one item of it. */
export const getServerMetadata = (
  parts: Parts,
): Guarded<GetServerMetadataRequest, GetServerMetadataResponse> =>
  guarded(
    { serverId: id, key: given(text()) },
    async (ctx, request) => ({
      ...(await parts.servers.about()(ctx, request)),
      decides:
        request.key === undefined
          ? "os_compute_api:server-metadata:index"
          : "os_compute_api:server-metadata:show",
    }),
    async (_ctx, { key }, { server }) => {
      if (key === undefined) return { metadata: server.metadata, generation: server.generation };
      const value = server.metadata.get(key);
      if (value === undefined) throw ApiErrors.METADATA_ITEM_NOT_FOUND({ key });
      return { metadata: new Map([[key, value]]), generation: server.generation };
    },
  );
