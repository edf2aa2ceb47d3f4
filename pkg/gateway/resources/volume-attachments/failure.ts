import type { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { ErrorKind } from "../../../kernel/index.js";
import { KilonovaError } from "../../../kernel/index.js";

/** What Nova finds out before it answers. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  VOLUME_NOT_AVAILABLE: "invalid",
  VOLUME_ALREADY_ATTACHED: "invalid",
  VOLUME_NOT_FOUND: "missing",
  DEVICE_IN_USE: "refused",
  INVALID_STATE: "refused",
  INSTANCE_LOCKED: "refused",
  TOO_MANY_VOLUMES: "forbidden",
};

/** Why a volume could not be reserved; undefined for all that comes later: that is seen in what is listed. */
export function reserveFailure({
  done,
  state,
  error,
}: Pick<Operation, "done" | "state" | "error">): KilonovaError | undefined {
  if (!done || state === OperationState.OPERATION_STATE_SUCCEEDED || error === undefined) return undefined;
  const { reason, domain, message } = error;
  const kind = Object.hasOwn(KINDS, reason) ? KINDS[reason] : undefined;
  return kind === undefined ? undefined : new KilonovaError({ kind, domain, reason, message });
}
