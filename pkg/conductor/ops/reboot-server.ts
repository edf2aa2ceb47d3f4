import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import rebootGuest from "../../compute/commands/reboot-guest.js";
import rebootServer from "../../model/operations/reboot-server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { guestStep } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

/** A soft one falls back to hard at the agent. */
export default ({ ports }: KindDeps) =>
  defineKind(rebootServer, {
    steps: [
      guestStep(ports, rebootServer, {
        name: "reboot",
        event: "compute_reboot_instance",
        timeoutMs: 600_000,
        command: rebootGuest,
        input: ({ input: { hard }, instance }) => ({ hard, softTimeoutMs: ports.softTimeoutMs, instance }),
        power: PowerState.POWER_STATE_RUNNING,
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
