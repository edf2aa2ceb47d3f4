import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { statusIs } from "./moves.js";
import { powerNow } from "./power-now.js";
import { ledOn } from "./resting-migration.js";

/**
 * The end: the old host's place is free, and the server is what its guest is, which its user may have started
 * or ended meanwhile.
 */
export const confirmMove = (ports: Pick<Ports, "moves" | "agents">): Step<EndMoveInput> => ({
  name: "release-source",
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const { id, operation } = ledOn(call);
    const { ctx, fence, server } = call;
    await ports.moves.releaseAllocations(ctx, { consumerId: id, operation, fence });
    const powerState = (await powerNow(call, ports))?.set?.powerState ?? server.powerState;
    return done(
      {},
      {
        set: { vmState: stateBy(powerState), powerState },
        dropFault: true,
        more: { migrations: [statusIs("confirmed", id)] },
      },
    );
  },
});

/** What a server is that has come out of a move. */
export const stateBy = (powerState: PowerState): VmState =>
  powerState === PowerState.POWER_STATE_SHUTDOWN || powerState === PowerState.POWER_STATE_CRASHED
    ? VmState.VM_STATE_STOPPED
    : VmState.VM_STATE_ACTIVE;
