import { replyJson } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { accessList } from "../flavors/view.js";
import { noParameters } from "../flavors/schemas.js";
import { required } from "../required.js";
import { addAccessBody, removeAccessBody } from "./schemas.js";

export function flavorAccessRoutes({ flavors }: Pick<ApiClients, "flavors">): Operation[] {
  return [
    {
      route: "GET /flavors/{id}/os-flavor-access",
      query: noParameters,
      handle: async (request) => {
        const { flavor } = await flavors.getFlavor(request.ctx, { flavorId: request.id, withAccess: true });
        return replyJson(accessList(required(flavor, "flavor")));
      },
    },
    {
      route: "POST /flavors/{id}/action#addTenantAccess",
      body: addAccessBody,
      handle: async (request) => {
        const projectId = textOf(request.member("addTenantAccess"), "tenant") ?? "";
        return replyJson(
          accessList(
            required(
              (await flavors.addFlavorAccess(request.ctx, { flavorId: request.id, projectId })).flavor,
              "flavor",
            ),
          ),
        );
      },
    },
    {
      route: "POST /flavors/{id}/action#removeTenantAccess",
      body: removeAccessBody,
      handle: async (request) => {
        const projectId = textOf(request.member("removeTenantAccess"), "tenant") ?? "";
        return replyJson(
          accessList(
            required(
              (await flavors.removeFlavorAccess(request.ctx, { flavorId: request.id, projectId })).flavor,
              "flavor",
            ),
          ),
        );
      },
    },
  ];
}
