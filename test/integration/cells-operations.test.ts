import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { aDeclaration } from "../../pkg/model/testing/a-declaration.js";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { ComputeNode } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { CommitStepRequest } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { ServerHostInfo } from "../../gen/kilonova/type/v1/server.js";
import { lockQuota } from "../../pkg/cells/quota/store/quota.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { cellsConfig } from "../../pkg/cells/config.js";
import { defaultLimitsOf } from "../../pkg/cells/config.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { bootRequest } from "../crash/requests.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

const RUNNING = OperationState.OPERATION_STATE_RUNNING;
const PARKED = OperationState.OPERATION_STATE_PARKED;
const NEEDS_OPERATOR = OperationState.OPERATION_STATE_NEEDS_OPERATOR;
const SUCCEEDED = OperationState.OPERATION_STATE_SUCCEEDED;
const member = { kind: "user", userId: "user", projectId: "project", roles: ["member"] };

const PREEMPT = { input: Buffer.from("pre-empt") };

describe("stored operations", () => {
  let s: CellsUnderTest;
  let nodes = 0;
  before(async () => {
    const kinds = [aDeclaration("test.kind"), aDeclaration("test.able", { capability: "pause" })];
    s = await startCellsService({}, new OperationCatalogue(kinds.map((kind) => anyOperation(kind))));
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  const server = async () => {
    const id = randomUUID();
    await putInstance(s.store, testCtx(), aServer({ id }));
    return id;
  };
  type Wish = Parameters<typeof s.instances.acceptOperation>[1];
  const accept = (serverId: string, wish: Wish = {}) =>
    s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      actor: member,
      kind: "test.kind",
      kindVersion: 1,
      method: "StopServer",
      ...wish,
    });
  const accepted = async (serverId: string, wish: Wish = {}) =>
    (await accept(serverId, wish)).operation?.name ?? assert.fail("no operation");
  const acquire = async (
    names: string[],
    owner = "a",
    ownershipMs = 60_000,
    limit = 10,
    database = "cell1",
  ) =>
    (
      await conductor().acquireOperations(testCtx(), {
        database,
        owner,
        kinds: [
          { kind: "test.kind", version: 1 },
          { kind: "server.boot", version: 1 },
        ],
        limit,
        names,
        ownership: {
          seconds: BigInt(Math.floor(ownershipMs / 1_000)),
          nanos: (ownershipMs % 1_000) * 1_000_000,
        },
      })
    ).operations;
  const taken = async (name: string) => (await acquire([name]))[0] ?? assert.fail("not acquired");
  const commit = (name: string, fence: bigint, wish: Partial<CommitStepRequest> = {}) =>
    conductor().commitStep(testCtx(), {
      database: "cell1",
      name,
      fence,
      state: RUNNING,
      currentStep: "one",
      ...wish,
    });
  const recordOf = async (serverId: string) =>
    (await s.instances.getInstance(testCtx(), { database: "cell1", serverId })).instance?.server;

  it("take no commit any more once they have come to an end, under whatever fence", async () => {
    for (const state of [NEEDS_OPERATOR, SUCCEEDED]) {
      const name = await accepted(await server());
      const { fence } = await taken(name);
      await commit(name, fence, { state });
      await assert.rejects(commit(name, fence), { reason: "FENCE_LOST" });
    }
    // Also where the instance still names it, as after an end that nobody foresaw.
    const name = await accepted(await server());
    const { fence } = await taken(name);
    await s.store.db.statement(testCtx(), "test.end", (db) =>
      sql`UPDATE ${s.store.t.operation} SET state = 'failed' WHERE id = ${name.split("/")[2] ?? ""}`.execute(
        db,
      ),
    );
    await assert.rejects(commit(name, fence), { reason: "FENCE_LOST" });
  });

  for (const [what, state] of [
    ["a step that changes nothing else", RUNNING],
    ["a step that waits", PARKED],
  ] as const)
    it(`are locked after their server, as by who takes them over, so that nobody waits in a ring: ${what}`, async () => {
      const id = await server();
      const name = await accepted(id);
      const { fence } = await taken(name);
      const { operation, instance } = s.store.t;
      let committing: Promise<unknown> | undefined;
      await s.store.db.write(testCtx(), "test.take-over", async (tx) => {
        await sql`SELECT 1 FROM ${instance} WHERE id = ${id} FOR UPDATE`.execute(tx);
        committing ??= commit(name, fence, { state });
        await until(async () => {
          const { rows } = await s.store.db.statement(testCtx(), "test.waiting", (db) =>
            sql<{
              n: string;
            }>`SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`.execute(db),
          );
          return Number(rows[0]?.n) > 0;
        });
        await sql`SELECT 1 FROM ${operation} WHERE id = ${name.split("/")[2] ?? ""} FOR UPDATE NOWAIT`.execute(
          tx,
        );
      });
      await committing;
    });

  it("keep what a user changed while a step ran", async () => {
    const id = await server();
    const name = await accepted(id);
    const { fence } = await taken(name);
    await s.instances.updateInstance(testCtx(), {
      database: "cell1",
      server: { id, name: "renamed" },
      updateMask: ["name"],
    });
    await commit(name, fence, {
      change: { server: aServer({ id, taskState: "going-on" }), updateMask: ["task_state"] } as never,
    });
    const record = await recordOf(id);
    assert.deepEqual([record?.name, record?.taskState], ["renamed", "going-on"]);
  });

  it("do not park when somebody has asked to cancel them", async () => {
    const name = await accepted(await server());
    const { fence } = await taken(name);
    await s
      .as("api")
      .client(OperationStoreServiceDefinition)
      .requestCancel(testCtx(), { database: "cell1", name });
    const inAnHour = toTimestamp(systemClock.now() + 3_600_000_000n);
    await commit(name, fence, { state: PARKED, release: true, waitingFor: "never", wakeAt: inAnHour });
    assert.equal((await acquire([name], "b")).length, 1);
  });

  it("are not in the way of others once they are pre-empted", async () => {
    const id = await server();
    const victim = await accepted(id);
    await acquire([victim], "a", 1);
    const heir = await accepted(id, PREEMPT);
    const { fence } = await taken(heir);
    await commit(heir, fence, { state: SUCCEEDED });
    const other = await accepted(await server());
    const found: string[] = [];
    await until(async () => {
      found.push(...(await acquire([], "b", 60_000, 1)).map(({ name }) => name));
      return found.includes(other);
    });
    assert.ok(!found.includes(victim));
  });

  it("are one at a time on a server", async () => {
    const id = await server();
    const first = await accepted(id);
    await assert.rejects(accept(id), { reason: "OPERATION_IN_PROGRESS" });
    const heir = await accepted(id, PREEMPT);
    assert.notEqual(heir, first);
    assert.equal((await recordOf(id))?.currentOperation, heir);
  });

  it("are accepted on a project's own servers only", async () => {
    const id = await server();
    await assert.rejects(accept(id, { projectId: "other" }), { reason: "SERVER_NOT_FOUND" });
    assert.ok(await accepted(id, { projectId: "project" }));
  });

  it("are accepted only where the server's host has registered what they need", async () => {
    const on = async (host: string, ...capabilities: string[]): Promise<string> => {
      const body = Buffer.from(ComputeNode.encode(ComputeNode.fromPartial({ host, capabilities })).finish());
      const node = { id: randomUUID(), number: ++nodes, host, generation: 1, body };
      await s.store.db.statement(testCtx(), "test.node", (db) =>
        insertInto(s.store.t.compute_node, [node]).execute(db),
      );
      const id = randomUUID();
      await putInstance(s.store, testCtx(), aServer({ id, hostInfo: ServerHostInfo.fromPartial({ host }) }));
      return id;
    };
    const able = (serverId: string) => accepted(serverId, { kind: "test.able" });
    assert.ok(await able(await on("able", "set-admin-password", "pause")));
    await assert.rejects(able(await on("unable", "set-admin-password")), { reason: "CAPABILITY_MISSING" });
    // Whether it needs a host at all is another rule's affair.
    assert.ok(await able(await server()));
  });

  it("are not accepted on a server that leaves for another database", async () => {
    const id = await server();
    await s.store.db.statement(testCtx(), "test.leaving", (db) =>
      sql`UPDATE ${s.store.t.instance} SET leaving_to = 'cell2' WHERE id = ${id}`.execute(db),
    );
    await assert.rejects(accept(id), { reason: "SERVER_MOVED" });
  });

  it("are repeated for the one user, project and method that a token belongs to", async () => {
    const id = await server();
    const token = { clientToken: "once", bodyHash: Buffer.from("body") };
    const first = await accepted(id, token);
    assert.equal((await accept(id, token)).replayed, true);
    const { fence } = await taken(first);
    await commit(first, fence, { state: SUCCEEDED });
    for (const wish of [
      { actor: { ...member, userId: "somebody else" } },
      { actor: { ...member, projectId: "another" } },
      { method: "StartServer" },
    ]) {
      const answer = await accept(id, { ...token, ...wish });
      const name = answer.operation?.name ?? "";
      assert.deepEqual([answer.replayed, name === first], [false, false]);
      await commit(name, (await taken(name)).fence, { state: SUCCEEDED });
    }
    await assert.rejects(accept(id, { ...token, bodyHash: Buffer.from("another") }), {
      reason: "TOKEN_REUSED",
    });
  });

  it("are repeated with their token also when the server is gone, and begin no new one on it", async () => {
    const id = await server();
    const token = { clientToken: "last", bodyHash: Buffer.from("body") };
    const first = await accepted(id, token);
    const { fence } = await taken(first);
    await commit(first, fence, { state: SUCCEEDED });
    await s.store.db.statement(testCtx(), "test.delete", (db) =>
      sql`UPDATE ${s.store.t.instance} SET deleted_at = now() WHERE id = ${id}`.execute(db),
    );
    // A token is promised to be known for 24 h beyond the operation's end.
    await s.store.db.statement(testCtx(), "test.age", (db) =>
      sql`UPDATE ${s.store.t.client_token} SET created_at = created_at - interval '25 hours' WHERE token = ${token.clientToken}`.execute(
        db,
      ),
    );
    await s.store.db.statement(testCtx(), "test.age", (db) =>
      sql`UPDATE ${s.store.t.operation} SET created_at = created_at - interval '25 hours', updated_at = updated_at - interval '23 hours' WHERE server_id = ${id}`.execute(
        db,
      ),
    );
    const again = await accept(id, token);
    assert.deepEqual([again.replayed, again.operation?.name], [true, first]);
    await assert.rejects(accept(id, { ...token, bodyHash: Buffer.from("another") }), {
      reason: "TOKEN_REUSED",
    });
    await assert.rejects(accept(id, { ...token, clientToken: "other" }), { reason: "SERVER_NOT_FOUND" });
    await assert.rejects(accept(id), { reason: "SERVER_NOT_FOUND" });
  });

  it("have their secrets sealed, opened for their owner, and erased with their end", async () => {
    const name = await accepted(await server(), {
      input: Buffer.from("open"),
      secrets: Buffer.from("open sesame"),
    });
    const stored = async () => {
      const { rows } = await s.store.db.statement(testCtx(), "test.secrets", (db) =>
        sql<{ input: Buffer; secrets: Buffer | null }>`
          SELECT input, secrets FROM ${s.store.t.operation} WHERE id = ${name.split("/")[2] ?? ""}`.execute(
          db,
        ),
      );
      return rows[0] ?? assert.fail("no row");
    };
    const { input, secrets } = await stored();
    assert.equal(input.toString(), "open");
    assert.ok(secrets !== null && !secrets.includes("sesame"));
    const { fence, secrets: opened } = await taken(name);
    assert.equal(opened.toString(), "open sesame");
    await commit(name, fence, { state: SUCCEEDED });
    assert.equal((await stored()).secrets, null);
  });
});

