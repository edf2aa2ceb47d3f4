import { CommonErrors } from "../../../kernel/errors.js";
import { MAX_SIGNAL_ID, signalKinds } from "../../../model/signals.js";
import { CellsErrors } from "../../errors.js";

/**
 * Refuses a signal that its kind does not allow.
 * @param sender  service that sends it; "" inside this process
 * @throws INVALID_ARGUMENT for an unknown kind, too long an id, too large a payload; SIGNAL_NOT_YOURS
 */
export function requireSignal(
  signal: { readonly id: string; readonly kind: string; readonly payload: Uint8Array },
  sender: string,
): void {
  const kind = signalKinds.get(signal.kind);
  if (kind === undefined)
    throw CommonErrors.INVALID_ARGUMENT({ field: "kind", problem: "is not a kind of signal" });
  if (!kind.senders.includes(sender) && sender !== "operator")
    throw CellsErrors.SIGNAL_NOT_YOURS({ kind: signal.kind, caller: sender });
  if (signal.id === "" || signal.id.length > MAX_SIGNAL_ID)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "signal_id",
      problem: `must have 1 to ${MAX_SIGNAL_ID} characters`,
    });
  if (signal.payload.byteLength > kind.maxBytes)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "payload",
      problem: `must not be longer than ${kind.maxBytes} bytes`,
    });
}
