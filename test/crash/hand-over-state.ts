import { InstanceRecord } from "../../gen/kilonova/cells/v1/instance_change.js";
import { StoredSteps } from "../../gen/kilonova/cells/v1/operations_service.js";
import { loadRecord, serverOf } from "../../pkg/cells/servers/domain/records.js";
import { sql } from "../../pkg/cells/store/sql.js";
import type { Sql } from "../../pkg/cells/store/sql.js";
import type { InstanceRow, KeptRow, OperationRow } from "../../pkg/cells/store/rows.js";
import type { Store } from "../../pkg/cells/store/tables.js";
import type { Stores } from "../../pkg/cells/stores.js";
import { guestName } from "../../pkg/model/guest-name.js";
import { testCtx } from "../../pkg/testkit/ctx.js";

async function rowsOf<R>(store: Store, query: Sql<R>): Promise<R[]> {
  return (await store.db.statement(testCtx(), "test.state", (db) => query.execute(db))).rows;
}

/**
 * A record without what differs between any two runs: ids of operations, times, and numbers of guests, which
 * a repeated copy takes anew. The first cell's own number has to stay.
 */
function comparable(record: InstanceRecord, kindOf: (name: string) => string) {
  const server = serverOf(record);
  return {
    ...server,
    currentOperation: kindOf(server.currentOperation),
    updatedAt: server.updatedAt !== undefined,
    hostInfo: {
      ...server.hostInfo,
      instanceName:
        server.hostInfo?.instanceName === guestName(record.number) || server.hostInfo?.instanceName,
    },
    number: record.number === 7n ? 7n : record.number > 0n,
    kept: record.kept && { ...record.kept, operation: kindOf(record.kept.operation) },
    userData: record.encryptedUserData.toString(),
  };
}

/**
 * Everything that the databases have of a server and its operations, the same for any two runs that ended
 * alike.
 */
export async function handOverState({ all }: Stores, serverId: string): Promise<Record<string, unknown>> {
  const kinds = new Map<string, string>();
  for (const store of all)
    for (const { id, kind } of await rowsOf(
      store,
      sql<OperationRow>`SELECT id, kind FROM ${store.t.operation}`,
    ))
      kinds.set(id, kind);
  const kindOf = (name: string): string =>
    name === "" ? "" : (kinds.get(name.slice(name.lastIndexOf("/") + 1)) ?? "unknown");
  const state: Record<string, unknown> = {};
  for (const store of all) state[store.name] = await databaseState(store, serverId, kindOf);
  return JSON.parse(JSON.stringify(state, plain)) as Record<string, unknown>;
}

/** Between processes it goes as JSON. */
const plain = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? value.toString() : value instanceof Map ? [...value] : value;

async function databaseState(store: Store, serverId: string, kindOf: (name: string) => string) {
  const { t, name } = store;
  const instances = await rowsOf(
    store,
    sql<InstanceRow>`SELECT generation, current_operation, operation_fence, leaving_to, number, server, details, user_data FROM ${t.instance} WHERE id = ${serverId}`,
  );
  const operations = await rowsOf(
    store,
    sql<OperationRow>`SELECT * FROM ${t.operation} ORDER BY created_at, id`,
  );
  const cellOnly =
    name === "global"
      ? {
          mapping: await rowsOf(
            store,
            sql`SELECT database, fence > 0 AS fenced FROM ${t.instance_mapping} WHERE server_id = ${serverId}`,
          ),
        }
      : {
          kept: (await rowsOf(store, sql<KeptRow>`SELECT * FROM ${t.kept_server}`)).map((row) => ({
            by: kindOf(row.operation_id),
            ...comparable(loadRecord(row), kindOf),
          })),
        };
  return {
    instances: instances.map((row) => ({ leaving: row.leaving_to, ...comparable(loadRecord(row), kindOf) })),
    operations: operations.map((row) => ({
      kind: row.kind,
      state: row.state,
      step: row.current_step,
      handedOverTo: row.handed_over_to,
      owned: row.ready_at !== null,
      steps: StoredSteps.decode(row.steps).steps.map((step) => ({
        name: step.name,
        state: step.state,
        output: step.output.toString(),
      })),
    })),
    actions: await rowsOf(
      store,
      sql`SELECT a.action, a.failed, e.event, e.result FROM ${t.instance_action} AS a LEFT JOIN ${t.instance_action_event} AS e ON e.action_id = a.id
        ORDER BY a.started_at, e.position`,
    ),
    tokens: await rowsOf(store, sql`SELECT method, token FROM ${t.client_token} ORDER BY token`),
    dormant: await rowsOf(store, sql`SELECT 1 FROM ${t.dormant_operation}`),
    ...cellOnly,
  };
}
