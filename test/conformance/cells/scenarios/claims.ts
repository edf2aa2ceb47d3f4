import assert from "node:assert/strict";
import { GlobalServiceDefinition } from "../../../../gen/kilonova/cells/v1/global_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { OPERATION_STATE_SUCCEEDED: SUCCEEDED, OPERATION_STATE_FAILED: FAILED } = OperationState;

/** Instances and cores that the scenario's project uses. */
async function used(s: Stage): Promise<number[]> {
  const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
  return ["instances", "cores"].map((resource) =>
    Number(limits.find((one) => one.resource === resource)?.used ?? -1),
  );
}
const grow = (s: Stage, id: string, cores: number): Promise<string> =>
  s.begin(id, "test.grow", { input: Buffer.from(String(cores)) });

export const claims: readonly Scenario[] = [
  {
    name: "what a server is to hold more counts from the acceptance on, and stays with a good end",
    run: async (s) => {
      const id = await s.put(1);
      const larger = await grow(s, id, 4);
      assert.deepEqual(await used(s), [1, 4]);
      await s.commit(await s.taken(larger), { state: SUCCEEDED });
      assert.deepEqual(await used(s), [1, 4]);
      const smaller = await grow(s, id, 1);
      assert.deepEqual(await used(s), [1, 4]);
      await s.commit(await s.taken(smaller), { state: SUCCEEDED });
      assert.deepEqual(await used(s), [1, 1]);
    },
  },
  {
    name: "it is given back when the operation ends otherwise, and with the server",
    run: async (s) => {
      const id = await s.put(1);
      await s.commit(await s.taken(await grow(s, id, 2)), { state: SUCCEEDED });
      await s.commit(await s.taken(await grow(s, id, 8)), { state: FAILED });
      assert.deepEqual(await used(s), [1, 2]);
      await grow(s, id, 5);
      assert.deepEqual(await used(s), [1, 5]);
      await s.world
        .as("conductor")
        .client(GlobalServiceDefinition)
        .releaseHoldings(s.ctx, { serverIds: [id] });
      assert.deepEqual(await used(s), [0, 0]);
    },
  },
  {
    name: "what does not fit is refused and leaves nothing; what is in the way is said first",
    run: async (s) => {
      const [id, other] = [await s.put(1), await s.put(2)];
      const running = await grow(s, other, 6);
      assert.equal(await refusal(grow(s, id, 3)), "QUOTA_EXCEEDED");
      assert.equal(await refusal(grow(s, other, 99)), "OPERATION_IN_PROGRESS");
      const { generation, currentOperation } = await s.server(id);
      assert.deepEqual([generation, currentOperation], [1n, ""]);
      assert.deepEqual(await used(s), [1, 6]);
      await s.commit(await s.taken(running), { state: FAILED });
      await grow(s, id, 3);
      assert.deepEqual(await used(s), [1, 3]);
    },
  },
  {
    name: "a change that is refused gives back what was taken for it",
    run: async (s) => {
      const change = { server: { name: "n" }, updateMask: ["no_such_field"] };
      const id = await s.put(1);
      const asked = s.begin(id, "test.grow", { input: Buffer.from("4"), change });
      assert.equal(await refusal(asked), "INVALID_ARGUMENT");
      assert.deepEqual(await used(s), [0, 0]);
    },
  },
];
