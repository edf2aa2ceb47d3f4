import { RebootServerRequest, RebootType } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { RebootServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../../model/instance-states.js";
import { clientToken, id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { oneOf } from "../shape/shape.js";
import { operationInput } from "./operation-input.js";
import type { Parts } from "../parts.js";
import type { ActionRules } from "./accept-operation.js";
import { acceptAction } from "./accept-operation.js";

const soft: ActionRules = {
  method: "RebootServer",
  kind: "server.reboot",
  action: "reboot",
  vmStates: [VmState.VM_STATE_ACTIVE],
  taskStates: [TaskState.none],
  taskState: TaskState.rebooting,
  mustHaveLaunched: true,
};

/**
 * A hard reboot also helps servers that are off, paused, suspended or broken, and may take over from a reboot
 * that hangs.
 */
const hard: ActionRules = {
  ...soft,
  taskState: TaskState.rebootingHard,
  preempt: true,
  vmStates: [
    VmState.VM_STATE_ACTIVE,
    VmState.VM_STATE_STOPPED,
    VmState.VM_STATE_PAUSED,
    VmState.VM_STATE_SUSPENDED,
    VmState.VM_STATE_ERROR,
  ],
  taskStates: [
    TaskState.none,
    TaskState.rebooting,
    "reboot_pending",
    TaskState.rebootStarted,
    TaskState.rebootingHard,
    "resuming",
    "unpausing",
    "pausing",
    "suspending",
  ],
};

/** Restarts a server. The operation's input is the request itself. */
export const rebootServer = (parts: Parts): Guarded<RebootServerRequest, RebootServerResponse> =>
  guarded(
    { serverId: id, clientToken, type: oneOf(RebootType) },
    parts.servers.about(),
    async (ctx, request) => {
      const type =
        request.type === RebootType.REBOOT_TYPE_HARD
          ? RebootType.REBOOT_TYPE_HARD
          : RebootType.REBOOT_TYPE_SOFT;
      const told = { ...request, type, clientToken: "" };
      return {
        operation: await acceptAction(parts, ctx, type === RebootType.REBOOT_TYPE_HARD ? hard : soft, {
          ...request,
          body: RebootServerRequest.encode(told).finish(),
          input: operationInput("RebootServer", RebootServerRequest, told),
        }),
      };
    },
  );
