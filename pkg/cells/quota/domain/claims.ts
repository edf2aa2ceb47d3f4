import type { HeldQuota } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Holding } from "../../../model/operation-declaration.js";
import { holdingOf } from "../../../model/server-holding.js";
import { COUNTED, refusalOf } from "./quota.js";
import type { Counted, QuotaRefusal } from "./quota.js";

/** Quota that an operation has to have before it can be accepted. */
export interface QuotaWish {
  readonly serverId: string;
  readonly projectId: string;
  /** Who owns the server: limits may be a user's. */
  readonly userId: string;
  /** What the server is to hold when the operation ends well. */
  readonly target: Holding;
}

/** Quota taken for one operation until it has ended. */
export interface QuotaClaim extends QuotaWish {
  /** The operation's uuid. */
  readonly operationId: string;
  /** Where the operation is accepted. */
  readonly database: string;
}

/** Takes quota for operations, in the global database, and gives it back. */
export interface QuotaDesk {
  /** @throws QUOTA_EXCEEDED */
  take(ctx: Ctx, claim: QuotaClaim): Promise<void>;
  /** Of an operation that was not accepted for certain. */
  giveBack(ctx: Ctx, operationId: string): Promise<void>;
  /** Of an operation that was done with its acceptance: what was taken stays. */
  settle(ctx: Ctx, operationId: string): Promise<void>;
}

const each = (of: (resource: keyof Counted) => number): Counted => ({
  instances: of("instances"),
  cores: of("cores"),
  ram: of("ram"),
});

export const sameHolding = (one: Holding, other: Holding): boolean =>
  COUNTED.every((resource) => one[resource] === other[resource]);

/** What has to be taken for a server to hold `target`: what that is more than it holds. */
export const extraOf = (held: Counted, target: Holding): Counted =>
  each((resource) => Math.max(0, target[resource] - held[resource]));

/**
 * Why something more cannot be taken; undefined when it can. Who takes nothing more of a resource is not held
 * to its limit, which may have been lowered since.
 */
export function refusalOfExtra(extra: Counted, used: Counted, limits: Counted): QuotaRefusal | undefined {
  const over = COUNTED.filter(
    (resource) =>
      extra[resource] > 0 && limits[resource] >= 0 && used[resource] + extra[resource] > limits[resource],
  );
  return over.length === 0 ? undefined : refusalOf(over, extra, used, limits);
}

/** Whether an operation ended well; undefined while it has not ended, or for a state of a newer build. */
export function endedWell(state: OperationState): boolean | undefined {
  switch (state) {
    case OperationState.OPERATION_STATE_SUCCEEDED:
      return true;
    case OperationState.OPERATION_STATE_FAILED:
    case OperationState.OPERATION_STATE_CANCELLED:
    case OperationState.OPERATION_STATE_PREEMPTED:
      return false;
    default:
      return undefined;
  }
}

/**
 * How an operation ended, as far as its claim depends on it: whether it ended well, or what its server was
 * found to hold when it was ended from outside.
 */
export type Outcome = boolean | Holding;

/** @param held  see `StoredOperation.held` @returns undefined while the operation has not ended */
export function outcomeOf(state: OperationState, held: HeldQuota | undefined): Outcome | undefined {
  const well = endedWell(state);
  if (well !== false || held === undefined) return well;
  const { instances, cores, memoryMib } = held;
  return { instances, cores, ram: memoryMib };
}

/** Whether a claim's target is what the server holds from now on. */
export const isReached = (outcome: Outcome, target: Holding): boolean =>
  typeof outcome === "boolean" ? outcome : sameHolding(outcome, target);

/** What a server holds by its record: nothing when it is deleted, for good or not. */
export const heldByRecord = (server: Server): Holding =>
  server.deletedAt !== undefined || server.vmState === VmState.VM_STATE_SOFT_DELETED
    ? { instances: 0, cores: 0, ram: 0 }
    : holdingOf(server);

/** Where a settled claim leaves its server and its project. */
export interface Settled {
  readonly held: Counted;
  /** What is added to the project's use: nothing or less than nothing. */
  readonly change: Counted;
}

/**
 * Settles a claim.
 * @param held   what the server holds without it
 * @param extra  what was taken for it
 * @param well   whether its operation ended well
 */
export const settled = (held: Counted, extra: Counted, target: Holding, well: boolean): Settled => ({
  held: well ? target : held,
  change: each((resource) => (well ? target[resource] - held[resource] : 0) - extra[resource]),
});
