import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { ServerRecords } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { StoredOperation, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { PrepareHandoverRequest } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { GLOBAL } from "../../../model/database-names.js";
import { guestName } from "../../../model/guest-name.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns, instanceIdentity } from "../../servers/domain/instance-columns.js";
import { withBootDevices } from "../../servers/domain/block-devices.js";
import { arrivingRows, leavingRows } from "../../servers/store/server-rows.js";
import { otherFieldsOf } from "../../domain/other-fields.js";
import { serverOf } from "../../servers/domain/records.js";
import { CellsErrors } from "../../errors.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, inserting, onlyWhere } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import { instanceOf, joinRows, lockOperation, operationIdOf } from "./owned-operation.js";
import type { DormantRow, InstanceRow, OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";
import { timelineParts } from "./timeline.js";

/**
 * Target: keeps a dormant copy, invisible to everybody until it is activated. Repeatable; a copy made under a
 * higher fence stays, and nothing is made once the operation lives here.
 * @param number   names the guest in this cell
 * @param records  the rows that travel with it; undefined for a server that is built: it gets its first here
 */
export async function prepareHandover(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: PrepareHandoverRequest,
  number: bigint,
  records: ServerRecords | undefined,
): Promise<void> {
  const { t } = store;
  const { operation } = request;
  if (operation === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: "" });
  const id = operationIdOf(operation.name);
  const before = InstanceRecord.decode(request.instance);
  const travelling = { ...before, records: records ?? before.records };
  const named = withGuestName(
    travelling.records === undefined ? withBootDevices(before, () => deps.ids.uuid()) : travelling,
    store.name,
    number,
  );
  const record = applyChange(named, request.change, operation.name, deps.clock.now());
  const row = {
    operation_id: id,
    server_id: operation.serverId,
    source_database: request.sourceDatabase,
    source_fence: Number(request.fence),
    operation: encoded(StoredOperation, { ...operation, secrets: Buffer.alloc(0) }),
    secrets: operation.secrets.length === 0 ? null : deps.box.seal(operation.secrets, id),
    instance: encoded(InstanceRecord, { ...record, encryptedUserData: Buffer.alloc(0) }),
    user_data: before.encryptedUserData.length === 0 ? null : before.encryptedUserData,
    created_at: deps.clock.now(),
  };
  const columns = Object.entries(row);
  const { rows } = await store.db.statement(ctx, "handover.prepare", (db) =>
    sql`
    INSERT INTO ${t.dormant_operation} (${sql.join(columns.map(([column]) => sql.ref(column)))})
    SELECT ${sql.join(columns.map(([column, value]) => sql`${value}${DORMANT_TYPES[column] ?? sql``}`))}
    WHERE NOT EXISTS (SELECT 1 FROM ${t.operation} WHERE id = ${id})
    ON CONFLICT (operation_id) DO UPDATE SET
      source_fence = excluded.source_fence, operation = excluded.operation, secrets = excluded.secrets, instance = excluded.instance, created_at = excluded.created_at
      WHERE ${t.dormant_operation}.source_fence <= excluded.source_fence AND NOT ${t.dormant_operation}.activated
    RETURNING 1`.execute(db),
  );
  if (rows.length > 0) store.prepared.put(id, { ...row, activated: false });
}

/** Parameters of a SELECT list are text unless told otherwise. */
const DORMANT_TYPES: Readonly<Record<string, Sql>> = {
  source_fence: sql`::int8`,
  operation: sql`::bytea`,
  secrets: sql`::bytea`,
  instance: sql`::bytea`,
  user_data: sql`::bytea`,
  created_at: sql`::timestamptz`,
};

function withGuestName(record: InstanceRecord, cell: string, number: bigint): InstanceRecord {
  const server = serverOf(record);
  const instanceName = guestName(number);
  const empty = {
    host: "",
    node: "",
    computeNodeUuid: "",
    launchedOn: "",
    kernelId: "",
    ramdiskId: "",
    rootDeviceName: "",
  };
  return {
    ...record,
    number,
    server: { ...server, hostInfo: { ...empty, ...server.hostInfo, cell, instanceName } },
  };
}

/** What the source adds to a copy when it commits: what arrived since the copy was made. */
export interface LateNews {
  readonly cancelRequested: boolean;
}

/**
 * Source: the only commit point. From here on the target decides; the record stays readable until the target
 * has it.
 * @throws FENCE_LOST; PREEMPTED when a deletion took over first
 */
export async function commitHandover(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  fence: bigint,
  target: string,
): Promise<LateNews> {
  const { t } = store;
  const id = operationIdOf(name);
  // Mappings live in the global database. A move between two cells will need a commit point of its own.
  const mapping =
    store.name !== GLOBAL
      ? sql``
      : sql`, mapping AS (
      UPDATE ${t.instance_mapping} AS m SET database = ${target} FROM held WHERE m.server_id = held.server_id RETURNING 1
    )`;
  const { rows } = await store.db.statement(ctx, "handover.commit", (db) =>
    sql<{ cancel_requested: boolean }>`
    WITH held AS (
      SELECT o.id, o.server_id, o.cancel_requested FROM ${t.operation} AS o JOIN ${t.instance} AS i ON i.id = o.server_id
      WHERE o.id = ${id} AND o.fence = ${Number(fence)} AND o.state IN ('running', 'parked', 'undoing') AND i.current_operation = ${name} FOR UPDATE
    ), op AS (
      UPDATE ${t.operation} AS o SET state = 'handed-over', handed_over_to = ${target}, owner = '', ready_at = NULL, secrets = NULL, updated_at = ${deps.clock.now()}
      FROM held WHERE o.id = held.id RETURNING 1
    )${mapping}
    UPDATE ${t.instance} AS i SET leaving_to = ${target} FROM held WHERE i.id = held.server_id RETURNING held.cancel_requested`.execute(
      db,
    ),
  );
  store.recent.drop(id);
  return {
    cancelRequested: rows[0]?.cancel_requested ?? (await committedBefore(store, ctx, id, name, target)),
  };
}

/**
 * A hand-over that changed nothing had happened before, or may not happen. @returns whether cancellation was
 * asked for
 */
async function committedBefore(
  store: Store,
  ctx: Ctx,
  id: string,
  name: string,
  target: string,
): Promise<boolean> {
  const {
    rows: [row],
  } = await store.db.statement(ctx, "handover.refused", (db) =>
    sql<{ state: string; handed_over_to: string; cancel_requested: boolean }>`
    SELECT state, handed_over_to, cancel_requested FROM ${store.t.operation} WHERE id = ${id}`.execute(db),
  );
  if (row?.state === "handed-over" && row.handed_over_to === target) return row.cancel_requested;
  if (row?.state === "preempted") throw CellsErrors.PREEMPTED({ operation: name });
  throw CellsErrors.FENCE_LOST({ operation: name });
}

export interface Activated {
  readonly operation: OperationRow;
  readonly instance: InstanceRow;
}

/** A dormant copy's source; undefined when there is none (any more). */
export async function findDormant(
  store: Store,
  ctx: Ctx,
  by: { readonly operationId?: string; readonly serverId?: string },
): Promise<
  { operationId: string; serverId: string; sourceDatabase: string; activated: boolean } | undefined
> {
  const condition =
    by.operationId === undefined
      ? sql`server_id = ${by.serverId ?? ""}`
      : sql`operation_id = ${by.operationId}`;
  const { rows } = await store.db.statement(ctx, "handover.find", (db) =>
    sql<DormantRow>`SELECT operation_id, server_id, source_database, activated FROM ${store.t.dormant_operation} WHERE ${condition}`.execute(
      db,
    ),
  );
  const row = rows[0];
  return row === undefined
    ? undefined
    : {
        operationId: row.operation_id,
        serverId: row.server_id,
        sourceDatabase: row.source_database,
        activated: row.activated,
      };
}

/** How a copy wakes. @param owner  goes on with it at once; "" leaves it to whoever acquires it */
export interface Waking extends LateNews {
  readonly owner: string;
  readonly ownershipMs: number;
}

/**
 * Target: wakes a copy whose source has committed.
 * @returns undefined when there is nothing left to wake; once more what it was when this owner has woken it
 *   before
 * @cost one round trip when this process made the copy; else four: begin, lock, write, commit
 */
export async function activateHandover(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  waking: Waking,
): Promise<Activated | undefined> {
  const operationId = operationIdOf(name);
  const prepared = store.prepared.get(operationId);
  store.prepared.drop(operationId);
  const activated =
    (prepared && (await activatePrepared(store, deps, ctx, prepared, waking))) ??
    (await activateLocked(store, deps, ctx, name, waking));
  if (activated !== undefined)
    store.recent.put(operationId, joinRows(activated.operation, activated.instance));
  return activated;
}

/**
 * Wakes the very copy that this process made: one statement that fails as a whole when it is not there any
 * more.
 */
async function activatePrepared(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  row: DormantRow,
  waking: Waking,
): Promise<Activated | undefined> {
  const plan = planActivation(store, deps, row, waking);
  const same = sql`${wakingUp(store, row.operation_id)} AND NOT activated AND source_fence = ${row.source_fence} AND created_at = ${row.created_at} RETURNING 1`;
  const { rows } = await store.db.statement(ctx, "handover.activate", (db) =>
    onlyWhere(same, plan.parts).execute(db),
  );
  if (rows.length === 0) return undefined;
  store.changed();
  return plan.activated;
}

async function activateLocked(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  waking: Waking,
): Promise<Activated | undefined> {
  const operationId = operationIdOf(name);
  return store.db.write(ctx, "handover.activate", async (tx) => {
    const { rows } =
      await sql<DormantRow>`SELECT * FROM ${store.t.dormant_operation} WHERE operation_id = ${operationId} FOR UPDATE`.execute(
        tx,
      );
    const dormant = rows[0];
    if (dormant?.activated === true)
      return wokenBefore(store, tx, name, dormant.source_fence + 1, waking.owner);
    if (dormant === undefined) return undefined;
    const { parts, activated } = planActivation(store, deps, dormant, waking);
    await allTogether([...parts, { name: "dormant", body: wakingUp(store, operationId) }]).execute(tx);
    return activated;
  });
}

/** What the same owner has woken before: the answer of that was lost. */
async function wokenBefore(
  store: Store,
  tx: Tx,
  name: string,
  fence: number,
  owner: string,
): Promise<Activated | undefined> {
  if (owner === "") return undefined;
  const row = await lockOperation(store, tx, name);
  return row?.state === "running" && row.fence === fence && row.owner === owner
    ? { operation: row, instance: instanceOf(row) }
    : undefined;
}

const wakingUp = ({ t }: Store, operationId: string): Sql =>
  sql`UPDATE ${t.dormant_operation} SET activated = true, secrets = NULL, user_data = NULL WHERE operation_id = ${operationId}`;

function planActivation(
  store: Store,
  deps: StoreDeps,
  dormant: DormantRow,
  waking: Waking,
): { readonly parts: readonly ConditionalPart[]; readonly activated: Activated } {
  const { t } = store;
  const now = deps.clock.now();
  const readyAt = waking.owner === "" ? now : now + BigInt(waking.ownershipMs) * 1000n;
  const copy = StoredOperation.decode(dormant.operation);
  const record = InstanceRecord.decode(dormant.instance);
  const server = serverOf(record);
  const fence = dormant.source_fence + 1;
  const columns = instanceColumns(record);
  const operation = operationRowOf(copy, {
    id: dormant.operation_id,
    fence,
    owner: waking.owner,
    readyAt,
    secrets: dormant.secrets,
    cancelRequested: waking.cancelRequested,
    now,
  });
  const action = {
    server_id: copy.serverId,
    id: dormant.operation_id,
    request_id: copy.requestId,
    action: copy.action,
    project_id: copy.projectId,
    user_id: copy.actor?.userId ?? "",
    started_at: operation.created_at,
    updated_at: now,
  };
  const instance = {
    ...instanceIdentity(record),
    ...columns,
    operation_fence: fence,
    number: Number(record.number),
    user_data: dormant.user_data,
  };
  const parts: ConditionalPart[] = [
    inserting("inst", t.instance, [instance]),
    inserting("op", t.operation, [{ ...operation }]),
    inserting("act", t.instance_action, [action]),
    ...arrivingRows(store, deps, record),
    ...timelineParts(t, operation, copy.steps, false, now).filter(({ name }) => name === "timeline_events"),
    outboxPart(t, deps.ids, [instanceChanged(record, columns, "changed"), operationChanged(operation)], now),
  ];
  const row: InstanceRow = {
    generation: Number(server.generation),
    current_operation: copy.name,
    operation_fence: fence,
    leaving_to: "",
    number: Number(record.number),
    server: columns.server,
    details: columns.details,
    user_data: dormant.user_data,
  };
  return { parts, activated: { operation, instance: row } };
}

interface RowExtras {
  readonly id: string;
  readonly fence: number;
  readonly owner: string;
  readonly readyAt: Instant;
  readonly secrets: Buffer | null;
  readonly cancelRequested: boolean;
  readonly now: Instant;
}

const operationRowOf = (copy: StoredOperation, extra: RowExtras): OperationRow => ({
  id: extra.id,
  server_id: copy.serverId,
  project_id: copy.projectId,
  kind: copy.kind,
  kind_version: copy.kindVersion,
  action: copy.action,
  request_id: copy.requestId,
  actor: encoded(Actor, copy.actor ?? Actor.fromPartial({})),
  traceparent: copy.traceparent,
  input: copy.input,
  secrets: extra.secrets,
  state: "running",
  current_step: copy.currentStep,
  undo_until: "",
  steps: encoded(StoredSteps, { steps: copy.steps }),
  generation: Number(copy.generation) + 1,
  fence: extra.fence,
  owner: extra.owner,
  ready_at: extra.readyAt,
  deadline: fromTimestampOrNull(copy.deadline),
  waiting_for: "",
  cancel_requested: extra.cancelRequested || copy.cancelRequested,
  error: null,
  preempts: copy.preempts,
  preempted: null,
  handed_over_to: "",
  other_fields: otherFieldsOf(StoredOperation, copy),
  lane: "life",
  turn: 0,
  created_at: fromTimestampOrNull(copy.createdAt) ?? extra.now,
  updated_at: extra.now,
});

/** A server that has gone to another database with one of its operations. */
export interface Moved {
  readonly serverId: string;
  readonly operationId: string;
}

/**
 * Source: forgets the records that the target has by now, and the timelines that went with them. Repeatable.
 */
export async function dropLeft(
  store: Store,
  ctx: Ctx,
  target: string,
  moved: readonly Moved[],
): Promise<void> {
  const { t } = store;
  const servers = moved.map(({ serverId }) => serverId);
  const operations = moved.map(({ operationId }) => operationId);
  await store.db.statement(ctx, "handover.leave", (db) =>
    allTogether([
      {
        name: "inst",
        body: sql`DELETE FROM ${t.instance} WHERE id = ANY(${servers}::text[]) AND leaving_to = ${target}`,
      },
      {
        name: "act",
        body: sql`DELETE FROM ${t.instance_action} WHERE server_id = ANY(${servers}::text[]) AND id = ANY(${operations}::text[])`,
      },
      {
        name: "ev",
        body: sql`DELETE FROM ${t.instance_action_event} WHERE action_id = ANY(${operations}::text[])`,
      },
      ...leavingRows(store, servers, target),
    ]).execute(db),
  );
}

/**
 * Target: forgets copies, after their source has forgotten the record or says that it never handed over.
 * Repeatable.
 */
export async function dropDormant(store: Store, ctx: Ctx, operationIds: readonly string[]): Promise<void> {
  await store.db.statement(ctx, "handover.drop", (db) =>
    sql`DELETE FROM ${store.t.dormant_operation} WHERE operation_id = ANY(${operationIds}::text[])`.execute(
      db,
    ),
  );
}

/** A dormant copy that is older than somebody asked for. */
export interface OldCopy extends Moved {
  readonly sourceDatabase: string;
  readonly activated: boolean;
}

/** The oldest 500 of the copies that are older than `olderThanMs`. */
export async function oldCopies(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  olderThanMs: number,
): Promise<OldCopy[]> {
  const before = deps.clock.now() - BigInt(olderThanMs) * 1000n;
  const { rows } = await store.db.statement(ctx, "handover.list", (db) =>
    sql<DormantRow>`
    SELECT operation_id, server_id, source_database, activated FROM ${store.t.dormant_operation} WHERE created_at <= ${before} ORDER BY created_at LIMIT 500`.execute(
      db,
    ),
  );
  return rows.map((row) => ({
    serverId: row.server_id,
    operationId: row.operation_id,
    sourceDatabase: row.source_database,
    activated: row.activated,
  }));
}
