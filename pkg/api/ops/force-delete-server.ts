import { ForceDeleteServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import type { ForceDeleteServerResponse } from "../../../gen/kilonova/api/v1/server_actions.js";
import { clientToken, id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";
import { deletionRules } from "./delete-server.js";

/**
 * Never keeps the server for a while first. Nova calls the action "delete" in the timeline, whoever asked in
 * which way.
 */
const rules: ActionRules = {
  ...deletionRules,
  method: "ForceDeleteServer",
};

export const forceDeleteServer = (
  parts: Parts,
): Guarded<ForceDeleteServerRequest, ForceDeleteServerResponse> =>
  guarded({ serverId: id, clientToken }, parts.servers.about(), async (ctx, request) => ({
    operation: await acceptAction(parts, ctx, rules, {
      ...request,
      body: ForceDeleteServerRequest.encode({ ...request, clientToken: "" }).finish(),
    }),
  }));
