import { catalogue } from "../../../model/operation-catalogue.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { countOf } from "../../http/fields.js";
import type { ApiClients, ServersClient } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { bareAction } from "./actions/action.js";
import { actionBodies } from "./actions/index.gen.js";
import { consoleOutputBody } from "./schemas.js";

type Begin = (ctx: unknown, request: object) => Promise<unknown>;

/** The method that begins an operation. @throws when the client has none of that name */
function methodOf(servers: ServersClient, name: string): Begin {
  const key = `${name.charAt(0).toLowerCase()}${name.slice(1)}` as keyof ServersClient;
  if (servers[key] === undefined) throw new Error(`there is no method ${name}`);
  return servers[key] as unknown as Begin;
}

/** Actions on a server that begin an operation, as they are declared, and the console's log. */
export function serverActionRoutes(
  { servers }: Pick<ApiClients, "servers">,
  declared: readonly Pick<OperationDeclaration, "methods">[] = catalogue.all,
): Operation[] {
  const bodies = new Map(actionBodies.map((one) => [one.key, one]));
  const begun = declared
    .flatMap(({ methods }) => methods)
    .flatMap(({ name, key, ours }): Operation[] => {
      if (key === undefined) return [];
      const { body, fields, reply } = bodies.get(key) ?? bareAction(key);
      return [
        {
          route: `POST /servers/{id}/action#${key}`,
          ...(ours === undefined ? {} : { ours }),
          body,
          handle: async (request) => {
            const begin = methodOf(servers, name);
            const answer = await begin(request.ctx, { serverId: request.id, ...fields(request) });
            return reply?.(request, answer) ?? replyEmpty;
          },
        },
      ];
    });
  return [
    ...begun,
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
