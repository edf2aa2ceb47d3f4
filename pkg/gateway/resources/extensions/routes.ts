import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import type { JsonObject } from "../../http/json.js";
import { since } from "../../microversion/version.js";
import type { Operation } from "../../routing/endpoints.js";
import { query } from "../../schema/nodes.js";
import { extensionNames, legacyExtensionNames } from "./names.js";

const noParameters = query(since("2.102"));

const entries = (names: string): JsonObject[] =>
  names
    .trim()
    .split(/\s+/)
    .map((entry) => {
      const [alias = "", name = ""] = entry.split("=");
      return {
        alias,
        name,
        description: `${name} support.`,
        links: [],
        namespace: "http://docs.openstack.org/compute/ext/fake_xml",
        updated: "2014-12-03T00:00:00Z",
      };
    });

/** The fixed list of what used to be extensions. */
export function extensionRoutes(): Operation[] {
  const current = entries(extensionNames);
  const legacy = [...current, ...entries(legacyExtensionNames)].sort((a, b) =>
    String(a["alias"]) < String(b["alias"]) ? -1 : 1,
  );
  const listFor = (request: ApiRequest): JsonObject[] => (request.legacy ? legacy : current);
  return [
    {
      route: "GET /extensions",
      query: noParameters,
      handle: async (request) => {
        request.need("os_compute_api:extensions");
        return replyJson({ extensions: listFor(request) });
      },
    },
    {
      route: "GET /extensions/{id}",
      query: noParameters,
      handle: async (request) => {
        request.need("os_compute_api:extensions");
        const extension = listFor(request).find(({ alias }) => alias === request.id);
        if (!extension) throw GatewayErrors.NOT_FOUND({ message: "The resource could not be found." });
        return replyJson({ extension });
      },
    },
  ];
}
