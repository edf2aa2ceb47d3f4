import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { done, park } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

const { OPERATION_STATE_RUNNING, OPERATION_STATE_PARKED, OPERATION_STATE_UNDOING } = OperationState;

const LOOK_AGAIN_MS = 1_000;
/** A lane holds 100 that wait, and three lanes stand beside "life". */
const PAGE = 500;

/**
 * The first step of what must be alone: waits until what other lanes had begun, or accepted, before it has
 * ended. Nothing new begins there meanwhile. What waits for an operator is not waited for.
 * @param event  as the timeline shows it; "" for nothing
 */
export const awaitLanes = <I>({ lanes }: Pick<Ports, "lanes">, event = ""): Step<I> => ({
  name: "await-lanes",
  event,
  timeoutMs: 600_000,
  async run({ ctx, database, server }) {
    const { operations: live } = await lanes.listStoredOperations(ctx, {
      database,
      serverId: server.id,
      states: [OPERATION_STATE_RUNNING, OPERATION_STATE_PARKED, OPERATION_STATE_UNDOING],
      pageSize: PAGE,
    });
    return live.some(({ lane }) => lane !== "life") ? park("", LOOK_AGAIN_MS) : done();
  },
});
