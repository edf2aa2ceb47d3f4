import { RebootType } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { countOf, textOf } from "../../http/fields.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { consoleOutputBody, forceDeleteBody, rebootBody, startBody, stopBody } from "./schemas.js";

/** Actions on a server that start slow work, and the console's log. */
export function serverActionRoutes({ servers }: Pick<ApiClients, "servers">): Operation[] {
  return [
    {
      route: "POST /servers/{id}/action#os-start",
      body: startBody,
      handle: async (request) => {
        await servers.startServer(request.ctx, { serverId: request.id });
        return replyEmpty;
      },
    },
    {
      route: "POST /servers/{id}/action#os-stop",
      body: stopBody,
      handle: async (request) => {
        await servers.stopServer(request.ctx, { serverId: request.id });
        return replyEmpty;
      },
    },
    {
      route: "POST /servers/{id}/action#forceDelete",
      body: forceDeleteBody,
      handle: async (request) => {
        await servers.forceDeleteServer(request.ctx, { serverId: request.id });
        return replyEmpty;
      },
    },
    {
      route: "POST /servers/{id}/action#reboot",
      body: rebootBody,
      handle: async (request) => {
        const hard = textOf(request.member("reboot"), "type")?.toUpperCase() === "HARD";
        await servers.rebootServer(request.ctx, {
          serverId: request.id,
          type: hard ? RebootType.REBOOT_TYPE_HARD : RebootType.REBOOT_TYPE_SOFT,
        });
        return replyEmpty;
      },
    },
    {
      route: "POST /servers/{id}/action#os-getConsoleOutput",
      body: consoleOutputBody,
      handle: async (request) => {
        const lines = countOf(request.member("os-getConsoleOutput"), "length") ?? -1;
        const { output } = await servers.getConsoleOutput(request.ctx, {
          serverId: request.id,
          ...(lines < 0 ? {} : { lines }),
        });
        return replyJson({ output });
      },
    },
  ];
}
