import { DeleteServerRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { DeleteServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { TaskState } from "../../model/instance-states.js";
import { clientToken, id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";

/** From every state, in the middle of everything; a second delete answers the first one's operation. */
export const deletionRules: ActionRules = {
  method: "DeleteServer",
  kind: "server.delete",
  action: "delete",
  vmStates: [],
  taskStates: [],
  taskState: TaskState.deleting,
  preempt: true,
  idempotentKind: true,
};

export const deleteServer = (parts: Parts): Guarded<DeleteServerRequest, DeleteServerResponse> =>
  guarded({ serverId: id, clientToken }, parts.servers.about(), async (ctx, request) => ({
    operation: await acceptAction(parts, ctx, deletionRules, {
      ...request,
      body: DeleteServerRequest.encode({ ...request, clientToken: "" }).finish(),
    }),
  }));
