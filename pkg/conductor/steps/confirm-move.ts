import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { freeEarlierMoves } from "./earlier-moves.js";
import { sourceOf, statusIs } from "./moves.js";
import { powerNow } from "./power-now.js";
import { ledOn } from "./resting-migration.js";

/**
 * The end: the old host's place is free, with what earlier moves kept of it, and the server is what its guest
 * is, which its user may have started or ended meanwhile.
 */
export const confirmMove = (ports: Pick<Ports, "moves" | "migrations" | "agents">): Step<EndMoveInput> => ({
  name: "release-source",
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const migration = ledOn(call);
    const { id, operation } = migration;
    const { ctx, fence, server } = call;
    await ports.moves.releaseAllocations(ctx, { consumerId: id, operation, fence });
    const earlier = await freeEarlierMoves(call, ports, sourceOf(migration).host, id);
    const powerState = (await powerNow(call, ports))?.set?.powerState ?? server.powerState;
    return done(
      {},
      {
        set: { vmState: stateBy(powerState), powerState },
        dropFault: true,
        more: { migrations: [statusIs("confirmed", id), ...earlier] },
      },
    );
  },
});

/** What a server is that has come out of a move. */
export const stateBy = (powerState: PowerState): VmState =>
  powerState === PowerState.POWER_STATE_SHUTDOWN || powerState === PowerState.POWER_STATE_CRASHED
    ? VmState.VM_STATE_STOPPED
    : VmState.VM_STATE_ACTIVE;
