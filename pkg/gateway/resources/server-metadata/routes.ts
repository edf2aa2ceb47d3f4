import { GatewayErrors } from "../../errors.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { mapOf, member } from "../../http/fields.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { textsOf } from "../flavors/view.js";
import { noParameters } from "../servers/schemas.js";
import { metadataBody, metadataItemBody } from "./schemas.js";

/** User metadata of a server: the whole of it, and item by item. */
export function serverMetadataRoutes({
  serverMetadata: api,
}: Pick<ApiClients, "serverMetadata">): Operation[] {
  const update = async (request: ApiRequest, replaceAll: boolean): Promise<Reply> => {
    const { metadata } = await api.updateServerMetadata(request.ctx, {
      serverId: request.id,
      metadata: mapOf(request.member("metadata")),
      replaceAll,
    });
    return replyJson({ metadata: textsOf(metadata) });
  };
  return [
    {
      route: "GET /servers/{id}/metadata",
      query: noParameters,
      handle: async (request) =>
        replyJson({
          metadata: textsOf((await api.getServerMetadata(request.ctx, { serverId: request.id })).metadata),
        }),
    },
    { route: "POST /servers/{id}/metadata", body: metadataBody, handle: (request) => update(request, false) },
    { route: "PUT /servers/{id}/metadata", body: metadataBody, handle: (request) => update(request, true) },
    {
      route: "GET /servers/{id}/metadata/{sub}",
      query: noParameters,
      handle: async (request) =>
        replyJson({
          meta: textsOf(
            (await api.getServerMetadata(request.ctx, { serverId: request.id, key: request.sub })).metadata,
          ),
        }),
    },
    {
      route: "PUT /servers/{id}/metadata/{sub}",
      body: metadataItemBody,
      handle: async (request) => {
        const meta = request.member("meta");
        if (member(meta, request.sub) === undefined)
          throw GatewayErrors.BAD_REQUEST({ message: "Request body and URI mismatch" });
        await api.updateServerMetadata(request.ctx, {
          serverId: request.id,
          metadata: mapOf(meta),
          singleItem: true,
        });
        return replyJson({ meta });
      },
    },
    {
      route: "DELETE /servers/{id}/metadata/{sub}",
      handle: async (request) => {
        await api.deleteServerMetadata(request.ctx, { serverId: request.id, key: request.sub });
        return replyEmpty;
      },
    },
  ];
}
