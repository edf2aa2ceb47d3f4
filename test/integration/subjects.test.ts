import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { Operation, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { InstanceChange } from "../../gen/kilonova/cells/v1/instance_change.js";
import { getOperation } from "../../pkg/cells/operations/store/read-operations.js";
import { requireOperationOn } from "../../pkg/cells/operations/store/operation-hosts.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation, declareSubjectOperation } from "../../pkg/model/operation-declaration.js";
import { parseOperationName } from "../../pkg/model/operation-name.js";
import { aDeclaration, subjectDeclaration } from "../../pkg/model/testing/a-declaration.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { registerAgent, startCellsService } from "./support/cells-service.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_PARKED: PARKED,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_CANCELLED: CANCELLED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
  OPERATION_STATE_NEEDS_OPERATOR: NEEDS_OPERATOR,
} = OperationState;

const kinds = new OperationCatalogue(
  [
    aDeclaration("test.life"),
    declareSubjectOperation(subjectDeclaration("test.fill", "host", { contention: "waits" })),
    declareSubjectOperation(subjectDeclaration("test.empty", "host", { contention: "pre-empts" })),
    declareSubjectOperation(subjectDeclaration("test.plug", "host", { lane: "ports" })),
    declareSubjectOperation(
      subjectDeclaration("test.pause", "host", { lane: "volumes", capability: "pause" }),
    ),
    declareSubjectOperation(subjectDeclaration("test.all", "cloud")),
  ].map((one) => anyOperation(one)),
);

