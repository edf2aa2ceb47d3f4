import { DeleteServerRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { DeleteServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { TaskState } from "../../model/instance-states.js";
import { clientToken, id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";

/** From every state, in the middle of everything; a second delete answers the first one's operation. */
export const deletionRules: ActionRules = {
  rule: "os_compute_api:servers:delete",
  method: "DeleteServer",
  kind: "server.delete",
  action: "delete",
  vmStates: [],
  taskStates: [],
  taskState: TaskState.deleting,
  preempt: true,
  idempotentKind: true,
};

export const deleteServer = (parts: Parts): Unary<DeleteServerRequest, DeleteServerResponse> =>
  checked<DeleteServerRequest, DeleteServerResponse>({ serverId: id, clientToken }, async (ctx, request) => ({
    operation: await acceptAction(parts, ctx, deletionRules, {
      ...request,
      body: DeleteServerRequest.encode({ ...request, clientToken: "" }).finish(),
    }),
  }));
