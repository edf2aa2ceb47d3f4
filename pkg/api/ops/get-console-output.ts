import type {
  GetConsoleOutputRequest,
  GetConsoleOutputResponse,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommonErrors } from "../../kernel/index.js";
import { ownerOf } from "../cells/servers.js";
import { consoleText } from "../domain/console-text.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";

const MAX_BYTES = 102_400;

/** Asks the agent of a server's host for the end of its serial console. */
export const getConsoleOutput = (parts: Parts): Unary<GetConsoleOutputRequest, GetConsoleOutputResponse> =>
  checked<GetConsoleOutputRequest, GetConsoleOutputResponse>({ serverId: id }, async (ctx, request) => {
    const { server, database } = await parts.servers.load(ctx, request.serverId);
    parts.policy.enforce(ctx.actor, "os_compute_api:os-console-output", ownerOf(server));
    const host = server.hostInfo?.host ?? "";
    if (host === "") throw ApiErrors.CONSOLE_NOT_READY({ server: server.id });
    const service = (await parts.directory.of(ctx, database)).byHost.get(host);
    if (service === undefined || service.address === "")
      throw CommonErrors.UNAVAILABLE({ what: "The server's console" });
    const agent = parts.agent(service.address, host).client(AgentServiceDefinition);
    const { output } = await agent.getConsoleLog(ctx, { host, serverId: server.id, maxBytes: MAX_BYTES });
    return { output: consoleText(output, request.lines) };
  });
