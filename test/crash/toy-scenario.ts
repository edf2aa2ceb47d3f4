import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { join } from "node:path";
import { sql } from "../../pkg/cells/adapters/sql/sql.js";
import { AcceptOperationRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { openDatabase, openPool } from "../../pkg/platform/db/index.js";
import { migrate } from "../../pkg/platform/db/index.js";
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
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { Conductor } from "../../pkg/conductor/engine/conductor.js";
import { engineDefaults } from "../../pkg/conductor/engine/defaults.js";
import { Registry } from "../../pkg/conductor/engine/registry.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import type { Scenario } from "./scenario.js";
import { LEDGER, Ledger, toyLedger } from "./toy.ledger.js";

const SERVER = "5e000000-0000-4000-8000-000000000001";

/** The engine and its store alone, on the toy kind. */
export const toyScenario: Scenario = {
  name: "toy",
  prepare: async (place, connection) => {
    const pool = openPool(connection);
    await migrate(testCtx(), pool, place.global, globalMigrations);
    await migrate(testCtx(), pool, place.cells["cell1"] ?? "", cellMigrations);
    await pool.close();
  },
  open: async (place, connection, crash) => {
    const pool = openPool(connection);
    const open = (name: string, schema: string) => openStore(name, openDatabase(pool, { schema }));
    const cell = open("cell1", place.cells["cell1"] ?? "");
    const stores = new Stores(open("global", place.global), [cell]);
    const deps = {
      clock: systemClock,
      ids: systemIds,
      box: secretBox([{ id: "test", key: Buffer.alloc(32, 7) }]),
      operations: new OperationCatalogue([anyOperation(LEDGER)]),
    };
    const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
    const blocks = new NumberBlocks(cell, "instance");
    network.listen("cells", [
      bindService(
        OperationStoreServiceDefinition,
        operationStoreHandlers({ stores, deps, waker: { wake: () => {} }, guestNumbers: () => blocks }),
      ),
    ]);
    const ledger = new Ledger(join(place.folder, "ledger"));
    const kinds = [toyLedger(ledger)];
    const conductor = new Conductor({
      ...engineDefaults,
      store: network
        .connect("cells", { service: "conductor", host: "" })
        .client(OperationStoreServiceDefinition),
      clock: systemClock,
      crash,
      owner: `toy-${process.pid}`,
      ownershipMs: 300,
      pollMs: 20,
      registry: new Registry(kinds),
      log: silentLogger,
      databases: async () => ["global", "cell1"],
    });
    conductor.start();
    const live = async (): Promise<number> =>
      (
        await cell.db.statement(testCtx(), "live", (db) =>
          sql<{
            count: number;
          }>`SELECT count(*) AS count FROM ${cell.t.operation} WHERE ready_at IS NOT NULL`.execute(db),
        )
      ).rows[0]?.count ?? 0;
    return {
      kinds,
      begin: async (_kind, failing) => {
        await putInstance(cell, testCtx(), aServer({ id: SERVER }));
        await acceptOperation(
          cell,
          deps,
          testCtx(),
          AcceptOperationRequest.fromPartial({
            database: "cell1",
            serverId: SERVER,
            kind: "toy.ledger",
            kindVersion: 1,
            input: Buffer.from(failing ? "refuse" : ""),
          }),
        );
      },
      settled: async () => {
        await until(async () => (await live()) === 0, { timeoutMs: 20_000, what: "all operations to end" });
      },
      endState: async () => {
        const { rows } = await cell.db.statement(testCtx(), "state", (db) =>
          sql`SELECT o.state, o.current_step, i.vm_state, i.task_state, i.current_operation
          FROM ${cell.t.operation} AS o JOIN ${cell.t.instance} AS i ON i.id = o.server_id`.execute(db),
        );
        return { rows, ledger: ledger.entries() };
      },
      close: async () => {
        await conductor.stop(2_000);
        await pool.close();
      },
    };
  },
};
