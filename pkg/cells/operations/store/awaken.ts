import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { StoredOperation, StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { merged } from "../../../kernel/merged.js";
import type { Instant } from "../../../kernel/time.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns, instanceIdentity } from "../../servers/domain/instance-columns.js";
import { serverOf } from "../../servers/domain/records.js";
import { arrivingRows } from "../../servers/store/server-rows.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, inserting, onlyWhere } from "../../store/fragments.js";
import type { ConditionalPart } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { DormantRow, InstanceRow, OperationRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";
import { wakingFence } from "../domain/hand-over.js";
import { otherOperationFields, victimsOf } from "../domain/operation-rows.js";
import { instanceOf, joinRows, lockOperation } from "./owned-operation.js";
import type { LateNews } from "./promise.js";
import { timelineParts } from "./timeline.js";

/** How a copy wakes. @param owner  goes on with it at once; "" leaves it to whoever acquires it */
export interface Waking extends LateNews {
  readonly owner: string;
  readonly ownershipMs: number;
}

/** What has woken: the operation and its instance, as they are stored here now. */
export interface Awake {
  readonly operation: OperationRow;
  readonly instance: InstanceRow;
}

/** What a protocol writes beside the operation and the instance, in the same transaction and before them. */
export type Alongside = (tx: Tx, dormant: DormantRow) => Promise<void>;

/**
 * Wakes the very copy that this process made: one statement that fails as a whole when it is not there any
 * more.
 * @cost one round trip
 */
export async function awakenPrepared(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  row: DormantRow,
  waking: Waking,
): Promise<Awake | undefined> {
  const plan = planOf(store, deps, row, waking);
  const same = sql`${wakingUp(store, row.operation_id)} AND NOT activated AND source_fence = ${row.source_fence} AND created_at = ${row.created_at} RETURNING 1`;
  const { rows } = await store.db.statement(ctx, "handover.activate", (db) =>
    onlyWhere(same, plan.parts).execute(db),
  );
  if (rows.length === 0) return undefined;
  store.changed();
  remember(store, plan.awake);
  return plan.awake;
}

/**
 * Wakes a copy, whoever made it.
 * @returns undefined when there is nothing left to wake; once more what it was when this owner has woken it
 *   before
 * @cost four round trips: begin, lock, write, commit; more for what goes alongside
 */
export async function awakenLocked(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  fence: number,
  waking: Waking,
  alongside: Alongside = async () => {},
): Promise<Awake | undefined> {
  const operationId = name.slice(name.lastIndexOf("/") + 1);
  const awake = await store.db.write(ctx, "handover.activate", async (tx) => {
    const { rows } =
      await sql<DormantRow>`SELECT * FROM ${store.t.dormant_operation} WHERE operation_id = ${operationId} AND source_fence = ${fence} FOR UPDATE`.execute(
        tx,
      );
    const dormant = rows[0];
    if (dormant === undefined) return undefined;
    if (dormant.activated) return wokenBefore(store, tx, name, dormant, waking.owner);
    await alongside(tx, dormant);
    const { parts, awake: woken } = planOf(store, deps, dormant, waking);
    await allTogether([...parts, { name: "dormant", body: wakingUp(store, operationId) }]).execute(tx);
    return woken;
  });
  if (awake !== undefined) remember(store, awake);
  return awake;
}

const remember = (store: Store, { operation, instance }: Awake): void =>
  store.recent.put(operation.id, joinRows(operation, instance));

/** What the same owner has woken before: the answer of that was lost. */
async function wokenBefore(
  store: Store,
  tx: Tx,
  name: string,
  dormant: DormantRow,
  owner: string,
): Promise<Awake | undefined> {
  if (owner === "") return undefined;
  const row = await lockOperation(store, tx, name);
  return row?.state === "running" && row.fence === wakingFence(dormant.source_fence) && row.owner === owner
    ? { operation: row, instance: instanceOf(row) }
    : undefined;
}

const wakingUp = ({ t }: Store, operationId: string): Sql =>
  sql`UPDATE ${t.dormant_operation} SET activated = true, secrets = NULL, user_data = NULL WHERE operation_id = ${operationId}`;

/** Everything that an awakening writes, and the rows as they are after it. */
interface Plan {
  readonly parts: readonly ConditionalPart[];
  readonly awake: Awake;
}

function planOf(store: Store, deps: StoreDeps, dormant: DormantRow, waking: Waking): Plan {
  const { t } = store;
  const now = deps.clock.now();
  const readyAt = waking.owner === "" ? now : now + BigInt(waking.ownershipMs) * 1000n;
  const copy = StoredOperation.decode(dormant.operation);
  const record = InstanceRecord.decode(dormant.instance);
  const server = serverOf(record);
  const fence = wakingFence(dormant.source_fence);
  const columns = instanceColumns(record);
  const operation = operationRowOf(copy, dormant, waking, { fence, readyAt, now });
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
  const instance = merged(merged(instanceIdentity(record), columns), {
    operation_fence: fence,
    number: Number(record.number),
    user_data: dormant.user_data,
  });
  const signals = waking.signals.map(({ id, kind, payload }) => ({
    operation_id: dormant.operation_id,
    signal_id: id,
    kind,
    payload,
    created_at: now,
  }));
  const parts: ConditionalPart[] = [
    inserting("inst", t.instance, [instance]),
    inserting("op", t.operation, [{ ...operation }]),
    ...arrivingRows(store, deps, record),
    ...(copy.action === "" ? [] : [inserting("act", t.instance_action, [action])]),
    ...timelineParts(t, operation, copy.action === "" ? [] : copy.steps, false, now).filter(
      ({ name }) => name === "timeline_events",
    ),
    // Those of a move have come with its rows.
    ...(signals.length === 0
      ? []
      : [
          inserting(
            "sig",
            t.operation_signal,
            signals,
            sql` ON CONFLICT (operation_id, signal_id) DO NOTHING`,
          ),
        ]),
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
  return { parts, awake: { operation, instance: row } };
}

interface Times {
  readonly fence: number;
  readonly readyAt: Instant;
  readonly now: Instant;
}

const operationRowOf = (
  copy: StoredOperation,
  dormant: DormantRow,
  waking: Waking,
  { fence, readyAt, now }: Times,
): OperationRow => ({
  id: dormant.operation_id,
  subject: "server",
  server_id: copy.serverId,
  project_id: copy.projectId,
  kind: copy.kind,
  kind_version: copy.kindVersion,
  action: copy.action,
  request_id: copy.requestId,
  actor: encoded(Actor, copy.actor ?? Actor.fromPartial({})),
  traceparent: copy.traceparent,
  input: copy.input,
  secrets: dormant.secrets,
  state: "running",
  current_step: copy.currentStep,
  undo_until: "",
  steps: encoded(StoredSteps, { steps: copy.steps }),
  generation: Number(copy.generation) + 1,
  fence,
  owner: waking.owner,
  ready_at: readyAt,
  deadline: fromTimestampOrNull(copy.deadline),
  waiting_for: "",
  cancel_requested: waking.cancelRequested || copy.cancelRequested,
  error: null,
  preempts: copy.preempts,
  preempted: victimsOf(copy),
  handed_over_to: "",
  other_fields: otherOperationFields(copy),
  lane: "life",
  turn: 0,
  progress: null,
  created_at: fromTimestampOrNull(copy.createdAt) ?? now,
  updated_at: now,
});
