import type { Logger } from "./logger.js";
import { silentLogger } from "./logger.js";
import { CommonErrors } from "./errors.js";
import { follow } from "./signals.js";

/** Who asks. Built once at the edge (token) or from a peer's identity; travels with every hop. */
export interface Actor {
  readonly kind: "user" | "service" | "anonymous";
  readonly userId: string;
  readonly projectId: string;
  readonly domainId: string;
  readonly roles: readonly string[];
  /** Set for system-scoped tokens. */
  readonly systemScope: boolean;
  /** For `service`: the service's name (`conductor`, `compute`, …). */
  readonly service: string;
  /** For `service: "compute"`: the logical host it speaks for. */
  readonly host: string;
}

/** Who a token says its bearer is, and for how long that counts. */
export interface Authenticated {
  readonly actor: Actor;
  /**
   * Fires when the token no longer counts: expired, revoked, its user disabled … Whatever was begun with it
   * and still runs, ends then. The reason is an error of kind `unauthenticated`. Shared by all calls with the
   * token, and kept for as long as one of them waits by `whenAborted` (or `follow`): they leave when they are
   * over.
   */
  readonly ended?: AbortSignal | undefined;
}

/**
 * The immediate caller of an RPC, as its channel proved it: one of our services, or a user at the public
 * port.
 */
export interface Peer {
  /** `api`, `conductor`, `compute`, … ; `user` at the public port; "" when not called over RPC. */
  readonly service: string;
  /** For `compute`: the logical host that the channel belongs to. */
  readonly host: string;
  /** For `compute`: the cell that the host belongs to. */
  readonly cell?: string;
}

export const noPeer: Peer = Object.freeze({ service: "", host: "" });

/**
 * A unit of traced work. The platform gives one backed by OpenTelemetry; the kernel only knows this shape.
 */
export interface Span {
  /** W3C traceparent of this span, or "" when tracing is off. */
  readonly traceparent: string;
  child(name: string, attributes?: SpanAttributes): Span;
  attribute(name: string, value: string | number | boolean): void;
  event(name: string, attributes?: SpanAttributes): void;
  end(error?: unknown): void;
}
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export const noSpan: Span = { traceparent: "", child: () => noSpan, attribute() {}, event() {}, end() {} };

/**
 * First parameter of everything that can wait: identity, deadline, cancellation, log and trace of one
 * request.
 */
export interface Ctx {
  /** `req-<uuid>`; in every log line, error and instance action. */
  readonly requestId: string;
  /** The caller's own id of the whole (X-OpenStack-Request-ID), or "". */
  readonly globalRequestId: string;
  /** Who started it all: the user, or the service whose own work this is. */
  readonly actor: Actor;
  /** Who called this process. Rules about services look here, rules about users at `actor`. */
  readonly peer: Peer;
  /** Aborts on cancellation and when the deadline passes. */
  readonly signal: AbortSignal;
  /** Absolute, epoch milliseconds; undefined when unlimited. Only ever shrinks on the way down. */
  readonly deadlineMs: number | undefined;
  readonly log: Logger;
  readonly span: Span;
  /**
   * What the user has shown at the edge. It comes as far as the api, never to a log, and no further: what is
   * done with it later is a secret of its operation. Undefined where no user's token is known.
   */
  readonly userToken?: string | undefined;
}

export const anonymous: Actor = Object.freeze({
  kind: "anonymous",
  userId: "",
  projectId: "",
  domainId: "",
  roles: [],
  systemScope: false,
  service: "",
  host: "",
});

/** The actor of one of our own services; `host` only for compute agents. */
export const serviceActor = (service: string, host = ""): Actor => ({
  ...anonymous,
  kind: "service",
  service,
  host,
  roles: ["service"],
});

/**
 * A context with nobody behind it; the platform's servers and background tasks fill it in, tests take it as
 * it is.
 */
export function rootCtx(init: Partial<Ctx> & { requestId: string }): Ctx {
  return {
    globalRequestId: "",
    actor: anonymous,
    peer: noPeer,
    deadlineMs: undefined,
    log: silentLogger,
    span: noSpan,
    ...init,
    signal: init.signal ?? new AbortController().signal,
  };
}

/** Where a signal keeps when it aborts. */
const END = Symbol("end");
type Ending = AbortSignal & { [END]?: number };

/**
 * Notes that a signal aborts at this time (epoch milliseconds) at the latest, for as long as the work it was
 * made for goes on.
 */
export const noteEnd = (signal: AbortSignal, deadlineMs: number): void => {
  (signal as Ending)[END] = deadlineMs;
};

/**
 * Whether a signal is known to abort by itself at the deadline or before: then nobody needs a timer of his
 * own.
 */
export const endsBy = (signal: AbortSignal, deadlineMs: number): boolean =>
  ((signal as Ending)[END] ?? Infinity) <= deadlineMs;

/**
 * Runs `fn` with at most `ms` left: shortens the deadline, never lengthens it, and aborts the inner signal
 * when it passes.
 * @throws DEADLINE_EXCEEDED when the time is up before `fn` settles (its result is then ignored)
 */
export async function within<T>(
  ctx: Ctx,
  ms: number,
  what: string,
  fn: (ctx: Ctx) => Promise<T>,
): Promise<T> {
  const deadlineMs = Math.min(ctx.deadlineMs ?? Infinity, Date.now() + ms);
  const controller = new AbortController();
  noteEnd(controller.signal, deadlineMs);
  const release = follow(controller, ctx.signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        const error = CommonErrors.DEADLINE_EXCEEDED({ what });
        controller.abort(error);
        reject(error);
      },
      Math.max(0, deadlineMs - Date.now()),
    );
  });
  try {
    return await Promise.race([fn({ ...ctx, deadlineMs, signal: controller.signal }), expired]);
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** Runs `fn` under a child span; an error ends the span as failed and passes through. */
export async function traced<T>(
  ctx: Ctx,
  name: string,
  attributes: SpanAttributes,
  fn: (ctx: Ctx) => Promise<T>,
): Promise<T> {
  const span = ctx.span.child(name, attributes);
  try {
    const result = await fn({ ...ctx, span });
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** Milliseconds left before the deadline; Infinity without one, never negative. */
export const remainingMs = (ctx: Ctx): number =>
  ctx.deadlineMs === undefined ? Infinity : Math.max(0, ctx.deadlineMs - Date.now());
