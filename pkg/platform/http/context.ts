import type { NextFunction, Request, RequestHandler, Response } from "express";
import { CommonErrors, followToken, noSpan, noteEnd, rootCtx } from "../../kernel/index.js";
import type { Authenticated, Ctx, Ids, Logger, Span } from "../../kernel/index.js";

import { welcome } from "../sharing/connection-bounds.js";
import { keyOf } from "../sharing/key.js";
import type { Gate } from "../sharing/index.js";
import type { SpanOrigin } from "../telemetry/index.js";

/** What the request context needs from its server. */
export interface HttpEnv {
  readonly log: Logger;
  readonly ids: Ids;
  /** Milliseconds one request may take; streaming services give a long one. */
  readonly requestTimeoutMs: number;
  /** Starts the span of a request; without it nothing is traced. */
  startSpan?(name: string, traceparent: string, origin?: SpanOrigin): Span;
  /** Whose turn it is; without it everything is let in as it comes. */
  readonly turns?: Gate | undefined;
  /** Whose X-Forwarded-Proto and X-Forwarded-For are believed: addresses and networks; default nobody's. */
  readonly trustedProxies?: readonly string[];
  /** What the log may tell of a path; default all of it. Must not throw. */
  shownPath?(path: string): string;
}

/** What belongs to one request. */
interface State {
  ctx: Ctx;
  readonly controller: AbortController;
  /** Whether the answer is out, or the client gone. */
  over: boolean;
  /** What the request holds: its place on the token's signal, its turn. */
  readonly releases: (() => void)[];
  /** Gives back its turn; may be called again. */
  leaveTurn(): void;
  /** Ends it when its time is up. */
  readonly timer: NodeJS.Timeout;
  readonly turns: Gate | undefined;
  /** Starts the span that had to wait until the caller is known; undefined once it has begun. */
  startSpan: ((trusted: boolean) => Span) | undefined;
}

/** Characters of a path that a log line shows. */
const LONGEST_PATH = 256;
/**
 * Where a request keeps its state. Not a WeakMap: what one holds survives the young generation's collections,
 * and everything that a request ever touched with it.
 */
const STATE = Symbol("state");
type Stateful = Request & { [STATE]?: State };
const GLOBAL_REQUEST_ID = /^req-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function stateOf(req: Request): State {
  const state = (req as Stateful)[STATE];
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
 * Says who sent the request, and waits for its turn. From here on the context knows the actor, the caller's
 * trace is continued, and the work ends when the token does. Nothing is held after the request.
 *
 * @throws what `Gate.enter` throws
 */
export async function setCaller(req: Request, { actor, ended }: Authenticated): Promise<Ctx> {
  const state = stateOf(req);
  welcome(req.socket, keyOf(actor));
  if (ended) hold(state, followToken(state.controller, ended));
  const span = state.startSpan?.(actor.roles.includes("service")) ?? state.ctx.span;
  state.startSpan = undefined;
  state.ctx = { ...state.ctx, actor, span };
  if (state.turns) {
    state.leaveTurn = await state.turns.enter(actor, state.ctx.signal);
    hold(state, state.leaveTurn);
  }
  return state.ctx;
}

/**
 * Lets a request stay open for as long as its client listens: its time has no end, and its turn goes to
 * others. Its token still ends it.
 */
export function keepOpen(req: Request): Ctx {
  const state = stateOf(req);
  clearTimeout(state.timer);
  noteEnd(state.controller.signal, Infinity);
  state.leaveTurn();
  state.ctx = { ...state.ctx, deadlineMs: undefined };
  return state.ctx;
}

function hold(state: State, release: () => void): void {
  if (state.over) release();
  else state.releases.push(release);
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
      over: false,
      releases: [],
      leaveTurn: () => {},
      timer,
      turns: env.turns,
      startSpan: traced ? (trusted) => startSpan(req.get("traceparent") ?? "", trusted) : undefined,
    };
    (req as Stateful)[STATE] = state;
    res.setHeader("x-openstack-request-id", requestId);
    // "close" comes exactly once, after the last byte or when the client went away.
    res.once("close", () => {
      clearTimeout(timer);
      state.over = true;
      for (const release of state.releases) release();
      if (!res.writableFinished) controller.abort(CommonErrors.CANCELLED({ what: "The request" }));
      // Whoever never said who it was gets a trace of its own.
      const ending = state.startSpan ? startSpan("") : state.ctx.span;
      ending.attribute("http.status_code", res.statusCode);
      ending.end();
      log.info("http.request", {
        method: req.method,
        path: cutPath(env.shownPath?.(req.path) ?? req.path),
        status: res.statusCode,
        finished: res.writableFinished,
        durationMs: Math.round(performance.now() - startedMs),
        userId: state.ctx.actor.userId,
      });
    });
    next();
  };
}

/** Enough to know a path by. Strangers choose its length, and a log has no room for all that they choose. */
const cutPath = (path: string): string =>
  path.length > LONGEST_PATH ? `${path.slice(0, LONGEST_PATH)}…(${path.length})` : path;

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
