import { groupPolicyOf } from "../../../model/server-group-policy.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { numberOf, objectOf, textOf, textsIn } from "../../http/fields.js";
import { MAX_LIMIT, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { required } from "../required.js";
import { noParameters } from "../servers/schemas.js";
import { createServerGroupBody, listServerGroupsQuery } from "./schemas.js";
import { serverGroupView } from "./view.js";

/** Offset-style paging: a limit of 0 means the most. */
const limitOf = (request: ApiRequest): number =>
  Math.min(Number(last(request.query, "limit") ?? 0) || MAX_LIMIT, MAX_LIMIT);

export function serverGroupRoutes({
  serverGroups: api,
  lists,
}: Pick<ApiClients, "serverGroups" | "lists">): Operation[] {
  const view = serverGroupView();
  return [
    {
      route: "GET /os-server-groups",
      query: listServerGroupsQuery,
      handle: async (request) => {
        const shape = view.shape(request.version);
        const limit = limitOf(request);
        const skip = Number(last(request.query, "offset") ?? 0);
        const { items } = await wholePage(
          { limit, pageSize: limit, marker: "" },
          "serverGroups",
          ({ pageSize, pageToken }) =>
            lists.listServerGroups(request.ctx, {
              list: {
                allProjects: request.query.has("all_projects") && request.isAdmin,
                pageSize,
                pageToken,
              },
              nova: { skip: pageToken === "" ? skip : 0 },
            }),
        );
        return replyJson({ server_groups: items.map((group) => shape.render(group, {})) });
      },
    },
    {
      route: "GET /os-server-groups/{id}",
      query: noParameters,
      handle: async (request) => {
        const { serverGroup } = await api.getServerGroup(request.ctx, { serverGroupId: request.id });
        return replyJson({
          server_group: view.shape(request.version).render(required(serverGroup, "server group"), {}),
        });
      },
    },
    {
      route: "POST /os-server-groups",
      body: createServerGroupBody,
      handle: async (request) => {
        const body = request.member("server_group");
        const maxServerPerHost = numberOf(objectOf(body, "rules") ?? {}, "max_server_per_host");
        const { serverGroup } = await api.createServerGroup(request.ctx, {
          name: textOf(body, "name") ?? "",
          policy: groupPolicyOf(textOf(body, "policy") ?? textsIn(body, "policies")[0] ?? ""),
          ...(maxServerPerHost === undefined ? {} : { maxServerPerHost }),
        });
        return replyJson({
          server_group: view.shape(request.version).render(required(serverGroup, "server group"), {}),
        });
      },
    },
    {
      route: "DELETE /os-server-groups/{id}",
      handle: async (request) => {
        await api.deleteServerGroup(request.ctx, { serverGroupId: request.id });
        return replyEmpty;
      },
    },
  ];
}
