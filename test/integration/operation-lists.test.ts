import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { CompiledQuery } from "kysely";
import { InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { LockInput, RebootInput } from "../../gen/kilonova/cells/v1/operation_inputs.js";
import {
  ListStoredOperationsRequest,
  OperationStoreServiceDefinition,
} from "../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { Operation, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { SEARCHED_AT_ONCE, listOperations } from "../../pkg/cells/operations/store/read-operations.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import type { Ctx } from "../../pkg/kernel/index.js";
import { presentOperation } from "../../pkg/model/operation-view.js";

import { fromTimestamp, toTimestamp } from "../../pkg/model/wire-time.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { bootRequest } from "../crash/requests.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

const {
  OPERATION_STATE_RUNNING: RUNNING,
  OPERATION_STATE_SUCCEEDED: SUCCEEDED,
  OPERATION_STATE_FAILED: FAILED,
  OPERATION_STATE_PREEMPTED: PREEMPTED,
} = OperationState;
const member = { kind: "user", userId: "user", projectId: "project", roles: ["member"] };

/** Cells on PostgreSQL with the real kinds; the test plays the conductor. */
describe("operations as users see them", () => {
  let s: CellsUnderTest;
  before(async () => {
    s = await startCellsService();
  });
  after(() => s.close());

  const conductor = () => s.as("conductor").client(OperationStoreServiceDefinition);
  const active = async (init: Partial<Server> = {}) => {
    const id = randomUUID();
    await putInstance(
      s.store,
      testCtx(),
      aServer({
        id,
        vmState: VmState.VM_STATE_ACTIVE,
        launchedAt: toTimestamp(1n),
        generation: 5n,
        ...init,
      }),
    );
    return id;
  };
  const accept = async (serverId: string, kind: string, input: Uint8Array = Buffer.alloc(0)) => {
    const { operation } = await s.instances.acceptOperation(testCtx(), {
      database: "cell1",
      serverId,
      actor: member,
      kind,
      kindVersion: 1,
      input: Buffer.from(input),
    });
    return operation ?? assert.fail("no operation");
  };
  const acquire = async (name: string, database = "cell1") => {
    const kinds = ["server.boot", "server.reboot", "server.delete"].map((kind) => ({ kind, version: 1 }));
    const { operations, instances } = await conductor().acquireOperations(testCtx(), {
      database,
      owner: "a",
      kinds,
      limit: 1,
      names: [name],
      ownership: { seconds: 60n },
    });
    const [operation, instance] = [operations[0], instances[0]];
    assert.ok(operation && instance, `${name} not acquired`);
    return { operation, instance };
  };
  const read = async (name: string) => {
    const { operation } = await s
      .as("api")
      .client(OperationStoreServiceDefinition)
      .getStoredOperation(testCtx(), { name, database: "cell1" });
    return presentOperation(operation ?? assert.fail("no operation"));
  };
  /** What the feed tells of an operation, oldest first, once it has told it in this state. */
  const told = (name: string, state: OperationState, database = "cell1") =>
    until(
      async () => {
        const { entries } = await s.feed.readFeed(testCtx(), { database, entityKinds: ["operation"] });
        const found = entries
          .filter(({ entityId }) => name.endsWith(entityId))
          .map(({ payload }) => Operation.decode(payload));
        return found.some((one) => one.state === state) && found;
      },
      { what: `${name} in the feed` },
    );

  it("tell what was asked and who began them from their acceptance on, in answers and in the feed", async () => {
    const id = await active();
    const answer = await accept(id, "server.reboot", RebootInput.encode({ hard: true }).finish());
    for (const one of [answer, await read(answer.name), (await told(answer.name, RUNNING))[0]]) {
      assert.deepEqual(one?.metadata?.asked, { $case: "rebootServer", value: { hard: true } });
      assert.deepEqual([one.action, one.initiator?.userId, one.generation], ["reboot", "user", 1n]);
      assert.deepEqual([one.result, one.successor], [undefined, undefined]);
    }
  });

  it("answer the server at the generation that shows their end", async () => {
    const id = await active();
    const { name } = await accept(id, "server.reboot", RebootInput.encode({ hard: true }).finish());
    const { operation, instance } = await acquire(name);
    const commit = (state: OperationState, taskState: string) =>
      conductor().commitStep(testCtx(), {
        database: "cell1",
        name,
        fence: operation.fence,
        state,
        change: {
          server: { ...instance.server, taskState } as Server,
          updateMask: ["task_state"],
          ports: [],
          replacePorts: false,
          deleteRecord: false,
          dropFault: false,
        },
      });
    await commit(RUNNING, "reboot_started");
    assert.equal((await read(name)).result, undefined);
    const { generation } = await commit(SUCCEEDED, "");
    const result = { outcome: { $case: "server", value: { id, generation } } } as const;
    assert.deepEqual((await read(name)).result, result);
    assert.deepEqual((await read(name)).metadata?.asked?.value, { hard: true });
    assert.deepEqual((await told(name, SUCCEEDED)).at(-1)?.result, result);
    const { instance: after } = await s.instances.getInstance(testCtx(), { database: "cell1", serverId: id });
    assert.equal(after?.server?.generation, generation);
  });

  it("answer at once when they are done with their acceptance, whether anything changed or not", async () => {
    const id = await active();
    const lock = LockInput.encode({ reason: "mine" }).finish();
    for (const generation of [6n, 6n]) {
      const one = await accept(id, "server.lock", lock);
      assert.equal(one.state, SUCCEEDED);
      assert.deepEqual(one.result?.outcome, { $case: "server", value: { id, generation } });
      assert.deepEqual(one.metadata?.asked, { $case: "lockServer", value: { reason: "mine" } });
    }
  });

  it("name what took over from them, and leave nothing to read when they delete", async () => {
    const id = await active();
    const { name: victim } = await accept(id, "server.reboot");
    const { name: heir } = await accept(id, "server.delete");
    const ended = await read(victim);
    assert.deepEqual([ended.state, ended.successor, ended.result], [PREEMPTED, heir, undefined]);
    assert.equal((await told(victim, PREEMPTED)).at(-1)?.successor, heir);
    const { operation } = await acquire(heir);
    await conductor().commitStep(testCtx(), {
      database: "cell1",
      name: heir,
      fence: operation.fence,
      state: SUCCEEDED,
    });
    assert.deepEqual([(await read(heir)).result, (await read(heir)).state], [undefined, SUCCEEDED]);
  });

  it("keep what was asked when they go to another database, and are listed at every moment of that, once", async () => {
    const serverId = randomUUID();
    const { operations } = await s.global.acceptServers(
      testCtx(),
      bootRequest({ ids: [serverId], name: "web" }),
    );
    const name = operations[0]?.name ?? assert.fail("no operation");
    const image = "1a000000-0000-4000-8000-000000000001";
    const asked = { $case: "createServer", value: { name: "web", flavorId: "1", imageId: image } } as const;
    assert.deepEqual(operations[0]?.metadata?.asked, asked);
    /** As the api reads: the global database first. */
    const listed = async (states: OperationState[] = [], state: OperationState = RUNNING) => {
      const seen: StoredOperation[] = [];
      for (const database of ["global", "cell1"]) {
        const query = { database, projectId: "project", states, kinds: ["server.boot"] };
        const { operations: page } = await conductor().listStoredOperations(testCtx(), query);
        seen.push(...page.filter((one) => one.name === name));
      }
      for (const one of seen) assert.deepEqual([one.state, one.metadata?.asked], [state, asked]);
      return seen.length;
    };
    assert.equal(await listed(), 1);
    const { operation, instance } = await acquire(name, "global");
    const at = { database: "cell1", sourceDatabase: "global", fence: operation.fence };
    await conductor().prepareHandover(testCtx(), {
      ...at,
      operation,
      instance: Buffer.from(InstanceRecord.encode(instance).finish()),
    });
    assert.equal(await listed(), 1);
    const t = { instance: s.globalStore.t.instance, instance_copy: sql.table("public.instance_copy") };
    const target = { database: "global", name, fence: operation.fence, targetDatabase: "cell1" };
    await conductor().commitHandover(testCtx(), target);
    await s.globalStore.db.statement(testCtx(), "test.copy", (db) =>
      sql`CREATE TABLE ${t.instance_copy} AS SELECT * FROM ${t.instance} WHERE id = ${serverId}`.execute(db),
    );
    assert.deepEqual([await listed(), await listed([RUNNING]), await listed([FAILED])], [1, 1, 0]);
    await conductor().activateHandover(testCtx(), {
      database: "cell1",
      name,
      owner: "",
      ownership: undefined,
    });
    assert.equal(await listed(), 1);
    assert.deepEqual((await read(name)).metadata?.asked, asked);
    // Whoever woke it died before the source forgot the server, and meanwhile it has come to its end.
    await s.globalStore.db.statement(testCtx(), "test.back", (db) =>
      sql`INSERT INTO ${t.instance} SELECT * FROM ${t.instance_copy}`.execute(db),
    );
    const { operation: awake } = await acquire(name);
    assert.deepEqual([await listed(), await listed([RUNNING])], [1, 1]);
    const end = { database: "cell1", name, fence: awake.fence, state: SUCCEEDED };
    await conductor().commitStep(testCtx(), end);
    assert.deepEqual([await listed([RUNNING]), await listed([SUCCEEDED], SUCCEEDED)], [0, 1]);
  });
});

describe("lists of operations", () => {
  let s: CellsUnderTest;
  let store: Store;
  const NUMBER = 3_000;
  const server = randomUUID();
  before(async () => {
    s = await startCellsService();
    ({ store } = s);
    await putInstance(store, testCtx(), aServer({ id: server }));
    // Every tenth of the project failed and every hundredth is a delete; as many are of somebody else.
    await statement(sql`INSERT INTO ${store.t.operation} (id, server_id, project_id, kind, kind_version, action, request_id,
        actor, traceparent, input, state, current_step, steps, generation, created_at, updated_at)
      SELECT gen_random_uuid()::text, ${server}::text, CASE WHEN n % 2 = 0 THEN 'p1' ELSE 'p2' END,
        CASE WHEN n % 200 = 0 THEN 'server.delete' ELSE 'server.stop' END, 1, 'stop', 'req-1', ''::bytea, '', ''::bytea,
        CASE WHEN n IN (2, 4, 6) THEN 'running' WHEN n % 20 = 0 THEN 'failed' ELSE 'succeeded' END, '', ''::bytea, 1,
        '2026-01-01Z'::timestamptz + (n / 3) * interval '1 second', '2026-01-01Z'
      FROM generate_series(1, ${2 * NUMBER}) AS n`);
    await statement(sql`ANALYZE ${store.t.operation}`);
  });
  after(() => s.close());

  const statement = <R>(text: ReturnType<typeof sql<R>>) =>
    store.db.statement(testCtx(), "test.operations", (db) => text.execute(db));
  type Wish = Parameters<ReturnType<typeof client>["listStoredOperations"]>[1];
  const client = () => s.as("api").client(OperationStoreServiceDefinition);
  const queryOf = (wish: Wish) => ListStoredOperationsRequest.fromPartial({ database: "cell1", ...wish });
  /** All pages of a list, and how many there were. */
  const all = async (wish: Wish, searchedAtOnce?: number) => {
    const found: StoredOperation[] = [];
    let pages = 0;
    for (let after: Wish["after"] = undefined; ; pages++) {
      const query = queryOf({ pageSize: 1000, projectId: "p1", ...wish, after });
      const page = await (searchedAtOnce === undefined
        ? client().listStoredOperations(testCtx(), query)
        : listOperations(store, testCtx(), query, searchedAtOnce));
      found.push(...page.operations);
      after = page.searchedTo;
      if (after === undefined) return { found, pages: pages + 1 };
    }
  };

  it("are a project's own, newest first, each once, also where many begin at one instant", async () => {
    const { found, pages } = await all({ pageSize: 250 });
    assert.deepEqual([found.length, pages], [NUMBER, NUMBER / 250]);
    assert.equal(new Set(found.map(({ name }) => name)).size, NUMBER);
    assert.ok(found.every(({ projectId }) => projectId === "p1"));
    const keys = found.map(
      ({ createdAt, name }) => [createdAt ? fromTimestamp(createdAt) : 0n, name.slice(-36)] as const,
    );
    for (const [i, [at, id]] of keys.slice(1).entries()) {
      const [before, beforeId] = keys[i] ?? assert.fail();
      assert.ok(before > at || (before === at && beforeId > id));
    }
    assert.equal((await all({ projectId: "" })).found.length, 2 * NUMBER);
  });

  it("are filtered by state, kind, server and time", async () => {
    const count = async (wish: Wish) => (await all(wish)).found.length;
    assert.equal(await count({ states: [FAILED] }), 300);
    assert.equal(await count({ states: [FAILED, RUNNING] }), 303);
    assert.equal(await count({ kinds: ["server.delete"] }), 30);
    assert.equal(await count({ kinds: ["server.delete"], states: [RUNNING] }), 0);
    assert.equal(await count({ kinds: ["server.nonsense"] }), 0);
    assert.equal(await count({ serverId: server, projectId: "" }), 2 * NUMBER);
    assert.equal(await count({ serverId: randomUUID(), projectId: "" }), 0);
    const since = toTimestamp(BigInt(Date.UTC(2026, 0, 1, 0, 33)) * 1000n);
    const { found } = await all({ createdSince: since });
    assert.ok(found.length > 0 && found.length < 50, String(found.length));
    assert.ok(found.every(({ createdAt }) => createdAt && createdAt.seconds >= since.seconds));
  });

  it("search a bounded stretch for a page, say how far, and miss nothing", async () => {
    for (const pageSize of [7, 1000]) {
      const { found, pages } = await all({ states: [FAILED], pageSize }, 100);
      assert.equal(found.length, 300);
      assert.equal(new Set(found.map(({ name }) => name)).size, 300);
      assert.ok(pages >= NUMBER / 100, String(pages));
    }
    const empty = await all({ kinds: ["server.nonsense"] }, 100);
    assert.deepEqual([empty.found.length, empty.pages], [0, NUMBER / 100 + 1]);
  });

  it("find what has not ended at once, however long the history before it", async () => {
    const states = [RUNNING, OperationState.OPERATION_STATE_NEEDS_OPERATOR];
    const { found, pages } = await all({ states }, 100);
    assert.deepEqual([found.length, pages], [3, 1]);
  });

  it("read no more rows than a page needs, however many the project and others have", async () => {
    // A project whose operations are all older than everybody else's.
    await statement(sql`UPDATE ${store.t.operation} SET project_id = 'old', created_at = created_at - interval '1 year'
      WHERE project_id = 'p2' AND id < '04'`);
    await statement(sql`ANALYZE ${store.t.operation}`);
    const place = { createdAt: toTimestamp(BigInt(Date.UTC(2026, 0, 1, 0, 20)) * 1000n), id: randomUUID() };
    const cases: readonly (readonly [string, Wish, number])[] = [
      ["the first page", { projectId: "p1" }, 30],
      ["a page in the middle", { projectId: "p1", after: place }, 30],
      ["an old project", { projectId: "old" }, 30],
      ["all projects", { projectId: "" }, 30],
      ["one server", { projectId: "", serverId: server }, 30],
      ["what has not ended", { projectId: "p1", states: [RUNNING] }, 30],
      ["a state that few have", { projectId: "p1", states: [FAILED] }, 500],
      ["a kind that nobody has", { projectId: "p1", kinds: ["server.nonsense"] }, 500],
    ];
    for (const [what, wish, most] of cases) {
      const rows = await rowsRead(wish, 100);
      assert.ok(rows > 0 && rows <= most, `${what}: ${rows} rows`);
    }
    assert.ok(SEARCHED_AT_ONCE <= 10_000);
  });

  /** Rows that tables and indexes gave for a page of ten, dropped ones included. */
  async function rowsRead(wish: Wish, searchedAtOnce: number): Promise<number> {
    let rows = 0;
    const explaining = Object.create(store, {
      db: {
        value: {
          statement: async (ctx: Ctx, name: string, run: (db: Executor) => Promise<unknown>) => {
            let asked: CompiledQuery | undefined;
            const answer = await store.db.statement(ctx, name, (db) =>
              run({ executeQuery: (query) => db.executeQuery((asked = query)) }),
            );
            const { sql: text = "", parameters = [] } = asked ?? {};
            const { rows: found } = await store.db.statement(ctx, name, (db) =>
              db.executeQuery<Explained>(
                CompiledQuery.raw(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [...parameters]),
              ),
            );
            for (const { "QUERY PLAN": plans } of found) for (const { Plan } of plans) rows += rowsOf(Plan);
            return answer;
          },
        },
      },
    }) as Store;
    await listOperations(explaining, testCtx(), queryOf({ pageSize: 10, ...wish }), searchedAtOnce);
    return rows;
  }
});

interface Executor {
  executeQuery(query: CompiledQuery): Promise<{ readonly rows: readonly unknown[] }>;
}

interface Explained {
  readonly "QUERY PLAN": readonly { readonly Plan: Plan }[];
}

interface Plan {
  readonly "Node Type": string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
}

/** What scans gave and dropped. */
const rowsOf = (plan: Plan): number =>
  (plan["Node Type"].endsWith("Scan") && !plan["Node Type"].startsWith("Subquery")
    ? (plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0)) * plan["Actual Loops"]
    : 0) + (plan.Plans ?? []).reduce((sum, one) => sum + rowsOf(one), 0);
