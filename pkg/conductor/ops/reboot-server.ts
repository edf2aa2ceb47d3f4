import { RebootServerRequest, RebootType } from "../../../gen/kilonova/api/v1/servers_service.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { powerStep } from "../steps/power.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * Restarts a server; the input is the api's RebootServerRequest. A soft one falls back to hard at the agent.
 */
export default ({ ports }: KindDeps) =>
  defineKind<{ hard: boolean }>({
    kind: "server.reboot",
    version: 1,
    parseInput: (bytes) => ({ hard: RebootServerRequest.decode(bytes).type === RebootType.REBOOT_TYPE_HARD }),
    steps: [
      powerStep(ports, {
        name: "reboot",
        event: "compute_reboot_instance",
        timeoutMs: 600_000,
        ends: VmState.VM_STATE_ACTIVE,
        power: PowerState.POWER_STATE_RUNNING,
        send: ({ ctx, input, instance }, agent, header) =>
          agent.rebootGuest(ctx, { header, hard: input.hard, softTimeoutMs: ports.softTimeoutMs, instance }),
      }),
    ],
    failed: ({ now, server }, error, details) => ({
      // A guest that still runs keeps its state, as in Nova; one that does not is broken.
      set: {
        taskState: "",
        fault: faultOf(error, details, now),
        ...(server.powerState === PowerState.POWER_STATE_RUNNING ? {} : { vmState: VmState.VM_STATE_ERROR }),
      },
    }),
  });