describe("hand-overs", () => {
  it("leave no secret behind, and mint a new fence", async () => {
    const s = await startCellsService();
    const conductor = s.as("conductor").client(OperationStoreServiceDefinition);
    const serverId = randomUUID();
    const { operations } = await s.global.acceptServers(testCtx(), {
      ...bootRequest({ ids: [serverId] }),
    });
    const name = operations[0]?.name ?? "";
    const { operations: got } = await conductor.acquireOperations(testCtx(), {
      database: "global",
      owner: "a",
      kinds: [{ kind: operations[0]?.kind ?? "", version: 1 }],
      limit: 1,
      names: [name],
      ownership: { seconds: 60n },
    });
    const operation = got[0] ?? assert.fail("not acquired");
    const instance = (
      await s
        .as("conductor")
        .client(InstancesServiceDefinition)
        .getInstance(testCtx(), { database: "global", serverId, withUserData: true })
    ).instance;
    assert.ok(instance);
    await conductor.prepareHandover(testCtx(), {
      database: "cell1",
      sourceDatabase: "global",
      fence: operation.fence,
      operation,
      instance: Buffer.from(InstanceRecord.encode(instance).finish()),
    });
    await conductor.commitHandover(testCtx(), {
      database: "global",
      name,
      fence: operation.fence,
      targetDatabase: "cell1",
    });
    const { operation: awake } = await conductor.activateHandover(testCtx(), {
      database: "cell1",
      name,
      owner: "a",
      ownership: { seconds: 60n },
    });
    assert.ok(awake !== undefined && awake.fence > operation.fence);
    assert.ok(awake.secrets.length > 0);
    const { rows } = await s.store.db.statement(testCtx(), "test.dormant", (db) =>
      sql<{ secrets: Buffer | null; user_data: Buffer | null }>`
        SELECT secrets, user_data FROM ${s.store.t.dormant_operation}`.execute(db),
    );
    assert.ok(rows.every(({ secrets, user_data }) => secrets === null && user_data === null));
    await s.close();
  });
});

describe("a project's usage", () => {
  it("is locked by who counts on it, so that others wait instead of beginning anew", async () => {
    const s = await startCellsService();
    const store: Store = s.globalStore;
    const limits = defaultLimitsOf(cellsConfig.parse({}));
    const lock = (inside: () => Promise<void>) =>
      store.db.write(testCtx(), "test.quota", async (tx) => {
        await lockQuota(store, tx, "project", "user", limits);
        await inside();
      });
    await lock(async () => {});
    let second: Promise<void> | undefined;
    let reached = false;
    await lock(async () => {
      second = lock(async () => {
        reached = true;
      });
      await until(async () => {
        const { rows } = await s.store.db.statement(testCtx(), "test.waiting", (db) =>
          sql<{
            n: string;
          }>`SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'`.execute(db),
        );
        return reached || Number(rows[0]?.n) > 0;
      });
      assert.equal(reached, false);
    });
    await second;
    assert.equal(reached, true);
    await s.close();
  });
});
