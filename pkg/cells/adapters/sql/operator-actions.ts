import { sql } from "./sql.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { applyChange } from "../../domain/apply-change.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns } from "../../domain/instance-columns.js";
import { loadRecord } from "../../domain/records.js";
import { CellsErrors } from "../../errors.js";
import { instanceChanged, operationChanged } from "./commit-step.js";
import type { StoreDeps } from "./deps.js";
import { allTogether, assignments } from "./fragments.js";
import { toStored } from "./operation-rows.js";
import { outboxPart } from "./outbox.js";
import { instanceOf, isLiveWord, lockOperation } from "./owned-operation.js";
import type { JoinedRow, OperationRow } from "./rows.js";
import type { Store, Tx } from "./tables.js";

async function lockExisting(store: Store, tx: Tx, name: string): Promise<JoinedRow> {
  const row = await lockOperation(store, tx, name);
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return row;
}

/** Asks an operation to cancel; one that waits wakes up for it. One that has ended stays as it is. */
export async function requestCancel(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
): Promise<StoredOperation> {
  return store.db.write(ctx, "operations.cancel", async (tx) => {
    const row = await lockExisting(store, tx, name);
    if (!isLiveWord(row.state)) return toStored(row);
    const now = deps.clock.now();
    const changes = {
      cancel_requested: true,
      ready_at: row.state === "parked" ? now : row.ready_at,
      updated_at: now,
    };
    await sql`UPDATE ${store.t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`.execute(tx);
    return toStored({ ...row, ...changes });
  });
}

/** Steps that have not ended may fail as often again as they did. */
function withFreshAttempts(stored: Buffer): Buffer {
  const before = StoredSteps.decode(stored);
  return encoded(StoredSteps, {
    ...before,
    steps: before.steps.map((step) => (step.errorReason === "" ? step : { ...step, attempts: 1 })),
  });
}

/**
 * Puts an operation that waits for an operator back to work where it stopped.
 * @throws NOT_NEEDING_OPERATOR; OPERATION_IN_PROGRESS when something else runs on the instance by now
 */
export async function retryOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
): Promise<StoredOperation> {
  return store.db.write(ctx, "operations.retry", async (tx) => {
    const row = await lockExisting(store, tx, name);
    if (row.state !== "needs-operator") throw CellsErrors.NOT_NEEDING_OPERATOR({ operation: name });
    if (row.i_current_operation !== "")
      throw CellsErrors.OPERATION_IN_PROGRESS({ server: row.server_id, operation: row.i_current_operation });
    const now = deps.clock.now();
    const next: OperationRow = {
      ...row,
      state: row.waiting_for === "undoing" ? "undoing" : "running",
      waiting_for: "",
      steps: withFreshAttempts(row.steps),
      ready_at: now,
      deadline: null,
      generation: row.generation + 1,
      updated_at: now,
    };
    const { state, waiting_for, steps, ready_at, deadline, generation, updated_at } = next;
    const record = applyChange(loadRecord(instanceOf(row)), undefined, name, now);
    const columns = instanceColumns(record);
    await allTogether([
      {
        name: "op",
        body: sql`UPDATE ${store.t.operation} SET ${assignments({ state, waiting_for, steps, ready_at, deadline, generation, updated_at })} WHERE id = ${row.id}`,
      },
      {
        name: "inst",
        body: sql`UPDATE ${store.t.instance} SET ${assignments(columns)} WHERE id = ${row.server_id}`,
      },
      outboxPart(
        store.t,
        deps.ids,
        [instanceChanged(record, columns, "changed"), operationChanged(next)],
        now,
      ),
    ]).execute(tx);
    return toStored(next);
  });
}

/**
 * Ends an operation by decree: FAILED, the instance ERROR, every older fence refused from now on. Repeatable.
 */
export async function abandonOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  name: string,
  reason: string,
): Promise<StoredOperation> {
  return store.db.write(ctx, "operations.abandon", async (tx) => {
    const row = await lockExisting(store, tx, name);
    if (!isLiveWord(row.state) && row.state !== "needs-operator") return toStored(row);
    const now = deps.clock.now();
    const error = OperationError.fromPartial({
      reason: "ABANDONED",
      domain: "cells",
      message: reason === "" ? "An operator ended the operation." : reason,
    });
    const next: OperationRow = {
      ...row,
      state: "failed",
      owner: "",
      ready_at: null,
      secrets: null,
      error: encoded(OperationError, error),
      generation: row.generation + 1,
      updated_at: now,
    };
    const { state, owner, ready_at, secrets, generation, updated_at } = next;
    const owns = row.i_current_operation === name || row.i_current_operation === "";
    const change = InstanceChange.fromPartial({
      server: {
        vmState: VmState.VM_STATE_ERROR,
        taskState: "",
        fault: { code: 500, message: error.message, reason: "ABANDONED", createdAt: toTimestamp(now) },
      },
      updateMask: ["vm_state", "task_state", "fault"],
    });
    const record = owns ? applyChange(loadRecord(instanceOf(row)), change, "", now) : undefined;
    const columns = record === undefined ? undefined : instanceColumns(record);
    await allTogether([
      {
        name: "op",
        body: sql`UPDATE ${store.t.operation} SET ${assignments({ state, owner, ready_at, secrets, error: next.error, generation, updated_at })} WHERE id = ${row.id}`,
      },
      ...(columns === undefined
        ? []
        : [
            {
              name: "inst",
              body: sql`UPDATE ${store.t.instance} SET ${assignments({ ...columns, operation_fence: row.i_operation_fence + 1 })} WHERE id = ${row.server_id}`,
            },
          ]),
      {
        name: "act",
        body: sql`UPDATE ${store.t.instance_action} SET updated_at = ${now}, failed = true WHERE server_id = ${row.server_id} AND id = ${row.id}`,
      },
      outboxPart(
        store.t,
        deps.ids,
        [
          ...(record === undefined || columns === undefined
            ? []
            : [instanceChanged(record, columns, "changed")]),
          operationChanged(next),
        ],
        now,
      ),
    ]).execute(tx);
    return toStored(next);
  });
}
