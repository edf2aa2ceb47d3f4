import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import unrescueGuest from "../../compute/commands/unrescue-guest.js";
import unrescueServer from "../../model/operations/unrescue-server.js";
import { defineKind } from "../engine/kind.js";
import { breaksUnlessCancelled, guestStep } from "../steps/guest-step.js";
import { powerNow } from "../steps/power-now.js";
import { softTimeoutMs } from "../steps/soft-timeout.js";
import type { KindDeps } from "../kind-factory.js";

/** One that fails puts the server in ERROR, as in Nova: `reboot --hard` starts it from its own disk. */
export default ({ ports }: KindDeps) => {
  const unrescue = guestStep(ports, unrescueServer, {
    name: "unrescue",
    event: "compute_unrescue_instance",
    timeoutMs: 600_000,
    command: unrescueGuest,
    input: ({ instance }) => ({
      instance,
      softTimeoutMs: softTimeoutMs(instance, ports),
      takesBack: false,
    }),
    power: PowerState.POWER_STATE_RUNNING,
  });
  return defineKind(unrescueServer, {
    steps: [
      {
        ...unrescue,
        undo: async (call) => {
          await unrescue.undo?.(call);
          return powerNow(call, ports);
        },
      },
    ],
    failed: breaksUnlessCancelled,
  });
};
