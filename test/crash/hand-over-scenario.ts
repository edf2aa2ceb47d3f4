import { join } from "node:path";
import { AcceptOperationRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ServerHostInfo, VmState } from "../../gen/kilonova/type/v1/server.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { operationStoreHandlers } from "../../pkg/cells/operations/rpc/operation-store.js";
import { instancesHandlers } from "../../pkg/cells/servers/rpc/instances.js";
import { acceptOperation } from "../../pkg/cells/operations/store/accept-operation.js";
import { quotaDesk } from "../../pkg/cells/quota/settle-claims.js";
import { cellMigrations } from "../../pkg/cells/store/migrations/cell.js";
import { globalMigrations } from "../../pkg/cells/store/migrations/global.js";
import { NumberBlocks } from "../../pkg/cells/store/number-blocks.js";
import { secretBox } from "../../pkg/cells/store/secret-box.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { StoreDeps } from "../../pkg/cells/store/deps.js";
import { openStore } from "../../pkg/cells/store/tables.js";
import type { Schema, Store } from "../../pkg/cells/store/tables.js";
import { Stores } from "../../pkg/cells/stores.js";
import { aServer, putInstance } from "../../pkg/cells/testing/records.js";
import { Conductor } from "../../pkg/conductor/engine/conductor.js";
import { noCrash } from "../../pkg/conductor/engine/crash-points.js";
import type { CrashPoints } from "../../pkg/conductor/engine/crash-points.js";
import { engineDefaults } from "../../pkg/conductor/engine/defaults.js";
import { Registry } from "../../pkg/conductor/engine/registry.js";
import { silentLogger } from "../../pkg/kernel/index.js";
import { OperationCatalogue } from "../../pkg/model/operation-catalogue.js";
import { anyOperation } from "../../pkg/model/operation-declaration.js";
import { migrate, openDatabase, openPool } from "../../pkg/platform/db/index.js";
import type { Database } from "../../pkg/platform/db/index.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { systemIds } from "../../pkg/platform/process/ids.js";
import { bindService, LocalNetwork } from "../../pkg/platform/rpc/index.js";
import type { Client } from "../../pkg/platform/rpc/index.js";
import { Metrics, noTracer } from "../../pkg/platform/telemetry/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { handOverState } from "./hand-over-state.js";
import type { Connection, Place } from "./protocol.js";
import type { Scenario, World } from "./scenario.js";
import { Ledger } from "./toy.ledger.js";
import { GOING, toyMoves } from "./toy.moves.js";

/** The server that goes. */
export const GOER = "60e40000-0000-4000-8000-000000000001";
/** Names its guest in its first cell. */
export const GOERS_NUMBER = 7n;
const USER_DATA = Buffer.from("sealed elsewhere");

export type OperationStore = Client<typeof OperationStoreServiceDefinition>;

/** What happens at a statement: its name is its database and what the store calls it. */
export type AtStatement = (statement: string, when: "before" | "after") => Promise<void>;

/** Databases whose statements of hand-overs that write can be died at. */
function watched(db: Database<Schema>, name: string, at: AtStatement): Database<Schema> {
  const around = async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    if (!WRITES.has(what)) return call();
    await at(`${name} ${what}`, "before");
    const result = await call();
    await at(`${name} ${what}`, "after");
    return result;
  };
  return {
    schema: db.schema,
    read: (ctx, what, fn) => around(what, () => db.read(ctx, what, fn)),
    write: (ctx, what, fn, options) => around(what, () => db.write(ctx, what, fn, options)),
    statement: (ctx, what, fn) => around(what, () => db.statement(ctx, what, fn)),
    close: () => db.close(),
  };
}

/** Names of the statements and transactions that a hand-over is made of. */
const WRITES = new Set(
  ["prepare", "commit", "promise", "swap", "carry", "activate", "leave", "drop", "forget-kept"].map(
    (what) => `handover.${what}`,
  ),
);

