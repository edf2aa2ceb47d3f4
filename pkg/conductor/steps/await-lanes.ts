import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { LANES_OPEN } from "../../model/operation-states.js";
import { done, park } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

const { OPERATION_STATE_RUNNING, OPERATION_STATE_PARKED, OPERATION_STATE_UNDOING } = OperationState;

const LOOK_AGAIN_MS = 1_000;
/** A lane holds 100 that wait, and three lanes stand beside "life". */
const PAGE = 500;

/**
 * The first step of what must be alone: waits until what other lanes had begun, or accepted, before it has
 * ended. Nothing new begins there meanwhile: what is accepted has its turn afterwards. What waits for an
 * operator is not waited for.
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
    const isBefore = live.some(({ lane, waitingFor }) => lane !== "life" && waitingFor !== LANES_OPEN);
    return isBefore ? park("", LOOK_AGAIN_MS) : done();
  },
});
