import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { HandoverProtocol } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import {
  BlockDeviceChange,
  BlockDeviceRecord,
  MigrationChange,
  MigrationKind,
  MigrationRecord,
} from "../../gen/kilonova/cells/v1/server_records.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { victimBytes } from "../../pkg/cells/operations/domain/operation-rows.js";
import { operationColumns } from "../../pkg/cells/operations/store/owned-operation.js";
import { recordsOf } from "../../pkg/cells/testing/records.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import type { OperationRow } from "../../pkg/cells/store/rows.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Sql } from "../../pkg/cells/store/sql.js";
import type { Tables } from "../../pkg/cells/store/tables.js";
import { CommonErrors } from "../../pkg/kernel/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { acquire, calls, whereIs } from "./hand-over-calls.js";
import type { Held } from "./hand-over-calls.js";
import { GOER, handOverScenario, openHandOvers } from "./hand-over-scenario.js";
import type { HandOverOptions, HandOverWorld } from "./hand-over-scenario.js";
import { newPlace } from "./matrix.js";
import { GOING } from "./toy.moves.js";

const { HANDOVER_PROTOCOL_NEW_SERVER, HANDOVER_PROTOCOL_MOVE, HANDOVER_PROTOCOL_RETURN } = HandoverProtocol;
const AT_REST = { kind: "victim-at-rest", payload: Buffer.alloc(0) };

