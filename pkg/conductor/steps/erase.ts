import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * Releases the quota and marks the record deleted, in this order: who sees the server gone finds the room.
 */
export const erase = ({ holdings }: Pick<Ports, "holdings">): Step => ({
  name: "erase",
  event: "conductor_erase",
  timeoutMs: 600_000,
  async run({ ctx, server }) {
    await holdings.releaseHoldings(ctx, { serverIds: [server.id] });
    return done({}, { deleteRecord: true });
  },
});
