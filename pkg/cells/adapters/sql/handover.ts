import { sql } from "./sql.js";
import type { Sql } from "./sql.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredOperation, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { PrepareHandoverRequest } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { applyChange } from "../../domain/apply-change.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns, instanceIdentity } from "../../domain/instance-columns.js";
import { serverOf } from "../../domain/records.js";
import { CellsErrors } from "../../errors.js";
import { instanceChanged, operationChanged } from "./commit-step.js";
import type { StoreDeps } from "./deps.js";
import { allTogether, insertInto } from "./fragments.js";
import type { Part } from "./fragments.js";
import { outboxPart } from "./outbox.js";
import { joinRows, operationIdOf } from "./owned-operation.js";
import type { InstanceRow, OperationRow, Store, Tx } from "./tables.js";
import { timelineParts } from "./timeline.js";

/**
 * Target: keeps a dormant copy, invisible to everybody until it is activated. Repeatable; a copy made under a higher
 * fence stays, and nothing is made once the operation lives here.
 * @param number  names the guest in this cell
 */
export async function prepareHandover(store: Store, deps: StoreDeps, ctx: Ctx, request: PrepareHandoverRequest, number: bigint): Promise<void> {
  const { t } = store;
  const { operation } = request;
  if (operation === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: "" });
  const id = operationIdOf(operation.name);
  const before = InstanceRecord.decode(request.instance);
  const named = withGuestName(before, store.name, number);
  const record = applyChange(named, request.change, operation.name, deps.clock.now());
  const row = {
    operation_id: id, server_id: operation.serverId, source_database: request.sourceDatabase, source_fence: Number(request.fence),
    operation: encoded(StoredOperation, { ...operation, secrets: Buffer.alloc(0) }),
    secrets: operation.secrets.length === 0 ? null : deps.box.seal(operation.secrets, id),
    instance: encoded(InstanceRecord, { ...record, encryptedUserData: Buffer.alloc(0) }),
    user_data: before.encryptedUserData.length === 0 ? null : before.encryptedUserData, created_at: deps.clock.now(),
  };
  const columns = Object.entries(row);
  await store.db.statement(ctx, "handover.prepare", (db) => sql`
    INSERT INTO ${t.dormant_operation} (${sql.join(columns.map(([column]) => sql.ref(column)))})
    SELECT ${sql.join(columns.map(([column, value]) => sql`${value}${DORMANT_TYPES[column] ?? sql``}`))}
    WHERE NOT EXISTS (SELECT 1 FROM ${t.operation} WHERE id = ${id})
    ON CONFLICT (operation_id) DO UPDATE SET
      source_fence = excluded.source_fence, operation = excluded.operation, secrets = excluded.secrets, instance = excluded.instance, created_at = excluded.created_at
      WHERE ${t.dormant_operation}.source_fence <= excluded.source_fence AND NOT ${t.dormant_operation}.activated`.execute(db));
}

/** Parameters of a SELECT list are text unless told otherwise. */
const DORMANT_TYPES: Readonly<Record<string, Sql>> = {
  source_fence: sql`::int8`, operation: sql`::bytea`, secrets: sql`::bytea`, instance: sql`::bytea`, user_data: sql`::bytea`, created_at: sql`::timestamptz`,
};

function withGuestName(record: InstanceRecord, cell: string, number: bigint): InstanceRecord {
  const server = serverOf(record);
  const instanceName = `instance-${number.toString(16).padStart(8, "0")}`;
  const empty = { host: "", node: "", computeNodeUuid: "", launchedOn: "", kernelId: "", ramdiskId: "", rootDeviceName: "" };
  return { ...record, number, server: { ...server, hostInfo: { ...empty, ...server.hostInfo, cell, instanceName } } };
}

const GLOBAL = "global";

/**
 * Source: the only commit point. From here on the target decides; the record stays readable until the target has it.
 * @throws FENCE_LOST; PREEMPTED when a deletion took over first
 */
