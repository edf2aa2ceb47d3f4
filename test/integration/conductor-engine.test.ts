import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { aDeclaration } from "../../pkg/model/testing/a-declaration.js";
import assert from "node:assert/strict";
import { join } from "node:path";
import { randomBytes, randomUUID } from "node:crypto";
import { z } from "zod";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { AcceptOperationRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { bindService, LocalNetwork } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { NumberBlocks } from "../../pkg/cells/store/number-blocks.js";
import { operationStoreHandlers } from "../../pkg/cells/operations/rpc/operation-store.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { acceptOperation } from "../../pkg/cells/operations/store/accept-operation.js";
import { cellMigrations } from "../../pkg/cells/store/migrations/cell.js";
import { globalMigrations } from "../../pkg/cells/store/migrations/global.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Sql } from "../../pkg/cells/store/sql.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import { loadRecord } from "../../pkg/cells/servers/domain/records.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { getOperation } from "../../pkg/cells/operations/store/read-operations.js";
import { quotaDesk } from "../../pkg/cells/quota/settle-claims.js";
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { Conductor } from "../../pkg/conductor/engine/conductor.js";
import { noCrash } from "../../pkg/conductor/engine/crash-points.js";
import { engineDefaults } from "../../pkg/conductor/engine/defaults.js";
import { defineKind, done, fail, park } from "../../pkg/conductor/engine/kind.js";
import type { OperationKind, StepCall, StepResult } from "../../pkg/conductor/engine/kind.js";
import { readNote } from "../../pkg/conductor/engine/outputs.js";
import { CommonErrors, asKilonovaError, whenAborted } from "../../pkg/kernel/index.js";
import { Registry } from "../../pkg/conductor/engine/registry.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import { LEDGER, Ledger, toyLedger } from "../crash/toy.ledger.js";
import type { InstanceRow } from "../../pkg/cells/store/rows.js";

type Special = Partial<
  Pick<ConstructorParameters<typeof Conductor>[0], "store" | "crash" | "clock" | "unclaimedMs">
>;

async function world() {
  const [global, cell] = await Promise.all([testDatabase(globalMigrations), testDatabase(cellMigrations)]);
  const stores = new Stores(openStore("global", global.open()), [openStore("cell1", cell.open())]);
  const deps = {
    clock: systemClock,
    ids: systemIds,
    box: secretBox([{ id: "k1", key: randomBytes(32) }]),
    operations: new OperationCatalogue([anyOperation(LEDGER)]),
  };
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  let conductor: Conductor | undefined;
  const blocks = new NumberBlocks(stores.get("cell1"), "instance");
  network.listen("cells", [
    bindService(
      OperationStoreServiceDefinition,
      operationStoreHandlers({
        stores,
        deps,
        waker: { wake: (_ctx, database, name) => conductor?.wake(database, name) },
        guestNumbers: () => blocks,
      }),
    ),
  ]);
  const ledger = new Ledger(join(processFolder("toy"), "ledger"));
  const store = network
    .connect("cells", { service: "conductor", host: "" })
    .client(OperationStoreServiceDefinition);
  const operator = network
    .connect("cells", { service: "operator", host: "" })
    .client(OperationStoreServiceDefinition);
  const open = (
    owner: string,
    { kinds = [toyLedger(ledger)], ...special }: Special & { readonly kinds?: readonly OperationKind[] } = {},
  ): Conductor =>
    new Conductor({
      ...engineDefaults,
      store,
      clock: systemClock,
      crash: noCrash,
      owner,
      ownershipMs: 60_000,
      registry: new Registry(kinds),
      log: silentLogger,
      databases: async () => ["global", "cell1"],
      pollMs: 50,
      maxForwardAttempts: 2,
      undo: { maxAttempts: 2, timeoutMs: 10_000 },
      ...special,
    });
  const reaches = (name: string, state: OperationState) =>
    until(
      async () => {
        const operation = await getOperation(stores.get("cell1"), testCtx(), name);
        return operation.state === state && operation;
      },
      { timeoutMs: 60_000, what: `state ${state}` },
    );
  const serverOf = async (id: string) => {
    const cell1 = stores.get("cell1");
    const { rows } = await cell1.db.statement(testCtx(), "test.instance", (db) =>
      sql<InstanceRow>`SELECT generation, current_operation, operation_fence, leaving_to, number, server, details, user_data FROM ${cell1.t.instance} WHERE id = ${id}`.execute(
        db,
      ),
    );
    return rows[0] === undefined ? undefined : loadRecord(rows[0]).server;
  };
  const accept = async (input: string) => {
    const server = aServer({ id: randomUUID() });
    await putInstance(stores.get("cell1"), testCtx(), server);
    const request = AcceptOperationRequest.fromPartial({
      database: "cell1",
      serverId: server.id,
      kind: "toy.ledger",
      kindVersion: 1,
      input: Buffer.from(input),
    });
    return (await acceptOperation(stores.get("cell1"), deps, testCtx(), request, quotaDesk(stores, deps, {})))
      .operation;
  };
  return {
    stores,
    deps,
    store,
    operator,
    ledger,
    accept,
    reaches,
    serverOf,
    open,
    use: (one: Conductor) => {
      conductor = one;
      one.start();
      return one;
    },
  };
}

describe("the engine", () => {
  it("runs the steps of an operation in order and ends it", async () => {
    const w = await world();
    const conductor = w.use(w.open("a"));
    const { name, serverId } = await w.accept("");
    conductor.wake("cell1", name);
    const ended = await until(async () => {
      const op = await getOperation(w.stores.get("cell1"), testCtx(), name);
      return op.state === OperationState.OPERATION_STATE_SUCCEEDED && op;
    });
    assert.deepEqual(
      ended.steps.map((step) => [step.name, step.state, step.round]),
      [
        ["first", "done", 0],
        ["second", "done", 0],
        ["third", "done", 0],
      ],
    );
    assert.deepEqual(
      w.ledger.entries(),
      ["first", "second", "third"].map((step) => `${serverId}/${step}`),
    );
    await conductor.stop(1_000);
  });

  it("undoes finished steps and the failed one, last first, and tells why", async () => {
    const w = await world();
    const conductor = w.use(w.open("a"));
    const { name } = await w.accept("refuse");
    const ended = await until(async () => {
      const op = await getOperation(w.stores.get("cell1"), testCtx(), name);
      return op.state === OperationState.OPERATION_STATE_FAILED && op;
    });
    assert.deepEqual(
      ended.steps.map((step) => [step.name, step.state]),
      [
        ["first", "undone"],
        ["second", "undone"],
      ],
    );
    assert.equal(ended.error?.reason, "REFUSED");
    assert.deepEqual(w.ledger.entries(), []);
    await conductor.stop(1_000);
  });

  it("refuses a commit under a fence that somebody has outbid", async () => {
    const w = await world();
    const { name } = await w.accept("");
    const acquire = (owner: string) =>
      w.store.acquireOperations(testCtx(), {
        database: "cell1",
        owner,
        kinds: [{ kind: "toy.ledger", version: 1 }],
        limit: 1,
        names: [name],
      });
    const first = (await acquire("a")).operations[0];
    const second = (await acquire("b")).operations[0];
    assert.ok(first !== undefined && second !== undefined && second.fence > first.fence);
    const commit = {
      database: "cell1",
      name,
      state: OperationState.OPERATION_STATE_RUNNING,
      currentStep: "second",
      steps: [{ name: "first", state: "done" }],
    };
    await assert.rejects(w.store.commitStep(testCtx(), { ...commit, fence: first.fence }), {
      reason: "FENCE_LOST",
    });
    const { instance } = await w.store.commitStep(testCtx(), { ...commit, fence: second.fence });
    assert.equal(instance?.server?.vmState, VmState.VM_STATE_ACTIVE);
  });
});

describe("a conductor", () => {
  const TOY = [{ kind: "toy.ledger", version: 1 }];
  const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_PARKED: PARKED } = OperationState;
  type World = Awaited<ReturnType<typeof world>>;
  const changed = async ({ stores }: World, name: string, set: Sql<unknown>): Promise<void> => {
    const { db, t } = stores.get("cell1");
    const [, , id = ""] = name.split("/");
    await db.statement(testCtx(), "test.changed", (one) =>
      sql`UPDATE ${t.operation} SET ${set} WHERE id = ${id}`.execute(one),
    );
  };
  /** As after an owner who was silent for too long. */
  const overdue = (w: World, name: string): Promise<void> =>
    changed(w, name, sql`ready_at = to_timestamp(0)`);
  /** Somebody else has the operation from now on; nobody comes in between. */
  const takeOver = (w: World, name: string): Promise<void> =>
    changed(w, name, sql`owner = 'heir', fence = fence + 1, ready_at = now() + interval '1 minute'`);

  it("gives up before the pivot when somebody has asked to cancel", async () => {
    const w = await world();
    const { name } = await w.accept("");
    await w.operator.requestCancel(testCtx(), { database: "cell1", name });
    const conductor = w.use(w.open("a"));
    conductor.wake("cell1", name);
    const ended = await until(async () => {
      const op = await getOperation(w.stores.get("cell1"), testCtx(), name);
      return !isLive(op.state) && op;
    });
    assert.equal(ended.error?.reason, "OPERATION_CANCELLED");
    assert.deepEqual(w.ledger.entries(), []);
    await conductor.stop(1_000);
  });

  it("counts generations as the store does, also when agents' progress has moved them", async () => {
    const w = await world();
    const { name } = await w.accept("");
    const cell1 = w.stores.get("cell1");
    const stored = async () => (await getOperation(cell1, testCtx(), name)).generation;
    let seen: [known: bigint, stored: bigint] | undefined;
    const step = { event: "", timeoutMs: 60_000 };
    const kind = defineKind(LEDGER, {
      steps: [
        {
          ...step,
          name: "first",
          run: async () => {
            await cell1.db.statement(testCtx(), "test.moved", (db) =>
              sql`UPDATE ${cell1.t.operation} SET generation = generation + 5`.execute(db),
            );
            return done();
          },
        },
        {
          ...step,
          name: "third",
          run: async ({ operation: { generation } }) => {
            seen = [generation, await stored()];
            return done();
          },
        },
      ],
      failed: () => ({}),
    });
    const conductor = w.use(w.open("a", { kinds: [kind] }));
    conductor.wake("cell1", name);
    await w.reaches(name, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.deepEqual(seen, [7n, 7n]);
    await conductor.stop(1_000);
  });

  it("lets a step end that must not be cut off, and gives up after it", async () => {
    for (const finishes of [true, false]) {
      const w = await world();
      let ended = false;
      const taken: string[] = [];
      const step = (name: string, run: () => Promise<StepResult>) => ({
        name,
        event: "",
        timeoutMs: 60_000,
        run,
        undo: async () => {
          taken.push(name);
          return undefined;
        },
      });
      const kind = defineKind(LEDGER, {
        steps: [
          { ...step("first", async () => (ended ? done() : park("", 50))), finishes },
          step("second", async () => assert.fail("it was cancelled")),
          step("third", async () => assert.fail("it was cancelled")),
        ],
        failed: () => ({ set: { taskState: "" } }),
      });
      const { name } = await w.accept("");
      const conductor = w.use(w.open("a", { kinds: [kind] }));
      conductor.wake("cell1", name);
      await w.reaches(name, OperationState.OPERATION_STATE_PARKED);
      await w.operator.requestCancel(testCtx(), { database: "cell1", name });
      if (finishes) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.ok(isLive((await getOperation(w.stores.get("cell1"), testCtx(), name)).state));
        ended = true;
      }
      const cancelled = await w.reaches(name, OperationState.OPERATION_STATE_CANCELLED);
      assert.deepEqual(taken, finishes ? ["second", "first"] : ["first"]);
      assert.equal(cancelled.steps.find((one) => one.name === "first")?.state, "undone");
      await conductor.stop(1_000);
    }
  });

  it("gives a step what its last start has left, until the step has finished", async () => {
    const w = await world();
    const looks = z.object({ count: z.number() });
    const seen: (number | undefined)[] = [];
    const step = (name: string, run: (call: StepCall) => Promise<StepResult>) => ({
      ...{ name, event: "", timeoutMs: 60_000, run },
    });
    const kind = defineKind(LEDGER, {
      steps: [
        step("first", async ({ note }) => {
          const before = readNote(looks, note)?.count;
          seen.push(before);
          // Once it says nothing of it, what was left stays.
          if (before === 1 && seen.length === 2) return park("", 1);
          return before === 2 ? done() : park("", 1, { note: { count: (before ?? 0) + 1 } });
        }),
        step("second", async ({ note }) => {
          seen.push(readNote(looks, note)?.count);
          return done();
        }),
        step("third", async () => done()),
      ],
      failed: () => ({}),
    });
    const { name } = await w.accept("");
    const conductor = w.use(w.open("a", { kinds: [kind] }));
    conductor.wake("cell1", name);
    const ended = await w.reaches(name, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.deepEqual(seen, [undefined, 1, 1, 2, undefined]);
    assert.deepEqual(
      ended.steps.map(({ note }) => note.length),
      [0, 0, 0],
    );
    await conductor.stop(1_000);
  });

  it("gives up a step before the pivot whose deadline has passed", async () => {
    const w = await world();
    const { name } = await w.accept("");
    const [taken] = (
      await w.store.acquireOperations(testCtx(), {
        database: "cell1",
        owner: "before",
        kinds: TOY,
        limit: 1,
        names: [name],
        ownership: { seconds: 60n },
      })
    ).operations;
    const past = toTimestamp(systemClock.now() - 1_000_000n);
    await w.store.commitStep(testCtx(), {
      database: "cell1",
      name,
      fence: taken?.fence ?? 0n,
      state: PARKED,
      currentStep: "first",
      deadline: past,
      wakeAt: past,
      release: true,
    });
    const conductor = w.use(w.open("a"));
    conductor.wake("cell1", name);
    const ended = await until(async () => {
      const op = await getOperation(w.stores.get("cell1"), testCtx(), name);
      return !isLive(op.state) && op;
    });
    assert.equal(ended.error?.reason, "STEP_DEADLINE");
    assert.deepEqual(w.ledger.entries(), []);
    await conductor.stop(1_000);
  });

  it("confirms that it is the owner before each attempt at what no fence holds back", async () => {
    const w = await world();
    const cell1 = w.stores.get("cell1");
    let attempts = 0;
    const kind = defineKind(aDeclaration("toy.ledger"), {
      failed: () => ({}),
      steps: [
        {
          name: "first",
          event: "",
          timeoutMs: 60_000,
          unfenced: true,
          run: async ({ operation }) => {
            attempts += 1;
            // Somebody else takes over, and this attempt fails in passing.
            await takeOver(w, operation.name);
            throw CommonErrors.UNAVAILABLE({ what: "The world" });
          },
          undo: async () => undefined,
        },
        { name: "last", event: "", timeoutMs: 60_000, run: async () => done({}) },
      ],
    });
    // Its last sign of life is always long ago.
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => (nowMs += 600_000) };
    const conductor = w.use(w.open("a", { kinds: [kind], clock }));
    const { name } = await w.accept("");
    conductor.wake("cell1", name);
    await until(async () => attempts > 0);
    // Its end is the loss of the operation: nothing of it is under way after this.
    await conductor.stop(10_000);
    assert.equal(attempts, 1);
    const { owner, state } = await getOperation(cell1, testCtx(), name);
    assert.deepEqual([owner, state], ["heir", RUNNING]);
  });

  it("confirms it, too, before it takes such a thing back", async () => {
    const w = await world();
    let undone = 0;
    const kind = defineKind(aDeclaration("toy.ledger"), {
      failed: () => ({}),
      steps: [
        {
          name: "first",
          event: "",
          timeoutMs: 60_000,
          unfenced: true,
          run: async () => fail({ reason: "REFUSED", domain: "toy", message: "As asked." }),
          undo: async () => {
            undone += 1;
            return undefined;
          },
        },
      ],
    });
    let nowMs = 0;
    let stored = false;
    const conductor = w.use(
      w.open("a", {
        kinds: [kind],
        // Its last sign of life is always long ago.
        clock: { ...systemClock, monotonicMs: () => (nowMs += 600_000) },
        store: {
          ...w.store,
          commitStep: async (ctx, request) => {
            const answer = await w.store.commitStep(ctx, request);
            if (request.state === OperationState.OPERATION_STATE_UNDOING) {
              await takeOver(w, request.name ?? "");
              stored = true;
            }
            return answer;
          },
        },
      }),
    );
    const { name } = await w.accept("");
    conductor.wake("cell1", name);
    await until(async () => stored);
    await conductor.stop(10_000);
    assert.equal(undone, 0);
    const { owner, state } = await getOperation(w.stores.get("cell1"), testCtx(), name);
    assert.deepEqual([owner, state], ["heir", OperationState.OPERATION_STATE_UNDOING]);
  });

  it("ends what it still drives of an operation that it has to take once more", async () => {
    const w = await world();
    const ended: string[] = [];
    let starts = 0;
    const step = (name: string, run: (call: StepCall) => Promise<StepResult>) => ({
      ...{ name, event: "", timeoutMs: 60_000, unfenced: true, run },
    });
    const kind = defineKind(LEDGER, {
      failed: () => ({}),
      steps: [
        step("first", async ({ ctx, operation }) => {
          if (++starts > 1) return done();
          await overdue(w, operation.name);
          await new Promise<void>((resolve) => {
            whenAborted(ctx.signal, resolve);
          });
          ended.push(asKilonovaError(ctx.signal.reason).reason);
          ctx.signal.throwIfAborted();
          return done();
        }),
        step("second", async () => done()),
        step("third", async () => done()),
      ],
    });
    const { name } = await w.accept("");
    const conductor = w.use(w.open("a", { kinds: [kind] }));
    conductor.wake("cell1", name);
    await w.reaches(name, OperationState.OPERATION_STATE_SUCCEEDED);
    await conductor.stop(10_000);
    assert.deepEqual([starts, ended], [2, ["FENCE_LOST"]]);
  });

  it("goes on only when the last commit is stored", async () => {
    const w = await world();
    let after: OperationState | undefined;
    const conductor = w.use(
      w.open("a", {
        store: {
          ...w.store,
          commitStep: async (ctx, request) => {
            if (request.state === OperationState.OPERATION_STATE_SUCCEEDED)
              await new Promise((resolve) => setTimeout(resolve, 50));
            return w.store.commitStep(ctx, request);
          },
        },
        crash: {
          hit: async (_kind, step, when) => {
            if (step === "third" && when === "after")
              after = (await getOperation(w.stores.get("cell1"), testCtx(), name)).state;
          },
        },
      }),
    );
    const { name } = await w.accept("");
    conductor.wake("cell1", name);
    await until(async () => after !== undefined);
    assert.equal(after, OperationState.OPERATION_STATE_SUCCEEDED);
    await conductor.stop(1_000);
  });
});

