import assert from "node:assert/strict";
import { RebootInput, ResetStateInput } from "../../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { OperationStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Scenario, Stage } from "../stage.js";
import { refusal } from "../stage.js";
import { KINDS } from "../world.js";

const {
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
  OPERATION_STATE_RUNNING: RUNNING,
} = OperationState;

const database = "cell1";
const operator = (s: Stage) => s.world.as("operator").client(OperationStoreServiceDefinition);
const migration = async (s: Stage, serverId: string): Promise<MigrationRecord> => {
  const query = { database: "cell1", serverIds: [serverId] };
  const { rows } = await s.records.listMigrations(s.ctx, query);
  return rows[0]?.migration ?? assert.fail("no migration");
};
/** The only action of an operation: its message, and its events with results, details and tracebacks. */
const shown = async (s: Stage, { serverId, requestId }: StoredOperation): Promise<string[]> => {
  const { action } = await s.servers.getAction(s.ctx, { database: "cell1", serverId, requestId });
  const events = (action?.events ?? []).map(
    ({ event, result = "", finishedAt, details = "", traceback = "" }) =>
      `${event} ${result} ${finishedAt === undefined ? "open" : "finished"} ${details}|${traceback}`,
  );
  return [action?.message ?? "", ...events];
};
/** An operation that moves its server and is at its first step. */
async function moving(s: Stage, id: string): Promise<StoredOperation> {
  const operation = await s.taken(await s.begin(id, "test.move"));
  await s.commit(operation, {
    currentStep: "two",
    steps: [
      { name: "one", state: "done", attempts: 1, event: "did_one", finishedAt: { seconds: 9n } },
      { name: "two", state: "running", attempts: 1, event: "does_two" },
    ],
    change: { migrations: [{ migration: { status: "migrating" }, updateMask: ["status"] }] },
  });
  return operation;
}
const used = async (s: Stage): Promise<number[]> => {
  const { limits } = await s.global.getQuota(s.ctx, { projectId: s.project, userId: s.user });
  return ["instances", "cores"].map((one) => Number(limits.find(({ resource }) => resource === one)?.used));
};

