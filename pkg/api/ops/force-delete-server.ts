import { ForceDeleteServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import type { ForceDeleteServerResponse } from "../../../gen/kilonova/api/v1/server_actions.js";
import { clientToken, id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
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
  rule: "os_compute_api:os-deferred-delete:force",
  method: "ForceDeleteServer",
};

export const forceDeleteServer = (parts: Parts): Unary<ForceDeleteServerRequest, ForceDeleteServerResponse> =>
  checked<ForceDeleteServerRequest, ForceDeleteServerResponse>(
    { serverId: id, clientToken },
    async (ctx, request) => ({
      operation: await acceptAction(parts, ctx, rules, {
        ...request,
        body: ForceDeleteServerRequest.encode({ ...request, clientToken: "" }).finish(),
      }),
    }),
  );
