import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { randomBytes, randomUUID } from "node:crypto";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { AcceptOperationRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { bindService, LocalNetwork } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { NumberBlocks } from "../../pkg/cells/adapters/number-blocks.js";
import { operationStoreHandlers } from "../../pkg/cells/adapters/rpc/operation-store.js";
import { secretBox } from "../../pkg/cells/adapters/secret-box.js";
import { acceptOperation } from "../../pkg/cells/adapters/sql/accept-operation.js";
import { cellMigrations } from "../../pkg/cells/adapters/sql/migrations/cell.js";
import { globalMigrations } from "../../pkg/cells/adapters/sql/migrations/global.js";
import { openStore } from "../../pkg/cells/adapters/sql/tables.js";
import { getOperation } from "../../pkg/cells/adapters/sql/read-operations.js";
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { Conductor } from "../../pkg/conductor/engine/conductor.js";
import { noCrash } from "../../pkg/conductor/engine/crash-points.js";
import { engineDefaults } from "../../pkg/conductor/engine/defaults.js";
import { Registry } from "../../pkg/conductor/engine/registry.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import { Ledger, toyLedger } from "../crash/toy.ledger.js";

async function world() {
  const [global, cell] = await Promise.all([testDatabase(globalMigrations), testDatabase(cellMigrations)]);
  const stores = new Stores(openStore("global", global.open()), [openStore("cell1", cell.open())]);
  const deps = { clock: systemClock, ids: systemIds, box: secretBox([{ id: "k1", key: randomBytes(32) }]) };
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  let conductor: Conductor | undefined;
  const blocks = new NumberBlocks(stores.get("cell1"), "instance");
  network.listen("cells", [bindService(OperationStoreServiceDefinition, operationStoreHandlers({
    stores, deps, waker: { wake: (_ctx, database, name) => conductor?.wake(database, name) }, guestNumbers: () => blocks,
  }))]);
  const ledger = new Ledger(join(mkdtempSync("/tmp/kilonova-toy-"), "ledger"));
  const store = network.connect("cells", { service: "conductor", host: "" }).client(OperationStoreServiceDefinition);
  const open = (owner: string, ownershipMs = 5_000): Conductor => new Conductor({
    ...engineDefaults, store, clock: systemClock, crash: noCrash, owner, ownershipMs, registry: new Registry([toyLedger(ledger)]), log: silentLogger,
    databases: async () => ["global", "cell1"], pollMs: 50,
  });
  const accept = async (input: string) => {
    const server = aServer({ id: randomUUID() });
    await putInstance(stores.get("cell1"), testCtx(), server);
    const request = AcceptOperationRequest.fromPartial({ database: "cell1", serverId: server.id, kind: "toy.ledger", kindVersion: 1, input: Buffer.from(input), action: "toy", verb: "toy", taskState: "first" });
    return (await acceptOperation(stores.get("cell1"), deps, testCtx(), request)).operation;
  };
  return { stores, deps, store, ledger, accept, open, use: (one: Conductor) => { conductor = one; one.start(); return one; } };
}

describe("the engine", () => {
  it("runs the steps of an operation in order and ends it", async () => {
    const w = await world();
    const conductor = w.use(w.open("a"));
    const { name, serverId } = await w.accept("");
    conductor.wake("cell1", name);
    const ended = await until(async () => { const op = await getOperation(w.stores.get("cell1"), testCtx(), name); return op.state === OperationState.OPERATION_STATE_SUCCEEDED && op; });
    assert.deepEqual(ended.steps.map((step) => [step.name, step.state, step.round]), [["first", "done", 0], ["second", "done", 0], ["third", "done", 0]]);
    assert.deepEqual(w.ledger.entries(), ["first", "second", "third"].map((step) => `${serverId}/${step}`));
    await conductor.stop(1_000);
  });

  it("undoes finished steps and the failed one, last first, and tells why", async () => {
    const w = await world();
    const conductor = w.use(w.open("a"));
    const { name } = await w.accept("refuse");
    const ended = await until(async () => { const op = await getOperation(w.stores.get("cell1"), testCtx(), name); return op.state === OperationState.OPERATION_STATE_FAILED && op; });
    assert.deepEqual(ended.steps.map((step) => [step.name, step.state]), [["first", "undone"], ["second", "undone"]]);
    assert.equal(ended.error?.reason, "REFUSED");
    assert.deepEqual(w.ledger.entries(), []);
    await conductor.stop(1_000);
  });

  it("refuses a commit under a fence that somebody has outbid", async () => {
    const w = await world();
    const { name } = await w.accept("");
    const acquire = (owner: string) => w.store.acquireOperations(testCtx(), { database: "cell1", owner, kinds: [{ kind: "toy.ledger", version: 1 }], limit: 1, names: [name] });
    const first = (await acquire("a")).operations[0];
    const second = (await acquire("b")).operations[0];
    assert.ok(first !== undefined && second !== undefined && second.fence > first.fence);
    const commit = { database: "cell1", name, state: OperationState.OPERATION_STATE_RUNNING, currentStep: "second", steps: [{ name: "first", state: "done" }] };
    await assert.rejects(w.store.commitStep(testCtx(), { ...commit, fence: first.fence }), { reason: "FENCE_LOST" });
    const { instance } = await w.store.commitStep(testCtx(), { ...commit, fence: second.fence });
    assert.equal(instance?.server?.vmState, VmState.VM_STATE_ACTIVE);
  });
});
