import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { InstancePort, InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { ReportGuestRequest } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { StoredOperation } from "../../gen/kilonova/cells/v1/operations_service.js";
import { PowerState, ServerHostInfo } from "../../gen/kilonova/type/v1/server.js";
import {
  dropCopies,
  dropDormant,
  findCopies,
  oldCopies,
  storeDormant,
} from "../../pkg/cells/operations/store/dormant.js";
import { findKept, forgetKept } from "../../pkg/cells/operations/store/kept.js";
import { forgetServer, keepServer } from "../../pkg/cells/operations/store/leave.js";
import { mappingOf, swapMapping } from "../../pkg/cells/operations/store/mapping-swap.js";
import { tokensOf, unpackRows } from "../../pkg/cells/operations/store/travelling-rows.js";
import { reportGuest } from "../../pkg/cells/servers/store/guest-reports.js";
import { reportLostPorts } from "../../pkg/cells/servers/store/lost-ports.js";
import { cellMigrations } from "../../pkg/cells/store/migrations/cell.js";
import { globalMigrations } from "../../pkg/cells/store/migrations/global.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Sql } from "../../pkg/cells/store/sql.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testDatabase } from "../../pkg/testkit/postgres.js";

const deps = {
  clock: systemClock,
  ids: systemIds,
  box: secretBox([{ id: "k", key: Buffer.alloc(32, 1) }]),
  operations: new OperationCatalogue([]),
};

