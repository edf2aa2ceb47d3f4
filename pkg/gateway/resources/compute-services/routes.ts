import { parseUuid } from "../../../kernel/index.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { MAX_LIMIT, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { pathNumber } from "../path-number.js";
import { required } from "../required.js";
import { listServicesQuery, updateServiceBody } from "./schemas.js";
import { changeById, changeByWord } from "./update.js";
import { since } from "../../microversion/version.js";
import { byUuid, serviceView } from "./view.js";
import { orNone } from "../../../model/presence.js";

/** Services of cells that do not answer are listed with the little that is sure. */
const downCellsShown = since("2.69");

/** What a service is called in a path. @throws BAD_REQUEST when it is not even the form of one */
function serviceIdOf(request: ApiRequest): string {
  const id = request.has(byUuid) ? parseUuid(request.id) : pathNumber(request.id);
  if (id === undefined) throw GatewayErrors.BAD_REQUEST({ message: `Invalid service id ${request.id}` });
  return id;
}

export function computeServiceRoutes({ computeServices }: Pick<ApiClients, "computeServices">): Operation[] {
  const view = serviceView();
  return [
    {
      route: "GET /os-services",
      query: listServicesQuery,
      handle: async (request) => {
        const filter = {
          host: orNone(last(request.query, "host")),
          binary: orNone(last(request.query, "binary")),
        };
        // The whole list: REST has no pages of services.
        const { answer, items } = await wholePage(
          { limit: Infinity, pageSize: MAX_LIMIT, marker: "" },
          "services",
          ({ pageToken }) =>
            computeServices.listComputeServices(request.ctx, { ...filter, pageSize: MAX_LIMIT, pageToken }),
        );
        const shape = view.shape(request.version);
        const down = request.has(downCellsShown) ? answer.downCellServices : [];
        return replyJson(
          {
            services: [
              ...items.map((service) => shape.render(service, null)),
              ...down.map(({ binary, host }) => ({ binary, host, status: "UNKNOWN" })),
            ],
          },
          { unreachableCells: answer.unreachableCells.length },
        );
      },
    },
    {
      route: "PUT /os-services/{id}",
      body: updateServiceBody,
      handle: async (request) => {
        if (!request.has(byUuid)) {
          const change = changeByWord(request);
          await computeServices.updateComputeService(request.ctx, change.request);
          return replyJson({ service: change.shown });
        }
        const { service } = await computeServices.updateComputeService(request.ctx, changeById(request));
        return replyJson({ service: view.shape(request.version).render(required(service, "service"), null) });
      },
    },
    {
      route: "DELETE /os-services/{id}",
      handle: async (request) => {
        await computeServices.deleteComputeService(request.ctx, { serviceId: serviceIdOf(request) });
        return replyEmpty;
      },
    },
  ];
}
