import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import type { ServerFault } from "../../../gen/kilonova/type/v1/server.js";
import type { Instant } from "../../kernel/time.js";
import { toTimestamp } from "../../model/wire-time.js";

/** A failed operation as its server shows it. Nova tells 500 for everything that is not the user's fault. */
export const faultOf = (error: OperationError, details: string, now: Instant): ServerFault => ({
  code: 500,
  message: error.message,
  details,
  createdAt: toTimestamp(now),
  reason: error.reason,
});
