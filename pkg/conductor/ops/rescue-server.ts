import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import rescueGuest from "../../compute/commands/rescue-guest.js";
import rescueServer from "../../model/operations/rescue-server.js";
import { toTimestamp } from "../../model/wire-time.js";
import { defineKind } from "../engine/kind.js";
import type { Change } from "../engine/kind.js";
import { breaksUnlessCancelled, guestStep } from "../steps/guest-step.js";
import { softTimeoutMs } from "../steps/soft-timeout.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * One that fails puts the server in ERROR, as in Nova, and its guest back where it was; one that is cancelled
 * leaves both as they were.
 */
export default ({ ports }: KindDeps) =>
  defineKind(rescueServer, {
    steps: [
      guestStep(ports, rescueServer, {
        name: "rescue",
        event: "compute_rescue_instance",
        timeoutMs: 3_600_000,
        command: rescueGuest,
        input: ({ input: { image, kernel, ramdisk }, instance, secrets }) => ({
          instance,
          image,
          kernel,
          ramdisk,
          secrets: secrets.length === 0 ? undefined : ServerSecrets.decode(secrets),
          softTimeoutMs: softTimeoutMs(instance, ports),
        }),
        power: PowerState.POWER_STATE_RUNNING,
        // As in Nova, whose usage counts anew from here.
        set: ({ now }) => ({ launchedAt: toTimestamp(now) }),
        undone: ({ server }, output) => takenBack(server, output),
      }),
    ],
    failed: breaksUnlessCancelled,
  });

/** A guest that ran before and could not be started again is no active server. */
function takenBack(server: Server, { powerState }: GuestOutput): Change {
  const isOff = server.vmState === VmState.VM_STATE_ACTIVE && powerState !== PowerState.POWER_STATE_RUNNING;
  return { set: { powerState, ...(isOff ? { vmState: VmState.VM_STATE_ERROR } : {}) } };
}
