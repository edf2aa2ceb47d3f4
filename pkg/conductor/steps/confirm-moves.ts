import { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import destroyGuestThere from "../../compute/commands/destroy-guest.js";
import confirmServerResize from "../../model/operations/confirm-server-resize.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { sendCommand } from "./agent-command.js";
import { stateBy } from "./confirm-move.js";
import { hostOf } from "./host-of.js";
import { insist } from "./insist.js";
import { sourceOf, statusIs, unclearedMoves } from "./moves.js";
import { victimsOf } from "./victim.js";

/**
 * Frees the hosts that the server has left without a word of its owner, as in Nova: who takes a deletion back
 * takes no move back. One that is down keeps what it has until the server is deleted for good.
 */
export const confirmMoves = <I>(ports: Ports): Step<I> => ({
  name: "confirm-moves",
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const cut = cutConfirmations(call);
    const uncleared = await unclearedMoves(call, ports);
    const moves = uncleared.filter((move) => isDecided(move, cut) && hasBrought(call, move));
    const free = new Set<string>();
    for (const move of moves) if (await isFreed(call, ports, move)) free.add(sourceOf(move).host);
    if (free.size === 0) return done();
    // With what earlier moves keep of these hosts.
    const ended = uncleared.filter(({ source }) => source !== undefined && free.has(source.host));
    for (const { id, operation } of ended)
      await ports.moves.releaseAllocations(call.ctx, { consumerId: id, operation, fence: call.fence });
    const { vmState, powerState } = call.server;
    const resting = ended.filter(({ status }) => status === "finished");
    return done(
      {},
      {
        ...(vmState === VmState.VM_STATE_RESIZED ? { set: { vmState: stateBy(powerState) } } : {}),
        more: { migrations: resting.map(({ id }) => statusIs("confirmed", id)) },
      },
    );
  },
});

/** Migrations whose confirmation this operation has taken over. */
const cutConfirmations = (call: StepCall<unknown>): ReadonlySet<string> =>
  new Set(
    victimsOf(call)
      .filter(({ kind }) => kind === confirmServerResize.kind)
      .map(({ input }) => EndMoveInput.decode(input).migrationId),
  );

/**
 * Whether the old host has nothing that is still wanted: of a move that rests, and of one that was being
 * confirmed. One that failed otherwise may have been cut short on its way back, with the only copy there.
 */
const isDecided = ({ id, status }: MigrationRecord, cut: ReadonlySet<string>): boolean =>
  status === "finished" || (status === "error" && cut.has(id));

/** Whether the server is where the move led, and has been elsewhere. */
const hasBrought = (call: StepCall<unknown>, { source, target }: MigrationRecord): boolean => {
  const host = hostOf(call);
  return target?.host === host && source !== undefined && source.host !== host;
};

/** @returns whether the old host has removed the guest */
async function isFreed(call: StepCall<unknown>, ports: Ports, move: MigrationRecord): Promise<boolean> {
  const { stepId, database } = call;
  const { host } = sourceOf(move);
  const at = { cell: database, host };
  return insist(call, ports, at, async () => {
    const ids = { commandId: `${stepId}/${host}` };
    return (await sendCommand(call, ports, at, destroyGuestThere, {}, ids)).result;
  });
}
