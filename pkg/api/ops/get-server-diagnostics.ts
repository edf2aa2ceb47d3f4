import type {
  GetServerDiagnosticsRequest,
  GetServerDiagnosticsResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import { CommonErrors } from "../../kernel/index.js";
import { powerStateWord } from "../../model/instance-states.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { id } from "../shape/common.js";

/** Asks the agent of a server's host what the guest did so far. Only a running guest can tell. */
export const getServerDiagnostics = (
  parts: Parts,
): Guarded<GetServerDiagnosticsRequest, GetServerDiagnosticsResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (ctx, _request, { server, database }) => {
    const host = server.hostInfo?.host ?? "";
    if (host === "") throw ApiErrors.NOT_READY({ server: server.id });
    const service = (await parts.directory.of(ctx, database)).byHost.get(host);
    if (service === undefined || service.address === "")
      throw CommonErrors.UNAVAILABLE({ what: "The server's host" });
    const agent = parts.agent(service.address, host).client(AgentServiceDefinition);
    const { powerState, diagnostics } = await agent.getGuestDiagnostics(ctx, { host, serverId: server.id });
    if (diagnostics === undefined)
      throw ApiErrors.INVALID_STATE({
        server: server.id,
        method: "get_diagnostics",
        attr: "power state",
        state: powerStateWord(powerState),
      });
    return diagnostics;
  });
