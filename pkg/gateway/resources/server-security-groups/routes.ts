import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import { MAX_LIMIT, limitNode, offsetNode, pageOf, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import { never, since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { object, parameter, query, required, text } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";
import { GatewayErrors } from "../../errors.js";
import { required as present } from "../required.js";
import { shownGroup } from "./view.js";

const ADD = "addSecurityGroup";
const REMOVE = "removeSecurityGroup";

const listQuery: Node = query(never, [
  parameter("limit", limitNode),
  parameter("offset", offsetNode),
  parameter("all_tenants", text()),
]);

/** Security groups of a server's ports, and until 2.35 those that the caller may put there. */
export function serverSecurityGroupRoutes({
  servers,
  securityGroups,
}: Pick<ApiClients, "servers" | "securityGroups">): Operation[] {
  const action = (
    key: string,
    call: (ctx: ApiRequest["ctx"], asked: { serverId: string; securityGroup: string }) => Promise<unknown>,
  ): Operation => ({
    route: `POST /servers/{id}/action#${key}`,
    body: object([required(key, object([required("name", text({ minLength: 1 }))]))], { extraKeys: true }),
    handle: async (request): Promise<Reply> => {
      const securityGroup = textOf(request.member(key), "name") ?? "";
      if (securityGroup.trim() === "")
        throw GatewayErrors.BAD_REQUEST({ message: "Security group name cannot be empty" });
      await call(request.ctx, { serverId: request.id, securityGroup });
      return replyEmpty;
    },
  });
  return [
    {
      route: "GET /os-security-groups",
      query: listQuery,
      handle: async ({ ctx, query: asked }) => {
        const skip = Number(last(asked, "offset") ?? 0);
        const wanted = Math.min(Number(last(asked, "limit") ?? 0) || MAX_LIMIT, MAX_LIMIT);
        const all = { limit: skip + wanted, pageSize: MAX_LIMIT, marker: "" };
        const { items } = await wholePage(all, "securityGroups", ({ pageSize, pageToken }) =>
          securityGroups.listSecurityGroups(ctx, {
            pageSize,
            pageToken,
            allProjects: asked.has("all_tenants"),
          }),
        );
        return replyJson({ security_groups: items.slice(skip).map(shownGroup) });
      },
    },
    {
      route: "GET /os-security-groups/{id}",
      handle: async ({ ctx, id: securityGroupId }) => {
        const { securityGroup } = await securityGroups.getSecurityGroup(ctx, { securityGroupId });
        return replyJson({ security_group: shownGroup(present(securityGroup, "security group")) });
      },
    },
    {
      route: "GET /servers/{id}/os-security-groups",
      query: query(since("2.102")),
      handle: async ({ ctx, id: serverId }) => {
        const { items } = await wholePage(pageOf(new Map()), "securityGroups", ({ pageSize, pageToken }) =>
          servers.listServerSecurityGroups(ctx, { serverId, pageSize, pageToken }),
        );
        return replyJson({ security_groups: items.map(shownGroup) });
      },
    },
    action(ADD, (ctx, asked) => servers.addServerSecurityGroup(ctx, asked)),
    action(REMOVE, (ctx, asked) => servers.removeServerSecurityGroup(ctx, asked)),
  ];
}
