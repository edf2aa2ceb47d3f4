import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { isObject } from "../../http/json.js";
import { textsIn } from "../../http/fields.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { anyParameters, noBody, tagsBody } from "./schemas.js";

/** A tag in a path. @throws BAD_REQUEST */
function tagOf({ sub }: ApiRequest): string {
  if (sub === "" || [...sub].length > 60 || /[,/]/.test(sub)) {
    throw GatewayErrors.BAD_REQUEST({
      message: `Tag '${sub}' is invalid. It must be a non empty string of at most 60 characters without '/' and ','.`,
    });
  }
  return sub;
}

/** Tags of a server, from 2.26. */
export function serverTagRoutes({ serverTags: api }: Pick<ApiClients, "serverTags">): Operation[] {
  return [
    {
      route: "GET /servers/{id}/tags",
      query: anyParameters,
      handle: async (request) =>
        replyJson({ tags: (await api.listServerTags(request.ctx, { serverId: request.id })).tags }),
    },
    {
      route: "PUT /servers/{id}/tags",
      body: tagsBody,
      handle: async (request) => {
        const asked = isObject(request.body) ? textsIn(request.body, "tags") : [];
        return replyJson({
          tags: (await api.replaceServerTags(request.ctx, { serverId: request.id, tags: asked })).tags,
        });
      },
    },
    {
      route: "DELETE /servers/{id}/tags",
      handle: async (request) => {
        await api.clearServerTags(request.ctx, { serverId: request.id });
        return replyEmpty;
      },
    },
    {
      route: "GET /servers/{id}/tags/{sub}",
      query: anyParameters,
      handle: async (request) => {
        await api.getServerTag(request.ctx, { serverId: request.id, tag: tagOf(request) });
        return replyEmpty;
      },
    },
    {
      route: "PUT /servers/{id}/tags/{sub}",
      body: noBody,
      handle: async (request) => {
        const tag = tagOf(request);
        const { added } = await api.addServerTag(request.ctx, { serverId: request.id, tag });
        return added
          ? {
              status: 201,
              location: request.links.self(`servers/${request.id}/tags`, encodeURIComponent(tag)),
            }
          : { status: 204 };
      },
    },
    {
      route: "DELETE /servers/{id}/tags/{sub}",
      handle: async (request) => {
        await api.removeServerTag(request.ctx, { serverId: request.id, tag: tagOf(request) });
        return replyEmpty;
      },
    },
  ];
}
