import type { NextFunction, Request, RequestHandler, Response } from "express";
import { CommonErrors, followToken, noSpan, noteEnd, rootCtx } from "../../kernel/index.js";
import type { Authenticated, Ctx, Ids, Logger, Span } from "../../kernel/index.js";

import type { SpanOrigin } from "../telemetry/index.js";

/** What the request context needs from its server. */
export interface HttpEnv {
  readonly log: Logger;
  readonly ids: Ids;
  /** Milliseconds one request may take; streaming services give a long one. */
  readonly requestTimeoutMs: number;
  /** Starts the span of a request; without it nothing is traced. */
  startSpan?(name: string, traceparent: string, origin?: SpanOrigin): Span;
}

/** What belongs to one request. */
interface State {
  ctx: Ctx;
  readonly controller: AbortController;
  /** Takes the request off its token's signal. */
  release: () => void;
  /** Starts the span that had to wait until the caller is known; undefined once it has begun. */
  startSpan: ((trusted: boolean) => Span) | undefined;
}

const states = new WeakMap<Request, State>();
const GLOBAL_REQUEST_ID = /^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function stateOf(req: Request): State {
  const state = states.get(req);
  if (!state) throw new Error("requestContext is not installed in front of this handler");
  return state;
}

/** The context that `requestContext` (or a later `replaceCtx`) gave to the request. */
export const ctxOf = (req: Request): Ctx => stateOf(req).ctx;

/** Gives the rest of the request another context. */
export const replaceCtx = (req: Request, ctx: Ctx): void => {
  stateOf(req).ctx = ctx;
};

/**
 * Says who sent the request. From here on the context knows the actor, the caller's trace is continued, and
 * the work ends when the token does. Nothing stays on the token's signal after the request.
 */
export function setCaller(req: Request, { actor, ended }: Authenticated): Ctx {
  const state = stateOf(req);
  if (ended) state.release = followToken(state.controller, ended);
  const span = state.startSpan?.(actor.roles.includes("service")) ?? state.ctx.span;
  state.startSpan = undefined;
  return (state.ctx = { ...state.ctx, actor, span });
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
    const startSpan = spanStarter(env, req, requestId);
    // A caller's trace is only continued once it is known who that is.
    const traced = req.get("traceparent") !== undefined;
    const log = env.log.child({ requestId, ...(globalRequestId ? { globalRequestId } : {}) });
    const controller = new AbortController();
    const deadlineMs = Date.now() + env.requestTimeoutMs;
    noteEnd(controller.signal, deadlineMs);
    const timer = setTimeout(
      () => controller.abort(CommonErrors.DEADLINE_EXCEEDED({ what: "The request" })),
      env.requestTimeoutMs,
    );
    const span = traced ? noSpan : startSpan("");
    const state: State = {
      ctx: rootCtx({ requestId, globalRequestId, signal: controller.signal, deadlineMs, log, span }),
      controller,
      release: () => {},
      startSpan: traced ? (trusted) => startSpan(req.get("traceparent") ?? "", trusted) : undefined,
    };
    states.set(req, state);
    res.setHeader("x-openstack-request-id", requestId);
    // "close" comes exactly once, after the last byte or when the client went away.
    res.once("close", () => {
      clearTimeout(timer);
      state.release();
      if (!res.writableFinished) controller.abort(CommonErrors.CANCELLED({ what: "The request" }));
      // Whoever never said who it was gets a trace of its own.
      const ending = state.startSpan ? startSpan("") : state.ctx.span;
      ending.attribute("http.status_code", res.statusCode);
      ending.end();
      log.info("http.request", {
        method: req.method,
        path: req.path,
        status: res.statusCode,
        finished: res.writableFinished,
        durationMs: Math.round(performance.now() - startedMs),
        userId: state.ctx.actor.userId,
      });
    });
    next();
  };
}

/** Starts a request's span, as of its arrival whenever that is called. */
function spanStarter(
  env: HttpEnv,
  req: Request,
  requestId: string,
): (traceparent: string, trusted?: boolean) => Span {
  const startedMs = Date.now();
  return (traceparent, trusted = false) => {
    const name = `${req.method} ${req.app.locals["service"] ?? "http"}`;
    const span = env.startSpan?.(name, traceparent, { outside: !trusted, startedMs }) ?? noSpan;
    span.attribute("request.id", requestId);
    return span;
  };
}