/** One installation of three databases, with hands on everything. */
export interface HandOverWorld extends World {
  readonly stores: Stores;
  readonly deps: StoreDeps;
  /** As conductors call it. */
  readonly store: OperationStore;
  /** As operators do. */
  readonly operator: OperationStore;
  readonly instances: Client<typeof InstancesServiceDefinition>;
  /** Puts the server where the kind begins, with a past. */
  put(kind: string): Promise<void>;
  accept(kind: string, database: string): Promise<string>;
  start(): void;
}

export interface HandOverOptions {
  readonly at?: AtStatement;
  readonly crash?: CrashPoints;
  readonly dormantMs?: number;
  /** The conductor hears of nothing: the test itself is one. */
  readonly asleep?: boolean;
  /** Around every call of the conductor. */
  readonly tap?: (store: OperationStore) => OperationStore;
}

async function migrateHandOvers(connection: Connection): Promise<void> {
  const pool = openPool(connection);
  await migrate(testCtx(), pool, "global", globalMigrations);
  for (const cell of ["cell1", "cell2"]) await migrate(testCtx(), pool, cell, cellMigrations);
  await pool.close();
}

/** The engine and cells' operations over a global database and two cells. */
export function openHandOvers(
  { connection, folder }: Place,
  {
    at = async () => {},
    crash = noCrash,
    dormantMs = 500,
    asleep = false,
    tap = (store) => store,
  }: HandOverOptions = {},
): HandOverWorld {
  const pool = openPool(connection);
  const open = (name: string): Store =>
    openStore(name, watched(openDatabase<Schema>(pool, { schema: name }), name, at));
  const cells = [open("cell1"), open("cell2")];
  const stores = new Stores(open("global"), cells);
  const deps = {
    clock: systemClock,
    ids: systemIds,
    box: secretBox([{ id: "test", key: Buffer.alloc(32, 7) }]),
    operations: new OperationCatalogue(Object.values(GOING).map((one) => anyOperation(one))),
  };
  const desk = quotaDesk(stores, deps, {});
  const network = new LocalNetwork({ log: silentLogger, tracer: noTracer, metrics: new Metrics() });
  const blocks = new Map(cells.map((cell) => [cell.name, new NumberBlocks(cell, "instance")]));
  const guestNumbers = (cell: string): NumberBlocks => {
    const found = blocks.get(cell);
    if (found === undefined) throw new Error(`no cell ${cell}`);
    return found;
  };
  const waker = {
    wake: (_ctx: unknown, database: string, name: string) => {
      if (!asleep) conductor.wake(database, name);
    },
  };
  network.listen("cells", [
    bindService(
      OperationStoreServiceDefinition,
      operationStoreHandlers({ stores, deps, waker, guestNumbers }),
    ),
    bindService(InstancesServiceDefinition, instancesHandlers({ stores, deps, waker, desk })),
  ]);
  const ledger = new Ledger(join(folder, "ledger"));
  const store = network
    .connect("cells", { service: "conductor", host: "" })
    .client(OperationStoreServiceDefinition);
  const operator = network
    .connect("cells", { service: "operator", host: "" })
    .client(OperationStoreServiceDefinition);
  const kinds = toyMoves(ledger, store);
  const conductor = new Conductor({
    ...engineDefaults,
    store: tap(store),
    clock: systemClock,
    crash,
    owner: `toy-${process.pid}-${systemIds.uuid()}`,
    ownershipMs: 600,
    pollMs: 20,
    dormantMs,
    registry: new Registry(kinds),
    log: silentLogger,
    databases: async () => stores.all.map(({ name }) => name),
  });
  let started = false;
  const start = (): void => {
    if (!started) conductor.start();
    started = true;
  };
  const count = async (one: Store): Promise<number> => {
    const { rows } = await one.db.statement(testCtx(), "test.count", (db) =>
      sql<{ count: number }>`SELECT (SELECT count(*) FROM ${one.t.operation} WHERE ready_at IS NOT NULL)
        + (SELECT count(*) FROM ${one.t.dormant_operation}) + (SELECT count(*) FROM ${one.t.instance} WHERE leaving_to <> '') AS count`.execute(
        db,
      ),
    );
    return rows[0]?.count ?? 0;
  };
  const settled = async (): Promise<void> => {
    start();
    await until(async () => (await Promise.all(stores.all.map(count))).every((left) => left === 0), {
      timeoutMs: 60_000,
      what: "everything to end",
    });
  };
  const accept = async (kind: string, database: string): Promise<string> => {
    const request = AcceptOperationRequest.fromPartial({
      database,
      serverId: GOER,
      kind,
      kindVersion: 1,
      method: kind,
      clientToken: kind,
      actor: { kind: "user", userId: "user", projectId: "project" },
    });
    return (await acceptOperation(stores.get(database), deps, testCtx(), request, desk)).operation.name;
  };
  return {
    kinds,
    stores,
    deps,
    store,
    operator,
    instances: network.connect("cells", { service: "api", host: "" }).client(InstancesServiceDefinition),
    start,
    accept,
    settled,
    put: async (kind) => {
      const home = kind === GOING.newServer.kind ? stores.global : stores.get("cell1");
      await putInstance(home, testCtx(), {
        ...aServer({ id: GOER, vmState: VmState.VM_STATE_ACTIVE }),
        ...(home === stores.global
          ? {}
          : {
              hostInfo: ServerHostInfo.fromPartial({
                host: "host1",
                node: "host1",
                cell: "cell1",
                instanceName: "instance-00000007",
              }),
            }),
      });
      await home.db.statement(testCtx(), "test.more", (db) =>
        sql`UPDATE ${home.t.instance} SET number = ${home === stores.global ? 0 : Number(GOERS_NUMBER)}, user_data = ${USER_DATA} WHERE id = ${GOER}`.execute(
          db,
        ),
      );
      await stores.global.db.statement(testCtx(), "test.mapping", (db) =>
        sql`INSERT INTO ${stores.global.t.instance_mapping} (server_id, database, project_id, user_id, created_at)
          VALUES (${GOER}, ${home.name}, 'project', 'user', ${systemClock.now()})`.execute(db),
      );
    },
    // Begins as everywhere: accepted, then found by a conductor.
    progressed: () => Promise.reject(new Error("nobody tells how far it is")),
    begin: async () => {
      throw new Error("scenarios begin");
    },
    endState: async () => ({ ...(await handOverState(stores, GOER)), ledger: ledger.entries() }),
    close: async () => {
      await conductor.stop(2_000);
      await pool.close();
    },
  };
}

