import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { mapOf, member } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { noParameters } from "../flavors/schemas.js";
import { textsOf } from "../flavors/view.js";
import { required } from "../required.js";
import { assertExtraSpecs, extraSpecRules } from "./rules.js";
import { extraSpecBody, extraSpecsBody } from "./schemas.js";

/** Known extra specs must have values that mean something. */
const specsChecked = since("2.86");

export function flavorExtraSpecRoutes({ flavors }: Pick<ApiClients, "flavors">): Operation[] {
  const read = async (
    request: ApiRequest,
    asked: { withExtraSpecs: true } | { extraSpecKey: string },
  ): Promise<ReadonlyMap<string, string>> =>
    required((await flavors.getFlavor(request.ctx, { flavorId: request.id, ...asked })).flavor, "flavor")
      .extraSpecs;
  const rules = extraSpecRules();
  const set = async (request: ApiRequest, specs: JsonObject, singleItem: boolean): Promise<void> => {
    const extraSpecs = mapOf(specs);
    if (request.has(specsChecked)) assertExtraSpecs(rules, extraSpecs);
    await flavors.setFlavorExtraSpecs(request.ctx, { flavorId: request.id, extraSpecs, singleItem });
  };
  return [
    {
      route: "GET /flavors/{id}/os-extra_specs",
      query: noParameters,
      handle: async (request) =>
        replyJson({ extra_specs: textsOf(await read(request, { withExtraSpecs: true })) }),
    },
    {
      route: "GET /flavors/{id}/os-extra_specs/{sub}",
      query: noParameters,
      handle: async (request) => {
        const value = (await read(request, { extraSpecKey: request.sub })).get(request.sub);
        if (value === undefined)
          throw GatewayErrors.NOT_FOUND({
            message: `Flavor ${request.id} has no extra specs with key ${request.sub}.`,
          });
        return replyJson({ [request.sub]: value });
      },
    },
    {
      // Answers what was sent, not the whole set.
      route: "POST /flavors/{id}/os-extra_specs",
      body: extraSpecsBody,
      handle: async (request) => {
        const extraSpecs = request.member("extra_specs");
        await set(request, extraSpecs, false);
        return replyJson({ extra_specs: extraSpecs });
      },
    },
    {
      route: "PUT /flavors/{id}/os-extra_specs/{sub}",
      body: extraSpecBody,
      handle: async (request) => {
        const body = isObject(request.body) ? request.body : {};
        if (member(body, request.sub) === undefined)
          throw GatewayErrors.BAD_REQUEST({ message: "Request body and URI mismatch" });
        await set(request, body, true);
        return replyJson(body);
      },
    },
    {
      route: "DELETE /flavors/{id}/os-extra_specs/{sub}",
      handle: async (request) => {
        await flavors.deleteFlavorExtraSpec(request.ctx, { flavorId: request.id, key: request.sub });
        return replyEmpty;
      },
    },
  ];
}
