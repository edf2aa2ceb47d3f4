import type { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { ErrorKind } from "../../../kernel/index.js";
import { KilonovaError } from "../../../kernel/index.js";

/** What Nova finds out before it answers; everything else is its own or Block Storage's fault. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  VOLUME_NOT_AVAILABLE: "invalid",
  VOLUME_ALREADY_ATTACHED: "invalid",
  VOLUME_NOT_FOUND: "missing",
  VOLUME_CONFLICT: "refused",
  DEVICE_IN_USE: "refused",
  INVALID_STATE: "refused",
  NOT_READY: "refused",
  INSTANCE_LOCKED: "refused",
  OPERATION_CANCELLED: "refused",
  TOO_MANY_VOLUMES: "forbidden",
  BLOCK_STORAGE_FORBIDDEN: "forbidden",
  BLOCK_STORAGE_UNAVAILABLE: "unavailable",
  STEP_DEADLINE: "deadline",
};

/** The first step of an attachment that comes after the reservation. */
const NEXT = "connect-volume";

/** Why a volume could not be reserved; undefined for all that comes later: that is seen in what is listed. */
export function reserveFailure({
  done,
  state,
  error,
  steps,
}: Pick<Operation, "done" | "state" | "error" | "steps">): KilonovaError | undefined {
  if (!done || state === OperationState.OPERATION_STATE_SUCCEEDED || error === undefined) return undefined;
  if (steps.some(({ name }) => name === NEXT)) return undefined;
  const { reason, domain, message } = error;
  const kind = (Object.hasOwn(KINDS, reason) ? KINDS[reason] : undefined) ?? "internal";
  return new KilonovaError({ kind, domain, reason, message });
}
