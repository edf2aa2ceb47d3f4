import { StartServerRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { StartServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../../model/instance-states.js";
import { clientToken, id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";

const rules: ActionRules = {
  rule: "os_compute_api:servers:start",
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
export const startServer = (parts: Parts): Unary<StartServerRequest, StartServerResponse> =>
  checked<StartServerRequest, StartServerResponse>({ serverId: id, clientToken }, async (ctx, request) => ({
    operation: await acceptAction(parts, ctx, rules, {
      ...request,
      body: StartServerRequest.encode({ ...request, clientToken: "" }).finish(),
    }),
  }));
