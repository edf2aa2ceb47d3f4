import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import { pageOf, wholePage } from "../../http/paging.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { object, query, required, text } from "../../schema/nodes.js";
import { GatewayErrors } from "../../errors.js";
import { shownGroup } from "./view.js";

const ADD = "addSecurityGroup";
const REMOVE = "removeSecurityGroup";

/** Security groups of a server's ports. */
export function serverSecurityGroupRoutes({ servers }: Pick<ApiClients, "servers">): Operation[] {
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
