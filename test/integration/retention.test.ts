import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { retentionConfig } from "../../pkg/cells/retention/options.js";
import { sweepOnce, sweeps } from "../../pkg/cells/retention/sweeps.js";
import type { Bounds } from "../../pkg/cells/retention/sweeps.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Store, Tables } from "../../pkg/cells/store/tables.js";
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { toTimestamp } from "../../pkg/model/wire-time.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import type { CellsUnderTest } from "./support/cells-service.js";
import { startCellsService } from "./support/cells-service.js";

const DAY = 86_400_000_000n;
const ago = (days: number): bigint => systemClock.now() - BigInt(Math.round(days * 24)) * (DAY / 24n);

describe("what is kept for a time", () => {
  let s: CellsUnderTest;
  let stores: Stores;
  let cell: Store;
  let global: Store;
  before(async () => {
    s = await startCellsService();
    [cell, global] = [s.store, s.globalStore];
    stores = new Stores(global, [cell]);
  });
  after(() => s.close());

  const put = (table: keyof Tables, row: Record<string, unknown>, store = cell) =>
    store.db.statement(testCtx(), "test.put", (db) => insertInto(store.t[table], [row]).execute(db));
  const left = async (
    table: keyof Tables,
    column: string,
    ids: readonly string[],
    store = cell,
  ): Promise<string[]> => {
    const { rows } = await store.db.statement(testCtx(), "test.left", (db) =>
      sql<{
        id: string;
      }>`SELECT ${sql.ref(column)} AS id FROM ${store.t[table]} WHERE ${sql.ref(column)} = ANY(${ids}::text[])`.execute(
        db,
      ),
    );
    return rows.map(({ id }) => id).sort((a, b) => ids.indexOf(a) - ids.indexOf(b));
  };
  const sweep = (
    config: object = {},
    { bounds, database = "cell1" }: { readonly bounds?: Bounds; readonly database?: string } = {},
  ) =>
    sweepOnce(
      stores,
      database,
      testCtx(),
      { clock: systemClock, config: retentionConfig.parse(config) },
      bounds,
    );

  const operation = async (state: string, days: number, serverId: string = randomUUID()): Promise<string> => {
    const id = randomUUID();
    await put("operation", {
      id,
      server_id: serverId,
      project_id: "p",
      kind: "server.stop",
      kind_version: 1,
      action: "stop",
      request_id: `req-${id}`,
      actor: Buffer.alloc(0),
      traceparent: "",
      input: Buffer.alloc(0),
      state,
      current_step: "",
      steps: Buffer.alloc(0),
      generation: 1,
      created_at: ago(days),
      updated_at: ago(days),
    });
    return id;
  };
  const signal = (operationId: string, days: number) =>
    put("operation_signal", {
      operation_id: operationId,
      signal_id: "s",
      kind: "k",
      payload: Buffer.alloc(0),
      created_at: ago(days),
    });
  const token = async (names: readonly string[], days: number, store = cell): Promise<string> => {
    const id = randomUUID();
    await put(
      "client_token",
      {
        project_id: "p",
        user_id: "u",
        method: "StopServer",
        token: id,
        body_hash: Buffer.alloc(0),
        operations: names,
        created_at: ago(days),
      },
      store,
    );
    return id;
  };
  const server = async (deletedDays: number | undefined, more: object = {}): Promise<string> => {
    const id = randomUUID();
    const deletedAt = deletedDays === undefined ? undefined : toTimestamp(ago(deletedDays));
    await putInstance(cell, testCtx(), aServer({ id, deletedAt, ...more }));
    await put(
      "instance_mapping",
      {
        server_id: id,
        database: "cell1",
        project_id: "p",
        user_id: "u",
        deleted: deletedAt !== undefined,
        created_at: ago(1),
      },
      global,
    );
    return id;
  };
  const migration = (serverId: string, more: Record<string, unknown> = {}) =>
    put("migration", {
      id: randomUUID(),
      number: 1,
      server_id: serverId,
      project_id: "p",
      user_id: "u",
      kind: 1,
      status: "done",
      source_host: "a",
      target_host: "b",
      hidden: false,
      created_at: ago(1),
      changed_at: ago(1),
      body: Buffer.alloc(0),
      ...more,
    });
  /** A row in every table that has rows of servers. */
  const luggage = async (serverId: string): Promise<string> => {
    await operation("handed-over", 100, serverId);
    const ended = await operation("succeeded", 1, serverId);
    await signal(ended, 0.5);
    await token([`operations/${serverId}/${ended}`], 1);
    await put("instance_action", {
      server_id: serverId,
      id: ended,
      request_id: "r",
      action: "stop",
      project_id: "p",
      user_id: "u",
      started_at: ago(1),
      updated_at: ago(1),
    });
    await put("instance_action_event", {
      action_id: ended,
      step: "x",
      round: 0,
      position: 0,
      event: "e",
      started_at: ago(1),
      result: "Success",
      host: "h",
      details: "",
      traceback: "",
    });
    await put("block_device", {
      server_id: serverId,
      id: randomUUID(),
      volume_id: "",
      device_name: "",
      created_at: ago(1),
      deleted_at: ago(1),
      body: Buffer.alloc(0),
    });
    await migration(serverId);
    return ended;
  };

  it("has a bound for every kind, and names each once", () => {
    const config = retentionConfig.parse({});
    assert.deepEqual(
      sweeps.map(({ name, keepMs }) => [name, Number(keepMs(config)) / 86_400_000]),
      [
        ["deleted-servers", 90],
        ["ended-operations", 30],
        ["client-tokens", 7],
        ["signals", 1],
        ["detached-devices", 90],
        ["console-tokens", 0],
        ["task-logs", 400],
      ],
    );
  });

  it("are ended operations, with signals and client tokens, and none that is young or has not ended", async () => {
    const old = await Promise.all(
      ["succeeded", "failed", "cancelled", "preempted"].map((state) => operation(state, 31)),
    );
    const young = await operation("succeeded", 29);
    const open = await Promise.all(
      ["running", "parked", "undoing", "needs-operator", "handed-over"].map((state) => operation(state, 31)),
    );
    const busy = randomUUID();
    const taken = [await operation("preempted", 31, busy), await operation("parked", 31, busy)];
    const owner = randomUUID();
    const named = await operation("failed", 31, owner);
    await signal(named, 0.5);
    const its = await token([`operations/${owner}/${named}`], 1);
    await sweep();
    assert.deepEqual(await left("operation", "id", [...old, named, young, ...open, ...taken]), [
      young,
      ...open,
      ...taken,
    ]);
    assert.deepEqual(await left("operation_signal", "operation_id", [named]), []);
    assert.deepEqual(await left("client_token", "token", [its]), []);
  });

  it("are operations, but not those that moved a server which may still be taken back", async () => {
    const moved = async (status: string, deletedAt: bigint | null = null): Promise<string> => {
      const serverId = randomUUID();
      const id = await operation("succeeded", 31, serverId);
      await migration(serverId, { id, status, deleted_at: deletedAt });
      return id;
    };
    const [resting, leading] = [await moved("finished"), await moved("reverting")];
    const over = [await moved("confirmed"), await moved("finished", ago(1))];
    await sweep();
    assert.deepEqual(await left("operation", "id", [resting, leading, ...over]), [resting, leading]);
  });

  it("are client tokens, unless one of their operations is under way or ended of late, wherever it is", async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const [ended, open] = [await operation("succeeded", 8, a), await operation("parked", 8, b)];
    const old = await token([`operations/${a}/${ended}`], 8);
    const none = await token([], 8);
    const both = await token([`operations/${a}/${ended}`, `operations/${b}/${open}`], 8);
    const young = await token([], 6);
    const slow = randomUUID();
    const late = await token([`operations/${slow}/${await operation("succeeded", 1, slow)}`], 8);
    const elsewhere = await token([], 8, global);
    // Of new servers: the operation is in the cell by now.
    const booted = await token([`operations/${a}/${ended}`], 8, global);
    const booting = await token([`operations/${a}/${ended}`, `operations/${b}/${open}`], 8, global);
    await sweep();
    assert.deepEqual(await left("client_token", "token", [old, none, both, young, late]), [
      both,
      young,
      late,
    ]);
    assert.equal((await left("client_token", "token", [elsewhere, booted, booting], global)).length, 3);
    await sweep({}, { database: "global" });
    assert.deepEqual(await left("client_token", "token", [elsewhere, booted, booting], global), [booting]);
  });

  it("are signals of what has ended or is not here", async () => {
    const ended = await operation("failed", 2);
    const open = await operation("parked", 2);
    const young = await operation("failed", 2);
    const missing = randomUUID();
    for (const id of [ended, open, missing]) await signal(id, 2);
    await signal(young, 0.5);
    await sweep();
    const all = [ended, open, missing, young];
    assert.deepEqual(await left("operation_signal", "operation_id", all), [open, young]);
  });

  it("are deleted servers, with all that hangs on them", async () => {
    const [old, young, living] = [await server(91), await server(89), await server(undefined)];
    const owned = await server(91, { currentOperation: "operations/a/b" });
    const halted = await server(91);
    const waits = await operation("needs-operator", 91, halted);
    const all = [old, young, living, owned, halted];
    const kept = all.slice(1);
    const ended = new Map<string, string>();
    for (const id of all) ended.set(id, await luggage(id));
    await sweep();
    for (const [table, column] of [
      ["instance", "id"],
      ["instance_action", "server_id"],
      ["block_device", "server_id"],
      ["migration", "server_id"],
    ] as const)
      assert.deepEqual(await left(table, column, all), kept, table);
    assert.deepEqual(await left("instance_mapping", "server_id", all, global), kept);
    assert.deepEqual(await left("operation", "server_id", [old]), []);
    assert.deepEqual(await left("operation", "id", [waits]), [waits]);
    for (const [table, column] of [
      ["operation_signal", "operation_id"],
      ["instance_action_event", "action_id"],
    ] as const)
      assert.deepEqual(await left(table, column, [...ended.values()]), [...ended.values()].slice(1), table);
  });

  it("are found again when their mapping went and they did not", async () => {
    const id = await server(91);
    await global.db.statement(testCtx(), "test.cut", (db) =>
      sql`DELETE FROM ${global.t.instance_mapping} WHERE server_id = ${id}`.execute(db),
    );
    await sweep();
    assert.deepEqual(await left("instance", "id", [id]), []);
  });

  it("are kept for ever where that is asked for", async () => {
    const id = await server(36_000);
    await sweep({ deletedServerKeepDays: -1 });
    assert.deepEqual(await left("instance", "id", [id]), [id]);
    await sweep({ deletedServerKeepDays: 1 });
    assert.deepEqual(await left("instance", "id", [id]), []);
  });

  it("are block devices that were taken out of living servers", async () => {
    const serverId = await server(undefined);
    const device = async (days: number | undefined): Promise<string> => {
      const id = randomUUID();
      await put("block_device", {
        server_id: serverId,
        id,
        volume_id: "",
        device_name: "",
        created_at: ago(100),
        deleted_at: days === undefined ? null : ago(days),
        body: Buffer.alloc(0),
      });
      return id;
    };
    const [old, young, inUse] = [await device(91), await device(89), await device(undefined)];
    await sweep();
    assert.deepEqual(await left("block_device", "id", [old, young, inUse]), [young, inUse]);
  });

  it("are tokens of consoles, which are in the global database", async () => {
    const console = async (minutes: bigint): Promise<string> => {
      const serverId = randomUUID();
      await put(
        "console_token",
        {
          token_hash: Buffer.from(serverId),
          server_id: serverId,
          project_id: "p",
          expires_at: systemClock.now() + minutes * 60_000_000n,
          body: Buffer.alloc(0),
        },
        global,
      );
      return serverId;
    };
    const [ended, good] = [await console(-1n), await console(1n)];
    await sweep({}, { database: "global" });
    assert.deepEqual(await left("console_token", "server_id", [ended, good], global), [good]);
  });

  it("are counts of hosts' servers by period, which only cells have", async () => {
    const log = async (days: number): Promise<string> => {
      const host = randomUUID();
      await put("task_log", {
        task_name: "instance_usage_audit",
        period_beginning: ago(days + 30),
        period_ending: ago(days),
        host,
        state: "DONE",
        message: "",
        task_items: 1,
        errors: 0,
        updated_at: ago(days),
      });
      return host;
    };
    const [old, young] = [await log(401), await log(399)];
    await sweep();
    assert.deepEqual(await left("task_log", "host", [old, young]), [young]);
  });

  it("go a bounded number at a time, the oldest first; the rest is the next turn's", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push(await operation("succeeded", 60 - n));
    const bounds = { page: 2, pages: 2 };
    assert.equal((await sweep({}, { bounds })).get("ended-operations"), 4);
    assert.deepEqual(await left("operation", "id", ids), ids.slice(4));
    assert.equal((await sweep({}, { bounds })).get("ended-operations"), 3);
    assert.equal((await sweep({}, { bounds })).size, 0);
  });

  it("do not wait for a kind that fails", async () => {
    const old = await operation("succeeded", 31);
    const id = await server(91);
    const broken = new Stores(
      { ...global, db: { ...global.db, statement: () => Promise.reject(new Error("away")) } } as Store,
      [cell],
    );
    const deps = { clock: systemClock, config: retentionConfig.parse({}) };
    const went = await sweepOnce(broken, "cell1", testCtx(), deps);
    assert.equal(went.has("deleted-servers"), false);
    assert.deepEqual(await left("operation", "id", [old]), []);
    assert.deepEqual(await left("instance", "id", [id]), [id]);
    await sweep();
  });

  it("make a repeated call a new one when its token is forgotten", async () => {
    const serverId = await server(undefined);
    const call = () =>
      s.instances.acceptOperation(testCtx(), {
        database: "cell1",
        serverId,
        kind: "server.lock",
        kindVersion: 1,
        method: "LockServer",
        clientToken: `again-${serverId}`,
        bodyHash: Buffer.from("b"),
        actor: { kind: "user", userId: "u", projectId: "project" },
      });
    const first = await call();
    assert.deepEqual(
      [(await call()).replayed, (await call()).operation?.name],
      [true, first.operation?.name],
    );
    await cell.db.statement(testCtx(), "test.age", (db) =>
      sql`UPDATE ${cell.t.client_token} SET created_at = ${ago(8)} WHERE token = ${`again-${serverId}`}`.execute(
        db,
      ),
    );
    await sweep();
    assert.ok((await call()).replayed, "as long after the end of what it began");
    await cell.db.statement(testCtx(), "test.age", (db) =>
      sql`UPDATE ${cell.t.operation} SET updated_at = ${ago(8)} WHERE server_id = ${serverId}`.execute(db),
    );
    await sweep();
    const again = await call();
    assert.equal(again.replayed, false);
    assert.notEqual(again.operation?.name, first.operation?.name);
  });
});
