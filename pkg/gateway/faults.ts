import type { KilonovaError } from "../kernel/index.js";
import { retryAfterSeconds } from "../kernel/index.js";
import { statusOfKind } from "../platform/http/index.js";

/** A failure in the form in which the Compute API tells it. */
export interface Fault {
  readonly status: number;
  /** The key of the body's only member, e.g. `itemNotFound`. */
  readonly key: string;
  readonly message: string;
  /** Seconds, for those who may come again. */
  readonly retryAfter?: number;
}

const keyOfStatus: Readonly<Record<number, string>> = {
  400: "badRequest",
  401: "unauthorized",
  403: "forbidden",
  404: "itemNotFound",
  405: "badMethod",
  409: "conflictingRequest",
  413: "overLimit",
  415: "badMediaType",
  429: "overLimit",
  501: "notImplemented",
  503: "serviceUnavailable",
};

interface Exception {
  readonly domain: string;
  readonly reason: string;
  readonly status: number;
}

/**
 * Where OpenStack's status is not the usual one of the error's kind. What depends on the call (a bad
 * reference in a body is 400, a bad path 404) is told apart by the kinds that `api` chooses.
 * @source Nova's WSGI stack, observed
 */
const exceptions: readonly Exception[] = [
  { domain: "gateway", reason: "VERSION_UNSUPPORTED", status: 406 },
  { domain: "gateway", reason: "CONTENT_TYPE_UNSUPPORTED", status: 415 },
  { domain: "gateway", reason: "BODY_TOO_LARGE", status: 413 },
  { domain: "rpc", reason: "REQUEST_TOO_LARGE", status: 413 },
  { domain: "gateway", reason: "API_REMOVED", status: 410 },
  { domain: "gateway", reason: "INTERFACE_ATTACH_FAILED", status: 500 },
  { domain: "cells", reason: "AGGREGATE_HAS_HOSTS", status: 400 },
  { domain: "cells", reason: "TOO_MANY_LISTS", status: 429 },
  { domain: "api", reason: "ZONE_IN_USE", status: 400 },
  { domain: "api", reason: "ZONE_CONFLICT", status: 400 },
];

export function faultOf(error: KilonovaError, requestId: string): Fault {
  const exception = exceptions.find((e) => e.reason === error.reason && e.domain === error.domain);
  const retryAfter = retryAfterSeconds(error);
  // What may be asked for again later is no quota.
  const isTooMuch = error.kind === "quota" && retryAfter !== undefined;
  const status = exception?.status ?? (isTooMuch ? 429 : statusOfKind[error.kind]);
  return {
    status,
    key: keyOfStatus[status] ?? "computeFault",
    message: error.kind === "internal" ? unexpected(requestId) : error.message,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** The cause goes to the log; the caller gets what is needed to find it there. */
const unexpected = (requestId: string): string =>
  `Unexpected API Error. Please tell the operator of this cloud the request id ${requestId}.\n<class 'kilonova.Internal'>`;

/** @returns the body, e.g. `{"itemNotFound": {"code": 404, "message": "…"}}` */
export const faultBody = ({ key, status: code, message, retryAfter }: Fault): string =>
  JSON.stringify({
    [key]: { code, message, ...(retryAfter === undefined ? {} : { retryAfter: String(retryAfter) }) },
  });
