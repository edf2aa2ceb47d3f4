import assert from "node:assert/strict";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { ResetStateInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { OperationStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { LANES_OPEN } from "../../../../pkg/model/operation-states.js";
import type { Scenario } from "../stage.js";
import { refusal } from "../stage.js";

const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
  OPERATION_STATE_CANCELLED: CANCELLED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
} = OperationState;

/** Asks for the form that lets nothing begin beside it. */
const ALONE = { input: Buffer.from("alone") };

export const lanes: readonly Scenario[] = [
  {
    name: "operations of different lanes run side by side, each under a fence of its own",
    run: async (s) => {
      const id = await s.put(1);
      const names = [
        await s.begin(id, "test.life"),
        await s.begin(id, "test.attach"),
        await s.begin(id, "test.plug"),
      ];
      const taken = await s.take(names);
      assert.deepEqual(taken.map(({ name }) => name).sort(), [...names].sort());
      assert.equal(new Set(taken.map(({ fence }) => fence)).size, 3);
      for (const one of taken) await s.commit(one);
      assert.equal((await s.server(id)).currentOperation, names[0]);
    },
  },
  {
    name: "in a lane that waits, the next has its turn when the one before has ended",
    run: async (s) => {
      const id = await s.put(1);
      const [first, second, third] = [
        await s.begin(id, "test.attach"),
        await s.begin(id, "test.attach"),
        await s.begin(id, "test.attach"),
      ];
      assert.deepEqual(await s.take([second, third]), []);
      await s.commit(await s.taken(first), { state: SUCCEEDED });
      assert.deepEqual(
        (await s.take([second, third])).map(({ name }) => name),
        [second],
      );
      const { fence } = await s.stored(second);
      await s.commit({ name: second, fence }, { state: FAILED });
      await s.commit(await s.taken(third), { state: SUCCEEDED });
    },
  },
  {
    name: "a lane that does not wait refuses a second one",
    run: async (s) => {
      const id = await s.put(1);
      await s.begin(id, "test.plug");
      assert.equal(await refusal(s.begin(id, "test.plug")), "OPERATION_IN_PROGRESS");
    },
  },
  {
    name: "who waits is judged again when its turn comes",
    run: async (s) => {
      const id = await s.put(1);
      const first = await s.begin(id, "test.attach");
      const others = [await s.begin(id, "test.attach"), await s.begin(id, "test.attach")];
      const change = { server: { vmState: VmState.VM_STATE_STOPPED }, updateMask: ["vm_state"] };
      await s.commit(await s.taken(first), { state: SUCCEEDED, change });
      for (const name of others) {
        const refused = await s.stored(name);
        assert.deepEqual([refused.state, refused.error?.reason], [FAILED, "INVALID_STATE"]);
      }
    },
  },
  {
    name: "pre-emption in a lane goes before those that wait",
    run: async (s) => {
      const id = await s.put(1);
      const running = await s.taken(await s.begin(id, "test.attach"));
      const waiting = await s.begin(id, "test.attach");
      const heir = await s.begin(id, "test.attach", { input: Buffer.from("pre-empt") });
      assert.equal((await s.stored(running.name)).state, PREEMPTED);
      assert.deepEqual(await s.take([waiting]), []);
      await s.commit(await s.taken(heir), { state: SUCCEEDED });
      await s.taken(waiting);
    },
  },
  {
    name: "a delete takes over every lane and closes them; it keeps what had begun",
    run: async (s) => {
      const id = await s.put(1);
      const begun = await s.taken(await s.begin(id, "test.attach"));
      const [waiting, fresh] = [await s.begin(id, "test.attach"), await s.begin(id, "test.plug")];
      const heir = await s.begin(id, "server.delete");
      for (const name of [begun.name, waiting, fresh]) assert.equal((await s.stored(name)).state, PREEMPTED);
      assert.deepEqual(
        (await s.stored(heir)).alsoPreempted.map(({ name }) => name),
        [begun.name],
      );
      assert.equal(await refusal(s.begin(id, "test.attach")), "OPERATION_IN_PROGRESS");
    },
  },
  {
    name: "what is alone lets news wait, in the order in which it came, and refuses all else",
    run: async (s) => {
      const id = await s.put(1);
      const before = await s.taken(await s.begin(id, "test.news"));
      const alone = await s.taken(await s.begin(id, "test.life", ALONE));
      const [first, second] = [await s.begin(id, "test.news"), await s.begin(id, "test.news")];
      assert.equal((await s.stored(first)).waitingFor, LANES_OPEN);
      assert.equal(await refusal(s.begin(id, "test.attach")), "OPERATION_IN_PROGRESS");
      await s.commit(before, { state: SUCCEEDED });
      assert.deepEqual(await s.take([first, second]), [], "before its end");
      await s.commit(alone, { state: SUCCEEDED });
      assert.deepEqual(
        (await s.take([first, second])).map(({ name, waitingFor }) => [name, waitingFor]),
        [[first, ""]],
      );
      await s.commit(await s.stored(first), { state: FAILED });
      await s.commit(await s.taken(second), { state: SUCCEEDED });
      await s.commit(await s.taken(await s.begin(id, "test.news")), { state: SUCCEEDED });
    },
  },
  {
    name: "news that waited goes on when what was alone is halted, abandoned or taken over, or ends early",
    run: async (s) => {
      const operator = s.world.as("operator").client(OperationStoreServiceDefinition);
      const ends: readonly ((alone: StoredOperation) => Promise<unknown>)[] = [
        (alone) => s.commit(alone, { state: NEEDS_OPERATOR, waitingFor: "running" }),
        ({ name }) => operator.abandonOperation(s.ctx, { database: "cell1", name, reason: "enough" }),
        ({ serverId }) => s.begin(serverId, "test.life", { input: Buffer.from("pre-empt") }),
      ];
      for (const [n, end] of ends.entries()) {
        const id = await s.put(n + 1);
        const alone = await s.taken(await s.begin(id, "test.life", ALONE));
        const news = await s.begin(id, "test.news");
        await end(alone);
        await s.commit(await s.taken(news), { state: SUCCEEDED });
      }
      const id = await s.put(4);
      const before = await s.taken(await s.begin(id, "test.news"));
      const alone = await s.taken(await s.begin(id, "test.life", ALONE));
      const news = await s.begin(id, "test.news");
      await s.commit(alone, { state: FAILED });
      assert.deepEqual(await s.take([news]), []);
      await s.commit(before, { state: SUCCEEDED });
      await s.taken(news);
    },
  },
  {
    name: "what a deletion or a reset takes over is also what waited behind one that was alone",
    run: async (s) => {
      for (const [n, kind] of ["server.delete", "server.reset-state"].entries()) {
        const id = await s.put(n + 1);
        await s.begin(id, "test.life", ALONE);
        const news = await s.begin(id, "test.news");
        await s.begin(id, kind, {
          input: Buffer.from(ResetStateInput.encode({ vmState: VmState.VM_STATE_ACTIVE }).finish()),
        });
        assert.equal((await s.stored(news)).state, PREEMPTED);
      }
    },
  },
  {
    name: "one that waits is cancelled at once",
    run: async (s) => {
      const id = await s.put(1);
      await s.begin(id, "test.attach");
      const waiting = await s.begin(id, "test.attach");
      const { operation } = await s.world
        .as("api")
        .client(OperationStoreServiceDefinition)
        .requestCancel(s.ctx, { database: "cell1", name: waiting });
      assert.deepEqual([operation?.state, operation?.error?.reason], [CANCELLED, "OPERATION_CANCELLED"]);
    },
  },
  {
    name: "another lane than life may not change the task state",
    run: async (s) => {
      const operation = await s.taken(await s.begin(await s.put(1), "test.attach"));
      const change = { server: { taskState: "x" }, updateMask: ["task_state"] };
      assert.equal(await refusal(s.commit(operation, { change })), "INVALID_ARGUMENT");
    },
  },
  {
    name: "a lane beside life needs a cell, and so does what is done at once",
    run: async (s) => {
      await s.accept([s.id(1)]);
      const { operations } = await s.operations.listStoredOperations(s.ctx, {
        database: "global",
        serverId: s.id(1),
      });
      const [boot] = await s.take(
        operations.map(({ name }) => name),
        "a",
        "global",
      );
      assert.ok(boot);
      // A boot is no declared reason to close lanes: what refuses is the missing cell.
      assert.equal(await refusal(s.begin(s.id(1), "test.plug", { database: "global" })), "NOT_READY");
      assert.equal(await refusal(s.begin(s.id(1), "server.lock", { database: "global" })), "NOT_READY");
    },
  },
];
