import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type {
  StoredOperation,
  StrandOperationsRequest,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { parseOperationName } from "../../../model/operation-name.js";
import { durationMs } from "../../../model/wire-time.js";
import { CellsErrors } from "../../errors.js";
import { abandoned, decreed, retried, serverAfter, stranded } from "../../operations/domain/decree.js";
import type { Decree } from "../../operations/domain/decree.js";
import { LIFE, closesLanes, opensLanes } from "../../operations/domain/lanes.js";
import { endedWaiting, heldWhenCut } from "../../operations/domain/ended-early.js";
import { nameOf, toStored, withOtherOperationFields } from "../../operations/domain/operation-rows.js";
import { STRANDED_AT_ONCE } from "../../operations/store/operator-actions.js";
import type { Abandoned } from "../../operations/store/operator-actions.js";
import { isLiveWord } from "../../operations/store/owned-operation.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { OperationRow } from "../../store/rows.js";
import type { TwinDatabase } from "./database.js";
import { end, passTurns } from "./lanes.js";
import { byValue } from "./order.js";
import type { TwinState } from "./state.js";

/** Asks an operation to cancel; one that waits for its turn ends at once. */
export function cancel(twin: TwinState, database: TwinDatabase, name: string): StoredOperation {
  const row = database.operation(name);
  if (!isLiveWord(row.state)) return toStored(row);
  const now = twin.deps.clock.now();
  if (row.turn > 0) {
    const ended = endedWaiting(row, "cancelled", CellsErrors.OPERATION_CANCELLED({ operation: name }), now);
    end(twin, database, [ended], "", now);
    database.tell([operationChanged(ended)]);
    return toStored(ended);
  }
  const asked = {
    ...row,
    cancel_requested: true,
    ready_at: row.state === "parked" ? now : row.ready_at,
    updated_at: now,
  };
  database.operations.set(row.id, asked);
  return toStored(asked);
}

/** Puts an operation that waits for an operator back to work. @throws as `retryOperation` */
export function retry(twin: TwinState, database: TwinDatabase, name: string): StoredOperation {
  const row = database.operation(name);
  if (row.state !== "needs-operator") throw CellsErrors.NOT_NEEDING_OPERATOR({ operation: name });
  const rival = inTheWay(twin, database, row);
  if (rival !== "") throw CellsErrors.OPERATION_IN_PROGRESS({ server: row.server_id, operation: rival });
  const now = twin.deps.clock.now();
  const next: OperationRow = { ...row, ...retried(row, now) };
  database.operations.set(row.id, next);
  database.timeline.resume(next, now);
  const entry = row.lane === LIFE ? database.instances.get(row.server_id) : undefined;
  store(database, next, entry && applyChange(loadRecord(entry), undefined, name, now));
  return toStored(next);
}

function inTheWay({ deps }: TwinState, database: TwinDatabase, row: OperationRow): string {
  const leader = database.instances.get(row.server_id)?.current_operation ?? "";
  if (row.lane === LIFE) return leader;
  const closing = database.operations.get(parseOperationName(leader)?.operationId ?? "");
  if (closing !== undefined && closesLanes(deps.operations.find(closing.kind), closing.input)) return leader;
  const rival = database.liveBeside(row.server_id).find(({ lane, turn }) => lane === row.lane && turn === 0);
  return rival === undefined ? "" : nameOf(rival);
}

/** Ends an operation by decree. Repeatable. */
export function abandon(twin: TwinState, database: TwinDatabase, name: string, reason: string): Abandoned {
  const row = database.operation(name);
  if (!isLiveWord(row.state) && row.state !== "needs-operator") return { operation: toStored(row), next: [] };
  return decree(twin, database, row, abandoned(reason));
}

/** Hands operations to an operator that are ready for long and of no kind and version that somebody runs. */
export function strand(
  twin: TwinState,
  { database: name, kinds, olderThan }: StrandOperationsRequest,
): string[] {
  const database = twin.database(name);
  const since = twin.deps.clock.now() - BigInt(durationMs(olderThan)) * 1000n;
  const rows = [...database.operations.values()]
    .filter(
      (row) =>
        row.ready_at !== null &&
        row.ready_at <= since &&
        isLiveWord(row.state) &&
        !kinds.some(({ kind, version }) => kind === row.kind && version === row.kind_version),
    )
    .sort((a, b) => byValue(a.ready_at, b.ready_at))
    .slice(0, STRANDED_AT_ONCE);
  for (const row of rows) decree(twin, database, row, stranded(row.kind, row.kind_version));
  return rows.map(nameOf);
}

function decree(twin: TwinState, database: TwinDatabase, row: OperationRow, why: Decree): Abandoned {
  const now = twin.deps.clock.now();
  const entry = row.subject === "server" ? database.instances.get(row.server_id) : undefined;
  const before = entry && loadRecord(entry);
  const owner = entry?.current_operation ?? "";
  const ends = why.state === "failed";
  const held = ends ? heldWhenCut(row, before && serverOf(before)) : {};
  const ended: OperationRow = {
    ...row,
    ...decreed(row, why, now),
    other_fields: ends ? withOtherOperationFields(row.other_fields, held) : row.other_fields,
  };
  if (ends) end(twin, database, [ended], owner, now);
  else {
    database.operations.set(row.id, ended);
    database.timeline.cut(ended, now);
  }
  const record = before && serverAfter(before, { lane: row.lane, name: nameOf(row), owner }, why, now);
  store(database, ended, record);
  if (record !== undefined) database.mint(row, 1);
  const passes = row.lane !== LIFE || opensLanes(twin.deps.operations, row, owner);
  return {
    operation: toStored(ended),
    next: passes ? passTurns(twin, database, row, record ?? before, now) : [],
  };
}

/** Stores a server's record, when it changes, and tells of it and of its operation. */
function store(database: TwinDatabase, operation: OperationRow, record: InstanceRecord | undefined): void {
  const entry = database.instances.get(operation.server_id);
  if (record === undefined || entry === undefined) {
    database.tell([operationChanged(operation)]);
    return;
  }
  database.store(record, entry);
  database.tell([instanceChanged(record, instanceColumns(record), "changed"), operationChanged(operation)]);
}