describe("an operation that needs an operator", () => {
  const {
    OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
    OPERATION_STATE_SUCCEEDED: SUCCEEDED,
    OPERATION_STATE_FAILED: FAILED,
  } = OperationState;

  it("says so after it failed too often past its pivot, and goes on when the operator has mended what was broken", async () => {
    const w = await world();
    w.ledger.shut.add("put third");
    const conductor = w.use(w.open("a"));
    const { name, serverId } = await w.accept("");
    const stuck = await w.reaches(name, NEEDS_OPERATOR);
    assert.deepEqual(
      [stuck.owner, stuck.steps.at(-1)?.name, stuck.steps.at(-1)?.errorReason],
      ["", "third", "INTERNAL"],
    );
    assert.deepEqual(
      [(await w.serverOf(serverId))?.vmState, (await w.serverOf(serverId))?.taskState],
      [VmState.VM_STATE_ERROR, ""],
    );
    await w.operator.retryOperation(testCtx(), { database: "cell1", name });
    const again = await until(
      async () => {
        const op = await getOperation(w.stores.get("cell1"), testCtx(), name);
        return op.state === NEEDS_OPERATOR && op.generation > stuck.generation + 2n && op;
      },
      { timeoutMs: 60_000 },
    );
    assert.equal(again.steps.at(-1)?.attempts, 3, "each retry has all attempts again");
    w.ledger.shut.clear();
    await w.operator.retryOperation(testCtx(), { database: "cell1", name });
    await w.reaches(name, SUCCEEDED);
    assert.deepEqual(
      w.ledger.entries(),
      ["first", "second", "third"].map((step) => `${serverId}/${step}`),
    );
    await assert.rejects(w.operator.retryOperation(testCtx(), { database: "cell1", name }), {
      reason: "NOT_NEEDING_OPERATOR",
    });
    await conductor.stop(1_000);
  });

  it("goes on undoing when it was stuck there", async () => {
    const w = await world();
    w.ledger.shut.add("take first");
    const conductor = w.use(w.open("a"));
    const { name, serverId } = await w.accept("refuse");
    const stuck = await w.reaches(name, NEEDS_OPERATOR);
    assert.deepEqual(
      stuck.steps.map((step) => [step.name, step.state]),
      [
        ["first", "done"],
        ["second", "undone"],
      ],
    );
    assert.deepEqual(w.ledger.entries(), [`${serverId}/first`]);
    w.ledger.shut.clear();
    await w.operator.retryOperation(testCtx(), { database: "cell1", name });
    assert.equal((await w.reaches(name, FAILED)).error?.reason, "REFUSED");
    assert.deepEqual(w.ledger.entries(), []);
    await conductor.stop(1_000);
  });

  it("ends when the operator abandons it, and frees its server", async () => {
    const w = await world();
    w.ledger.shut.add("put third");
    const conductor = w.use(w.open("a"));
    const { name, serverId, projectId } = await w.accept("");
    await w.reaches(name, NEEDS_OPERATOR);
    const { operation } = await w.operator.abandonOperation(testCtx(), {
      database: "cell1",
      name,
      reason: "The ledger burnt down.",
    });
    assert.deepEqual(
      [operation?.state, operation?.error?.reason, operation?.error?.message, projectId],
      [FAILED, "ABANDONED", "The ledger burnt down.", "project"],
    );
    const server = await w.serverOf(serverId);
    assert.deepEqual(
      [server?.vmState, server?.taskState, server?.currentOperation, server?.fault?.reason],
      [VmState.VM_STATE_ERROR, "", "", "ABANDONED"],
    );
    assert.deepEqual(
      (await w.operator.abandonOperation(testCtx(), { database: "cell1", name, reason: "again" })).operation
        ?.error?.message,
      "The ledger burnt down.",
    );
    await assert.rejects(w.operator.retryOperation(testCtx(), { database: "cell1", name }), {
      reason: "NOT_NEEDING_OPERATOR",
    });
    await conductor.stop(1_000);
  });

  it("can be abandoned while a conductor works on it, which is then refused", async () => {
    const w = await world();
    const { name } = await w.accept("");
    const [taken] = (
      await w.store.acquireOperations(testCtx(), {
        database: "cell1",
        owner: "a",
        kinds: [{ kind: "toy.ledger", version: 1 }],
        limit: 1,
        names: [name],
        ownership: { seconds: 60n },
      })
    ).operations;
    await w.operator.abandonOperation(testCtx(), { database: "cell1", name, reason: "" });
    await assert.rejects(
      w.store.commitStep(testCtx(), {
        database: "cell1",
        name,
        fence: taken?.fence ?? 0n,
        state: OperationState.OPERATION_STATE_RUNNING,
        currentStep: "second",
      }),
      { reason: "FENCE_LOST" },
    );
  });
});

