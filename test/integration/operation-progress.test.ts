import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { Operation, OperationProgress, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { SortDirection } from "../../gen/kilonova/type/v1/page.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo } from "../../gen/kilonova/type/v1/server.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { fromTimestamp, toTimestamp } from "../../pkg/model/wire-time.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

const STEP = "power-off";

describe("progress of an operation", () => {
  let s: CellsUnderTest;
  before(async () => {
    s = await startCellsService();
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);

  /** A server on h1 whose stop a conductor has, at its step. */
  async function stopping() {
    const serverId = randomUUID();
    const hostInfo = ServerHostInfo.fromPartial({ host: "h1" });
    await putInstance(s.store, testCtx(), aServer({ id: serverId, hostInfo }));
    const { operation } = await s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      kind: "server.stop",
      kindVersion: 1,
    });
    const name = operation?.name ?? "";
    const { fence } = await acquire(name);
    return { serverId, name, id: name.split("/")[2] ?? "", fence };
  }
  type Stopping = Awaited<ReturnType<typeof stopping>>;

  async function acquire(name: string) {
    const { operations } = await conductor().acquireOperations(testCtx(), {
      database: "cell1",
      owner: "c",
      kinds: [{ kind: "server.stop", version: 1 }],
      limit: 1,
      names: [name],
      ownership: { seconds: 60n },
    });
    return operations[0] ?? assert.fail("not acquired");
  }
  const commit = (of: Stopping, over: object) =>
    conductor().commitStep(testCtx(), { database: "cell1", name: of.name, fence: of.fence, ...over });
  const report = (
    { name, id, fence }: Stopping,
    progress: Parameters<typeof OperationProgress.fromPartial>[0],
    over: object = {},
  ) =>
    s
      .as("compute", "h1")
      .client(HostsServiceDefinition)
      .reportProgress(testCtx(), {
        cell: "cell1",
        host: "h1",
        operation: name,
        commandId: `${id}/${STEP}/0`,
        fence,
        progress: { phase: "disks", ...progress },
        ...over,
      });
  /** Lets the second pass that lies between two reports. */
  const aSecondLater = async ({ id }: Stopping): Promise<void> => {
    const { rows } = await s.store.db.statement(testCtx(), "test.progress", (db) =>
      sql<{ progress: Buffer }>`SELECT progress FROM ${s.store.t.operation} WHERE id = ${id}`.execute(db),
    );
    const stored = OperationProgress.decode(rows[0]?.progress ?? assert.fail("no progress"));
    const earlier = toTimestamp(fromTimestamp(stored.updatedAt ?? assert.fail("no time")) - 1_000_000n);
    const moved = Buffer.from(OperationProgress.encode({ ...stored, updatedAt: earlier }).finish());
    await s.store.db.statement(testCtx(), "test.earlier", (db) =>
      sql`UPDATE ${s.store.t.operation} SET progress = ${moved} WHERE id = ${id}`.execute(db),
    );
  };
  const stored = async ({ name }: Stopping) =>
    (await conductor().getStoredOperation(testCtx(), { database: "cell1", name })).operation ??
    assert.fail("no operation");
  const fed = async ({ id }: Stopping): Promise<[percent: number | undefined, generation: bigint][]> => {
    const { rows } = await s.store.db.statement(testCtx(), "test.outbox", (db) =>
      sql<{
        payload: Buffer;
        generation: number;
      }>`SELECT payload, generation FROM ${s.store.t.outbox} WHERE entity_id = ${id} ORDER BY generation`.execute(
        db,
      ),
    );
    return rows.map(({ payload, generation }) => [
      Operation.decode(payload).progress?.percent,
      BigInt(generation),
    ]);
  };
  const shown = async ({ serverId }: Stopping): Promise<[got: number, listed: number]> => {
    const { instance } = await s.instances.getInstance(testCtx(), { database: "cell1", serverId });
    const { rows } = await s.instances.listInstances(testCtx(), {
      database: "cell1",
      filter: { ids: [serverId] },
      sort: [{ field: "id", direction: SortDirection.SORT_DIRECTION_ASC }],
    });
    const row = rows.find((one) => one.serverId === serverId) ?? assert.fail("not listed");
    return [instance?.server?.progress ?? -1, Server.decode(row.server).progress];
  };
  const generationOf = async ({ serverId }: Stopping): Promise<bigint | undefined> =>
    (await s.instances.getInstance(testCtx(), { database: "cell1", serverId })).instance?.server?.generation;

  it("is kept beside it and told, while its server stays as it is", async () => {
    const of = await stopping();
    const before = await generationOf(of);
    assert.deepEqual(await report(of, { percent: 40, done: 4n, total: 10n }), { kept: true });
    const { progress, generation, updatedAt } = await stored(of);
    assert.deepEqual(
      [progress?.percent, progress?.phase, progress?.done, progress?.total, progress?.updatedAt],
      [40, "disks", 4n, 10n, updatedAt],
    );
    assert.deepEqual(await fed(of), [
      [undefined, 1n],
      [40, generation],
    ]);
    assert.deepEqual(await shown(of), [40, 40]);
    assert.equal(await generationOf(of), before);
  });

  it("is kept and told once a second at most, however often it is reported", async () => {
    const of = await stopping();
    const answers = [];
    for (const percent of [1, 2, 3, 4]) answers.push((await report(of, { percent })).kept);
    assert.deepEqual(answers, [true, false, false, false]);
    await aSecondLater(of);
    assert.equal((await report(of, { percent: 5 })).kept, true);
    assert.deepEqual(
      (await fed(of)).map(([percent]) => percent),
      [undefined, 1, 5],
    );
  });

  it("stays over a step that waits, and goes with the step's end", async () => {
    const of = await stopping();
    await report(of, { percent: 30 });
    const parked = { state: OperationState.OPERATION_STATE_PARKED, currentStep: STEP };
    const { operationGeneration } = await commit(of, { ...parked, waitingFor: "agent-report" });
    assert.equal(operationGeneration, (await stored(of)).generation);
    assert.equal((await stored(of)).progress?.percent, 30);
    assert.equal((await fed(of)).at(-1)?.[0], 30);
    await commit(of, { state: OperationState.OPERATION_STATE_RUNNING, currentStep: "next" });
    assert.equal((await stored(of)).progress, undefined);
    assert.deepEqual(await shown(of), [0, 0]);
    await assert.rejects(report(of, { percent: 31 }), { reason: "FENCE_LOST" }, "the step is over");
  });

  it("goes with the operation's end, and comes no more", async () => {
    for (const state of [
      OperationState.OPERATION_STATE_SUCCEEDED,
      OperationState.OPERATION_STATE_UNDOING,
      OperationState.OPERATION_STATE_NEEDS_OPERATOR,
    ]) {
      const of = await stopping();
      await report(of, { percent: 99 });
      await commit(of, { state, currentStep: STEP });
      assert.equal((await stored(of)).progress, undefined);
      assert.equal((await fed(of)).at(-1)?.[0], undefined);
      await assert.rejects(report(of, { percent: 100 }), { reason: "FENCE_LOST" });
    }
  });

  it("comes to nothing when a deletion has taken over", async () => {
    const of = await stopping();
    await report(of, { percent: 50 });
    await s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId: of.serverId,
      kind: "server.delete",
      kindVersion: 1,
    });
    assert.equal((await stored(of)).progress, undefined);
    assert.deepEqual(await shown(of), [0, 0]);
    await assert.rejects(report(of, { percent: 60 }), { reason: "FENCE_LOST" });
  });

  it("is refused under another fence, for another step, and with other things than figures", async () => {
    const of = await stopping();
    for (const over of [
      { fence: of.fence - 1n },
      { fence: of.fence + 1n },
      { commandId: `${randomUUID()}/${STEP}/0` },
      { commandId: "" },
    ])
      await assert.rejects(report(of, { percent: 1 }, over), { reason: "FENCE_LOST" });
    for (const over of [{ phase: "from /var/lib/images" }, { percent: 101 }, { done: 2n, total: 1n }])
      await assert.rejects(report(of, over), { reason: "INVALID_ARGUMENT" });
    assert.equal((await stored(of)).progress, undefined);
    assert.equal((await fed(of)).length, 1);
  });

  it("is taken from whoever has the operation now, and not from whoever had it", async () => {
    const before = await stopping();
    await commit(before, { state: OperationState.OPERATION_STATE_RUNNING, currentStep: STEP, release: true });
    const now = { ...before, fence: (await acquire(before.name)).fence };
    assert.ok(now.fence > before.fence);
    await assert.rejects(report(before, { percent: 1 }), { reason: "FENCE_LOST" });
    assert.equal((await report(now, { percent: 2 })).kept, true);
  });

  it("does not keep a conductor from storing what it knows", async () => {
    const of = await stopping();
    await report(of, { percent: 10 });
    const { generation } = await stored(of);
    await commit(of, {
      state: OperationState.OPERATION_STATE_RUNNING,
      currentStep: STEP,
      change: { server: { taskState: "powering-off" }, updateMask: ["task_state"] },
    });
    assert.equal((await stored(of)).generation, generation + 1n);
    assert.deepEqual(await shown(of), [10, 10]);
  });
});
