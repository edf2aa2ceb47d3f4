import type { Interface } from "../../../../gen/kilonova/api/v1/interfaces_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { CommonErrors } from "../../../kernel/index.js";
import { toDuration } from "../../../model/wire-time.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { listOf, textOf } from "../../http/fields.js";
import { isObject } from "../../http/json.js";
import { pageOf, wholePage } from "../../http/paging.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { required } from "../required.js";
import { attachFailure } from "./failure.js";
import { attachBody, noParameters } from "./schemas.js";
import { shownInterface } from "./view.js";

/** Interfaces of a server. @param attachWaitMs  how long an attachment is waited for: Nova answers with it */
export function interfaceRoutes(
  { interfaces }: Pick<ApiClients, "interfaces">,
  attachWaitMs: number,
): Operation[] {
  const reply = (one: Interface | undefined, { version }: ApiRequest): Reply =>
    replyJson({ interfaceAttachment: shownInterface(required(one, "interface"), version) });
  return [
    {
      route: "GET /servers/{id}/os-interface",
      query: noParameters,
      handle: async (request) => {
        const { items } = await wholePage(pageOf(new Map()), "interfaces", ({ pageSize, pageToken }) =>
          interfaces.listInterfaces(request.ctx, { serverId: request.id, pageSize, pageToken }),
        );
        return replyJson({ interfaceAttachments: items.map((one) => shownInterface(one, request.version)) });
      },
    },
    {
      route: "GET /servers/{id}/os-interface/{sub}",
      query: noParameters,
      handle: async (request) => {
        const { id: serverId, sub: portId } = request;
        return reply((await interfaces.getInterface(request.ctx, { serverId, portId })).interface, request);
      },
    },
    {
      route: "POST /servers/{id}/os-interface",
      body: attachBody,
      handle: async (request) => {
        const { operation, interface: one } = await interfaces.attachInterface(request.ctx, {
          ...askedOf(request),
          wait: toDuration(attachWaitMs),
        });
        const { done, state, error } = required(operation, "operation");
        if (done && state !== OperationState.OPERATION_STATE_SUCCEEDED)
          throw attachFailure({ error, state }, request.id);
        // It goes on: what it will have made, the list of interfaces shows.
        if (one === undefined) throw CommonErrors.DEADLINE_EXCEEDED({ what: "The attachment" });
        return reply(one, request);
      },
    },
    {
      route: "DELETE /servers/{id}/os-interface/{sub}",
      handle: async ({ ctx, id: serverId, sub: portId }) => {
        await interfaces.detachInterface(ctx, { serverId, portId });
        return replyEmpty;
      },
    },
  ];
}

function askedOf(request: ApiRequest): {
  serverId: string;
  networkId?: string;
  portId?: string;
  fixedIp?: string;
  tag?: string;
} {
  const asked = request.member("interfaceAttachment");
  const [first] = listOf(asked, "fixed_ips");
  const [networkId, portId, tag] = ["net_id", "port_id", "tag"].map((name) => textOf(asked, name));
  const fixedIp = isObject(first) ? textOf(first, "ip_address") : undefined;
  return {
    serverId: request.id,
    ...(networkId === undefined ? {} : { networkId }),
    ...(portId === undefined ? {} : { portId }),
    ...(fixedIp === undefined ? {} : { fixedIp }),
    ...(tag === undefined ? {} : { tag }),
  };
}