/** What has to happen to the server before a kind begins, and where it is then. */
const WAYS: Readonly<Record<string, { readonly before: readonly string[]; readonly at: string }>> = {
  [GOING.newServer.kind]: { before: [], at: "global" },
  [GOING.move.kind]: { before: [], at: "cell1" },
  [GOING.thereAndBack.kind]: { before: [], at: "cell1" },
  [GOING.return.kind]: { before: [GOING.move.kind], at: "cell2" },
  [GOING.confirm.kind]: { before: [GOING.move.kind], at: "cell2" },
};

/**
 * Servers that go from database to database. A point's step is that of its kind, or the name of a statement
 * that writes, such as `cell2 handover.prepare`.
 */
export const handOverScenario: Scenario = {
  name: "hand-over",
  prepare: migrateHandOvers,
  open: async (place, crash) => {
    let beginning = "";
    const world = openHandOvers(place, {
      crash,
      at: (statement, when) => crash.hit(beginning, statement, when),
    });
    return {
      ...world,
      begin: async (kind) => {
        const way = WAYS[kind];
        if (way === undefined) throw new Error(`no way to ${kind}`);
        await world.put(kind);
        let at = "cell1";
        for (const earlier of way.before) {
          await world.accept(earlier, at);
          await world.settled();
          at = "cell2";
        }
        beginning = kind;
        await world.accept(kind, way.at);
        world.start();
      },
    };
  },
};
