import type { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { accessList } from "../flavors/view.js";
import { noParameters } from "../flavors/schemas.js";
import { required } from "../required.js";
import { addAccessBody, removeAccessBody } from "./schemas.js";

/** Adding somebody to a flavor that everybody may use is a conflict; before, it was stored for nothing. */
const publicRefused = since("2.7");

export function flavorAccessRoutes({ flavors }: Pick<ApiClients, "flavors">): Operation[] {
  const read = async (request: ApiRequest): Promise<Flavor> =>
    required((await flavors.getFlavor(request.ctx, { flavorId: request.id })).flavor, "flavor");
  return [
    {
      route: "GET /flavors/{id}/os-flavor-access", query: noParameters,
      handle: async (request) => {
        request.need("os_compute_api:os-flavor-access");
        const flavor = await read(request);
        if (flavor.isPublic) throw GatewayErrors.NOT_FOUND({ message: "Access list not available for public flavors." });
        return replyJson(accessList(flavor));
      },
    },
    {
      route: "POST /flavors/{id}/action#addTenantAccess", body: addAccessBody,
      handle: async (request) => {
        request.need("os_compute_api:os-flavor-access:add_tenant_access");
        const projectId = textOf(request.member("addTenantAccess"), "tenant") ?? "";
        if (request.has(publicRefused) && (await read(request)).isPublic) {
          throw GatewayErrors.CONFLICT({ message: "Can not add access to a public flavor." });
        }
        return replyJson(accessList(required((await flavors.addFlavorAccess(request.ctx, { flavorId: request.id, projectId })).flavor, "flavor")));
      },
    },
    {
      route: "POST /flavors/{id}/action#removeTenantAccess", body: removeAccessBody,
      handle: async (request) => {
        const projectId = textOf(request.member("removeTenantAccess"), "tenant") ?? "";
        return replyJson(accessList(required((await flavors.removeFlavorAccess(request.ctx, { flavorId: request.id, projectId })).flavor, "flavor")));
      },
    },
  ];
}
