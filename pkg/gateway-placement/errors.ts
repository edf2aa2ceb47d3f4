import { defineErrors } from "../kernel/errors.js";

/** What the REST side refuses by itself. Everything else comes from placement. */
export const RestErrors = defineErrors("placement-rest", {
  BODY_INVALID: ["invalid", (p: { problem: string }) => `JSON does not validate: ${p.problem}`],
  JSON_MALFORMED: [
    "invalid",
    (_p: Record<string, never>) => "Malformed JSON: the request body could not be parsed.",
  ],
  CONTENT_TYPE_MISSING: [
    "invalid",
    (_p: Record<string, never>) => "content-type header required when content-length > 0",
  ],
  CONTENT_LENGTH_INVALID: [
    "invalid",
    (_p: Record<string, never>) => "content-length header must be an integer",
  ],
  CONTENT_TYPE_UNSUPPORTED: [
    "invalid",
    (p: { type: string }) => `The media type ${p.type} is not supported, use application/json`,
  ],
  NOT_ACCEPTABLE: ["invalid", (_p: Record<string, never>) => "Only application/json is provided"],
  VERSION_MALFORMED: ["invalid", (p: { version: string }) => `invalid version string: ${p.version}`],
  VERSION_UNSUPPORTED: ["invalid", (p: { version: string }) => `Unacceptable version header: ${p.version}`],
  UNAUTHORIZED: ["unauthenticated", (_p: Record<string, never>) => "Authentication required"],
  FORBIDDEN: [
    "forbidden",
    (p: { rule: string }) => `${p.rule} does not have permission to perform this action`,
  ],
  ROUTE_NOT_FOUND: ["missing", (_p: Record<string, never>) => "The resource could not be found."],
  METHOD_NOT_ALLOWED: [
    "unsupported",
    (_p: Record<string, never>) => "The method specified is not allowed for this resource.",
  ],
  QUERY_INVALID: ["invalid", (p: { problem: string }) => `Invalid query string parameters: ${p.problem}`],
  QUERY_DUPLICATE: [
    "invalid",
    (p: { key: string }) => `Query parameter ${p.key} may be specified only once.`,
  ],
  QUERY_BAD_VALUE: ["invalid", (p: { problem: string }) => p.problem],
  QUERY_MISSING: ["invalid", (p: { problem: string }) => p.problem],
  ZERO_CAPACITY: [
    "invalid",
    (p: { resource_class: string }) =>
      `Unable to update inventory: invalid capacity for ${p.resource_class}.`,
  ],
});

/** Statuses that differ from the usual one of the error's kind. @source placement-api §1 */
export const statusOverrides: Readonly<Record<string, number>> = {
  CONTENT_TYPE_UNSUPPORTED: 415,
  NOT_ACCEPTABLE: 406,
  VERSION_UNSUPPORTED: 406,
  METHOD_NOT_ALLOWED: 405,
  // Lost races are the caller's to repeat, as Placement's clients do.
  CONTENTION: 409,
  // The question was too hard for now: neither an empty list nor the caller's fault.
  SEARCH_BUDGET_EXHAUSTED: 503,
};

/** Error codes shown from 1.23. @source placement-api §1 */
const codes: Readonly<Record<string, string>> = {
  INVENTORY_IN_USE: "placement.inventory.inuse",
  PROVIDER_GENERATION_CONFLICT: "placement.concurrent_update",
  CONSUMER_GENERATION_CONFLICT: "placement.concurrent_update",
  CONTENTION: "placement.concurrent_update",
  PROVIDER_EXISTS: "placement.duplicate_name",
  PROVIDER_IN_USE: "placement.resource_provider.inuse",
  PROVIDER_HAS_CHILDREN: "placement.resource_provider.cannot_delete_parent",
  RESHAPE_PROVIDER_UNKNOWN: "placement.resource_provider.not_found",
  QUERY_DUPLICATE: "placement.query.duplicate_key",
  QUERY_BAD_VALUE: "placement.query.bad_value",
  CANDIDATES_INVALID: "placement.query.bad_value",
  QUERY_MISSING: "placement.query.missing_value",
};

export const codeOf = (reason: string): string => codes[reason] ?? "placement.undefined_code";
