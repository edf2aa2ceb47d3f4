import type { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { listOf, mapOf, member, objectOf, textOf } from "../../http/fields.js";
import { isObject } from "../../http/json.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { pathNumber } from "../path-number.js";
import { required } from "../required.js";
import { noParameters } from "../servers/schemas.js";
import {
  addHostBody,
  cacheImagesBody,
  createAggregateBody,
  removeHostBody,
  setMetadataBody,
  updateAggregateBody,
} from "./schemas.js";
import { aggregateView } from "./view.js";

/** Paths name aggregates by number. @throws BAD_REQUEST */
function numberOf({ id }: ApiRequest): string {
  const number = pathNumber(id);
  if (number === undefined)
    throw GatewayErrors.BAD_REQUEST({
      message: `Invalid input received: aggregate id ${id} is not an integer`,
    });
  return number;
}

const trimmed = (request: ApiRequest, text: string): string => (request.legacy ? text.trim() : text);

export function aggregateRoutes({ aggregates: api }: Pick<ApiClients, "aggregates">): Operation[] {
  const [created, full] = [aggregateView("created"), aggregateView("full")];
  const show = (request: ApiRequest, { aggregate }: { readonly aggregate: Aggregate | undefined }): Reply =>
    replyJson({ aggregate: full.shape(request.version).render(required(aggregate, "aggregate"), {}) });
  return [
    {
      route: "GET /os-aggregates",
      query: noParameters,
      handle: async (request) => {
        const shape = full.shape(request.version);
        const found: Aggregate[] = [];
        for (let pageToken = ""; ;) {
          const page = await api.listAggregates(request.ctx, { pageToken });
          found.push(...page.aggregates);
          pageToken = page.nextPageToken;
          if (pageToken === "")
            return replyJson({ aggregates: found.map((aggregate) => shape.render(aggregate, {})) });
        }
      },
    },
    {
      route: "GET /os-aggregates/{id}",
      query: noParameters,
      handle: async (request) =>
        show(request, await api.getAggregate(request.ctx, { aggregateId: numberOf(request) })),
    },
    {
      route: "POST /os-aggregates",
      body: createAggregateBody,
      legacyBody: true,
      handle: async (request) => {
        const body = request.member("aggregate");
        const zone = textOf(body, "availability_zone");
        const { aggregate } = await api.createAggregate(request.ctx, {
          name: trimmed(request, textOf(body, "name") ?? ""),
          ...(zone === undefined ? {} : { availabilityZone: trimmed(request, zone) }),
        });
        return replyJson({
          aggregate: created.shape(request.version).render(required(aggregate, "aggregate"), {}),
        });
      },
    },
    {
      route: "PUT /os-aggregates/{id}",
      body: updateAggregateBody,
      legacyBody: true,
      handle: async (request) => {
        const body = request.member("aggregate");
        const name = textOf(body, "name");
        const zone = member(body, "availability_zone") === null ? "" : textOf(body, "availability_zone");
        return show(
          request,
          await api.updateAggregate(request.ctx, {
            aggregateId: numberOf(request),
            ...(name === undefined ? {} : { name: name.trim() }),
            ...(zone === undefined ? {} : { availabilityZone: trimmed(request, zone) }),
          }),
        );
      },
    },
    {
      route: "DELETE /os-aggregates/{id}",
      handle: async (request) => {
        await api.deleteAggregate(request.ctx, { aggregateId: numberOf(request) });
        return replyEmpty;
      },
    },
    {
      route: "POST /os-aggregates/{id}/action#add_host",
      body: addHostBody,
      handle: async (request) =>
        show(
          request,
          await api.addAggregateHost(request.ctx, {
            aggregateId: numberOf(request),
            host: textOf(request.member("add_host"), "host") ?? "",
          }),
        ),
    },
    {
      route: "POST /os-aggregates/{id}/action#remove_host",
      body: removeHostBody,
      handle: async (request) =>
        show(
          request,
          await api.removeAggregateHost(request.ctx, {
            aggregateId: numberOf(request),
            host: textOf(request.member("remove_host"), "host") ?? "",
          }),
        ),
    },
    {
      route: "POST /os-aggregates/{id}/images",
      body: cacheImagesBody,
      handle: async (request) => {
        const asked = listOf(isObject(request.body) ? request.body : {}, "cache");
        const imageIds = asked.flatMap((one) => (isObject(one) ? [textOf(one, "id") ?? ""] : []));
        if (new Set(imageIds).size < imageIds.length)
          throw GatewayErrors.BAD_REQUEST({ message: "Duplicate images in request" });
        await api.cacheAggregateImages(request.ctx, { aggregateId: numberOf(request), imageIds });
        return replyEmpty;
      },
    },
    {
      route: "POST /os-aggregates/{id}/action#set_metadata",
      body: setMetadataBody,
      handle: async (request) => {
        const items = Object.entries(objectOf(request.member("set_metadata"), "metadata") ?? {});
        return show(
          request,
          await api.setAggregateMetadata(request.ctx, {
            aggregateId: numberOf(request),
            metadata: mapOf(Object.fromEntries(items.filter(([, value]) => value !== null))),
            removeKeys: items.filter(([, value]) => value === null).map(([key]) => key),
          }),
        );
      },
    },
  ];
}
