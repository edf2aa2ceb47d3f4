import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { InstanceChange } from "../../gen/kilonova/cells/v1/instance_change.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { CommitStepRequest, StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { cellMigrations } from "../../pkg/cells/store/migrations/cell.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { getOperation } from "../../pkg/cells/operations/store/read-operations.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { LANES_OPEN } from "../../pkg/model/operation-states.js";
import { aDeclaration, aForm } from "../../pkg/model/testing/a-declaration.js";
import { migrate } from "../../pkg/platform/db/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_CANCELLED: CANCELLED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
} = OperationState;

const waiting = { ...aForm, vmStates: [VmState.VM_STATE_ACTIVE], contention: "waits" } as const;
const kinds = new OperationCatalogue([
  anyOperation(aDeclaration("test.life")),
  anyOperation(aDeclaration("test.end")),
  anyOperation(
    aDeclaration("test.attach", {
      lane: "volumes",
      forms: { plain: waiting, preempting: { ...waiting, contention: "pre-empts" } },
      formOf: (input) => (input === "pre-empt" ? "preempting" : "plain"),
    }),
  ),
  anyOperation(aDeclaration("test.plug", { lane: "ports", forms: { plain: aForm }, formOf: () => "plain" })),
]);

describe("lanes of a server", () => {
  let s: CellsUnderTest;
  before(async () => {
    s = await startCellsService({}, kinds);
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  const operator = () => s.as("operator").client(OperationStoreServiceDefinition);
  const server = async (): Promise<string> => {
    const id = randomUUID();
    await putInstance(s.store, testCtx(), aServer({ id }));
    return id;
  };
  const accept = async (serverId: string, kind: string, input = ""): Promise<string> => {
    const { operation } = await s
      .as("api")
      .client(InstancesServiceDefinition)
      .acceptOperation(testCtx(), {
        database: "cell1",
        serverId,
        kind: `test.${kind}`,
        kindVersion: 1,
        input: Buffer.from(input),
      });
    return operation?.name ?? assert.fail("no operation");
  };
  const acquire = async (...names: string[]): Promise<StoredOperation[]> =>
    (
      await conductor().acquireOperations(testCtx(), {
        database: "cell1",
        owner: "a",
        kinds: kinds.all.map(({ kind }) => ({ kind, version: 1 })),
        limit: 50,
        names,
        ownership: { seconds: 60n },
      })
    ).operations;
  const taken = async (name: string): Promise<StoredOperation> =>
    (await acquire(name))[0] ?? assert.fail(`${name} not acquired`);
  const commit = (
    { name, fence }: Pick<StoredOperation, "name" | "fence">,
    wish: Omit<Parameters<ReturnType<typeof conductor>["commitStep"]>[1], "database"> = {},
  ) =>
    conductor().commitStep(testCtx(), {
      database: "cell1",
      name,
      fence,
      state: RUNNING,
      currentStep: "one",
      ...wish,
    });
  const set = (values: Partial<Server>, ...updateMask: string[]): Pick<CommitStepRequest, "change"> => ({
    change: InstanceChange.fromPartial({ server: Server.fromPartial(values), updateMask }),
  });
  /** Gives the server a volume, as its only or one more device. */
  const withVolume = (id: string, volumeId: string): Pick<CommitStepRequest, "change"> => ({
    change: InstanceChange.fromPartial({ blockDevices: [{ device: { id, volumeId } }] }),
  });
  const stored = (name: string): Promise<StoredOperation> => getOperation(s.store, testCtx(), name);
  const recordOf = async (serverId: string): Promise<Server> =>
    (await s.instances.getInstance(testCtx(), { database: "cell1", serverId })).instance?.server ??
    assert.fail("no server");

  it("hold ten at once, which all get their turn, one at a time, in the order of their acceptance", async () => {
    const id = await server();
    const names = await Promise.all(Array.from({ length: 10 }, () => accept(id, "attach")));
    const all = await Promise.all(names.map(stored));
    const order = all.sort((a, b) => Number(a.turn - b.turn)).map(({ name }) => name);
    assert.equal(new Set(all.map(({ turn }) => turn)).size, 10);
    for (const name of order) {
      const ready = await acquire(...names);
      assert.deepEqual(
        ready.map((one) => one.name),
        [name],
      );
      const [operation] = ready;
      assert.ok(operation !== undefined);
      await commit(operation, { state: SUCCEEDED, ...withVolume(randomUUID(), name) });
    }
    assert.deepEqual(
      (await recordOf(id)).volumes.map((volume) => volume.id),
      order,
    );
  });

  it("run side by side under fences of one count, and lose nothing of each other's changes", async () => {
    const id = await server();
    const names = [await accept(id, "life"), await accept(id, "attach"), await accept(id, "plug")];
    const operations = await acquire(...names);
    assert.equal(operations.length, 3);
    assert.equal(new Set(operations.map(({ fence }) => fence)).size, 3);
    const [life, attach, plug] = names.map((name) => operations.find((one) => one.name === name));
    assert.ok(life !== undefined && attach !== undefined && plug !== undefined);
    for (let round = 0; round < 5; round++)
      await Promise.all([
        commit(life, set({ taskState: `round-${round}` }, "task_state")),
        commit(attach, withVolume("device", `${round}`)),
        commit(plug, set({ progress: round }, "progress")),
      ]);
    const record = await recordOf(id);
    assert.deepEqual(
      [record.taskState, record.volumes.map((volume) => volume.id), record.progress],
      ["round-4", ["4"], 4],
    );
    await commit(attach, { state: SUCCEEDED });
    assert.equal((await recordOf(id)).currentOperation, life.name);
    await commit(life, { state: SUCCEEDED });
    assert.equal((await recordOf(id)).currentOperation, "");
    await commit(plug, { state: SUCCEEDED });
  });

  it("refuse what does not wait, a task state beside life, and all while the server has no cell", async () => {
    const id = await server();
    const plug = await taken(await accept(id, "plug"));
    await assert.rejects(accept(id, "plug"), { reason: "OPERATION_IN_PROGRESS" });
    await assert.rejects(commit(plug, set({ taskState: "plugging" }, "task_state")), {
      reason: "INVALID_ARGUMENT",
    });
    const young = randomUUID();
    await putInstance(s.globalStore, testCtx(), aServer({ id: young }));
    await assert.rejects(
      s.instances.acceptOperation(testCtx(), {
        database: "global",
        serverId: young,
        kind: "test.attach",
        kindVersion: 1,
      }),
      { reason: "NOT_READY" },
    );
  });

  it("end together when an operation takes all of them over, and begin nothing until it has ended", async () => {
    const id = await server();
    const [life, attach, queued] = [
      await accept(id, "life"),
      await accept(id, "attach", "one"),
      await accept(id, "attach", "two"),
    ];
    const running = await acquire(life, attach);
    const steps = [{ name: "reserve", state: "done" }];
    for (const one of running) await commit(one, { steps });
    const heir = await taken(await accept(id, "end", "join"));
    assert.ok(running.every(({ fence }) => fence < heir.fence));
    for (const name of [life, attach, queued]) assert.equal((await stored(name)).state, PREEMPTED);
    for (const one of running) await assert.rejects(commit(one), { reason: "FENCE_LOST" });
    assert.deepEqual([heir.preempts, heir.preemptedSteps.map(({ name }) => name)], [life, ["reserve"]]);
    assert.deepEqual(
      heir.alsoPreempted.map((one) => [one.name, one.kind, String(one.input), one.steps.map((x) => x.name)]),
      [[attach, "test.attach", "one", ["reserve"]]],
    );
    await assert.rejects(accept(id, "attach"), { reason: "OPERATION_IN_PROGRESS" });
    await commit(heir, { state: SUCCEEDED });
    await commit(await taken(await accept(id, "attach")), { state: SUCCEEDED });
  });

  it("let one operation take over from another of its lane, before those that wait", async () => {
    const id = await server();
    const first = await taken(await accept(id, "attach"));
    const second = await accept(id, "attach");
    const heir = await taken(await accept(id, "attach", "pre-empt"));
    assert.equal(heir.preempts, first.name);
    await assert.rejects(commit(first), { reason: "FENCE_LOST" });
    assert.deepEqual(await acquire(second), []);
    await commit(heir, { state: SUCCEEDED });
    await commit(await taken(second), { state: SUCCEEDED });
  });

  it("fail what waited when the server's state no longer fits, and go on with the rest", async () => {
    const id = await server();
    const first = await taken(await accept(id, "attach"));
    const second = await accept(id, "attach");
    const life = await taken(await accept(id, "life"));
    await commit(life, { state: SUCCEEDED, ...set({ vmState: VmState.VM_STATE_STOPPED }, "vm_state") });
    await commit(first, { state: SUCCEEDED });
    const { state, error } = await stored(second);
    assert.deepEqual([state, error?.reason], [FAILED, "INVALID_STATE"]);
    const start = await taken(await accept(id, "life"));
    await commit(start, { state: SUCCEEDED, ...set({ vmState: VmState.VM_STATE_ACTIVE }, "vm_state") });
    await commit(await taken(await accept(id, "attach")), { state: SUCCEEDED });
  });

  it("go on when what was in the way is cancelled, abandoned, or needs an operator", async () => {
    const id = await server();
    const first = await accept(id, "attach");
    const [second, third, fourth] = [
      await accept(id, "attach"),
      await accept(id, "attach"),
      await accept(id, "attach"),
    ];
    await operator().requestCancel(testCtx(), { database: "cell1", name: second });
    assert.equal((await stored(second)).state, CANCELLED);
    await operator().abandonOperation(testCtx(), { database: "cell1", name: first });
    assert.equal((await recordOf(id)).vmState, VmState.VM_STATE_ACTIVE);
    const stuck = await taken(third);
    await commit(stuck, { state: NEEDS_OPERATOR, waitingFor: "running" });
    const last = await taken(fourth);
    await assert.rejects(operator().retryOperation(testCtx(), { database: "cell1", name: third }), {
      reason: "OPERATION_IN_PROGRESS",
    });
    await commit(last, { state: SUCCEEDED });
    await operator().retryOperation(testCtx(), { database: "cell1", name: third });
    await commit(await taken(third), { state: SUCCEEDED });
  });

  it("go on with what was left waiting for their opening as soon as somebody asks for one", async () => {
    const id = await server();
    const first = await taken(await accept(id, "attach"));
    const left = await accept(id, "attach");
    await s.store.db.statement(testCtx(), "test.left", (db) =>
      sql`UPDATE ${s.store.t.operation} SET waiting_for = ${LANES_OPEN} WHERE id = ${left.split("/")[2] ?? ""}`.execute(
        db,
      ),
    );
    await commit(first, { state: SUCCEEDED });
    assert.deepEqual(await acquire(left), []);
    const last = await accept(id, "attach");
    await commit(await taken(left), { state: SUCCEEDED });
    await commit(await taken(last), { state: SUCCEEDED });
  });

  it("are added to a database with operations, which are in the lane life", async () => {
    const test = await testDatabase(cellMigrations.filter(({ name }) => name < "0004"));
    const before = openStore("cell1", test.open());
    const id = randomUUID();
    const row = {
      id,
      server_id: randomUUID(),
      project_id: "project",
      kind: "test.life",
      kind_version: 1,
      action: "stop",
      request_id: "req-1",
      actor: Buffer.alloc(0),
      traceparent: "",
      input: Buffer.alloc(0),
      state: "running",
      current_step: "",
      steps: Buffer.alloc(0),
      generation: 1,
      created_at: 0n,
      updated_at: 0n,
    };
    const put = (values: object) =>
      before.db.statement(testCtx(), "test.put", (db) =>
        insertInto(before.t.operation, [{ ...row, ...values }]).execute(db),
      );
    await put({});
    await migrate(testCtx(), test.newPool(), test.schema, cellMigrations);
    const { lane, turn } = await getOperation(before, testCtx(), `operations/${row.server_id}/${id}`);
    assert.deepEqual([lane, turn], ["life", 0n]);
    // An older process goes on writing rows without the new columns.
    await put({ id: randomUUID() });
    await put({ id: randomUUID(), lane: "volumes" });
    await assert.rejects(put({ id: randomUUID(), lane: "volumes" }));
    const { rows } = await before.db.statement(testCtx(), "test.count", (db) =>
      sql<{
        lane: string;
        rows: number;
      }>`SELECT lane, count(*) AS rows FROM ${before.t.operation} GROUP BY lane ORDER BY lane`.execute(db),
    );
    assert.deepEqual(rows, [
      { lane: "life", rows: 2 },
      { lane: "volumes", rows: 1 },
    ]);
  });
});
