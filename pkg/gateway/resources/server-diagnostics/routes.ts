import { replyJson } from "../../http/api-request.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { noParameters } from "../servers/schemas.js";
import { countersOf, diagnosticsOf } from "./view.js";

/** Before it each driver had keys of its own. */
const oneForm = since("2.48");

export const serverDiagnosticsRoutes = ({ servers }: Pick<ApiClients, "servers">): Operation[] => [
  {
    route: "GET /servers/{id}/diagnostics",
    query: noParameters,
    handle: async (request) => {
      const known = await servers.getServerDiagnostics(request.ctx, { serverId: request.id });
      return replyJson(request.has(oneForm) ? diagnosticsOf(known) : countersOf(known));
    },
  },
];
