import { StopServerRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { StopServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../../model/instance-states.js";
import { clientToken, id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";

const rules: ActionRules = {
  method: "StopServer",
  kind: "server.stop",
  action: "stop",
  vmStates: [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_ERROR],
  taskStates: [TaskState.none],
  taskState: TaskState.poweringOff,
  mustHaveHost: true,
  mustHaveLaunched: true,
};

/** Powers a server off, gracefully first. */
export const stopServer = (parts: Parts): Guarded<StopServerRequest, StopServerResponse> =>
  guarded({ serverId: id, clientToken }, parts.servers.about(), async (ctx, request) => ({
    operation: await acceptAction(parts, ctx, rules, {
      ...request,
      body: StopServerRequest.encode({ ...request, clientToken: "" }).finish(),
    }),
  }));
