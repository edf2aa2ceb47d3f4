import type {
  GetConsoleOutputRequest,
  GetConsoleOutputResponse,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommonErrors } from "../../kernel/index.js";
import { consoleText } from "../domain/console-text.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";

const MAX_BYTES = 102_400;

/** Asks the agent of a server's host for the end of its serial console. */
export const getConsoleOutput = (parts: Parts): Guarded<GetConsoleOutputRequest, GetConsoleOutputResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (ctx, request, { server, database }) => {
    const host = server.hostInfo?.host ?? "";
    if (host === "") throw ApiErrors.CONSOLE_NOT_READY({ server: server.id });
    const service = (await parts.directory.of(ctx, database)).byHost.get(host);
    if (service === undefined || service.address === "")
      throw CommonErrors.UNAVAILABLE({ what: "The server's console" });
    const agent = parts.agent(service.address, host).client(AgentServiceDefinition);
    const { output } = await agent.getConsoleLog(ctx, { host, serverId: server.id, maxBytes: MAX_BYTES });
    return { output: consoleText(output, request.lines) };
  });
