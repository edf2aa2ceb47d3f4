import type { ErrorKind, KilonovaError } from "../kernel/index.js";

/** A failure in the form in which the Compute API tells it. */
export interface Fault {
  readonly status: number;
  /** The key of the body's only member, e.g. `itemNotFound`. */
  readonly key: string;
  readonly message: string;
}

const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 400, unauthenticated: 401, forbidden: 403, missing: 404, exists: 409, conflict: 409, refused: 409, quota: 403,
  unsupported: 501, unavailable: 503, deadline: 504, cancelled: 499, internal: 500,
};

const keyOfStatus: Readonly<Record<number, string>> = {
  400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod", 409: "conflictingRequest",
  413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented", 503: "serviceUnavailable",
};

interface Exception {
  readonly reason: string;
  /** Only on these routes (keys of the route table); everywhere when absent. */
  readonly routes?: readonly string[];
  readonly status: number;
}

const CREATE = ["POST /servers"];

/**
 * Where OpenStack's status is not the usual one of the error's kind.
 * @source Nova's controllers: `expected_errors` and the exceptions they translate
 */
const exceptions: readonly Exception[] = [
  { reason: "VERSION_UNSUPPORTED", status: 406 },
  { reason: "CONTENT_TYPE_UNSUPPORTED", status: 415 },
  { reason: "BODY_TOO_LARGE", status: 413 },
  { reason: "API_REMOVED", status: 410 },
  // A marker is part of the query, not the resource that was asked for.
  { reason: "MARKER_NOT_FOUND", status: 400 },
  // What a new server's body names and does not exist is a bad body.
  { reason: "IMAGE_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "FLAVOR_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "KEY_PAIR_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "NETWORK_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "PORT_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "SECURITY_GROUP_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "SERVER_GROUP_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "HOST_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "HYPERVISOR_NOT_FOUND", routes: CREATE, status: 400 },
  { reason: "PROJECT_NOT_FOUND", routes: ["POST /flavors/{id}/action#addTenantAccess"], status: 400 },
];

/** @param route  key in the route table, or "" before a route was found */
export function faultOf(error: KilonovaError, route: string, requestId: string): Fault {
  const exception = exceptions.find((e) => e.reason === error.reason && (e.routes === undefined || e.routes.includes(route)));
  const status = exception?.status ?? statusOfKind[error.kind];
  return { status, key: keyOfStatus[status] ?? "computeFault", message: error.kind === "internal" ? unexpected(requestId) : error.message };
}

/** The cause goes to the log; the caller gets what is needed to find it there. */
const unexpected = (requestId: string): string =>
  `Unexpected API Error. Please tell the operator of this cloud the request id ${requestId}.\n<class 'kilonova.Internal'>`;

/** @returns the body, e.g. `{"itemNotFound": {"code": 404, "message": "…"}}` */
export const faultBody = (fault: Fault): string => JSON.stringify({ [fault.key]: { code: fault.status, message: fault.message } });
