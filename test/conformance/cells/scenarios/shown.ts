import assert from "node:assert/strict";
import { Operation, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { LockInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { parseOperationName } from "../../../../pkg/model/operation-name.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";

const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
} = OperationState;
const asked = (reason: string) => ({ asked: { $case: "lockServer" as const, value: { reason } } });

/** A server on a host of the scenario with an operation that is at its step "one". */
async function atOne(s: Stage) {
  const host = s.name("h");
  await s.register(host);
  const id = await s.put(1, { hostInfo: ServerHostInfo.fromPartial({ host }) });
  const operation = await s.taken(await s.begin(id, "test.life"));
  await s.commit(operation, { currentStep: "one" });
  const uuid = parseOperationName(operation.name)?.operationId ?? "";
  const report = (percent: number, wish: object = {}) =>
    s.agent(host).reportProgress(s.ctx, {
      cell: "cell1",
      host,
      operation: operation.name,
      commandId: `${uuid}/one/x`,
      fence: operation.fence,
      progress: { percent, phase: "image_bytes", done: 1n, total: 4n },
      ...wish,
    });
  return { id, host, operation, uuid, report };
}

export const shown: readonly Scenario[] = [
  {
    name: "an operation tells what was asked from its acceptance on, and what came of it with its good end",
    run: async (s) => {
      const id = await s.put(1);
      const mark = await s.mark();
      const name = await s.begin(id, "test.move", { input: Buffer.from("why") });
      const begun = await s.stored(name);
      assert.deepEqual([begun.metadata, begun.result, begun.successor], [asked("why"), undefined, ""]);
      await s.commit(await s.taken(name), { state: SUCCEEDED });
      const { generation } = await s.server(id);
      const result = { outcome: { $case: "server" as const, value: { id, generation } } };
      const ended = await s.stored(name);
      assert.deepEqual([ended.metadata, ended.result], [asked("why"), result]);
      const told = await s.told(mark, { entity: parseOperationName(name)?.operationId ?? "" });
      const last = Operation.decode(told.at(-1)?.payload ?? Buffer.alloc(0));
      assert.deepEqual(
        [last.metadata, last.result, last.generation],
        [asked("why"), result, ended.generation],
      );
      const failed = await s.begin(id, "test.move");
      await s.commit(await s.taken(failed), { state: FAILED });
      assert.equal((await s.stored(failed)).result, undefined);
    },
  },
  {
    name: "an instant operation tells both at once, also when it changes nothing",
    run: async (s) => {
      const id = await s.put(1);
      for (const generation of [2n, 2n]) {
        const input = Buffer.from(LockInput.encode(LockInput.fromPartial({ reason: "r" })).finish());
        const { metadata, result } = await s.stored(await s.begin(id, "server.lock", { input }));
        assert.deepEqual(metadata, asked("r"));
        assert.deepEqual(result, { outcome: { $case: "server", value: { id, generation } } });
      }
    },
  },
  {
    name: "one that was taken over names who did it",
    run: async (s) => {
      const id = await s.put(1);
      const first = await s.taken(await s.begin(id, "test.life"));
      const beside = await s.begin(id, "test.attach");
      const heir = await s.begin(id, "server.delete");
      for (const name of [first.name, beside]) {
        const { state, successor } = await s.stored(name);
        assert.deepEqual([state, successor], [PREEMPTED, heir]);
      }
      assert.equal((await s.stored(heir)).successor, "");
    },
  },
  {
    name: "progress is taken from the host whose command runs, and from no other of the operation's",
    run: async (s) => {
      const { host, operation, report } = await atOne(s);
      const other = s.name("i");
      await s.register(other);
      const from = async (who: string, percent: number): Promise<string> =>
        s
          .agent(who)
          .reportProgress(s.ctx, {
            cell: "cell1",
            host: who,
            operation: operation.name,
            commandId: `${parseOperationName(operation.name)?.operationId ?? ""}/one/x`,
            fence: operation.fence,
            progress: { percent, phase: "memory" },
          })
          .then(
            ({ kept }) => (kept ? "kept" : "too soon"),
            ({ reason }: { readonly reason: string }) => reason,
          );
      const at = (name: string, where: string) => ({ name, state: "running", attempts: 1, host: where });
      // The other host is one of the operation's, of an earlier step.
      await s.commit(operation, { currentStep: "one", steps: [{ ...at("zero", other), state: "done" }] });
      assert.equal(await from(other, 1), "WRONG_OPERATION");
      assert.equal((await report(2)).kept, true);
      await s.commit(operation, { currentStep: "one", steps: [at("one", other)] });
      assert.equal(await from(host, 3), "WRONG_OPERATION");
      assert.match(await from(other, 4), /kept|too soon/);
    },
  },
  {
    name: "progress is shown with the operation and its server, and told, but moves no server",
    run: async (s) => {
      const { id, operation, uuid, report } = await atOne(s);
      const before = await s.server(id);
      const mark = await s.mark();
      assert.equal((await report(25)).kept, true);
      const { progress, generation } = await s.stored(operation.name);
      assert.deepEqual(
        [progress?.percent, progress?.phase, progress?.done, progress?.total],
        [25, "image_bytes", 1n, 4n],
      );
      assert.notEqual(progress?.updatedAt, undefined);
      const after = await s.server(id);
      assert.deepEqual([after.progress, after.generation], [25, before.generation]);
      const [row] = (await s.page({})).rows;
      assert.equal(Server.decode(row?.server ?? Buffer.alloc(0)).progress, 25);
      assert.deepEqual(await s.told(mark, { entity: id }), []);
      const told = await s.told(mark, { entity: uuid });
      assert.deepEqual(
        told.map((one) => [one.generation, Operation.decode(one.payload).progress?.percent]),
        [[generation, 25]],
      );
    },
  },
  {
    name: "reports that come within a second are not kept",
    run: async (s) => {
      const { operation, report } = await atOne(s);
      assert.deepEqual([(await report(10)).kept, (await report(20)).kept], [true, false]);
      assert.equal((await s.stored(operation.name)).progress?.percent, 10);
    },
  },
  {
    name: "progress goes with its step",
    run: async (s) => {
      const { id, operation, report } = await atOne(s);
      await report(25);
      await s.commit(operation, { currentStep: "one" });
      assert.equal((await s.server(id)).progress, 25);
      await s.commit(operation, { currentStep: "two" });
      assert.equal((await s.stored(operation.name)).progress, undefined);
      assert.equal((await s.server(id)).progress, 0);
    },
  },
  {
    name: "progress of another step, fence or host, and what is no figure, is refused",
    run: async (s) => {
      const { operation, uuid, report } = await atOne(s);
      const other = s.name("i");
      await s.register(other);
      assert.equal(await refusal(report(1, { commandId: `${uuid}/two/x` })), "FENCE_LOST");
      assert.equal(await refusal(report(1, { fence: operation.fence + 1n })), "FENCE_LOST");
      assert.equal(await refusal(report(1, { host: other })), "WRONG_HOST");
      assert.equal(await refusal(report(101)), "INVALID_ARGUMENT");
      const spoken = { percent: 1, phase: "Not a name!", done: 0n, total: 0n };
      assert.equal(await refusal(report(1, { progress: spoken })), "INVALID_ARGUMENT");
      await s.commit(operation, { state: SUCCEEDED });
      assert.equal(await refusal(report(1)), "FENCE_LOST");
    },
  },
];