export async function commitHandover(store: Store, deps: StoreDeps, ctx: Ctx, name: string, fence: bigint, target: string): Promise<void> {
  const { t } = store;
  const id = operationIdOf(name);
  // Mappings live in the global database. A move between two cells will need a commit point of its own.
  const mapping = store.name !== GLOBAL ? sql`` : sql`, mapping AS (
      UPDATE ${t.instance_mapping} AS m SET database = ${target} FROM held WHERE m.server_id = held.server_id RETURNING 1
    )`;
  const { rows } = await store.db.statement(ctx, "handover.commit", (db) => sql`
    WITH held AS (
      SELECT o.id, o.server_id FROM ${t.operation} AS o JOIN ${t.instance} AS i ON i.id = o.server_id
      WHERE o.id = ${id} AND o.fence = ${Number(fence)} AND o.state IN ('running', 'parked', 'undoing') AND i.current_operation = ${name} FOR UPDATE
    ), op AS (
      UPDATE ${t.operation} AS o SET state = 'handed-over', handed_over_to = ${target}, owner = '', ready_at = NULL, secrets = NULL, updated_at = ${deps.clock.now()}
      FROM held WHERE o.id = held.id RETURNING 1
    )${mapping}
    UPDATE ${t.instance} AS i SET leaving_to = ${target} FROM held WHERE i.id = held.server_id RETURNING 1`.execute(db));
  store.recent.drop(id);
  if (rows.length === 0) await explainRefusal(store, ctx, id, name, target);
}

/** A hand-over that changed nothing had happened before, or may not happen. */
async function explainRefusal(store: Store, ctx: Ctx, id: string, name: string, target: string): Promise<void> {
  const { rows } = await store.db.statement(ctx, "handover.refused", (db) =>
    sql<{ state: string; handed_over_to: string }>`SELECT state, handed_over_to FROM ${store.t.operation} WHERE id = ${id}`.execute(db));
  if (rows[0]?.state === "handed-over" && rows[0].handed_over_to === target) return;
  if (rows[0]?.state === "preempted") throw CellsErrors.PREEMPTED({ operation: name });
  throw CellsErrors.FENCE_LOST({ operation: name });
}

interface DormantRow {
  readonly operation_id: string; readonly server_id: string; readonly source_database: string; readonly source_fence: number;
  readonly operation: Buffer; readonly secrets: Buffer | null; readonly instance: Buffer; readonly user_data: Buffer | null; readonly activated: boolean;
}

/** What the source adds to a copy when it is activated: what arrived between the copy and the commit. */
export interface LateNews { readonly cancelRequested: boolean }

export interface Activated { readonly operation: OperationRow; readonly instance: InstanceRow }

/** A dormant copy's source; undefined when there is none (any more). */
export async function findDormant(store: Store, ctx: Ctx, by: { readonly operationId?: string; readonly serverId?: string }): Promise<{ operationId: string; serverId: string; sourceDatabase: string; activated: boolean } | undefined> {
  const condition = by.operationId === undefined ? sql`server_id = ${by.serverId ?? ""}` : sql`operation_id = ${by.operationId}`;
  const { rows } = await store.db.statement(ctx, "handover.find", (db) =>
    sql<DormantRow>`SELECT operation_id, server_id, source_database, activated FROM ${store.t.dormant_operation} WHERE ${condition}`.execute(db));
  const row = rows[0];
  return row === undefined ? undefined : { operationId: row.operation_id, serverId: row.server_id, sourceDatabase: row.source_database, activated: row.activated };
}

/**
 * Target: wakes a copy whose source has committed. The caller has asked the source.
 * @param owner  goes on with it at once; "" leaves it to whoever acquires it
 * @returns undefined when there is nothing left to wake
 */
export async function activateHandover(store: Store, deps: StoreDeps, ctx: Ctx, operationId: string, news: LateNews, owner: string, ownershipMs: number): Promise<Activated | undefined> {
  const { t } = store;
  const activated = await store.db.write(ctx, "handover.activate", async (tx) => {
    const { rows } = await sql<DormantRow>`SELECT * FROM ${t.dormant_operation} WHERE operation_id = ${operationId} FOR UPDATE`.execute(tx);
    const dormant = rows[0];
    if (dormant === undefined || dormant.activated) return undefined;
    const now = deps.clock.now();
    const readyAt = owner === "" ? now : now + BigInt(ownershipMs) * 1000n;
    return insertActivated(store, deps, tx, dormant, news, owner, readyAt, now);
  });
  if (activated !== undefined) store.recent.put(joinRows(activated.operation, activated.instance));
  return activated;
}

