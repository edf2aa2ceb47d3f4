import type { NextFunction, Request, RequestHandler, Response } from "express";
import { CommonErrors, followToken, noSpan, noteEnd, rootCtx } from "../../kernel/index.js";
import type { Ctx, Ids, Logger, Span } from "../../kernel/index.js";

/** What the request context needs from its server. */
export interface HttpEnv {
  readonly log: Logger;
  readonly ids: Ids;
  /** Milliseconds one request may take; streaming services give a long one. */
  readonly requestTimeoutMs: number;
  /** Starts the span of a request; without it nothing is traced. */
  startSpan?(name: string, traceparent: string): Span;
}

const contexts = new WeakMap<Request, Ctx>();
const GLOBAL_REQUEST_ID = /^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The context that `requestContext` (or a later `replaceCtx`) gave to the request. */
export function ctxOf(req: Request): Ctx {
  const ctx = contexts.get(req);
  if (!ctx) throw new Error("requestContext is not installed in front of this handler");
  return ctx;
}

/** Gives the rest of the request another context, e.g. one that knows the actor. */
export const replaceCtx = (req: Request, ctx: Ctx): void => {
  contexts.set(req, ctx);
};

const controllers = new WeakMap<Request, AbortController>();
const releases = new WeakMap<Request, () => void>();

/**
 * Ends the request's work when the signal fires, with its reason: the token that it came with no longer
 * counts. Nothing stays on the signal after the request.
 */
export function endWithToken(req: Request, ended: AbortSignal | undefined): void {
  const controller = controllers.get(req);
  if (ended === undefined || controller === undefined) return;
  releases.set(req, followToken(controller, ended));
}

/**
 * First middleware of every service: makes the request's context, answers `x-openstack-request-id`, aborts
 * the work when the client goes away or the time is up, and writes one access-log line at the end.
 */
export function requestContext(env: HttpEnv): RequestHandler {
  return (req: Request, res: Response, next: NextFunction): void => {
    const startedMs = performance.now();
    const requestId = `req-${env.ids.uuid()}`;
    const inbound = req.get("x-openstack-request-id") ?? "";
    const globalRequestId = GLOBAL_REQUEST_ID.test(inbound) ? inbound : "";
    const span =
      env.startSpan?.(`${req.method} ${req.app.locals["service"] ?? "http"}`, req.get("traceparent") ?? "") ??
      noSpan;
    span.attribute("request.id", requestId);
    const log = env.log.child({ requestId, ...(globalRequestId ? { globalRequestId } : {}) });
    const controller = new AbortController();
    controllers.set(req, controller);
    const deadlineMs = Date.now() + env.requestTimeoutMs;
    noteEnd(controller.signal, deadlineMs);
    const timer = setTimeout(
      () => controller.abort(CommonErrors.DEADLINE_EXCEEDED({ what: "The request" })),
      env.requestTimeoutMs,
    );
    contexts.set(
      req,
      rootCtx({ requestId, globalRequestId, signal: controller.signal, deadlineMs, log, span }),
    );
    res.setHeader("x-openstack-request-id", requestId);
    // "close" comes exactly once, after the last byte or when the client went away.
    res.once("close", () => {
      clearTimeout(timer);
      releases.get(req)?.();
      if (!res.writableFinished) controller.abort(CommonErrors.CANCELLED({ what: "The request" }));
      span.attribute("http.status_code", res.statusCode);
      span.end();
      log.info("http.request", {
        method: req.method,
        path: req.path,
        status: res.statusCode,
        finished: res.writableFinished,
        durationMs: Math.round(performance.now() - startedMs),
        userId: contexts.get(req)?.actor.userId ?? "",
      });
    });
    next();
  };
}
