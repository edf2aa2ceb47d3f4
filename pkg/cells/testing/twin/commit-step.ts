import type {
  CommitStepRequest,
  CommitStepResponse,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { afterCommit, answerOf, endedQuota, passesTurn } from "../../operations/domain/after-commit.js";
import { instanceOf, ownedUnder } from "../../operations/store/owned-operation.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { loadRecord } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import { userDataColumn } from "../../servers/store/server-rows.js";
import { passTurns } from "./lanes.js";
import { settleClaim } from "./quota.js";
import { endRows, numbersFor, rowsFor, storeRows } from "./server-rows.js";
import type { TwinState } from "./state.js";

/** A stored commit, and the operations whose turn it is now. */
interface Committed {
  readonly response: CommitStepResponse;
  readonly next: readonly string[];
}

/** Stores progress under a fence. @throws FENCE_LOST, INVALID_ARGUMENT */
export function commitStep(twin: TwinState, request: CommitStepRequest): Committed {
  const { deps } = twin;
  const database = twin.database(request.database);
  const joined = ownedUnder(database.joined(request.name), request.name, request.fence);
  const row = database.operation(request.name);
  const instance = database.instances.get(row.server_id);
  const before = row.subject === "server" ? loadRecord(instanceOf(joined)) : undefined;
  const now = deps.clock.now();
  const waiting = database.pendingSignals(row.id).filter(({ id }) => !request.consumedSignals.includes(id));
  const known = rowsFor(database, deps, before, row.id, request.change);
  const numbers = numbersFor(database, request.change);
  const { next, changed, record, failed } = afterCommit(
    deps.operations,
    { row, before, owner: joined.i_current_operation },
    request,
    { waiting, known, numbers, now, newId: () => deps.ids.uuid() },
  );
  const deletes = request.change?.deleteRecord === true;
  database.operations.set(row.id, next);
  if (changed !== undefined && instance !== undefined) {
    database.store(changed.record, instance, userDataColumn(deps, row.server_id, request.change));
    storeRows(database, deps, changed.rows);
    if (deletes) endRows(database, row.server_id, now);
  }
  for (const signal of database.signals.get(row.id) ?? [])
    signal.consumed ||= request.consumedSignals.includes(signal.id);
  if (row.action !== "") database.timeline.commit(next, request.steps, failed, now);
  database.tell([
    ...(changed === undefined
      ? []
      : [instanceChanged(changed.record, instanceColumns(changed.record), deletes ? "deleted" : "changed")]),
    operationChanged(next),
  ]);
  const quota = endedQuota(deps.operations, next, request.state);
  if (quota !== undefined) settleClaim(twin, quota.operationId, quota.well);
  return {
    response: answerOf({ next, record }, request, waiting, row.cancel_requested),
    next: passesTurn(deps.operations, row, request.state) ? passTurns(twin, database, row, record, now) : [],
  };
}