async function insertActivated(store: Store, deps: StoreDeps, tx: Tx, dormant: DormantRow, news: LateNews, owner: string, readyAt: Instant, now: Instant): Promise<Activated> {
  const { t } = store;
  const copy = StoredOperation.decode(dormant.operation);
  const record = InstanceRecord.decode(dormant.instance);
  const server = serverOf(record);
  const fence = dormant.source_fence + 1;
  const columns = instanceColumns(record);
  const operation = operationRowOf(copy, { id: dormant.operation_id, fence, owner, readyAt, secrets: dormant.secrets, cancelRequested: news.cancelRequested, now });
  const action = {
    server_id: copy.serverId, id: dormant.operation_id, request_id: copy.requestId, action: copy.action, project_id: copy.projectId,
    user_id: copy.actor?.userId ?? "", started_at: operation.created_at, updated_at: now,
  };
  const instance = { ...instanceIdentity(record), ...columns, operation_fence: fence, number: Number(record.number), user_data: dormant.user_data };
  const events = timelineParts(t, operation, copy.steps, false, now).filter(({ name }) => name === "timeline_events");
  const parts: Part[] = [
    { name: "inst", body: insertInto(t.instance, [instance]) },
    { name: "op", body: insertInto(t.operation, [{ ...operation }]) },
    { name: "act", body: insertInto(t.instance_action, [action]) },
    ...events,
    { name: "dormant", body: sql`UPDATE ${t.dormant_operation} SET activated = true, secrets = NULL, user_data = NULL WHERE operation_id = ${dormant.operation_id}` },
  ];
  parts.push(outboxPart(t, deps.ids, [instanceChanged(record, columns, "changed"), operationChanged(operation)], now));
  await allTogether(parts).execute(tx);
  const row: InstanceRow = {
    generation: Number(server.generation), current_operation: copy.name, operation_fence: fence, leaving_to: "", number: Number(record.number),
    server: columns.server, details: columns.details, user_data: dormant.user_data,
  };
  return { operation, instance: row };
}

interface RowExtras { readonly id: string; readonly fence: number; readonly owner: string; readonly readyAt: Instant; readonly secrets: Buffer | null; readonly cancelRequested: boolean; readonly now: Instant }

const operationRowOf = (copy: StoredOperation, extra: RowExtras): OperationRow => ({
  id: extra.id, server_id: copy.serverId, project_id: copy.projectId, kind: copy.kind, kind_version: copy.kindVersion, action: copy.action,
  request_id: copy.requestId, actor: encoded(Actor, copy.actor ?? Actor.fromPartial({})), traceparent: copy.traceparent, input: copy.input,
  secrets: extra.secrets, state: "running", current_step: copy.currentStep, undo_until: "", steps: encoded(StoredSteps, { steps: copy.steps }),
  generation: Number(copy.generation) + 1, fence: extra.fence, owner: extra.owner, ready_at: extra.readyAt, deadline: fromTimestampOrNull(copy.deadline), waiting_for: "",
  cancel_requested: extra.cancelRequested || copy.cancelRequested, error: null, preempts: copy.preempts, preempted: null, handed_over_to: "",
  created_at: fromTimestampOrNull(copy.createdAt) ?? extra.now, updated_at: extra.now,
});

/** Source: forgets the record that the target has by now, and the timeline that went with it. Repeatable. */
export async function dropLeft(store: Store, ctx: Ctx, serverId: string, operationId: string, target: string): Promise<void> {
  const { t } = store;
  await store.db.statement(ctx, "handover.leave", (db) => allTogether([
    { name: "inst", body: sql`DELETE FROM ${t.instance} WHERE id = ${serverId} AND leaving_to = ${target}` },
    { name: "act", body: sql`DELETE FROM ${t.instance_action} WHERE server_id = ${serverId} AND id = ${operationId}` },
    { name: "ev", body: sql`DELETE FROM ${t.instance_action_event} WHERE action_id = ${operationId}` },
  ]).execute(db));
}

/** Target: forgets a copy, after its source has forgotten the record or says that it never handed over. Repeatable. */
export async function dropDormant(store: Store, ctx: Ctx, operationId: string): Promise<void> {
  await store.db.statement(ctx, "handover.drop", (db) => sql`DELETE FROM ${store.t.dormant_operation} WHERE operation_id = ${operationId}`.execute(db));
}

/** Copies older than `olderThanMs`, activated ones that were not cleaned up among them. */
export async function listDormant(store: Store, deps: StoreDeps, ctx: Ctx, olderThanMs: number): Promise<{ name: string; sourceDatabase: string }[]> {
  const before = deps.clock.now() - BigInt(olderThanMs) * 1000n;
  const { rows } = await store.db.statement(ctx, "handover.list", (db) => sql<{ operation_id: string; server_id: string; source_database: string }>`
    SELECT operation_id, server_id, source_database FROM ${store.t.dormant_operation} WHERE created_at <= ${before} ORDER BY created_at LIMIT 100`.execute(db));
  return rows.map((row) => ({ name: `operations/${row.server_id}/${row.operation_id}`, sourceDatabase: row.source_database }));
}
