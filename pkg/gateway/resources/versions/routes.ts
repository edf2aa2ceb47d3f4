import { GatewayErrors } from "../../errors.js";
import { replyJson } from "../../http/api-request.js";
import { mountOfId, versionDocument } from "../../http/version-documents.js";
import type { Operation } from "../../routing/endpoints.js";
import { query } from "../../schema/nodes.js";
import { never } from "../../microversion/version.js";

/** Version documents below a mount; those of the mounts themselves need no token and are served before. */
export function versionRoutes(): Operation[] {
  return [
    {
      route: "GET /",
      query: query(never),
      handle: async (request) =>
        replyJson(versionDocument(request.links.base, request.legacy ? "v2" : "v2.1")),
    },
    {
      route: "GET /versions/{id}",
      query: query(never),
      handle: async (request) => {
        const mount = mountOfId(request.id);
        if (mount === undefined)
          throw GatewayErrors.NOT_FOUND({ message: "The resource could not be found." });
        return replyJson(versionDocument(request.links.base, request.legacy ? "v2" : mount));
      },
    },
  ];
}
