import type { ServerAddress } from "../../../../gen/kilonova/type/v1/server.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { member } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { noParameters } from "../servers/schemas.js";
import { byLabel } from "../servers/view.js";

const plain = (a: ServerAddress): JsonObject => ({ version: a.version, addr: a.address });

export function serverIpRoutes({ servers }: Pick<ApiClients, "servers">): Operation[] {
  const read = async (request: ApiRequest, networkLabel?: string): Promise<Record<string, JsonObject[]>> => {
    const { addresses } = await servers.getServerAddresses(request.ctx, {
      serverId: request.id,
      networkLabel,
    });
    return byLabel(addresses, plain);
  };
  return [
    {
      route: "GET /servers/{id}/ips",
      query: noParameters,
      handle: async (request) => replyJson({ addresses: await read(request) }),
    },
    {
      route: "GET /servers/{id}/ips/{sub}",
      query: noParameters,
      handle: async (request) => {
        const addresses = member(await read(request, request.sub), request.sub);
        if (addresses === undefined)
          throw GatewayErrors.NOT_FOUND({ message: "Instance is not a member of specified network" });
        return replyJson({ [request.sub]: addresses });
      },
    },
  ];
}