describe("what goes with a server from database to database", function () {
  this.timeout(120_000);
  const worlds: HandOverWorld[] = [];
  const world = async (options: HandOverOptions = {}): Promise<HandOverWorld> => {
    const place = await newPlace(handOverScenario, "luggage");
    const opened = openHandOvers(place, { asleep: true, ...options });
    worlds.push(opened);
    return opened;
  };
  afterEach(async () => {
    for (const opened of worlds.splice(0)) await opened.close();
  });

  const at = async <R>(
    { stores }: HandOverWorld,
    database: string,
    query: (t: Tables) => Sql<R>,
  ): Promise<readonly R[]> => {
    const { db, t } = stores.get(database);
    return (await db.statement(testCtx(), "test.query", (on) => query(t).execute(on))).rows;
  };

  /** A server in cell1 whose operation of a kind is in the hands of conductor "a". */
  const moving = async (w: HandOverWorld): Promise<Held> => {
    await w.put(GOING.move.kind);
    return acquire(w, "cell1", await w.accept(GOING.move.kind, "cell1"), "a");
  };
  const move = (w: HandOverWorld, held: Held) => calls(w, held, "cell1", "cell2", HANDOVER_PROTOCOL_MOVE);

  /** Another operation of the server, made out of the one that is there. */
  const beside = async (w: HandOverWorld, more: Partial<OperationRow>): Promise<OperationRow> => {
    const [row] = await at(
      w,
      "cell1",
      (t) => sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${t.operation} AS o`,
    );
    assert.ok(row !== undefined);
    const other = { ...row, id: randomUUID(), lane: "volumes", secrets: null, ...more };
    await at(w, "cell1", (t) => insertInto(t.operation, [other]));
    return other;
  };
  const stateOf = async (w: HandOverWorld, database: string, id: string) =>
    (
      await at(
        w,
        database,
        (t) => sql<Pick<OperationRow, "state">>`SELECT state FROM ${t.operation} WHERE id = ${id}`,
      )
    ).map(({ state }) => state);

  it("waits for what runs in another lane, and is what that left when it ended", async () => {
    const w = await world();
    const { prepare, commit, activate } = move(w, await moving(w));
    const { id } = await beside(w, { state: "running" });
    await prepare("after");
    await assert.rejects(commit(), { reason: "OPERATION_IN_PROGRESS" });
    // It ends between the copy and the promise.
    await at(
      w,
      "cell1",
      (t) => sql`UPDATE ${t.operation} SET state = 'succeeded', ready_at = NULL, owner = '' WHERE id = ${id}`,
    );
    await commit();
    assert.notEqual((await activate("a")).operation, undefined);
    assert.deepEqual(await whereIs(w), ["cell2"]);
    assert.deepEqual(await stateOf(w, "cell2", id), ["succeeded"], "it does not run once more");
    assert.deepEqual(await stateOf(w, "cell1", id), []);
  });

  it("waits for a pre-empted operation whose owner is still at work, but not for a dead one's", async () => {
    const w = await world();
    const { prepare, commit, activate } = move(w, await moving(w));
    const soon = systemClock.now() + 60_000_000n;
    const { id } = await beside(w, { state: "preempted", owner: "b", ready_at: soon });
    await prepare("after");
    await assert.rejects(commit(), { reason: "OPERATION_IN_PROGRESS" });
    await at(
      w,
      "cell1",
      (t) => sql`UPDATE ${t.operation} SET ready_at = ${systemClock.now()} WHERE id = ${id}`,
    );
    await commit();
    assert.notEqual((await activate("a")).operation, undefined);
    assert.deepEqual(await stateOf(w, "cell2", id), ["preempted"]);
  });

  it("goes under the highest fence that the server has had", async () => {
    const w = await world();
    const held = await moving(w);
    const first = move(w, held);
    await first.prepare("after");
    // An operation of another lane began and ended since.
    await beside(w, {
      state: "succeeded",
      ready_at: null,
      owner: "",
      fence: Number(held.operation.fence) + 1,
    });
    await at(
      w,
      "cell1",
      (t) => sql`UPDATE ${t.instance} SET operation_fence = operation_fence + 1 WHERE id = ${GOER}`,
    );
    await assert.rejects(first.commit(), { reason: "FENCE_LOST" });
    await w.store.releaseOperations(testCtx(), { database: "cell1", owner: "a" });
    const second = move(w, await acquire(w, "cell1", held.operation.name, "a"));
    await second.prepare("after");
    await second.commit();
    await second.activate("a");
    assert.deepEqual(await whereIs(w), ["cell2"], "the source has let it go");
  });

  it("is what the commit's change makes of its rows, its user data and its spec", async () => {
    const w = await world();
    const held = await moving(w);
    const device = BlockDeviceRecord.fromPartial({
      id: "d",
      volumeId: "v",
      deviceName: "/dev/vdx",
      connectionInfo: "secret",
    });
    const migration = MigrationRecord.fromPartial({ kind: MigrationKind.MIGRATION_KIND_RESIZE });
    const { prepare, commit, activate } = move(w, held);
    await prepare("after", {
      server: { flavor: { ...held.instance.server?.flavor, id: "2", memoryMib: 1024 } },
      updateMask: ["flavor"],
      spec: { flavor: { id: "2" } },
      specMask: ["flavor"],
      blockDevices: [BlockDeviceChange.fromPartial({ device })],
      migrations: [MigrationChange.fromPartial({ migration, create: true })],
      userData: "bmV3",
    });
    const plain = await at(
      w,
      "cell2",
      (t) => sql`SELECT 1 FROM ${t.dormant_operation} WHERE position('secret'::bytea IN instance) > 0`,
    );
    assert.deepEqual(plain, [], "secrets are sealed while it waits");
    await commit();
    const { instance } = await activate("a");
    assert.deepEqual(
      [instance?.server?.flavor?.id, instance?.server?.flavor?.memoryMib, instance?.spec?.flavor?.id],
      ["2", 1024, "2"],
    );
    assert.deepEqual(instance?.server?.volumes, [{ id: "v", deleteOnTermination: false }]);
    assert.equal(w.deps.box.open(instance?.encryptedUserData ?? Buffer.alloc(0), GOER).toString(), "bmV3");
    const there = await recordsOf(w.stores.get("cell2"), testCtx(), GOER);
    assert.deepEqual(
      there?.migrations.map(({ number, source, operation }) => [
        number > 0n,
        source?.host,
        source?.cell,
        operation,
      ]),
      [[true, "host1", "cell1", held.operation.name]],
    );
    assert.ok(there?.blockDevices.some(({ id, volumeId }) => id === "d" && volumeId === "v"));
    assert.deepEqual(await recordsOf(w.stores.get("cell1"), testCtx(), GOER), {
      blockDevices: [],
      migrations: [],
    });

    // On its way back the commit takes the device away: what travelled gives way to it.
    await w.store.commitStep(testCtx(), {
      database: "cell2",
      name: held.operation.name,
      fence: held.operation.fence + 1n,
      state: OperationState.OPERATION_STATE_SUCCEEDED,
      currentStep: "after",
    });
    const returning = await acquire(w, "cell2", await w.accept(GOING.return.kind, "cell2"), "a");
    const back = calls(w, returning, "cell2", "cell1", HANDOVER_PROTOCOL_RETURN);
    await back.prepare("after", {
      blockDevices: [BlockDeviceChange.fromPartial({ device: { id: "d" }, remove: true })],
    });
    await back.commit();
    const returned = await back.activate("a");
    assert.deepEqual(returned.instance?.server?.volumes, []);
    const rows = await recordsOf(w.stores.get("cell1"), testCtx(), GOER);
    const ended = rows?.blockDevices.find(({ id }) => id === "d");
    assert.notEqual(ended?.deletedAt, undefined);
    assert.equal(rows?.migrations.length, 1);
  });

  it("is what the commit's change makes of a new server's rows", async () => {
    const w = await world();
    await w.put(GOING.newServer.kind);
    const held = await acquire(w, "global", await w.accept(GOING.newServer.kind, "global"), "a");
    const { prepare, commit, activate } = calls(w, held, "global", "cell1", HANDOVER_PROTOCOL_NEW_SERVER);
    const device = BlockDeviceRecord.fromPartial({ id: "d", volumeId: "v", deviceName: "/dev/vdx" });
    await prepare("after", { blockDevices: [BlockDeviceChange.fromPartial({ device })], userData: "bmV3" });
    await commit();
    const { instance } = await activate("a");
    assert.equal(w.deps.box.open(instance?.encryptedUserData ?? Buffer.alloc(0), GOER).toString(), "bmV3");
    const there = await recordsOf(w.stores.get("cell1"), testCtx(), GOER);
    assert.ok(there?.blockDevices.some(({ id, volumeId }) => id === "d" && volumeId === "v"));
  });

  it("does not end on its way", async () => {
    const w = await world();
    const { prepare } = move(w, await moving(w));
    await assert.rejects(prepare("after", { deleteRecord: true }), {
      reason: "INVALID_ARGUMENT",
      facts: { field: "change.delete_record", problem: "a server that is handed over does not end" },
    });
  });

  it("knows what its operation has pre-empted, in its lane and in others", async () => {
    const w = await world();
    const before = await moving(w);
    const own = await beside(w, { state: "preempted", lane: "life", ready_at: null, owner: "" });
    const other = await beside(w, { state: "preempted", ready_at: null, owner: "" });
    const { name } = before.operation;
    await at(
      w,
      "cell1",
      (t) =>
        sql`UPDATE ${t.operation} SET preempts = ${`operations/${GOER}/${own.id}`}, preempted = ${victimBytes(own, [other])}
          WHERE id = ${name.slice(name.lastIndexOf("/") + 1)}`,
    );
    await w.store.releaseOperations(testCtx(), { database: "cell1", owner: "a" });
    const held = await acquire(w, "cell1", name, "a");
    const { prepare, commit, activate } = move(w, held);
    await prepare("after");
    await commit();
    const { operation } = await activate("a");
    const victims = (one: StoredOperation | undefined) => ({
      preempts: one?.preempts,
      kind: one?.preemptedKind,
      input: one?.preemptedInput,
      steps: one?.preemptedSteps,
      also: one?.alsoPreempted,
    });
    assert.equal(operation?.alsoPreempted.length, 1);
    assert.deepEqual(victims(operation), victims(held.operation));
    assert.deepEqual(await stateOf(w, "cell2", own.id), ["preempted"]);
    assert.deepEqual(await stateOf(w, "cell2", other.id), ["preempted"]);
  });

  it("has every signal, and knows those that were consumed", async () => {
    const w = await world();
    const held = await moving(w);
    const { name, fence } = held.operation;
    const signal = (database: string, id: string) =>
      w.store.signalOperation(testCtx(), { database, name, signalId: id, ...AT_REST });
    const { prepare, commit, activate } = move(w, held);
    await signal("cell1", "consumed");
    await w.store.commitStep(testCtx(), {
      database: "cell1",
      name,
      fence,
      state: OperationState.OPERATION_STATE_RUNNING,
      currentStep: "out",
      consumedSignals: ["consumed"],
    });
    const waiting = await beside(w, { state: "needs-operator", ready_at: null, owner: "" });
    await at(w, "cell1", (t) =>
      insertInto(t.operation_signal, [
        {
          operation_id: waiting.id,
          signal_id: "its",
          kind: AT_REST.kind,
          payload: Buffer.from([0, 255, 34]),
          created_at: systemClock.now(),
        },
      ]),
    );
    const rowsOf = async (database: string): Promise<unknown[]> => [
      await at(w, database, (t) => sql`SELECT * FROM ${t.operation} WHERE id = ${waiting.id}`),
      await at(
        w,
        database,
        (t) => sql`SELECT * FROM ${t.operation_signal} WHERE operation_id = ${waiting.id}`,
      ),
      await at(w, database, (t) => sql`SELECT * FROM ${t.client_token}`),
    ];
    const before = await rowsOf("cell1");
    await prepare("after");
    await signal("cell1", "pending");
    const { signals } = await commit();
    assert.deepEqual(
      signals.map(({ id }) => id),
      ["pending"],
    );
    // Between two databases, by somebody who knows the old one only.
    assert.deepEqual(await signal("cell1", "on the way"), { accepted: true });
    // Nobody was told: whoever finds the copy asks the source.
    await activate("", false);
    assert.deepEqual(await signal("", "consumed"), { accepted: true });
    assert.deepEqual(await signal("cell1", "after it"), { accepted: true });
    const { operation } = await acquire(w, "cell2", name, "b");
    assert.deepEqual(
      operation.signals.map(({ id }) => id),
      ["pending", "on the way", "after it"],
    );
    assert.deepEqual(await rowsOf("cell2"), before, "to the last byte");
    assert.deepEqual(await at(w, "cell1", (t) => sql`SELECT 1 FROM ${t.operation_signal}`), []);
  });

  it("has the signals that a new server's operation got before it had a cell", async () => {
    const w = await world();
    await w.put(GOING.newServer.kind);
    const held = await acquire(w, "global", await w.accept(GOING.newServer.kind, "global"), "a");
    const { name } = held.operation;
    const { prepare, commit, activate } = calls(w, held, "global", "cell1", HANDOVER_PROTOCOL_NEW_SERVER);
    await prepare("after");
    await w.store.signalOperation(testCtx(), { database: "global", name, signalId: "early", ...AT_REST });
    await commit();
    await activate("a");
    await w.store.releaseOperations(testCtx(), { database: "cell1", owner: "a" });
    const { operation } = await acquire(w, "cell1", name, "b");
    assert.deepEqual(
      operation.signals.map(({ id }) => id),
      ["early"],
    );
    assert.deepEqual(await at(w, "global", (t) => sql`SELECT 1 FROM ${t.operation_signal}`), []);
  });

  it("is out of an operator's and a user's reach until it is there, also for operations beside", async () => {
    const w = await world();
    const { prepare, commit } = move(w, await moving(w));
    const stopped = await beside(w, {
      state: "needs-operator",
      ready_at: null,
      owner: "",
      waiting_for: "running",
    });
    const name = `operations/${GOER}/${stopped.id}`;
    await prepare("after");
    await commit();
    const asked = { database: "cell1", name };
    await assert.rejects(w.operator.retryOperation(testCtx(), asked), { reason: "SERVER_MOVED" });
    // That has found the copy and woken it: who does not name the old database comes to the new one.
    assert.deepEqual(await whereIs(w), ["cell2"]);
    assert.deepEqual(await stateOf(w, "cell2", stopped.id), ["needs-operator"]);
    const { operation } = await w.operator.retryOperation(testCtx(), { name });
    assert.equal(operation?.state, OperationState.OPERATION_STATE_RUNNING);
    assert.deepEqual(await stateOf(w, "cell2", stopped.id), ["running"]);
  });

  for (const [what, ask] of [
    ["abandoned", (w: HandOverWorld, name: string) => w.operator.abandonOperation(testCtx(), { name })],
    ["retried", (w: HandOverWorld, name: string) => w.operator.retryOperation(testCtx(), { name })],
    ["cancelled", (w: HandOverWorld, name: string) => w.operator.requestCancel(testCtx(), { name })],
  ] as const)
    it(`may be ${what} on its way: that is done where it comes to`, async () => {
      const w = await world();
      const held = await moving(w);
      const { prepare, commit } = move(w, held);
      const stopped = await beside(w, {
        state: "needs-operator",
        ready_at: null,
        owner: "",
        waiting_for: "running",
      });
      await prepare("after");
      await commit();
      const asked = what === "cancelled" ? held.operation.name : `operations/${GOER}/${stopped.id}`;
      const { operation } = await ask(w, asked);
      assert.deepEqual(await whereIs(w), ["cell2"]);
      const { operation: there } = await w.store.getStoredOperation(testCtx(), {
        database: "cell2",
        name: asked,
      });
      assert.equal(there?.state, operation?.state);
      if (what === "cancelled") assert.equal(there?.cancelRequested, true);
    });

  for (const [what, kind] of [
    ["returns to", GOING.return.kind],
    ["is forgotten by", GOING.confirm.kind],
  ] as const)
    it(`${what} a cell that has not yet hidden its record when the operation goes on`, async () => {
      let cut = true;
      const w = await world({
        at: async (statement) => {
          if (cut && statement === "cell1 handover.leave") throw CommonErrors.CANCELLED({ what: "Leaving" });
        },
      });
      const held = await moving(w);
      const { name, fence } = held.operation;
      const { prepare, commit, activate } = move(w, held);
      await prepare("after");
      await commit();
      await assert.rejects(activate("a"), { reason: "CANCELLED" });
      assert.deepEqual(await whereIs(w), ["cell1", "cell2"], "it is awake, and nothing is kept yet");
      cut = false;
      await w.store.commitStep(testCtx(), {
        database: "cell2",
        name,
        fence: fence + 1n,
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        currentStep: "after",
      });
      if (kind === GOING.confirm.kind) {
        const kept = { database: "cell1", serverId: GOER, operation: name };
        await w.store.forgetKept(testCtx(), kept);
        await w.store.forgetKept(testCtx(), kept);
        assert.deepEqual(await whereIs(w), ["cell2"]);
      } else {
        const returning = await acquire(w, "cell2", await w.accept(kind, "cell2"), "a");
        const back = calls(w, returning, "cell2", "cell1", HANDOVER_PROTOCOL_RETURN);
        await back.prepare("after");
        await back.commit();
        assert.equal((await back.activate("a")).instance?.server?.hostInfo?.host, "host1");
        assert.deepEqual(await whereIs(w), ["cell1"]);
      }
      // Whoever looks for old copies finishes the first hand-over once more.
      await w.store.listDormant(testCtx(), { database: "cell2", olderThan: { seconds: 0n } });
      assert.deepEqual(await at(w, "cell1", (t) => sql`SELECT 1 FROM ${t.kept_server}`), []);
      assert.deepEqual(await whereIs(w), [kind === GOING.confirm.kind ? "cell2" : "cell1"]);
    });

  it("is brought in pages, however long its history, and gone on with where that was cut short", async () => {
    let carried = 0;
    // Before what hangs on a page of operations is there, and before these operations are.
    const cuts = new Set([15, 17]);
    const w = await world({
      at: async (statement, when) => {
        if (statement !== "cell2 handover.carry" || when === "after") return;
        if (cuts.delete(++carried)) throw CommonErrors.CANCELLED({ what: "Carrying" });
      },
    });
    const held = await moving(w);
    const own = held.operation.name.slice(held.operation.name.lastIndexOf("/") + 1);
    const OPERATIONS = 1_001;
    await at(
      w,
      "cell1",
      (
        t,
      ) => sql`INSERT INTO ${t.operation} (id, server_id, project_id, kind, kind_version, action, request_id, actor, traceparent,
          input, state, current_step, steps, generation, created_at, updated_at)
        SELECT gen_random_uuid()::text, server_id, project_id, kind, kind_version, action, request_id, actor, traceparent, input,
          'succeeded', current_step, steps, 1, created_at, updated_at FROM ${t.operation}, generate_series(1, ${OPERATIONS}::int)`,
    );
    const past = sql`id <> ${own}`;
    await at(
      w,
      "cell1",
      (
        t,
      ) => sql`INSERT INTO ${t.instance_action} (server_id, id, request_id, action, project_id, user_id, started_at, updated_at)
        SELECT server_id, id, request_id, 'toy', project_id, 'user', created_at, updated_at FROM ${t.operation} WHERE ${past}`,
    );
    await at(
      w,
      "cell1",
      (
        t,
      ) => sql`INSERT INTO ${t.instance_action_event} (action_id, step, round, position, event, started_at, result, host, details, traceback)
        SELECT id, 'step', 1, 1, 'toy_step', created_at, 'Success', '', '', '' FROM ${t.operation} WHERE ${past}`,
    );
    await at(
      w,
      "cell1",
      (
        t,
      ) => sql`INSERT INTO ${t.client_token} (project_id, user_id, method, token, body_hash, operations, created_at)
        SELECT 'project', 'user', 'm', id, '', ARRAY['operations/' || server_id || '/' || id], created_at FROM ${t.operation} WHERE ${past}`,
    );
    const counts = async (database: string) =>
      at(
        w,
        database,
        (t) => sql`SELECT (SELECT count(*) FROM ${t.operation} WHERE ${past}) AS operations,
          (SELECT count(*) FROM ${t.instance_action} WHERE ${past}) AS actions,
          (SELECT count(*) FROM ${t.instance_action_event} WHERE action_id <> ${own}) AS events,
          (SELECT count(*) FROM ${t.client_token} WHERE method = 'm') AS tokens,
          (SELECT count(*) FROM ${t.dormant_operation} WHERE NOT activated) AS copies`,
      );
    const all = {
      operations: OPERATIONS,
      actions: OPERATIONS,
      events: OPERATIONS,
      tokens: OPERATIONS,
      copies: 0,
    };
    assert.deepEqual(await counts("cell1"), [all]);
    const { prepare, commit, activate } = move(w, held);
    await prepare("after");
    await commit();
    while (cuts.size > 0) await assert.rejects(activate("a"), { reason: "CANCELLED" });
    carried = 0;
    // Several that miss it bring the rest at once.
    await Promise.all([activate("a"), activate("", false), activate("", false)]);
    assert.ok(carried < 3 * 15, `${carried} writes`);
    assert.deepEqual(await counts("cell2"), [all]);
    assert.deepEqual(await counts("cell1"), [{ operations: 0, actions: 0, events: 0, tokens: 0, copies: 0 }]);
    assert.deepEqual(
      await at(w, "cell2", (t) => sql`SELECT 1 FROM ${t.travelling_row}`),
      [],
      "nothing lies apart",
    );
  });
});
