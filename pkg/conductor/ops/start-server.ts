import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { powerStep } from "../steps/power.js";
import type { KindDeps } from "../kind-factory.js";

/** Powers a stopped server on. A failure leaves it stopped, with a fault. */
export default ({ ports }: KindDeps) =>
  defineKind<undefined>({
    kind: "server.start",
    version: 1,
    parseInput: () => undefined,
    steps: [
      powerStep(ports, {
        name: "power-on",
        event: "compute_start_instance",
        timeoutMs: 600_000,
        ends: VmState.VM_STATE_ACTIVE,
        power: PowerState.POWER_STATE_RUNNING,
        send: ({ ctx, instance }, agent, header) => agent.powerOnGuest(ctx, { header, instance }),
      }),
    ],
    failed: ({ now }, error, details) => ({ set: { taskState: "", fault: faultOf(error, details, now) } }),
  });
