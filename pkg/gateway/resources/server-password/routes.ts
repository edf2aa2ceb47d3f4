import { replyJson } from "../../http/api-request.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { noParameters } from "../servers/schemas.js";

export function serverPasswordRoutes({ servers }: Pick<ApiClients, "servers">): Operation[] {
  return [
    {
      route: "GET /servers/{id}/os-server-password",
      query: noParameters,
      handle: async (request) =>
        replyJson({
          password:
            (await servers.getServerPassword(request.ctx, { serverId: request.id })).encryptedPassword ?? "",
        }),
    },
    {
      route: "DELETE /servers/{id}/os-server-password",
      handle: async (request) => {
        await servers.clearServerPassword(request.ctx, { serverId: request.id });
        return {};
      },
    },
  ];
}