/** Each statement of a hand-over by itself: what it refuses when it comes late. */
describe("a hand-over's statements", () => {
  let global: Store;
  let cell: Store;
  before(async () => {
    global = openStore("global", (await testDatabase(globalMigrations)).open());
    cell = openStore("cell1", (await testDatabase(cellMigrations)).open());
  });

  /** A server of this cell that leaves for cell2 under a fence. */
  const leavingServer = async (fence: number): Promise<{ serverId: string; operationId: string }> => {
    const serverId = randomUUID();
    const hostInfo = ServerHostInfo.fromPartial({ host: "h" });
    await putInstance(cell, testCtx(), aServer({ id: serverId, hostInfo }), [
      InstancePort.fromPartial({ portId: "p" }),
    ]);
    await cell.db.statement(testCtx(), "test.leaving", (db) =>
      sql`UPDATE ${cell.t.instance} SET leaving_to = 'cell2', operation_fence = ${fence} WHERE id = ${serverId}`.execute(
        db,
      ),
    );
    return { serverId, operationId: randomUUID() };
  };
  const generationOf = async (serverId: string): Promise<number | undefined> => {
    const { rows } = await cell.db.statement(testCtx(), "test.generation", (db) =>
      sql<{ generation: number }>`SELECT generation FROM ${cell.t.instance} WHERE id = ${serverId}`.execute(
        db,
      ),
    );
    return rows[0]?.generation;
  };

  it("swap a mapping once, again without effect, and not back when they come late", async () => {
    const serverId = randomUUID();
    await global.db.statement(testCtx(), "test.mapping", (db) =>
      sql`INSERT INTO ${global.t.instance_mapping} (server_id, database, project_id, user_id, created_at)
        VALUES (${serverId}, 'cell1', 'p', 'u', ${systemClock.now()})`.execute(db),
    );
    const out = { serverId, from: "cell1", to: "cell2", fence: 5 };
    assert.equal(await swapMapping(global, testCtx(), out), true);
    assert.equal(await swapMapping(global, testCtx(), out), true);
    assert.equal(
      await swapMapping(global, testCtx(), { serverId, from: "cell2", to: "cell1", fence: 8 }),
      true,
    );
    assert.equal(await swapMapping(global, testCtx(), out), false);
    assert.deepEqual(await mappingOf(global, testCtx(), serverId), { database: "cell1", fence: 8 });
    assert.equal(await swapMapping(global, testCtx(), { ...out, serverId: randomUUID() }), false);
  });

  it("hide or forget a record only under the fence that it left with", async () => {
    const { serverId, operationId } = await leavingServer(8);
    const left = { serverId, operationId, sourceFence: 8 };
    const name = `operations/${serverId}/${operationId}`;
    await keepServer(cell, deps, testCtx(), "cell2", { ...left, sourceFence: 5 });
    await forgetServer(cell, testCtx(), "cell2", { ...left, sourceFence: 5 });
    await keepServer(cell, deps, testCtx(), "cell3", left);
    assert.equal(await generationOf(serverId), 1, "it has left for another place, or later");
    await keepServer(cell, deps, testCtx(), "cell2", left);
    await keepServer(cell, deps, testCtx(), "cell2", left);
    assert.equal(await generationOf(serverId), undefined);
    const kept = await findKept(cell, testCtx(), serverId, name);
    assert.equal(kept?.ports[0]?.portId, "p");
    await forgetKept(cell, testCtx(), serverId, `operations/${serverId}/${randomUUID()}`);
    assert.notEqual(
      await findKept(cell, testCtx(), serverId, name),
      undefined,
      "another move's is not meant",
    );
    await forgetKept(cell, testCtx(), serverId, name);
    assert.equal(await findKept(cell, testCtx(), serverId, name), undefined);
  });

  it("leave a copy alone that was made anew, or that woke", async () => {
    const serverId = randomUUID();
    const operationId = randomUUID();
    const copy = {
      protocol: "move" as const,
      sourceDatabase: "cell2",
      operation: StoredOperation.fromPartial({ name: `operations/${serverId}/${operationId}`, serverId }),
      record: InstanceRecord.fromPartial({ server: aServer({ id: serverId }) }),
      userData: null,
    };
    const fences = async (): Promise<number[]> =>
      (await findCopies(cell, testCtx(), serverId)).map(({ sourceFence }) => sourceFence);
    await storeDormant(cell, deps, testCtx(), { ...copy, sourceFence: 5n });
    await storeDormant(cell, deps, testCtx(), { ...copy, sourceFence: 7n });
    await assert.rejects(storeDormant(cell, deps, testCtx(), { ...copy, sourceFence: 5n }), {
      reason: "FENCE_LOST",
    });
    await dropCopies(cell, testCtx(), [{ operationId, sourceFence: 5 }]);
    assert.deepEqual(await fences(), [7]);
    await cell.db.statement(testCtx(), "test.woke", (db) =>
      sql`UPDATE ${cell.t.dormant_operation} SET activated = true WHERE operation_id = ${operationId}`.execute(
        db,
      ),
    );
    await dropDormant(cell, testCtx(), operationId);
    assert.deepEqual(await fences(), [7]);
    await dropCopies(cell, testCtx(), [{ operationId, sourceFence: 7 }]);
    assert.deepEqual(await fences(), []);
  });

  it("list old copies page by page, the oldest first, those of one moment too", async () => {
    const database = openStore("cell3", (await testDatabase(cellMigrations)).open());
    const now = systemClock.now();
    const ages = [9, 5, 5, 5, 7];
    await database.db.statement(testCtx(), "test.copies", (db) =>
      insertInto(
        database.t.dormant_operation,
        ages.map((seconds, index) => ({
          operation_id: `o${index}`,
          server_id: `s${index}`,
          source_database: "cell1",
          source_fence: index,
          operation: Buffer.alloc(0),
          instance: Buffer.alloc(0),
          created_at: now - BigInt(seconds) * 1_000_000n,
        })),
      ).execute(db),
    );
    const found: string[][] = [];
    let pageToken = "";
    do {
      const asked = { olderThanMs: 1_000, pageToken, pageSize: 2 };
      const page = await oldCopies(database, deps, testCtx(), asked);
      found.push(page.copies.map(({ operationId }) => operationId));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.deepEqual(found, [["o0", "o4"], ["o1", "o2"], ["o3"]]);
    const { pageToken: second } = (
      await oldCopies(database, deps, testCtx(), { olderThanMs: 1_000, pageToken: "" })
    ).copies[1] ?? { pageToken: "" };
    const rest = await oldCopies(database, deps, testCtx(), { olderThanMs: 1_000, pageToken: second });
    assert.deepEqual(
      rest.copies.map(({ operationId }) => operationId),
      ["o1", "o2", "o3"],
    );
  });

  it("store what came with a server, each row with the columns that its table had then", async () => {
    const [serverId, operationId, before, since] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const dormant = await storeDormant(cell, deps, testCtx(), {
      protocol: "move",
      sourceDatabase: "cell2",
      sourceFence: 5n,
      operation: StoredOperation.fromPartial({ name: `operations/${serverId}/${operationId}`, serverId }),
      record: InstanceRecord.fromPartial({ server: aServer({ id: serverId }) }),
      userData: null,
    });
    const action = { request_id: "r", action: "a", project_id: "p", user_id: "u" };
    const times = { started_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z" };
    const bodies = [
      { server_id: serverId, id: before, ...action, ...times },
      { server_id: serverId, id: since, ...action, ...times, failed: true },
    ];
    const rows = bodies.map((body) => ({
      operation_id: operationId,
      source_fence: 5,
      source_table: "instance_action",
      key: body.id,
      columns: Object.keys(body).join(),
      body: JSON.stringify(body),
    }));
    const stored = await cell.db.write(testCtx(), "test.unpack", async (tx) => {
      await insertInto(cell.t.travelling_row, rows).execute(tx);
      await unpackRows(cell, tx, dormant);
      return sql`SELECT id, failed FROM ${cell.t.instance_action} WHERE server_id = ${serverId}
        ORDER BY failed`.execute(tx);
    });
    assert.deepEqual(stored.rows, [
      { id: before, failed: false },
      { id: since, failed: true },
    ]);
  });

  it("find a server's client tokens without looking at those of others", async () => {
    const database = openStore("cell4", (await testDatabase(cellMigrations)).open());
    const { t } = database;
    const run = <R>(query: Sql<R>): Promise<readonly R[]> =>
      database.db.statement(testCtx(), "test.tokens", async (db) => (await query.execute(db)).rows);
    await run(sql`INSERT INTO ${t.client_token} (project_id, user_id, method, token, body_hash, operations, created_at)
      SELECT 'p', 'u', 'm', n::text, '', ARRAY['operations/s' || n || '/o' || n], now() FROM generate_series(1, 20000) AS n`);
    await run(sql`ANALYZE ${t.client_token}`);
    const plan = await run<{ readonly "QUERY PLAN": string }>(
      sql`EXPLAIN SELECT * FROM ${t.client_token} WHERE ${tokensOf(sql`SELECT 's7' AS server_id, unnest(${["o7"]}::text[]) AS id`)}`,
    );
    const text = plan.map((line) => line["QUERY PLAN"]).join("\n");
    assert.match(text, /client_token_by_operation/);
    assert.doesNotMatch(text, /Seq Scan on client_token/);
  });

  it("are not disturbed by what hosts tell of a server that has left", async () => {
    const { serverId } = await leavingServer(3);
    const powerState = PowerState.POWER_STATE_SHUTDOWN;
    await reportGuest(
      cell,
      deps,
      testCtx(),
      ReportGuestRequest.fromPartial({ cell: "cell1", host: "h", serverId, powerState, reportNumber: 1n }),
    );
    const settled = await reportLostPorts(cell, deps, testCtx(), {
      cell: "cell1",
      host: "h",
      serverId,
      portIds: ["p"],
    });
    assert.equal(settled, false, "it is told again, where the server is then");
    assert.equal(await generationOf(serverId), 1);
  });
});