export const cutShort: readonly Scenario[] = [
  {
    name: "what an operator abandons leaves nothing that runs: steps, events, migration",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await moving(s, id);
      assert.deepEqual(await shown(s, operation), ["", "did_one Success finished |", "does_two  open |"]);
      const { name } = operation;
      const { operation: ended } = await operator(s).abandonOperation(s.ctx, {
        database,
        name,
        reason: "enough",
      });
      assert.deepEqual(
        [ended?.state, ended?.error?.reason, ended?.steps.map((step) => `${step.name} ${step.state}`)],
        [FAILED, "ABANDONED", ["one done", "two failed"]],
      );
      assert.deepEqual(await shown(s, operation), [
        "Error",
        "did_one Success finished |",
        "does_two Error finished enough|ABANDONED",
      ]);
      assert.equal((await migration(s, id)).status, "error");
      assert.equal((await s.server(id)).vmState, VmState.VM_STATE_ERROR);
      assert.equal(await refusal(s.commit(operation)), "FENCE_LOST");
      const again = await operator(s).abandonOperation(s.ctx, { database, name, reason: "again" });
      assert.equal(again.operation?.error?.message, "enough");
    },
  },
  {
    name: "a resize that rests is the owner's: what is abandoned beside or after it does not end it",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await moving(s, id);
      const change = { migrations: [{ migration: { status: "finished" }, updateMask: ["status"] }] };
      await s.commit(operation, { state: SUCCEEDED, change });
      const other = await s.taken(await s.begin(id, "test.attach"));
      await operator(s).abandonOperation(s.ctx, { database, name: other.name });
      assert.equal((await migration(s, id)).status, "finished");
      const confirm = await s.taken(await s.begin(id, "test.life"));
      const { id: migrationId } = await migration(s, id);
      const confirming = { migration: { id: migrationId, status: "confirming" }, updateMask: ["status"] };
      await s.commit(confirm, { change: { migrations: [confirming] } });
      const another = await s.taken(await s.begin(id, "test.attach"));
      await operator(s).abandonOperation(s.ctx, { database, name: another.name });
      assert.equal((await migration(s, id)).status, "confirming");
      await operator(s).abandonOperation(s.ctx, { database, name: confirm.name });
      assert.equal((await migration(s, id)).status, "error");
    },
  },
  {
    name: "a deletion ends the migration of what it takes over",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await moving(s, id);
      await s.begin(id, "server.delete");
      assert.equal((await s.stored(operation.name)).state, PREEMPTED);
      assert.equal((await migration(s, id)).status, "error");
      assert.deepEqual((await shown(s, operation)).slice(1), [
        "did_one Success finished |",
        "does_two Error finished |",
      ]);
    },
  },
  {
    name: "what ends before its turn takes its migration along",
    run: async (s) => {
      const id = await s.put(1);
      const running = await s.taken(await s.begin(id, "test.attach"));
      const cancelled = await s.begin(id, "test.haul");
      assert.equal((await migration(s, id)).status, "accepted");
      await s.world
        .as("api")
        .client(OperationStoreServiceDefinition)
        .requestCancel(s.ctx, { database, name: cancelled });
      assert.equal((await migration(s, id)).status, "cancelled");
      const refused = await s.begin(id, "test.haul");
      const change = { server: { vmState: VmState.VM_STATE_STOPPED }, updateMask: ["vm_state"] };
      await s.commit(running, { state: SUCCEEDED, change });
      assert.deepEqual(
        [(await s.stored(refused)).state, (await migration(s, id)).status],
        [FAILED, "failed"],
      );
    },
  },
  {
    name: "what waits for an operator still moves, and its retry is no failure any more",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await moving(s, id);
      const step = { name: "two", state: "failed", attempts: 1, event: "does_two", errorReason: "R" };
      await s.commit(operation, { state: NEEDS_OPERATOR, waitingFor: "running", steps: [step] });
      assert.equal((await shown(s, operation))[0], "Error");
      const { name } = operation;
      const { operation: back } = await operator(s).retryOperation(s.ctx, { database, name });
      assert.equal(back?.state, RUNNING);
      assert.equal((await s.server(id)).currentOperation, name);
      assert.equal((await shown(s, operation))[0], "");
      assert.equal((await migration(s, id)).status, "migrating");
      assert.equal(
        await refusal(operator(s).retryOperation(s.ctx, { database, name })),
        "NOT_NEEDING_OPERATOR",
      );
      await s.commit(await s.taken(name), { state: SUCCEEDED });
    },
  },
  {
    name: "what moves the server or starts its guest is refused while a move waits for an operator, until a reset",
    run: async (s) => {
      const id = await s.put(1);
      await s.commit(await moving(s, id), { state: NEEDS_OPERATOR, waitingFor: "running" });
      const hard = { input: Buffer.from(RebootInput.encode({ hard: true }).finish()) };
      for (const asked of [s.begin(id, "test.move"), s.begin(id, "server.reboot", hard)])
        assert.equal(await refusal(asked), "OPERATION_IN_PROGRESS");
      await s.commit(await s.taken(await s.begin(id, "test.life")), { state: SUCCEEDED });
      await s.begin(id, "server.reset-state", {
        input: Buffer.from(ResetStateInput.encode({ vmState: VmState.VM_STATE_ACTIVE }).finish()),
      });
      await s.commit(await s.taken(await s.begin(id, "server.reboot", hard)), { state: SUCCEEDED });
      await s.begin(id, "test.move");
    },
  },
  {
    name: "a deletion takes over what waits for an operator",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await moving(s, id);
      await s.commit(operation, { state: NEEDS_OPERATOR, waitingFor: "running" });
      const heir = await s.begin(id, "server.delete");
      const { state, successor } = await s.stored(operation.name);
      assert.deepEqual([state, successor], [PREEMPTED, heir]);
      assert.equal((await migration(s, id)).status, "error");
      const { name } = operation;
      assert.equal(
        await refusal(operator(s).retryOperation(s.ctx, { database, name })),
        "NOT_NEEDING_OPERATOR",
      );
    },
  },
  {
    name: "what no conductor can run shows nothing as running, and moves on when it is retried",
    run: async (s) => {
      const id = await s.put(1);
      const operation = await moving(s, id);
      await s.commit(operation, { release: true });
      const kinds = KINDS.all.flatMap(({ kind }) => (kind === "test.move" ? [] : [{ kind, version: 1 }]));
      const { names } = await s.operations.strandOperations(s.ctx, { database: "cell1", kinds });
      assert.ok(names.includes(operation.name));
      const stranded = await s.stored(operation.name);
      assert.deepEqual([stranded.state, stranded.error?.reason], [NEEDS_OPERATOR, "NO_CONDUCTOR"]);
      assert.ok((await shown(s, operation)).every((line) => !line.includes("open")));
      assert.equal((await migration(s, id)).status, "migrating");
      assert.equal((await s.server(id)).vmState, VmState.VM_STATE_ERROR);
      await operator(s).retryOperation(s.ctx, { database, name: operation.name });
      await s.commit(await s.taken(operation.name), { state: SUCCEEDED });
    },
  },
  {
    name: "quota follows the record of what was abandoned: taken past the point where it has it, else given back",
    run: async (s) => {
      const grow = async (id: string, cores: number): Promise<StoredOperation> =>
        s.taken(await s.begin(id, "test.grow", { input: Buffer.from(String(cores)) }));
      const id = await s.put(1);
      const early = await grow(id, 3);
      assert.deepEqual(await used(s), [1, 3]);
      await operator(s).abandonOperation(s.ctx, { database, name: early.name });
      assert.deepEqual(await used(s), [0, 0]);
      const other = await s.put(2);
      const late = await grow(other, 4);
      const flavor = { id: "2", name: "larger", vcpus: 4, memoryMib: 64, rootGib: 1 };
      await s.commit(late, { change: { server: { flavor }, updateMask: ["flavor"] } });
      await operator(s).abandonOperation(s.ctx, { database, name: late.name });
      assert.deepEqual(await used(s), [1, 4]);
      assert.deepEqual((await s.stored(late.name)).held, { instances: 1, cores: 4, memoryMib: 64 });
    },
  },
  {
    name: "of an operation's events the newest thousand are told",
    run: async (s) => {
      const operation = await s.taken(await s.begin(await s.put(1), "test.life"));
      const steps = Array.from({ length: 1_001 }, (_, round) => ({
        name: "one",
        round,
        state: "done",
        attempts: 1,
        event: `event-${round}`,
      }));
      await s.commit(operation, { steps });
      const { serverId, requestId } = operation;
      const { action } = await s.servers.getAction(s.ctx, { database: "cell1", serverId, requestId });
      const names = action?.events.map(({ event }) => event) ?? [];
      assert.deepEqual([names.length, names[0], names.at(-1)], [1_000, "event-1", "event-1000"]);
    },
  },
];
