import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import type { InstanceColumns } from "../../servers/domain/instance-columns.js";
import { serverOf } from "../../servers/domain/records.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import { rowParts, userDataColumn } from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, inserting } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { OperationRow } from "../../store/rows.js";
import { sql } from "../../store/sql.js";
import type { Store, Tx } from "../../store/tables.js";
import { acceptedOperation, acceptedServer } from "../domain/accepted-change.js";
import type { Acceptance } from "../domain/accepted-change.js";
import { allPreempted } from "../domain/ended-early.js";
import { reopensLanes } from "../domain/lanes.js";
import type { LanePlace } from "../domain/lanes.js";
import { doneAtOnce } from "../domain/new-operation.js";
import { nameOf } from "../domain/operation-rows.js";
import { actionRow, instantEvent } from "../domain/timeline-rows.js";
import type { TokenUse } from "../domain/token-use.js";
import { tokenParts } from "./client-tokens.js";
import { endMigrations } from "./end-migrations.js";
import { endingParts, passTurns } from "./lanes.js";
import { sealedSecrets } from "./secrets.js";

/** An acceptance and what goes with it into the database. */
export interface StoredAcceptance extends Acceptance {
  /** Of the server's row, which is locked. */
  readonly fence: number;
  readonly token: TokenUse;
}

/** What an acceptance changes on its server. */
interface AcceptedChange {
  /** After it. */
  readonly record: InstanceRecord;
  readonly columns: InstanceColumns;
  readonly parts: readonly Part[];
  readonly event: OutboxRow;
}

function changeOf(
  store: Store,
  deps: StoreDeps,
  acceptance: Acceptance,
  now: Instant,
): AcceptedChange | undefined {
  const changed = acceptedServer(acceptance, now, () => deps.ids.uuid());
  if (changed === undefined) return undefined;
  const { record, rows } = changed;
  const { request, change } = acceptance;
  const columns = instanceColumns(record);
  return {
    record,
    columns: { ...columns, ...userDataColumn(deps, request.serverId, change) },
    parts: rowParts(store, deps, rows),
    event: instanceChanged(record, columns, "changed"),
  };
}

/** The row of an accepted operation. */
const rowOf = (
  deps: StoreDeps,
  { requestId }: Ctx,
  acceptance: Acceptance,
  place: LanePlace,
  now: Instant,
): OperationRow => {
  const secrets = sealedSecrets(deps, acceptance.request.secrets, acceptance.id);
  return acceptedOperation(acceptance, place, { requestId, secrets }, now);
};

/** Ends what an acceptance takes over from. @returns those that have ended */
async function endOthers(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  { record, owner }: Acceptance,
  { place, successor }: { readonly place: LanePlace; readonly successor: string },
  now: Instant,
): Promise<readonly OperationRow[]> {
  const ended = allPreempted(place, successor, now, serverOf(record));
  await endMigrations(store, deps, tx, ended, owner, now);
  if (ended.length > 0) await allTogether(endingParts(store, ended, now)).execute(tx);
  return ended;
}

/**
 * Stores an operation that is done with its acceptance. It neither takes the instance nor waits for it.
 * @cost as `storeAccepted`
 */
export async function storeInstant(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  acceptance: StoredAcceptance,
  place: LanePlace,
): Promise<OperationRow> {
  const { t } = store;
  const { request, declaration, record, token, fence } = acceptance;
  const now = deps.clock.now();
  const accepted = rowOf(deps, ctx, acceptance, place, now);
  const successor = nameOf(accepted);
  const ended = await endOthers(store, deps, tx, acceptance, { place, successor }, now);
  const changed = changeOf(store, deps, acceptance, now);
  const operation = doneAtOnce(accepted, declaration, serverOf(changed?.record ?? record));
  const parts: Part[] = [
    inserting("op", t.operation, [{ ...operation }]),
    ...tokenParts(store, token, [nameOf(operation)], now),
  ];
  const events = [operationChanged(operation, "created"), ...ended.map((one) => operationChanged(one))];
  if (changed !== undefined) {
    const columns = { ...changed.columns, ...(ended.length === 0 ? {} : { operation_fence: fence + 1 }) };
    const event = { action_id: operation.id, ...instantEvent(declaration.event ?? "", now) };
    events.push(changed.event);
    parts.push(
      ...changed.parts,
      {
        name: "inst",
        body: sql`UPDATE ${t.instance} SET ${assignments(columns)} WHERE id = ${request.serverId}`,
      },
      inserting("act", t.instance_action, [{ ...actionRow(operation, request.actor, now) }]),
      inserting("event", t.instance_action_event, [event]),
    );
  }
  await allTogether([...parts, outboxPart(t, deps.ids, events, now)]).execute(tx);
  return operation;
}

/**
 * Writes an accepted operation and everything that goes with it.
 * @cost one statement; three when it takes over from others, or four when migrations end with them: these end
 *   before it begins, since a statement changes a table once, and a lane has room for one; and those of
 *   `passTurns` when it takes over from one that wanted to be alone
 */
export async function storeAccepted(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  acceptance: StoredAcceptance,
  place: LanePlace,
): Promise<OperationRow> {
  const { t } = store;
  const { request, declaration, record, fence, token } = acceptance;
  const now = deps.clock.now();
  const operation = rowOf(deps, ctx, acceptance, place, now);
  const successor = nameOf(operation);
  const ended = await endOthers(store, deps, tx, acceptance, { place, successor }, now);
  const changed = changeOf(store, deps, acceptance, now);
  const columns = { ...changed?.columns, operation_fence: fence + 1 };
  const events = [
    ...(changed === undefined ? [] : [changed.event]),
    operationChanged(operation, "created"),
    ...ended.map((one) => operationChanged(one)),
  ];
  await allTogether([
    inserting("op", t.operation, [{ ...operation }]),
    {
      name: "inst",
      body: sql`UPDATE ${t.instance} SET ${assignments(columns)} WHERE id = ${request.serverId}`,
    },
    inserting("act", t.instance_action, [{ ...actionRow(operation, request.actor, now) }]),
    ...(changed?.parts ?? []),
    ...tokenParts(store, token, [nameOf(operation)], now),
    outboxPart(t, deps.ids, events, now),
  ]).execute(tx);
  if (reopensLanes(deps.operations, declaration, request.input, place))
    await passTurns(store, deps, tx, operation, changed?.record ?? record, now);
  return operation;
}
