import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { powerStep } from "../steps/power.js";
import type { KindDeps } from "../kind-factory.js";

/** Milliseconds that an image asks for (`os_shutdown_timeout` is in seconds), or the deployment's. */
const softTimeoutMs = (property: string | undefined, usual: number): number => {
  const seconds = Number(property);
  return property !== undefined && property !== "" && Number.isInteger(seconds) && seconds >= 0
    ? seconds * 1000
    : usual;
};

/** Powers a server off, the guest being asked first. A failure leaves the state as it was, with a fault. */
export default ({ ports }: KindDeps) =>
  defineKind<undefined>({
    kind: "server.stop",
    version: 1,
    parseInput: () => undefined,
    steps: [
      powerStep(ports, {
        name: "power-off",
        event: "compute_stop_instance",
        timeoutMs: 600_000,
        ends: VmState.VM_STATE_STOPPED,
        power: PowerState.POWER_STATE_SHUTDOWN,
        send: ({ ctx, instance }, agent, header) =>
          agent.powerOffGuest(ctx, {
            header,
            softTimeoutMs: softTimeoutMs(
              instance.spec?.image?.properties.get("os_shutdown_timeout"),
              ports.softTimeoutMs,
            ),
          }),
      }),
    ],
    failed: ({ now }, error, details) => ({ set: { taskState: "", fault: faultOf(error, details, now) } }),
  });
