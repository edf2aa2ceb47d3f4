import { STATUS_CODES } from "node:http";
import type { ErrorRequestHandler, NextFunction, Request, Response } from "express";
import { KilonovaError, retryAfterSeconds } from "../../kernel/index.js";
import type { ErrorKind } from "../../kernel/index.js";
import { ctxOf } from "./context.js";

/** A failed request in the terms of HTTP; each service renders it in its own body format. */
export interface HttpFailure {
  readonly status: number;
  /** The status' phrase, e.g. `Not Found`. */
  readonly title: string;
  /** Safe to show. */
  readonly message: string;
  /** The reason of a KilonovaError, or "" for what Express and the body parser refuse. */
  readonly reason: string;
}

/** The usual status of each kind of error. */
export const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  missing: 404,
  exists: 409,
  conflict: 409,
  refused: 409,
  quota: 403,
  unsupported: 501,
  unavailable: 503,
  deadline: 504,
  cancelled: 499,
  internal: 500,
};

/** Status codes for single reasons that differ from their kind's usual one. */
export type StatusOverrides = Readonly<Record<string, number>>;

/** Reads anything thrown by a handler; what nobody foresaw is a 500 with a fixed text. */
export function failureOf(error: unknown, overrides: StatusOverrides = {}): HttpFailure {
  if (error instanceof KilonovaError) {
    const status = overrides[error.reason] ?? statusOfKind[error.kind];
    return failure(isTooMuch(error) ? 429 : status, error.message, error.reason);
  }
  const status = clientStatus(error);
  if (status === 413) return failure(413, "The request body is larger than this service accepts.", "");
  if (status === 415)
    return failure(415, "The content type or encoding of the request body is not supported.", "");
  if (status !== undefined) return failure(status, "The request is malformed: it could not be parsed.", "");
  return failure(500, "An unexpected error prevented the server from fulfilling your request.", "");
}

/** Whether it may be asked for again later, where a quota may not. */
const isTooMuch = (error: KilonovaError): boolean =>
  error.kind === "quota" && retryAfterSeconds(error) !== undefined;

const failure = (status: number, message: string, reason: string): HttpFailure => ({
  status,
  title: STATUS_CODES[status] ?? "Error",
  message,
  reason,
});

/** Express, its router and the body parser mark what is the client's fault with a 4xx `status`. */
function clientStatus(error: unknown): number | undefined {
  if (error instanceof URIError) return 400;
  if (typeof error !== "object" || error === null || !("status" in error)) return undefined;
  const status = error.status;
  return typeof status === "number" && status >= 400 && status < 500 ? status : undefined;
}

/** How one service writes a failure. */
export type FailureRenderer = (failure: HttpFailure, req: Request, res: Response, error: unknown) => void;

/**
 * Last middleware of a service. Logs what is our fault (5xx) once, with its cause; the client sees a fixed
 * text. An answer that is already under way can only be cut off.
 */
export function failureHandler(
  render: FailureRenderer,
  overrides: StatusOverrides = {},
): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, _next: NextFunction): void => {
    const failed = failureOf(error, overrides);
    if (res.destroyed) return; // The client went away; whatever broke because of it is no failure of ours.
    if (failed.status >= 500) ctxOf(req).log.error("http.request.failed", { status: failed.status, error });
    if (res.headersSent) {
      res.destroy();
      return;
    }
    const retry = error instanceof KilonovaError ? retryAfterSeconds(error) : undefined;
    if (retry !== undefined) res.setHeader("Retry-After", retry);
    render(failed, req, res, error);
  };
}
