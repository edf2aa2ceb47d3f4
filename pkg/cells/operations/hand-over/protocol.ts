import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type {
  PrepareHandoverRequest,
  StoredOperation,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { NO_ROWS, touchesRows } from "../../servers/domain/plan-change.js";
import type { KnownRows } from "../../servers/domain/plan-change.js";
import { numbersFor, rowsFor, userDataColumn } from "../../servers/store/server-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import type { DormantRow } from "../../store/rows.js";
import type { Store } from "../../store/tables.js";
import type { Stores } from "../../stores.js";
import type { Copying, Protocol } from "../domain/hand-over.js";
import type { Alongside } from "../store/awaken.js";
import { storeDormant } from "../store/dormant.js";
import type { FoundCopy } from "../store/dormant.js";
import { operationIdOf } from "../store/owned-operation.js";
import type { Promised, Promising } from "../store/promise.js";

/** The databases of a hand-over, and what stores need. */
export interface Places {
  readonly stores: Stores;
  readonly deps: StoreDeps;
}

/** A copy to be made at a target. */
export interface Preparing {
  readonly target: Store;
  readonly request: PrepareHandoverRequest;
  /** The request's. */
  readonly operation: StoredOperation;
  /** A number that names a guest at the target. */
  readonly number: () => Promise<bigint>;
}

/**
 * How a server goes from one database to another with one of its operations, in five stages. Each may be cut
 * short anywhere, and repeated:
 *
 * 1. `prepare`, at the target: a dormant copy, which nobody sees.
 * 2. `promise`, at the source, conditional on the operation's fence: from here on it only goes forward.
 * 3. `settle`, in the global database: the mapping names the target. Whoever looks for the server comes
 *    there, and the copy may wake.
 * 4. `carry`, to the target: the server's other rows, which the promise has frozen.
 * 5. After it woke, `leave`: the source gives up its record.
 */
export interface HandOver {
  prepare(places: Places, ctx: Ctx, preparing: Preparing): Promise<void>;
  promise(places: Places, ctx: Ctx, source: Store, asked: Promising): Promise<Promised>;
  /** @returns false when the copy is of a hand-over that is over: the server has gone elsewhere since */
  settle(places: Places, ctx: Ctx, target: Store, copy: FoundCopy): Promise<boolean>;
  /** Brings what else the server has; nobody sees it until the copy wakes. */
  carry(places: Places, ctx: Ctx, target: Store, source: Store, copy: FoundCopy): Promise<void>;
  /** What wakes with the operation and the instance, in one transaction. */
  readonly alongside: (target: Store) => Alongside | undefined;
  /** Copies of one source. */
  leave(places: Places, ctx: Ctx, target: Store, source: Store, copies: readonly FoundCopy[]): Promise<void>;
}

/**
 * What a copy is made with.
 * @param known  rows by which its change is decided
 * @cost nothing, but for a change that makes migrations their numbers
 */
export async function copyingOf(
  { deps }: Places,
  ctx: Ctx,
  { target, request: { change }, operation }: Preparing,
  known: KnownRows,
): Promise<Copying> {
  return {
    change,
    known,
    operation: operation.name,
    operationId: operationIdOf(operation.name),
    userId: operation.actor?.userId ?? "",
    now: deps.clock.now(),
    newId: () => deps.ids.uuid(),
    numbers: await numbersFor(target, ctx, change),
  };
}

/**
 * As `copyingOf`, for a server that has its rows in a cell. They may be newer than the record that is copied:
 * then so is its generation, and nothing is promised.
 */
export async function copyingFromCell(
  places: Places,
  ctx: Ctx,
  preparing: Preparing,
  record: InstanceRecord,
): Promise<Copying> {
  const { change, sourceDatabase } = preparing.request;
  const source = places.stores.cell(sourceDatabase);
  const id = operationIdOf(preparing.operation.name);
  const known = touchesRows(change)
    ? await source.db.read(ctx, "handover.rows", (tx) => rowsFor(source, places.deps, tx, record, id, change))
    : NO_ROWS;
  return copyingOf(places, ctx, preparing, known);
}

/** Stores a copy; what its change makes of the user data goes with it. @throws FENCE_LOST */
export function keepCopy(
  { deps }: Places,
  ctx: Ctx,
  { target, request, operation }: Preparing,
  protocol: Protocol,
  { before, record }: { readonly before: InstanceRecord; readonly record: InstanceRecord },
): Promise<DormantRow> {
  const { user_data: userData = before.encryptedUserData } = userDataColumn(
    deps,
    operation.serverId,
    request.change,
  );
  return storeDormant(target, deps, ctx, {
    protocol,
    sourceDatabase: request.sourceDatabase,
    sourceFence: request.fence,
    operation,
    record,
    userData,
  });
}
