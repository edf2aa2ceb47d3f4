import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * Gives the host's resources back. Claims of a pre-empted operation that are still under way find a
 * tombstone.
 */
export const releaseAllocation = ({ placement }: Pick<Ports, "placement">): Step => ({
  name: "release-allocation",
  event: "conductor_release_allocation",
  timeoutMs: 600_000,
  async run({ ctx, server, operation, fence }) {
    await placement.releaseAllocations(ctx, { consumerId: server.id, operation: operation.preempts, fence });
    return done();
  },
});
