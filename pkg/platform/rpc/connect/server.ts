import { createServer as createHttp1 } from "node:http";
import type { ServerHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { createServer as createHttp2 } from "node:http2";
import type { Socket } from "node:net";
import { CommonErrors, follow, raceAbort } from "../../../kernel/index.js";
import { withoutFloods } from "../../sharing/pipelining.js";
import { CallEnd } from "../call-end.js";
import { newRequestId } from "../door.js";
import { RpcErrors } from "../errors.js";
import type { ServiceBinding } from "../types.js";
import { answerCors } from "./cors.js";
import type { Telling } from "../status.js";
import { connectErrorOf, refusal, tellingOf } from "./errors.js";
import type { HttpRequest, HttpResponse } from "./exchange.js";
import { cutLater, peerOfRequest, send, toUniversal } from "./exchange.js";
import type { ConnectCall, ConnectHandler, ConnectMethods, ConnectServing } from "./handlers.js";
import { assertSize, connectHandlers } from "./handlers.js";

/** How long a request may take to arrive, in ms. */
const RECEIVE_MS = 30_000;
/** How long a connection is kept that has no call, in ms. */
const IDLE_MS = 65_000;

export interface ConnectServerOptions extends ConnectServing {
  readonly bindings: readonly ServiceBinding[];
  /** An encoded FileDescriptorSet with all imports. */
  readonly descriptors: Uint8Array;
  /** Origins of web pages that may call; `*` stands for all. */
  readonly corsOrigins: readonly string[];
}

/**
 * Serves a public port's methods over the Connect protocol: whole connections of HTTP/1.1, and the streams of
 * HTTP/2 connections that are not gRPC's. It listens nowhere by itself.
 */
export class ConnectServer {
  readonly #options: ConnectServerOptions;
  readonly #http1 = createHttp1({ keepAliveTimeout: IDLE_MS, noDelay: true });
  /** Never sees a connection: only makes requests and responses of streams. */
  readonly #http2 = createHttp2();
  readonly #methods: ConnectMethods;
  readonly #calls = new Set<ConnectCall>();
  readonly #sockets = new Set<Socket>();
  #idle = (): void => {};

  constructor(options: ConnectServerOptions) {
    this.#options = options;
    // Before anybody can call: it takes longer than a call may keep the others waiting.
    this.#methods = connectHandlers(options.bindings, options.descriptors, options);
    const serve = (request: HttpRequest, response: HttpResponse): void => void this.#serve(request, response);
    const bounded = withoutFloods(serve);
    // Whoever asks before sending a body is told to go on when it is read, after the door.
    for (const event of ["request", "checkContinue"]) {
      this.#http1.on(event, bounded);
      this.#http2.on(event, serve);
    }
  }

  /** Takes over a connection that speaks HTTP/1.1. */
  takeConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#http1.emit("connection", socket);
  }

  /** Takes over a stream of a connection that speaks HTTP/2, with the arguments of its event. */
  takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...rest: unknown[]): void {
    this.#http2.emit("stream", stream, headers, ...rest);
  }

  /** Resolves when no call runs. New ones may still come on connections that are there. */
  async drained(): Promise<void> {
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /** Cuts every connection of HTTP/1.1. */
  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    response.on("error", () => {}); // the reader left while something was written
    if (answerCors(request, response, this.#options.corsOrigins)) return;
    const call: ConnectCall = {
      requestId: newRequestId(),
      peer: peerOfRequest(request),
      end: new CallEnd(),
      entry: undefined,
    };
    response.setHeader("x-request-id", call.requestId);
    // Answers depend on the token, which is no part of the address.
    response.setHeader("cache-control", "no-store");
    let closed = false;
    response.once("close", () => {
      closed = true;
      // Of HTTP/2, "finished" also means that the client is gone.
      if (!response.writableEnded) call.end.leave();
      // Not before: an answer that nobody takes is memory of ours.
      call.entry?.leave();
    });
    this.#calls.add(call);
    try {
      await this.#answer(request, response, call);
    } catch (error) {
      this.#options.log.error("connect.internal", { error });
      response.destroy();
    } finally {
      call.end.release();
      if (closed) call.entry?.leave();
      this.#calls.delete(call);
      if (this.#calls.size === 0) this.#idle();
    }
  }

  async #answer(request: HttpRequest, response: HttpResponse, call: ConnectCall): Promise<void> {
    const { byPath, registry } = this.#methods;
    const [path = ""] = (request.url ?? "").split("?");
    const handler = byPath.get(path);
    const answer = handler
      ? await handler.serve(
          toUniversal(
            request,
            call,
            bodyOf(
              request,
              response,
              { ...handler, registry, telling: tellingOf(this.#options, call) },
              call,
            ),
          ),
        )
      : refusal(404, RpcErrors.UNKNOWN_METHOD({ method: path }), registry, tellingOf(this.#options, call));
    // The rest of a body that nobody wants is not waited for.
    const unread = !request.readableEnded && request.method === "POST";
    if ((unread || this.#options.stopping.aborted) && request.httpVersionMajor === 1)
      response.setHeader("connection", "close");
    await send(answer, response, call);
    // A client that does not end its request would keep the call open.
    if (unread) cutLater(response);
  }
}

/**
 * The bytes of a request's body, no more than its method takes, within the time that it may take.
 * @throws REQUEST_TOO_LARGE, DEADLINE_EXCEEDED, or why the call ended
 */
async function* bodyOf(
  request: HttpRequest,
  response: HttpResponse,
  {
    binding,
    registry,
    telling,
  }: ConnectHandler & Pick<ConnectMethods, "registry"> & { readonly telling: Telling },
  { end, entry }: ConnectCall,
): AsyncGenerator<Uint8Array> {
  if (request.headers.expect !== undefined) response.writeContinue();
  const late = new AbortController();
  const forget = follow(late, end.signal);
  const deadlineMs = Math.min(Date.now() + RECEIVE_MS, entry?.carrier.deadlineMs ?? Infinity);
  const timer = setTimeout(
    () => late.abort(CommonErrors.DEADLINE_EXCEEDED({ what: "The request" })),
    Math.max(0, deadlineMs - Date.now()),
  );
  const parts = request.iterator({ destroyOnReturn: false });
  let bytes = 0;
  try {
    for (;;) {
      const next = await raceAbort(parts.next() as Promise<IteratorResult<Buffer>>, late.signal);
      if (next.done) return;
      assertSize(binding, (bytes += next.value.length));
      yield next.value;
    }
  } catch (error) {
    throw connectErrorOf(error, registry, telling);
  } finally {
    clearTimeout(timer);
    forget();
    void parts.return?.(undefined)?.catch(() => {});
  }
}
