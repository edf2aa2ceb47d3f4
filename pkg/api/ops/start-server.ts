import { StartServerRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { StartServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../../model/instance-states.js";
import { clientToken, id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";

const rules: ActionRules = {
  method: "StartServer",
  kind: "server.start",
  action: "start",
  vmStates: [VmState.VM_STATE_STOPPED],
  taskStates: [TaskState.none],
  taskState: TaskState.poweringOn,
  mustHaveHost: true,
  mustHaveLaunched: true,
};

/** Powers a stopped server on. */
export const startServer = (parts: Parts): Guarded<StartServerRequest, StartServerResponse> =>
  guarded({ serverId: id, clientToken }, parts.servers.about(), async (ctx, request) => ({
    operation: await acceptAction(parts, ctx, rules, {
      ...request,
      body: StartServerRequest.encode({ ...request, clientToken: "" }).finish(),
    }),
  }));
