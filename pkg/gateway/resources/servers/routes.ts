import type { CreateServersResponse } from "../../../../gen/kilonova/api/v1/servers_service.js";
import { Server } from "../../../../gen/kilonova/api/v1/server.js";
import { DiskConfig } from "../../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../../kernel/index.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { booleanOf } from "../../http/fields.js";
import type { Links } from "../../http/links.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import type { FragmentCache } from "../../view/fragments.js";
import type { View } from "../../view/view.js";
import { required } from "../required.js";
import { createRequest, requestedGroups } from "./create-request.js";
import { serverFragment } from "./fragments.js";
import { listServersQuery } from "./list-schema.js";
import { listServers } from "./list.js";
import { createServerBody, noParameters, updateServerBody } from "./schemas.js";
import { updateRequest } from "./update-request.js";
import { briefServer, downServer } from "./view-minimal.js";
import { serverView } from "./view.js";

/** Servers of silent cells are shown with what is known without them. */
const downCellShown = since("2.69");

interface OneServer {
  readonly server: readonly Uint8Array[];
  readonly hiddenFields: readonly string[];
}

export function serverRoutes(
  { servers, lists }: Pick<ApiClients, "servers" | "lists">,
  cache: FragmentCache,
): Operation[] {
  const [show, detail, update] = [serverView("show"), serverView("detail"), serverView("update")];
  const brief = { items: briefServer(), down: downServer("brief") };
  const full = { items: detail, down: downServer("detail") };
  const down = downServer("show");
  const one = (request: ApiRequest, view: View<Server, Links>, answer: OneServer): Reply => {
    const fragment = serverFragment(
      cache,
      view.shape(request.version, answer.hiddenFields),
      required(answer.server[0], "server"),
      request.links,
    );
    return { json: Buffer.concat([OPEN, fragment, CLOSE]) };
  };
  return [
    {
      route: "GET /servers",
      query: listServersQuery,
      handle: (request) => listServers(lists, cache, brief, "servers", request),
    },
    {
      route: "GET /servers/detail",
      query: listServersQuery,
      handle: (request) => listServers(lists, cache, full, "servers/detail", request),
    },
    {
      route: "GET /servers/{id}",
      query: noParameters,
      handle: async (request) => {
        const answer = await servers.getServer(request.ctx, {
          serverId: request.id,
          withHostInfo: true,
          withUserData: true,
        });
        if (answer.cellUnreachable && !request.has(downCellShown))
          throw CommonErrors.UNAVAILABLE({ what: "The cell of this server" });
        if (answer.cellUnreachable)
          return rendered(request, down, Server.decode(required(answer.server[0], "server")));
        return one(request, show, answer);
      },
    },
    {
      route: "POST /servers",
      body: createServerBody,
      legacyBody: true,
      handle: async (request) =>
        created(request, await servers.createServers(request.ctx, createRequest(request))),
    },
    {
      route: "PUT /servers/{id}",
      body: updateServerBody,
      legacyBody: true,
      handle: async (request) => {
        const change = updateRequest(request);
        // A body that changes nothing is no mistake here, but one for api.
        if (change.updateMask?.length === 0)
          return one(
            request,
            update,
            await servers.getServer(request.ctx, {
              serverId: request.id,
              withHostInfo: true,
              withUserData: true,
            }),
          );
        const { server, hiddenFields } = await servers.updateServer(request.ctx, change);
        return rendered(request, update, required(server, "server"), hiddenFields);
      },
    },
    {
      route: "DELETE /servers/{id}",
      handle: async (request) => {
        await servers.deleteServer(request.ctx, { serverId: request.id });
        return replyEmpty;
      },
    },
  ];
}

const rendered = (
  request: ApiRequest,
  view: View<Server, Links>,
  server: Server,
  hidden: readonly string[] = [],
): Reply => replyJson({ server: view.shape(request.version, hidden).render(server, request.links) });

const OPEN = Buffer.from('{"server":');
const CLOSE = Buffer.from("}");

/** Only the first server is told, or only the reservation that they share. */
function created(request: ApiRequest, answer: CreateServersResponse): Reply {
  const body = request.member("server");
  if (booleanOf(body, "return_reservation_id") === true)
    return replyJson({ reservation_id: answer.reservationId });
  const server = required(answer.servers[0], "a server");
  const groups = requestedGroups(body);
  const shown = {
    id: server.id,
    links: request.links.both("servers", server.id),
    "OS-DCF:diskConfig": server.diskConfig === DiskConfig.DISK_CONFIG_AUTO ? "AUTO" : "MANUAL",
    security_groups: (groups.length === 0 ? ["default"] : groups).map((name) => ({ name })),
  };
  const password = answer.adminPassword === undefined ? {} : { adminPass: answer.adminPassword };
  return replyJson(
    { server: { ...shown, ...password } },
    { location: request.links.self("servers", server.id) },
  );
}
