import { OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import type { ErrorKind } from "../../../kernel/index.js";
import { KilonovaError } from "../../../kernel/index.js";
import { GatewayErrors } from "../../errors.js";

/** What Nova's compute hosts refuse in words that reach the user; the rest is their own failure. */
const KINDS: Readonly<Record<string, ErrorKind>> = {
  PORT_IN_USE: "conflict",
  FIXED_IP_IN_USE: "conflict",
  MAC_IN_USE: "conflict",
  INSTANCE_LOCKED: "refused",
  INVALID_STATE: "refused",
  OPERATION_IN_PROGRESS: "refused",
  OPERATION_CANCELLED: "refused",
  PORT_NOT_FOUND: "missing",
  NETWORK_NOT_FOUND: "missing",
  NO_MORE_FIXED_IPS: "invalid",
  INVALID_FIXED_IP: "invalid",
  DEVICE_SLOTS_EXHAUSTED: "invalid",
  UNSUPPORTED_HARDWARE: "invalid",
  PORT_LIMIT_EXCEEDED: "quota",
};

/** Why an attachment that was accepted has ended without an interface. */
export function attachFailure(
  { error, state }: Pick<Operation, "error" | "state">,
  server: string,
): KilonovaError {
  if (state === OperationState.OPERATION_STATE_PREEMPTED)
    return GatewayErrors.INTERFACE_ATTACH_ENDED({ server });
  const kind = error === undefined ? undefined : KINDS[error.reason];
  if (error === undefined || kind === undefined) return GatewayErrors.INTERFACE_ATTACH_FAILED({ server });
  const { reason, domain, message } = error;
  return new KilonovaError({ kind, domain, reason, message });
}