describe("operations of hosts and of the cloud", () => {
  let s: CellsUnderTest;
  before(async () => {
    s = await startCellsService({}, kinds);
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  const operator = () => s.as("operator").client(OperationStoreServiceDefinition);
  let hosts = 0;
  const host = async (): Promise<{ id: string; name: string }> => {
    const name = `host-${++hosts}`;
    return { id: (await registerAgent(s, name)).computeNodeId, name };
  };
  const databaseOf = (name: string): string =>
    parseOperationName(name)?.subject.kind === "cloud" ? "global" : "cell1";
  const accept = async (hostId: string, kind: string, more = {}): Promise<string> => {
    const { operation } = await conductor().acceptSubjectOperation(testCtx(), {
      hostId,
      kind: `test.${kind}`,
      kindVersion: 1,
      ...more,
    });
    return operation?.name ?? assert.fail("no operation");
  };
  const acquire = (database: string, ...names: string[]) =>
    conductor().acquireOperations(testCtx(), {
      database,
      owner: "a",
      kinds: kinds.all.map(({ kind }) => ({ kind, version: 1 })),
      limit: 50,
      names,
      ownership: { seconds: 60n },
    });
  const taken = async (name: string): Promise<StoredOperation> =>
    (await acquire(databaseOf(name), name)).operations[0] ?? assert.fail(`${name} not acquired`);
  const commit = (
    { name, fence }: Pick<StoredOperation, "name" | "fence">,
    wish: Omit<Parameters<ReturnType<typeof conductor>["commitStep"]>[1], "database"> = {},
  ) =>
    conductor().commitStep(testCtx(), {
      database: databaseOf(name),
      name,
      fence,
      state: RUNNING,
      currentStep: "one",
      ...wish,
    });
  const stored = (name: string): Promise<StoredOperation> =>
    getOperation(databaseOf(name) === "global" ? s.globalStore : s.store, testCtx(), name);

  it("are named by their subjects, live in its database, and give their runner the host", async () => {
    const { id, name: hostName } = await host();
    const [fill, all] = [await accept(id, "fill"), await accept("", "all")];
    assert.ok(fill.startsWith(`operations/hosts/${id}/`));
    assert.ok(all.startsWith("operations/cloud/"));
    const ofHost = await acquire("cell1", fill);
    assert.deepEqual(
      ofHost.hosts.map((one) => [one.id, one.host]),
      [[id, hostName]],
    );
    assert.deepEqual(
      ofHost.operations.map(({ name, serverId, projectId }) => [name, serverId, projectId]),
      [[fill, "", ""]],
    );
    assert.equal(ofHost.instances[0]?.server, undefined);
    const ofCloud = await acquire("global", all);
    assert.deepEqual([ofCloud.operations.length, ofCloud.hosts.length], [1, 0]);
    for (const operation of [...ofHost.operations, ...ofCloud.operations]) {
      await commit(operation);
      const { instance } = await commit(operation, { state: SUCCEEDED });
      assert.equal(instance, undefined);
      assert.equal((await stored(operation.name)).state, SUCCEEDED);
    }
  });

  it("are found by name in whichever database they are, and listed by subject", async () => {
    const { id } = await host();
    const [fill, plug, all] = [await accept(id, "fill"), await accept(id, "plug"), await accept("", "all")];
    for (const name of [fill, all])
      assert.equal((await operator().getStoredOperation(testCtx(), { name })).operation?.name, name);
    const names = async (query: object): Promise<string[]> =>
      (await operator().listStoredOperations(testCtx(), query)).operations.map(({ name }) => name).sort();
    assert.deepEqual(await names({ hostId: id }), [fill, plug].sort());
    assert.ok((await names({ cloud: true })).includes(all));
    await operator().abandonOperation(testCtx(), { name: all });
    const nowhere = randomUUID();
    await assert.rejects(
      operator().getStoredOperation(testCtx(), { name: `operations/hosts/${nowhere}/${randomUUID()}` }),
      { reason: "HOST_NOT_FOUND" },
    );
  });

  it("are acquired without a hint, beside those of servers", async () => {
    const { id } = await host();
    const serverId = randomUUID();
    await putInstance(s.store, testCtx(), aServer({ id: serverId }));
    const life = (
      await s.instances.acceptOperation(testCtx(), {
        database: "cell1",
        serverId,
        kind: "test.life",
        kindVersion: 1,
      })
    ).operation?.name;
    const fill = await accept(id, "fill");
    const { operations, instances } = await acquire("cell1");
    const ours = operations.map(({ name }) => name);
    assert.ok(ours.includes(fill) && ours.includes(life ?? ""));
    assert.equal(instances[ours.indexOf(life ?? "")]?.server?.id, serverId);
    assert.equal(instances[ours.indexOf(fill)]?.server, undefined);
  });

  it("wait for their turn in a lane of their host, and run beside those of its other lanes", async () => {
    const { id } = await host();
    const names = [];
    for (let index = 0; index < 4; index++) names.push(await accept(id, "fill"));
    const plug = await accept(id, "plug");
    const first = (await acquire("cell1", plug, ...names)).operations;
    assert.deepEqual(first.map(({ name }) => name).sort(), [plug, names[0] ?? ""].sort());
    assert.equal(new Set(first.map(({ fence }) => fence)).size, 2);
    for (const name of names) {
      const operation = name === names[0] ? first.find((one) => one.name === name) : await taken(name);
      await commit(operation ?? assert.fail("not acquired"), { state: SUCCEEDED });
    }
    await assert.rejects(accept(id, "plug"), { reason: "SUBJECT_BUSY" });
  });

  it("grow one count of fences, which no restart of a runner goes back on", async () => {
    const { id } = await host();
    const name = await accept(id, "fill");
    const before = await taken(name);
    await conductor().releaseOperations(testCtx(), { database: "cell1", owner: "a" });
    const after = await taken(name);
    assert.ok(after.fence > before.fence);
    await assert.rejects(commit(before), { reason: "FENCE_LOST" });
    await commit(after);
  });

  it("take over from each other as declared, and the victim's last runner lets its heir know", async () => {
    const { id } = await host();
    const victim = await taken(await accept(id, "fill"));
    await commit(victim, {
      steps: [{ name: "one", state: "done", output: Buffer.from("{}"), attempts: 1, host: "h" }],
      currentStep: "two",
    } as Parameters<typeof commit>[1]);
    const heir = await accept(id, "empty");
    assert.equal((await stored(victim.name)).state, PREEMPTED);
    const { preempts, preemptedKind, preemptedSteps } = await stored(heir);
    assert.deepEqual(
      [preempts, preemptedKind, preemptedSteps.map(({ name }) => name)],
      [victim.name, "test.fill", ["one"]],
    );
    await assert.rejects(commit(victim), { reason: "FENCE_LOST" });
    await conductor().leaveOperation(testCtx(), {
      database: "cell1",
      name: victim.name,
      fence: victim.fence,
    });
    assert.deepEqual(
      (await taken(heir)).signals.map(({ kind }) => kind),
      ["victim-at-rest"],
    );
  });

  it("park, and are woken by a signal; the host's own agent may send it, another may not", async () => {
    const { id, name: hostName } = await host();
    const other = await host();
    const operation = await taken(await accept(id, "fill"));
    await commit(operation, { state: PARKED, waitingFor: "agent-report", release: true });
    await requireOperationOn(s.store, testCtx(), operation.name, hostName);
    await assert.rejects(requireOperationOn(s.store, testCtx(), operation.name, other.name), {
      reason: "WRONG_OPERATION",
    });
    assert.equal((await acquire("cell1", operation.name)).operations.length, 0);
    await conductor().signalOperation(testCtx(), {
      name: operation.name,
      signalId: "s",
      kind: "victim-at-rest",
      payload: Buffer.alloc(0),
    });
    assert.equal((await acquire("cell1", operation.name)).operations.length, 0, "it waits for another kind");
  });

  it("are accepted once per client token", async () => {
    const { id } = await host();
    const token = { clientToken: "t", method: "m", bodyHash: Buffer.from("h") };
    const [first, second] = await Promise.all([accept(id, "fill", token), accept(id, "fill", token)]);
    assert.equal(first, second);
    await assert.rejects(accept(id, "fill", { ...token, bodyHash: Buffer.from("other") }), {
      reason: "TOKEN_REUSED",
    });
  });

  it("are refused on a host that is not there or cannot, and under a kind about something else", async () => {
    const { id } = await host();
    await assert.rejects(accept(randomUUID(), "fill"), { reason: "HOST_NOT_FOUND" });
    await assert.rejects(accept(id, "pause"), { reason: "HOST_CANNOT" });
    await assert.rejects(accept(id, "all"), { reason: "UNKNOWN_KIND" });
    await assert.rejects(accept("", "fill"), { reason: "UNKNOWN_KIND" });
    await assert.rejects(accept(id, "life"), { reason: "UNKNOWN_KIND" });
    const serverId = randomUUID();
    await putInstance(s.store, testCtx(), aServer({ id: serverId }));
    await assert.rejects(
      s.instances.acceptOperation(testCtx(), {
        database: "cell1",
        serverId,
        kind: "test.fill",
        kindVersion: 1,
      }),
      { reason: "UNKNOWN_KIND" },
    );
  });

  it("change no server", async () => {
    const { id } = await host();
    const operation = await taken(await accept(id, "fill"));
    const change = InstanceChange.fromPartial({ server: { name: "x" }, updateMask: ["name"] });
    await assert.rejects(commit(operation, { change }), { reason: "INVALID_ARGUMENT" });
  });

  it("are cancelled, retried and abandoned by operators, and the next of the lane gets its turn", async () => {
    const { id } = await host();
    const [stuck, waiting, third] = [
      await accept(id, "fill"),
      await accept(id, "fill"),
      await accept(id, "fill"),
    ];
    const { operation: cancelled } = await operator().requestCancel(testCtx(), { name: waiting });
    assert.equal(cancelled?.state, CANCELLED);
    await commit(await taken(stuck), { state: NEEDS_OPERATOR, waitingFor: "running" });
    await assert.rejects(operator().retryOperation(testCtx(), { name: stuck }), {
      reason: "OPERATION_IN_PROGRESS",
    });
    await commit(await taken(third), { state: SUCCEEDED });
    await operator().retryOperation(testCtx(), { name: stuck });
    const last = await accept(id, "fill");
    assert.equal((await stored(stuck)).state, RUNNING);
    const { operation } = await operator().abandonOperation(testCtx(), { name: stuck, reason: "enough" });
    assert.deepEqual([operation?.state, operation?.error?.message], [FAILED, "enough"]);
    assert.equal((await taken(last)).name, last);
  });

  it("are an operator's when no conductor knows their kind", async () => {
    const { id } = await host();
    const name = await accept(id, "fill");
    const { names } = await conductor().strandOperations(testCtx(), { database: "cell1", kinds: [] });
    assert.ok(names.includes(name));
    assert.equal((await stored(name)).error?.reason, "NO_CONDUCTOR");
  });

  it("wait in vain for a host that is gone", async () => {
    const { id } = await host();
    const [first, second] = [await accept(id, "fill"), await accept(id, "fill")];
    const { operations, hosts: there } = await acquire("cell1", first);
    assert.equal(there.length, 1);
    await s.store.db.write(testCtx(), "gone", (tx) =>
      sql`DELETE FROM ${s.store.t.compute_node} WHERE id = ${id}`.execute(tx),
    );
    await commit(operations[0] ?? assert.fail("not acquired"), { state: SUCCEEDED });
    const { state, error } = await getOperation(s.store, testCtx(), second);
    assert.deepEqual([state, error?.reason], [FAILED, "HOST_NOT_FOUND"]);
  });

  it("tell the feed of each state, under no project", async () => {
    const all = await accept("", "all");
    await commit(await taken(all), { state: SUCCEEDED });
    const { rows } = await s.globalStore.db.statement(testCtx(), "feed", (db) =>
      sql<{ project_id: string; payload: Buffer }>`SELECT project_id, payload FROM ${s.globalStore.t.outbox}
        WHERE entity_id = ${parseOperationName(all)?.operationId ?? ""}`.execute(db),
    );
    assert.deepEqual(
      rows.map(({ project_id, payload }) => [project_id, Operation.decode(payload).name]),
      [
        ["", all],
        ["", all],
      ],
    );
  });
});
