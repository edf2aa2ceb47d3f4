import type { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import { nextPage, pageOf, wholePage } from "../../http/paging.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import type { View } from "../../view/view.js";
import type { Links } from "../../http/links.js";
import { required } from "../required.js";
import { flavorOfBody, listOf } from "./request.js";
import { createFlavorBody, listFlavorsQuery, noParameters, updateFlavorBody } from "./schemas.js";
import { briefFlavor, fullFlavor } from "./view.js";

interface OneFlavor {
  readonly flavor: Flavor | undefined;
  readonly hiddenFields: readonly string[];
}

export function flavorRoutes({ flavors, lists }: Pick<ApiClients, "flavors" | "lists">): Operation[] {
  const [brief, full] = [briefFlavor(), fullFlavor()];
  const list = async (request: ApiRequest, view: View<Flavor, Links>, path: string): Promise<Reply> => {
    const page = pageOf(request.query);
    const asked = listOf(request);
    const { answer, items: shown } = await wholePage(page, "flavors", ({ marker, ...stretch }) =>
      lists.listFlavors(request.ctx, { list: { ...asked, ...stretch }, nova: { marker } }),
    );
    const shape = view.shape(request.version, answer.hiddenFields);
    const links = nextPage(
      "flavors_links",
      path,
      shown.map((f) => ({ marker: f.id })),
      page,
      request.query,
      request.links,
    );
    return replyJson({ flavors: shown.map((f) => shape.render(f, request.links)), ...links });
  };
  const one = (request: ApiRequest, answer: OneFlavor): Reply =>
    replyJson({
      flavor: full
        .shape(request.version, answer.hiddenFields)
        .render(required(answer.flavor, "flavor"), request.links),
    });

  return [
    { route: "GET /flavors", query: listFlavorsQuery, handle: (request) => list(request, brief, "flavors") },
    {
      route: "GET /flavors/detail",
      query: listFlavorsQuery,
      handle: (request) => list(request, full, "flavors/detail"),
    },
    {
      route: "GET /flavors/{id}",
      query: noParameters,
      handle: async (request) => one(request, await flavors.getFlavor(request.ctx, { flavorId: request.id })),
    },
    {
      route: "POST /flavors",
      body: createFlavorBody,
      legacyBody: true,
      handle: async (request) =>
        one(
          request,
          await flavors.createFlavor(request.ctx, { flavor: flavorOfBody(request.member("flavor")) }),
        ),
    },
    {
      route: "PUT /flavors/{id}",
      body: updateFlavorBody,
      handle: async (request) => {
        const description = textOf(request.member("flavor"), "description");
        const flavor = { id: request.id, description };
        return one(request, await flavors.updateFlavor(request.ctx, { flavor, updateMask: ["description"] }));
      },
    },
    {
      route: "DELETE /flavors/{id}",
      handle: async (request) => {
        await flavors.deleteFlavor(request.ctx, { flavorId: request.id });
        return {};
      },
    },
  ];
}
