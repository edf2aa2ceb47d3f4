import { ConsoleProtocol, ConsoleType } from "../../../../gen/kilonova/api/v1/consoles_service.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { textOf } from "../../http/fields.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { consoleActionBody, remoteConsoleBody, tokenParameters } from "./schemas.js";
import { actions, protocols, types } from "./words.js";

/** Tokens of every type of console are told; before, only those of one that is no more. */
const allTypes = since("2.31");
const tlsPort = since("2.99");

/** Graphical and serial consoles: the resource, the actions before it, and what a token leads to. */
export function remoteConsoleRoutes({ remoteConsoles }: Pick<ApiClients, "remoteConsoles">): Operation[] {
  const urlOf = async ({ ctx, id }: ApiRequest, protocol: string, type: string): Promise<string> => {
    const { url } = await remoteConsoles.createRemoteConsole(ctx, {
      serverId: id,
      protocol: protocols.get(protocol) ?? ConsoleProtocol.CONSOLE_PROTOCOL_UNSPECIFIED,
      type: types.get(type) ?? ConsoleType.CONSOLE_TYPE_UNSPECIFIED,
    });
    return url;
  };
  return [
    {
      route: "POST /servers/{id}/remote-consoles",
      body: remoteConsoleBody,
      handle: async (request) => {
        const asked = request.member("remote_console");
        const [protocol, type] = [textOf(asked, "protocol") ?? "", textOf(asked, "type") ?? ""];
        return replyJson({ remote_console: { protocol, type, url: await urlOf(request, protocol, type) } });
      },
    },
    ...actions.map(({ key, protocol, types: words }): Operation => ({
      route: `POST /servers/{id}/action#${key}`,
      body: consoleActionBody(key, words),
      handle: async (request) => {
        const type = textOf(request.member(key), "type") ?? "";
        return replyJson({ console: { type, url: await urlOf(request, protocol, type) } });
      },
    })),
    {
      route: "GET /os-console-auth-tokens/{id}",
      query: tokenParameters,
      handle: async (request) => {
        if (!request.has(allTypes))
          throw GatewayErrors.BAD_REQUEST({
            message:
              "The server could not comply with the request since it is either malformed or otherwise incorrect.",
          });
        const found = await remoteConsoles.getConsoleConnection(request.ctx, { token: request.id });
        return replyJson({
          console: {
            instance_uuid: found.serverId,
            host: found.host,
            port: found.port,
            internal_access_path: found.internalAccessPath ?? null,
            ...(request.has(tlsPort) && found.type === ConsoleType.CONSOLE_TYPE_SPICE_DIRECT
              ? { tls_port: found.tlsPort ?? null }
              : {}),
          },
        });
      },
    },
  ];
}
