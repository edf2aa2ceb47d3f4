import { ErrorReason } from "../../gen/kilonova/api/v1/error_reason.js";
import type { PublicErrors } from "../platform/rpc/index.js";

/** Longest part that the values of the enum have in common. */
const PREFIX = "ERROR_REASON_";

/** How errors leave the public port: one domain, and the reasons of `kilonova.api.v1.ErrorReason`. */
export const publicErrors: PublicErrors = {
  domain: "kilonova.dev",
  reasons: new Set(Object.keys(ErrorReason).map((name) => name.slice(PREFIX.length))),
};
