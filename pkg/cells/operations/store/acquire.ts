import { sql } from "../../store/sql.js";
import type {
  AcquireOperationsRequest,
  AcquireOperationsResponse,
  StoredOperation,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { durationMs } from "../../../model/wire-time.js";
import { loadRecord } from "../../servers/domain/records.js";
import type { StoreDeps } from "../../store/deps.js";
import { hostsOf } from "./subject-hosts.js";
import { toStored } from "../domain/operation-rows.js";
import {
  holderOf,
  idsOf,
  instanceOf,
  operationColumns,
  operationIdOf,
  pendingSignals,
} from "./owned-operation.js";
import { openSecrets } from "./secrets.js";
import type { JoinedRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";

type AcquiredRow = JoinedRow & { readonly has_signals: boolean };

/**
 * Takes operations that are ready: unowned, expired or due ones. The fence is the subject's own growing
 * number, so that the fences of all its operations can be compared, whoever minted them and in whichever
 * lane; several taken at once get a number each.
 * @cost one statement; one more for each operation with signals, and one for all hosts
 */
export async function acquireOperations(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcquireOperationsRequest,
): Promise<AcquireOperationsResponse> {
  const rows = await store.db.statement(
    ctx,
    "operations.acquire",
    async (db) => (await acquisition(store, deps, request).execute(db)).rows,
  );
  const operations: StoredOperation[] = [];
  const instances: InstanceRecord[] = [];
  for (const row of rows) {
    store.recent.put(row.id, row);
    const signals = row.has_signals
      ? await store.db.statement(ctx, "operations.signals", (db) => pendingSignals(store, db, row.id))
      : [];
    operations.push(toStored(row, { signals, secrets: openSecrets(deps, row) }));
    instances.push(row.subject === "server" ? loadRecord(instanceOf(row)) : InstanceRecord.fromPartial({}));
  }
  const ids = rows.flatMap(({ subject, server_id }) => (subject === "host" ? [server_id] : []));
  return { operations, instances, hosts: ids.length === 0 ? [] : await hostsOf(store, ctx, ids) };
}

function acquisition(store: Store, deps: StoreDeps, request: AcquireOperationsRequest) {
  const { t } = store;
  const now = deps.clock.now();
  const until = now + BigInt(durationMs(request.ownership)) * 1000n;
  const kinds = sql.join(
    request.kinds.map(({ kind, version }) => sql`(o.kind = ${kind} AND o.kind_version = ${version})`),
    sql` OR `,
  );
  const isServers = (name: string): boolean => idsOf(name).subject.kind === "server";
  const withOthers = request.names.length === 0 || !request.names.every(isServers);
  const servers = holderOf(store, "server");
  const others = holderOf(store, "host");
  // Named ones are found by their ids. An order and a limit would lead planners to the index of readiness,
  // which is full of yesterday's entries.
  const names = request.names.slice(0, request.limit).map(operationIdOf);
  const [named, first] =
    names.length > 0
      ? [sql` AND o.id = ANY(${names}::text[])`, sql``]
      : [sql``, sql` ORDER BY o.ready_at LIMIT ${request.limit}`];
  return sql<AcquiredRow>`
    WITH picked AS (
      SELECT o.id, o.server_id, o.lane FROM ${t.operation} AS o
      WHERE o.ready_at <= ${now} AND o.state <> 'preempted' AND o.turn = 0 AND (${kinds})${named}${first} FOR UPDATE SKIP LOCKED
    ), placed AS (
      SELECT id, server_id, lane, 'operations/' || server_id || '/' || id AS name,
        row_number() OVER (PARTITION BY server_id ORDER BY id) AS place FROM picked
    ), wanted AS (
      SELECT server_id, count(*) AS places, array_agg(name) AS names, bool_or(lane <> 'life') AS beside FROM placed GROUP BY server_id
    ), inst AS (
      UPDATE ${servers.table} AS i SET operation_fence = i.operation_fence + wanted.places FROM wanted
      WHERE i.id = wanted.server_id AND (wanted.beside OR i.current_operation = ANY(wanted.names))
      RETURNING i.id AS i_id, ${servers.columns("i")}
    )${
      withOthers
        ? sql`, subj AS (
      UPDATE ${others.table} AS i SET operation_fence = i.operation_fence + wanted.places FROM wanted
      WHERE i.id = wanted.server_id RETURNING i.id AS i_id, ${others.columns("i")}
    ), holder AS (SELECT * FROM inst UNION ALL SELECT * FROM subj)`
        : sql`, holder AS (SELECT * FROM inst)`
    }
    UPDATE ${t.operation} AS o SET
      fence = holder.i_operation_fence + 1 - placed.place, owner = ${request.owner}, ready_at = ${until}, waiting_for = '',
      state = CASE WHEN o.state = 'parked' THEN 'running' ELSE o.state END
    FROM placed JOIN holder ON holder.i_id = placed.server_id
    WHERE o.id = placed.id AND (placed.lane <> 'life' OR holder.i_current_operation = placed.name)
    RETURNING ${operationColumns("o")}, holder.*,
      EXISTS (SELECT 1 FROM ${t.operation_signal} AS s WHERE s.operation_id = o.id AND s.consumed_at IS NULL) AS has_signals`;
}

/** Extends the ownership of what an owner is driving, also of what was pre-empted under it. */
export async function renewOperations(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  owner: string,
  names: readonly string[],
  ownershipMs: number,
): Promise<void> {
  const until = deps.clock.now() + BigInt(ownershipMs) * 1000n;
  await store.db.statement(ctx, "operations.renew", (db) =>
    sql`UPDATE ${store.t.operation} SET ready_at = ${until} WHERE id = ANY(${names.map(operationIdOf)}::text[]) AND owner = ${owner} AND ready_at IS NOT NULL`.execute(
      db,
    ),
  );
}

/** Gives everything back that an owner still has; what was pre-empted comes to rest. */
export async function releaseOperations(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  owner: string,
): Promise<void> {
  await store.db.statement(ctx, "operations.release", (db) =>
    sql`UPDATE ${store.t.operation} SET ready_at = CASE WHEN state = 'preempted' THEN NULL ELSE ${deps.clock.now()}::timestamptz END, owner = '' WHERE owner = ${owner} AND ready_at IS NOT NULL`.execute(
      db,
    ),
  );
}
