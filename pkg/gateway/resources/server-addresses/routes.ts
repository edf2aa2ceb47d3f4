import type { ApiRequest } from "../../http/api-request.js";
import { replyEmpty } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import type { Field } from "../../schema/nodes.js";
import { fixed, ipAddress, object, optional, required } from "../../schema/nodes.js";

const address = required("address", ipAddress);
const networkId = required("networkId", fixed({ type: ["string", "number"], minLength: 1, maxLength: 36 }));

/** Addresses of a server, changed by actions on it: until 2.43. */
export function serverAddressRoutes({ addresses }: Pick<ApiClients, "addresses">): Operation[] {
  const action = (
    key: string,
    fields: readonly Field[],
    call: (ctx: ApiRequest["ctx"], serverId: string, asked: JsonObject) => Promise<unknown>,
  ): Operation => ({
    route: `POST /servers/{id}/action#${key}`,
    body: object([required(key, object(fields))]),
    handle: async (request) => {
      await call(request.ctx, request.id, request.member(key));
      return replyEmpty;
    },
  });
  const addressOf = (asked: JsonObject): string => textOf(asked, "address") ?? "";
  return [
    action("addFixedIp", [networkId], (ctx, serverId, asked) =>
      addresses.addFixedIp(ctx, { serverId, networkId: textOf(asked, "networkId") ?? "" }),
    ),
    action("removeFixedIp", [address], (ctx, serverId, asked) =>
      addresses.removeFixedIp(ctx, { serverId, address: addressOf(asked) }),
    ),
    action("addFloatingIp", [address, optional("fixed_address", ipAddress)], (ctx, serverId, asked) =>
      addresses.addFloatingIp(ctx, {
        serverId,
        address: addressOf(asked),
        fixedAddress: textOf(asked, "fixed_address"),
      }),
    ),
    action("removeFloatingIp", [address], (ctx, serverId, asked) =>
      addresses.removeFloatingIp(ctx, { serverId, address: addressOf(asked) }),
    ),
  ];
}
