import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { statusIs, unclearedMoves } from "./moves.js";

/**
 * Gives the host's resources back, and what moves have kept at other hosts. Claims of a pre-empted operation
 * that are still under way find a tombstone. A move that nobody has decided on is confirmed, as in Nova:
 * there is nothing left to go back to.
 */
export const releaseAllocation = ({
  placement,
  migrations,
}: Pick<Ports, "placement" | "migrations">): Step => ({
  name: "release-allocation",
  event: "conductor_release_allocation",
  timeoutMs: 600_000,
  async run(call) {
    const { ctx, server, operation, fence } = call;
    const moves = await unclearedMoves(call, { migrations });
    await placement.releaseAllocations(ctx, { consumerId: server.id, operation: operation.preempts, fence });
    for (const { id, operation: mover } of moves)
      await placement.releaseAllocations(ctx, { consumerId: id, operation: mover, fence });
    const resting = moves.filter(({ status }) => status === "finished");
    return done(
      {},
      resting.length === 0
        ? undefined
        : { more: { migrations: resting.map(({ id }) => statusIs("confirmed", id)) } },
    );
  },
});
