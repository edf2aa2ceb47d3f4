import assert from "node:assert/strict";
import { ResetStateInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const { OPERATION_STATE_SUCCEEDED: SUCCEEDED, OPERATION_STATE_PREEMPTED: PREEMPTED } = OperationState;
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_ERROR: ERROR, VM_STATE_SOFT_DELETED: SOFT_DELETED } = VmState;

const reset = (s: Stage, id: string, vmState: VmState): Promise<string> =>
  s.begin(id, "server.reset-state", {
    input: Buffer.from(ResetStateInput.encode({ vmState }).finish()),
    method: "ResetServerState",
  });

export const resets: readonly Scenario[] = [
  {
    name: "sets the state at once from any, whoever has locked the server, and shows it in the timeline",
    run: async (s) => {
      const id = await s.put(1, { vmState: VmState.VM_STATE_PAUSED, lock: { lockedBy: "admin" } });
      for (const wanted of [ERROR, ERROR, ACTIVE]) {
        assert.equal((await s.stored(await reset(s, id, wanted))).state, SUCCEEDED);
        const { vmState, taskState, currentOperation } = await s.server(id);
        assert.deepEqual([vmState, taskState, currentOperation], [wanted, "", ""]);
      }
      const { actions } = await s.servers.listActions(s.ctx, {
        database: "cell1",
        query: { serverId: id },
      });
      assert.deepEqual(
        actions.map(({ action }) => action),
        ["resetState", "resetState", "resetState"],
      );
    },
  },
  {
    name: "ends what is under way in every lane, which writes nothing any more",
    run: async (s) => {
      const id = await s.put(1);
      const life = await s.taken(await s.begin(id, "test.life"));
      const beside = await s.taken(await s.begin(id, "test.attach"));
      const waiting = await s.begin(id, "test.attach");
      const heir = await reset(s, id, ERROR);
      for (const name of [life.name, beside.name, waiting]) {
        const { state, successor } = await s.stored(name);
        assert.deepEqual([state, successor], [PREEMPTED, heir]);
      }
      const change = { server: { vmState: ACTIVE }, updateMask: ["vm_state"] };
      assert.equal(await refusal(s.commit(life, { change })), "FENCE_LOST");
      assert.equal(await refusal(s.commit(beside)), "FENCE_LOST");
      const { vmState, taskState, currentOperation } = await s.server(id);
      assert.deepEqual([vmState, taskState, currentOperation], [ERROR, "", ""]);
    },
  },
  {
    name: "what begins afterwards has a higher fence than all that was ended",
    run: async (s) => {
      const id = await s.put(1);
      const before = await s.taken(await s.begin(id, "test.life"));
      await reset(s, id, ACTIVE);
      const after = await s.taken(await s.begin(id, "test.life"));
      // One with the reset, one with the acceptance, one with who takes it.
      assert.equal(after.fence - before.fence, 3n);
    },
  },
  {
    name: "a deletion under way goes on",
    run: async (s) => {
      const id = await s.put(1);
      const deletion = await s.begin(id, "server.delete");
      assert.equal(await refusal(reset(s, id, ACTIVE)), "OPERATION_IN_PROGRESS");
      await s.taken(deletion);
    },
  },
  {
    name: "the deletion that follows looks after what was ended",
    run: async (s) => {
      const id = await s.put(1);
      const begun = await s.taken(await s.begin(id, "test.life"));
      await reset(s, id, ERROR);
      const { alsoPreempted, preempts } = await s.stored(await s.begin(id, "server.delete"));
      assert.deepEqual([preempts, alsoPreempted.map(({ name }) => name)], ["", [begun.name]]);
    },
  },
  {
    name: "what is no longer SOFT_DELETED counts again, or is refused",
    run: async (s) => {
      const used = async (): Promise<number> => {
        const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
        return Number(limits.find(({ resource }) => resource === "instances")?.used ?? -1);
      };
      const [id, other] = [
        await s.put(1, { vmState: SOFT_DELETED }),
        await s.put(2, { vmState: SOFT_DELETED }),
      ];
      await reset(s, id, ERROR);
      assert.equal(await used(), 1);
      assert.equal((await s.server(id)).softDeletedAt, undefined);
      for (const n of [3, 4, 5]) await s.begin(await s.put(n), "test.grow", { input: Buffer.from("1") });
      assert.equal(await refusal(reset(s, other, ACTIVE)), "QUOTA_EXCEEDED");
      assert.equal((await s.server(other)).vmState, SOFT_DELETED);
      assert.equal(await used(), 4);
    },
  },
];
