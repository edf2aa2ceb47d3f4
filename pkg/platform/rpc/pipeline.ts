import type { Actor, Ctx, Logger, Peer } from "../../kernel/index.js";
import {
  CommonErrors,
  asKilonovaError,
  endsBy,
  follow,
  noteEnd,
  raceAbort,
  serviceActor,
} from "../../kernel/index.js";
import type { Metrics } from "../telemetry/metrics.js";
import type { Tracer } from "../telemetry/tracer.js";
import type { Carrier } from "./carrier.js";
import { decodeActor } from "./carrier.js";
import { RpcErrors } from "./errors.js";
import type { MethodBinding } from "./types.js";

/** Peers that bring a user's token along: who has checked it himself, and the public port. */
const WITH_TOKENS: ReadonlySet<string> = new Set(["gateway", "user"]);

/** What a server's pipeline needs from outside. */
export interface PipelineOptions {
  readonly log: Logger;
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  /** Default budget of a call that came without a deadline, in ms. Streams have none. */
  readonly defaultDeadlineMs?: number;
  /** Unary calls in flight before new ones are refused with OVERLOADED; those that wait do not count. */
  readonly maxInFlight?: number;
}

/** One call as a transport hands it in. */
export interface IncomingCall {
  readonly binding: MethodBinding;
  readonly carrier: Carrier;
  readonly peer: Peer;
  /**
   * Who a public port's token says the caller is; inside the cluster the carrier's actor is believed instead.
   */
  readonly authenticatedActor?: Actor;
  readonly signal: AbortSignal;
}

/**
 * Everything that happens around a handler, on every transport: who may call, context, trace, metrics, one
 * log line per failure.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #duration;
  #inFlight = 0;
  #unaryInFlight = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#duration = options.metrics.histogram(
      "kilonova_rpc_server_duration_seconds",
      "Time a handler took.",
      ["service", "method", "kind"],
    );
    options.metrics.reading("kilonova_rpc_server_in_flight", "Calls being handled.", () => this.#inFlight);
  }

  async unary(call: IncomingCall, request: unknown): Promise<unknown> {
    const scope = this.#enter(call);
    try {
      if (!call.binding.waits && this.#unaryInFlight > (this.#options.maxInFlight ?? 10_000))
        throw RpcErrors.OVERLOADED({ method: call.binding.method });
      const result = await raceAbort(
        call.binding.handler(scope.ctx, request) as Promise<unknown>,
        scope.ctx.signal,
      );
      scope.leave();
      return result;
    } catch (error) {
      scope.leave(error);
      throw error;
    }
  }

  async *stream(call: IncomingCall, request: unknown): AsyncGenerator<unknown> {
    const scope = this.#enter(call);
    let failure: unknown;
    try {
      yield* call.binding.handler(scope.ctx, request) as AsyncIterable<unknown>;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      scope.leave(failure);
    }
  }

  #enter(call: IncomingCall): { ctx: Ctx; leave(error?: unknown): void } {
    const { binding, carrier, peer } = call;
    const deadlineMs =
      carrier.deadlineMs ??
      (binding.streaming ? undefined : Date.now() + (this.#options.defaultDeadlineMs ?? 60_000));
    const span = this.#options.tracer.start(
      `${binding.service}/${binding.method}`,
      carrier.parent,
      {
        "rpc.service": binding.service,
        "rpc.method": binding.method,
        "request.id": carrier.requestId,
        "peer.service": peer.service,
      },
      "server",
      { outside: peer.service === "user" },
    );
    const log = this.#options.log.child({ requestId: carrier.requestId });
    const started = performance.now();
    const abort = linkDeadline(call.signal, deadlineMs, binding.method);
    const counts = binding.waits ? 0 : 1;
    this.#unaryInFlight += counts;
    this.#inFlight++;
    const ctx: Ctx = {
      requestId: carrier.requestId,
      globalRequestId: carrier.globalRequestId,
      actor: actorOf(call),
      peer,
      signal: abort.signal,
      deadlineMs,
      log,
      span,
      ...(carrier.userToken !== undefined && WITH_TOKENS.has(peer.service)
        ? { userToken: carrier.userToken }
        : {}),
    };
    const leave = (error?: unknown): void => {
      abort.release();
      this.#unaryInFlight -= counts;
      this.#inFlight--;
      const kind = error === undefined ? "ok" : asKilonovaError(error).kind;
      this.#duration.observe(
        { service: binding.service, method: binding.method, kind },
        (performance.now() - started) / 1000,
      );
      if (kind === "internal") log.error("rpc.internal", { method: binding.path, error });
      span.end(error);
    };
    if (!mayCall(binding, peer)) {
      const refused = RpcErrors.CALLER_NOT_ALLOWED({ caller: peer.service, method: binding.path });
      leave(refused);
      throw refused;
    }
    return { ctx, leave };
  }
}

function mayCall(binding: MethodBinding, peer: Peer): boolean {
  return binding.allowedCallers.has(peer.service) || binding.allowedCallers.has("anyone");
}

function actorOf(call: IncomingCall): Actor {
  if (call.authenticatedActor) return call.authenticatedActor;
  const forwarded = decodeActor(call.carrier.actor);
  return forwarded.kind === "anonymous" && call.peer.service !== "user"
    ? serviceActor(call.peer.service, call.peer.host)
    : forwarded;
}

const nothing = (): void => {};

/**
 * An AbortSignal that follows `outer` and fires at the deadline, or `outer` itself when it does; `release`
 * frees timer and listener.
 */
function linkDeadline(
  outer: AbortSignal,
  deadlineMs: number | undefined,
  what: string,
): { signal: AbortSignal; release(): void } {
  if (deadlineMs !== undefined && endsBy(outer, deadlineMs)) return { signal: outer, release: nothing };
  const controller = new AbortController();
  if (deadlineMs !== undefined) noteEnd(controller.signal, deadlineMs);
  const leave = follow(controller, outer);
  const timer =
    deadlineMs === undefined
      ? undefined
      : setTimeout(
          () => controller.abort(CommonErrors.DEADLINE_EXCEEDED({ what })),
          Math.max(0, Math.min(deadlineMs - Date.now(), 2 ** 31 - 1)),
        );
  timer?.unref();
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      leave();
    },
  };
}