describe("operations that nobody can run", () => {
  const { OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR, OPERATION_STATE_SUCCEEDED: SUCCEEDED } =
    OperationState;
  const versions = aDeclaration("toy.ledger", { versions: [1, 2] });
  const second = () => defineKind(versions, { steps: [instantStep("only")], failed: () => ({}) });
  const instantStep = (name: string) => ({
    name,
    event: "",
    timeoutMs: 60_000,
    run: async () => done(),
  });

  it("are left to whoever has exactly their version, for as long as somebody may come", async () => {
    const w = await world();
    const newer = w.use(w.open("newer", { kinds: [second()] }));
    const { name } = await w.accept("");
    newer.wake("cell1", name);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { fence, state } = await getOperation(w.stores.get("cell1"), testCtx(), name);
    assert.deepEqual([fence, state], [0n, OperationState.OPERATION_STATE_RUNNING]);
    const both = w.use(w.open("both", { kinds: [toyLedger(w.ledger), second()] }));
    await w.reaches(name, SUCCEEDED);
    assert.equal(w.ledger.entries().length, 3);
    await Promise.all([newer, both].map((one) => one.stop(1_000)));
  });

  it("come to an operator, with the reason and everything that a retry needs", async () => {
    const w = await world();
    const newer = w.use(w.open("newer", { kinds: [second()], unclaimedMs: 200 }));
    const { name, serverId } = await w.accept("");
    const stuck = await w.reaches(name, NEEDS_OPERATOR);
    assert.deepEqual(
      [stuck.error?.reason, stuck.error?.message],
      ["NO_CONDUCTOR", "No conductor can run operations of kind toy.ledger, version 1."],
    );
    const server = await w.serverOf(serverId);
    assert.deepEqual([server?.vmState, server?.fault?.reason], [VmState.VM_STATE_ERROR, "NO_CONDUCTOR"]);
    await newer.stop(1_000);
    const older = w.use(w.open("older"));
    await w.operator.retryOperation(testCtx(), { database: "cell1", name });
    await w.reaches(name, SUCCEEDED);
    assert.equal(w.ledger.entries().length, 3);
    await older.stop(1_000);
  });

  it("come to an operator when their version has lost the step at which they stand", async () => {
    const w = await world();
    w.ledger.shut.add("put third");
    const first = w.use(w.open("a"));
    const { name } = await w.accept("");
    await w.reaches(name, NEEDS_OPERATOR);
    await first.stop(1_000);
    const changed = defineKind(aDeclaration("toy.ledger"), {
      steps: [instantStep("another")],
      failed: () => ({}),
    });
    const conductor = w.use(w.open("b", { kinds: [changed] }));
    await w.operator.retryOperation(testCtx(), { database: "cell1", name });
    const stuck = await until(
      async () => {
        const operation = await getOperation(w.stores.get("cell1"), testCtx(), name);
        return operation.error?.reason === "UNKNOWN_STEP" && operation;
      },
      { timeoutMs: 60_000, what: "the missing step to be told" },
    );
    assert.deepEqual([stuck.state, stuck.currentStep], [NEEDS_OPERATOR, "third"]);
    await conductor.stop(1_000);
  });
});
