import { defineErrors } from "../kernel/index.js";

/** What the gateway itself refuses. Statuses that differ from a kind's usual one are in faults.ts. */
export const GatewayErrors = defineErrors("gateway", {
  BAD_REQUEST: ["invalid", (p: { message: string }) => p.message],
  MALFORMED_BODY: ["invalid", (_p: Record<string, never>) => "Malformed request body"],
  UNSTORABLE_TEXT: [
    "invalid",
    (p: { where: string }) =>
      `Invalid characters in ${p.where}: NUL and incomplete surrogate pairs are not accepted.`,
  ],
  UNDECODABLE_QUERY: ["invalid", (_p: Record<string, never>) => "Query string is not UTF-8 encoded"],
  UNKNOWN_ACTION: ["invalid", (p: { action: string }) => `There is no such action: ${p.action}`],
  PROJECT_MISMATCH: [
    "invalid",
    (p: { url: string; token: string }) =>
      `Malformed request URL: URL's project_id '${p.url}' doesn't match Context's project_id '${p.token}'`,
  ],
  VERSION_MALFORMED: [
    "invalid",
    (p: { asked: string }) =>
      `API Version String ${p.asked} is of invalid format. Must be of format MajorNum.MinorNum.`,
  ],
  VERSION_UNSUPPORTED: [
    "invalid",
    (p: { asked: string; min: string; max: string }) =>
      `Version ${p.asked} is not supported by the API. Minimum is ${p.min} and maximum is ${p.max}.`,
  ],
  CONTENT_TYPE_UNSUPPORTED: ["invalid", (_p: Record<string, never>) => "Unsupported Content-Type"],
  BODY_TOO_LARGE: [
    "invalid",
    (p: { bytes: number; limitBytes: number }) =>
      `Request is too large. It has ${p.bytes} bytes or more; at most ${p.limitBytes} are accepted here.`,
  ],
  IMAGE_METADATA_LIMIT: ["quota", (_p: Record<string, never>) => "Image metadata limit exceeded"],
  ROUTE_NOT_FOUND: ["missing", (_p: Record<string, never>) => "The resource could not be found."],
  NOT_IN_VERSION: ["missing", (_p: Record<string, never>) => "The resource could not be found."],
  NOT_FOUND: ["missing", (p: { message: string }) => p.message],
  API_REMOVED: [
    "missing",
    (_p: Record<string, never>) => "This resource is no longer available. No forwarding address is given.",
  ],
  NOT_IMPLEMENTED: [
    "unsupported",
    (p: { what: string }) => `The requested functionality is not supported: ${p.what}.`,
  ],
  INTERFACE_ATTACH_ENDED: [
    "refused",
    (p: { server: string }) => `Another action on instance ${p.server} has ended the attachment.`,
  ],
  INTERFACE_ATTACH_FAILED: [
    "refused",
    (p: { server: string }) => `Failed to attach network adapter device to ${p.server}`,
  ],
  CONFLICT: ["refused", (p: { message: string }) => p.message],
  FORBIDDEN: ["forbidden", (p: { rule: string }) => `Policy doesn't allow ${p.rule} to be performed.`],
  DELETED_FORBIDDEN: [
    "forbidden",
    (_p: Record<string, never>) => "Only administrators may list deleted instances",
  ],
  SORT_FORBIDDEN: ["forbidden", (p: { key: string }) => `Only administrators can sort servers by ${p.key}`],
  TOKEN_REQUIRED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The request you have made requires authentication.",
  ],
});
