import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { join } from "node:path";
import { sql } from "../../pkg/cells/store/sql.js";
import { AcceptOperationRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { ComputeNode } from "../../gen/kilonova/cells/v1/hosts_service.js";
import {
  AcceptSubjectOperationRequest,
  OperationStoreServiceDefinition,
} from "../../gen/kilonova/cells/v1/operations_service.js";
import { Server } from "../../gen/kilonova/cells/v1/server.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { openDatabase, openPool } from "../../pkg/platform/db/index.js";
import { migrate } from "../../pkg/platform/db/index.js";
import { bindService, LocalNetwork } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { NumberBlocks } from "../../pkg/cells/store/number-blocks.js";
import { operationStoreHandlers } from "../../pkg/cells/operations/rpc/operation-store.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { acceptSubjectOperation } from "../../pkg/cells/operations/store/accept-subject-operation.js";
import { acceptOperation } from "../../pkg/cells/operations/store/accept-operation.js";
import { cellMigrations } from "../../pkg/cells/store/migrations/cell.js";
import { globalMigrations } from "../../pkg/cells/store/migrations/global.js";
import { insertInto } from "../../pkg/cells/store/fragments.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import { quotaDesk } from "../../pkg/cells/quota/settle-claims.js";
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { Conductor } from "../../pkg/conductor/engine/conductor.js";
import { engineDefaults } from "../../pkg/conductor/engine/defaults.js";
import { Registry } from "../../pkg/conductor/engine/registry.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import type { Scenario } from "./scenario.js";
import { ATTACH, refused, toyAttachments } from "./toy.attachments.js";
import { LEDGER, Ledger, toyLedger } from "./toy.ledger.js";
import { FILL, SWEEP, TOLD, toldRefused, toyFill, toySweep } from "./toy.subjects.js";

const SERVER = "5e000000-0000-4000-8000-000000000001";

const HOST_ID = "40000000-0000-4000-8000-000000000001";

const putHost = ({ db, t }: Store) =>
  db.statement(testCtx(), "host", (one) =>
    insertInto(t.compute_node, [
      {
        id: HOST_ID,
        number: 1,
        host: "host-1",
        generation: 1,
        body: Buffer.from(
          ComputeNode.encode(ComputeNode.fromPartial({ id: HOST_ID, host: "host-1" })).finish(),
        ),
      },
    ]).execute(one),
  );

/** Attached to one server at once. */
export const VOLUMES = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/**
 * The engine and its store alone, on the toy kinds. Attachments run beside the other kind, on the same
 * server.
 */
export const toyScenario: Scenario = {
  name: "toy",
  prepare: async (connection) => {
    const pool = openPool(connection);
    await migrate(testCtx(), pool, "global", globalMigrations);
    await migrate(testCtx(), pool, "cell1", cellMigrations);
    await pool.close();
  },
  open: async ({ connection, folder }, crash) => {
    const pool = openPool(connection);
    const open = (name: string) => openStore(name, openDatabase(pool, { schema: name }));
    const cell = open("cell1");
    const stores = new Stores(open("global"), [cell]);
    const deps = {
      clock: systemClock,
      ids: systemIds,
      box: secretBox([{ id: "test", key: Buffer.alloc(32, 7) }]),
      operations: new OperationCatalogue([LEDGER, ATTACH, FILL, SWEEP].map((one) => anyOperation(one))),
    };
    const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
    const blocks = new NumberBlocks(cell, "instance");
    network.listen("cells", [
      bindService(
        OperationStoreServiceDefinition,
        operationStoreHandlers({ stores, deps, waker: { wake: () => {} }, guestNumbers: () => blocks }),
      ),
    ]);
    const ledger = new Ledger(join(folder, "ledger"));
    const kinds = [toyLedger(ledger), toyAttachments(ledger), toyFill(ledger), toySweep(ledger)];
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
    let started = false;
    const start = (): void => {
      if (!started) conductor.start();
      started = true;
    };
    const accept = (kind: string, input: string) =>
      acceptOperation(
        cell,
        deps,
        testCtx(),
        AcceptOperationRequest.fromPartial({
          database: "cell1",
          serverId: SERVER,
          kind,
          kindVersion: 1,
          input: Buffer.from(input),
        }),
        quotaDesk(stores, deps, {}),
      );
    const acceptOn = async (database: typeof cell, hostId: string, kind: string, failing: boolean) => {
      for (const told of TOLD) {
        const input = failing && Number(told) % 2 === 1 ? toldRefused(told) : told;
        const request = AcceptSubjectOperationRequest.fromPartial({
          hostId,
          kind,
          kindVersion: 1,
          input: Buffer.from(input),
        });
        await acceptSubjectOperation(database, deps, testCtx(), request);
      }
    };
    const live = async (): Promise<number> => {
      let sum = 0;
      for (const { db, t } of stores.all) {
        const { rows } = await db.statement(testCtx(), "live", (one) =>
          sql<{
            count: number;
          }>`SELECT count(*) AS count FROM ${t.operation} WHERE ready_at IS NOT NULL`.execute(one),
        );
        sum += rows[0]?.count ?? 0;
      }
      return sum;
    };
    return {
      kinds,
      progressed: () => Promise.reject(new Error("no toy tells how far it is")),
      begin: async (kind, { failing }) => {
        if (kind === SWEEP.kind) await acceptOn(stores.global, "", kind, failing);
        if (kind === FILL.kind) {
          await putHost(cell);
          await acceptOn(cell, HOST_ID, kind, failing);
        }
        if (kind === SWEEP.kind || kind === FILL.kind) return start();
        await putInstance(cell, testCtx(), aServer({ id: SERVER }));
        if (kind === ATTACH.kind)
          for (const volume of VOLUMES)
            await accept(kind, failing && Number(volume) % 2 === 1 ? refused(volume) : volume);
        await accept("toy.ledger", failing && kind !== ATTACH.kind ? "refuse" : "");
        start();
      },
      settled: async () => {
        start();
        await until(async () => (await live()) === 0, { timeoutMs: 60_000, what: "all operations to end" });
      },
      endState: async () => {
        const { rows } = await cell.db.statement(testCtx(), "state", (db) =>
          sql<{
            server: Buffer;
          }>`SELECT o.kind, o.lane, o.state, o.current_step, i.vm_state, i.task_state, i.current_operation, i.server
          FROM ${cell.t.operation} AS o JOIN ${cell.t.instance} AS i ON i.id = o.server_id ORDER BY o.created_at, o.id`.execute(
            db,
          ),
        );
        const others = [];
        for (const { db, t } of stores.all)
          others.push(
            ...(
              await db.statement(testCtx(), "state", (one) =>
                sql`SELECT o.kind, o.subject, o.lane, o.state, o.owner, o.current_step, o.error IS NOT NULL AS failed
          FROM ${t.operation} AS o JOIN ${t.operation_subject} AS s ON s.id = o.server_id ORDER BY o.created_at, o.id`.execute(
                  one,
                ),
              )
            ).rows,
          );
        return {
          others,
          rows: rows.map(({ server: _server, ...row }) => row),
          volumes: rows[0] && Server.decode(rows[0].server).volumes.map(({ id }) => id),
          ledger: ledger.entries(),
        };
      },
      close: async () => {
        await conductor.stop(2_000);
        await pool.close();
      },
    };
  },
};
