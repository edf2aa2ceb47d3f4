import { sql } from "./sql.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { AcceptedKind, StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { operationName } from "../../../model/operation-name.js";
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
    const message = reason === "" ? "An operator ended the operation." : reason;
    return toStored(await decree(store, deps, tx, row, { state: "failed", reason: "ABANDONED", message }));
  });
}

const STRANDED_AT_ONCE = 20;

/**
 * Hands operations to an operator that are ready for long and of no kind and version that somebody runs.
 * @param kinds   those that the caller runs
 * @returns their names, 20 at most
 */
export async function strandOperations(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  { kinds, olderThanMs }: { readonly kinds: readonly AcceptedKind[]; readonly olderThanMs: number },
): Promise<string[]> {
  const { t } = store;
  const since = deps.clock.now() - BigInt(olderThanMs) * 1000n;
  const known = sql.join([
    sql`('', 0)`,
    ...kinds.map(({ kind, version }) => sql`(${kind}::text, ${version}::int)`),
  ]);
  const { rows } = await store.db.statement(ctx, "operations.unclaimed", (db) =>
    sql<{ id: string; server_id: string }>`SELECT id, server_id FROM ${t.operation}
      WHERE ready_at <= ${since} AND state IN ('running', 'parked', 'undoing')
        AND NOT (kind, kind_version) IN (${known}) ORDER BY ready_at LIMIT ${STRANDED_AT_ONCE}`.execute(db),
  );
  const stranded: string[] = [];
  for (const { id, server_id } of rows) {
    const name = operationName(server_id, id);
    const isStranded = await store.db.write(ctx, "operations.strand", async (tx) => {
      const row = await lockOperation(store, tx, name);
      const readyAt = row?.ready_at ?? undefined;
      if (row === undefined || readyAt === undefined || readyAt > since || !isLiveWord(row.state))
        return false;
      const message = `No conductor can run operations of kind ${row.kind}, version ${row.kind_version}.`;
      await decree(store, deps, tx, row, { state: "needs-operator", reason: "NO_CONDUCTOR", message });
      return true;
    });
    if (isStranded) stranded.push(name);
  }
  return stranded;
}

interface Decree {
  readonly state: "failed" | "needs-operator";
  readonly reason: string;
  readonly message: string;
}

/** Ends an operation from outside: the server goes to ERROR, every older fence is refused from now on. */
async function decree(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  row: JoinedRow,
  { state, reason, message }: Decree,
): Promise<OperationRow> {
  const now = deps.clock.now();
  const name = operationName(row.server_id, row.id);
  const error = OperationError.fromPartial({ reason, domain: "cells", message });
  const changes = {
    state,
    owner: "",
    ready_at: null,
    // Who retries it still needs them.
    secrets: state === "failed" ? null : row.secrets,
    waiting_for: state === "failed" ? "" : row.state === "undoing" ? "undoing" : "running",
    error: encoded(OperationError, error),
    generation: row.generation + 1,
    updated_at: now,
  };
  const next: OperationRow = { ...row, ...changes };
  const owns = row.i_current_operation === name || row.i_current_operation === "";
  const change = InstanceChange.fromPartial({
    server: {
      vmState: VmState.VM_STATE_ERROR,
      taskState: "",
      fault: { code: 500, message, reason, createdAt: toTimestamp(now) },
    },
    updateMask: ["vm_state", "task_state", "fault"],
  });
  const record = owns ? applyChange(loadRecord(instanceOf(row)), change, "", now) : undefined;
  const columns = record === undefined ? undefined : instanceColumns(record);
  await allTogether([
    {
      name: "op",
      body: sql`UPDATE ${store.t.operation} SET ${assignments(changes)} WHERE id = ${row.id}`,
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
  return next;
}
