import type {
  PrepareHandoverRequest,
  StoredOperation,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { StoreDeps } from "../../store/deps.js";
import type { Store } from "../../store/tables.js";
import type { Stores } from "../../stores.js";
import type { Copying } from "../domain/hand-over.js";
import type { Alongside } from "../store/awaken.js";
import type { FoundCopy } from "../store/dormant.js";
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
 * How a server goes from one database to another with one of its operations, in four stages. Each may be cut
 * short anywhere, and repeated:
 *
 * 1. `prepare`, at the target: a dormant copy, which nobody sees.
 * 2. `promise`, at the source, conditional on the operation's fence: from here on it only goes forward.
 * 3. `settle`, in the global database: the mapping names the target. Whoever looks for the server comes
 *    there, and the copy may wake.
 * 4. After it woke, `leave`: the source gives up its record.
 */
export interface HandOver {
  prepare(places: Places, ctx: Ctx, preparing: Preparing): Promise<void>;
  promise(places: Places, ctx: Ctx, source: Store, asked: Promising): Promise<Promised>;
  /** @returns false when the copy is of a hand-over that is over: the server has gone elsewhere since */
  settle(places: Places, ctx: Ctx, target: Store, copy: FoundCopy): Promise<boolean>;
  /** What wakes with the operation and the instance, in one transaction. */
  readonly alongside: (target: Store) => Alongside | undefined;
  /** Copies of one source. */
  leave(places: Places, ctx: Ctx, target: Store, source: Store, copies: readonly FoundCopy[]): Promise<void>;
}

/** What a copy is made with. */
export const copyingOf = ({ deps }: Places, { request, operation }: Preparing): Copying => ({
  change: request.change,
  operation: operation.name,
  now: deps.clock.now(),
});
