import type { Http2Server } from "node:http2";
import * as grpc from "@grpc/grpc-js";
import type { Authenticated, Ctx, Peer } from "../../kernel/index.js";
import { raceAbort } from "../../kernel/index.js";
import type { Admit, Entry } from "./door.js";
import { PublicDoor, incomingCall, limitMessages, statusOf, trustedEntry } from "./door.js";
import type { IncomingCall, PipelineOptions } from "./pipeline.js";
import { Pipeline } from "./pipeline.js";
import type { MethodBinding, ServiceBinding } from "./types.js";
import type { PublicLimits } from "./config.js";
import { defaultPublicLimits } from "./config.js";
import { ConnectServer } from "./connect/server.js";
import type { TlsFiles } from "./public-listener.js";
import { PublicListener } from "./public-listener.js";
import { keyOf } from "../sharing/key.js";
import { metadataKeys } from "./carrier.js";
import { peerOf } from "./connect/exchange.js";
import type { PublicErrors, Telling } from "./status.js";
import { addHealth, addReflection } from "./standard-services.js";
import { StreamTurns } from "./stream-turns.js";
import { peerOfCertificate } from "./identity.js";

export interface RpcServerOptions extends PipelineOptions {
  /** `127.0.0.1:8770`, `127.0.0.1:0`, or `unix:/path`. */
  readonly address: string;
  readonly bindings: readonly ServiceBinding[];
  /** TLS with client certificates inside a cluster. Default: plain text, for loopback and unix sockets. */
  readonly credentials?: grpc.ServerCredentials;
  /**
   * A public port: says who a token's bearer is; the peer is then `user` and forwarded actors are ignored.
   * Calls that still run when the token ends, end with UNAUTHENTICATED and the signal's reason.
   */
  readonly authenticate?: (ctx: Ctx, token: string) => Promise<Authenticated>;
  /** A public port: shares its turns; asked before a message is read. */
  readonly admit?: Admit;
  /** A public port: what a connection may do. */
  readonly limits?: Partial<PublicLimits>;
  /**
   * Without TLS and without `authenticate`: who the callers are taken for (unix sockets with their own
   * protection, tests).
   */
  readonly trustedPeer?: Peer;
  /** A public port: how errors are told. Every answer then carries the request's id. */
  readonly errors?: PublicErrors;
  /** FileDescriptorSet for server reflection; a public port with it serves the Connect protocol too. */
  readonly descriptors?: Uint8Array;
  /** A public port: certificate for clients; plain text without it. */
  readonly tls?: TlsFiles;
  /** A public port: origins of web pages that may call over Connect; `*` stands for all. Default: none. */
  readonly corsOrigins?: readonly string[];
}

export interface RpcServer {
  readonly port: number;
  /** Stops accepting, lets calls finish for at most `budgetMs`, then ends them. */
  drain(budgetMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Serves bindings over HTTP/2. Health is always on; reflection when descriptors are given. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { authenticate, admit, log } = options;
  const bindings = authenticate ? options.bindings.filter(isForUsers) : options.bindings;
  const methods = new Map(bindings.flatMap((b) => b.methods.map((m) => [m.path, m])));
  const limits = { ...defaultPublicLimits, ...options.limits };
  let listener: PublicListener | undefined;
  const door = authenticate
    ? new PublicDoor(
        {
          authenticate,
          log,
          publicly: options.errors,
          begin: (peer, actor) => listener?.begin(peer, keyOf(actor)) ?? (() => {}),
          ...(admit ? { admit } : {}),
        },
        methods,
      )
    : undefined;
  const server = new grpc.Server({
    "grpc.max_receive_message_length": Math.max(0, ...[...methods.values()].map((m) => m.maxRequestBytes)),
    ...(door ? { "grpc.max_concurrent_streams": limits.maxStreams } : {}),
    // A client that is gone without a word is noticed, and with it whatever it held.
    "grpc.keepalive_time_ms": limits.pingMs,
    "grpc.keepalive_timeout_ms": Math.min(limits.pingMs, 20_000),
    interceptors: [limitMessages(methods, options.errors), ...(door ? [door.interceptor] : [])],
  });
  const stopping = new AbortController();
  const serving: Serving = {
    pipeline: new Pipeline(options),
    stopping: stopping.signal,
    publicly: door ? options.errors : undefined,
    tellsRequestId: door !== undefined,
    enter: (call) =>
      door ? door.entryOf(call.metadata) : trustedEntry(call, options.trustedPeer ?? peerOfCertificate(call)),
  };
  for (const binding of bindings)
    server.addService(serviceDefinition(binding), implementation(binding, serving));
  const names = bindings.map((b) => b.definition.fullName);
  const health = addHealth(server, names);
  if (options.descriptors) addReflection(server, options.descriptors, names);
  const credentials = options.credentials ?? grpc.ServerCredentials.createInsecure();
  const connect =
    door && options.descriptors
      ? new ConnectServer({
          ...{ door, log, bindings: options.bindings, pipeline: serving.pipeline },
          stopping: stopping.signal,
          publicly: options.errors,
          descriptors: options.descriptors,
          corsOrigins: options.corsOrigins ?? [],
        })
      : undefined;
  if (door) {
    const injector = server.createConnectionInjector(credentials);
    const http2 = http2Of(server);
    shareStreams(http2, connect);
    const accepting = new PublicListener({
      limits,
      tls: options.tls,
      http2: (socket) => injector.injectConnection(socket),
      http1: (socket) => (connect ? connect.takeConnection(socket) : socket.destroy()),
    });
    http2.on("session", (session) => accepting.speaksHttp2(peerOf(session.socket), session));
    listener = accepting;
  }
  const port = await (listener
    ? listener.listen(options.address)
    : bind(server, options.address, credentials));
  const close = async (): Promise<void> => {
    listener?.stop();
    server.forceShutdown();
    connect?.close();
  };
  return {
    port,
    close,
    drain: async (budgetMs) => {
      health.stop();
      listener?.stop();
      stopping.abort();
      // What is still there is cut while the budget lasts, not when it is used up.
      const cut = new AbortController();
      const timer = setTimeout(() => cut.abort(), budgetMs * 0.9);
      const quiet = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await raceAbort(Promise.all([quiet, connect?.drained()]), cut.signal).catch(() => {});
      clearTimeout(timer);
      await close();
    },
  };
}

/** The library has no door to its HTTP/2 server; its version is pinned, and tests need what is done there. */
function http2Of(server: grpc.Server): Http2Server {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2Server, unknown> };
  const [http2] = http2Servers?.keys() ?? [];
  if (!http2) throw new Error("grpc-js has changed: its HTTP/2 server was not found");
  return http2;
}

/**
 * Lets streams begin by turns, and HTTP/2 connections carry both protocols: what is not gRPC goes to Connect,
 * where the library answers 415.
 */
function shareStreams(http2: Http2Server, connect: ConnectServer | undefined): void {
  const [serveGrpc] = http2.listeners("stream");
  if (!serveGrpc) throw new Error("grpc-js has changed: it does not listen to streams");
  const turns = new StreamTurns();
  http2.removeAllListeners("stream");
  http2.on("stream", (stream, headers, ...rest) =>
    turns.begin(stream, () => {
      if (connect && !headers["content-type"]?.startsWith("application/grpc"))
        connect.takeStream(stream, headers, ...rest);
      else Reflect.apply(serveGrpc, http2, [stream, headers, ...rest]);
    }),
  );
}

/** A service of which users may call nothing is not served where only users come. */
const isForUsers = ({ methods }: ServiceBinding): boolean =>
  methods.some(({ allowedCallers }) => allowedCallers.has("user") || allowedCallers.has("anyone"));

const bind = (server: grpc.Server, address: string, credentials: grpc.ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });

function serviceDefinition(binding: ServiceBinding): grpc.ServiceDefinition {
  return Object.fromEntries(
    binding.methods.map((m) => [
      m.method,
      {
        path: m.path,
        originalName: m.method,
        requestStream: false,
        responseStream: m.streaming,
        requestSerialize: passBytes,
        requestDeserialize: (b: Buffer) => decodeOrRefuse(m, b),
        responseSerialize: (v: unknown) => passBytes(m.encodeResponse(v)),
        responseDeserialize: (b: Buffer) => b,
      },
    ]),
  );
}

const passBytes = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function implementation(binding: ServiceBinding, serving: Serving): grpc.UntypedServiceImplementation {
  return Object.fromEntries(
    binding.methods.map((m) => [
      m.method,
      m.streaming
        ? (call: grpc.ServerWritableStream<unknown, unknown>) => {
            void serveStream(m, call, serving);
          }
        : (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
            void serveUnary(m, call, done, serving);
          },
    ]),
  );
}

/** What a call was refused with before its handler ran, in the place of its request. */
class Refused {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

function decodeOrRefuse(binding: MethodBinding, bytes: Buffer): unknown {
  try {
    return binding.decodeRequest(bytes);
  } catch (error) {
    return new Refused(error);
  }
}

interface Serving {
  readonly pipeline: Pipeline;
  /** Fires when the server stops. */
  readonly stopping: AbortSignal;
  readonly publicly: PublicErrors | undefined;
  /** Whether answers carry the request's id, which callers inside the cluster have chosen themselves. */
  readonly tellsRequestId: boolean;
  enter(call: AnyCall): Entry;
}

type AnyCall = grpc.ServerUnaryCall<unknown, unknown> | grpc.ServerWritableStream<unknown, unknown>;

function begin(
  binding: MethodBinding,
  call: AnyCall,
  serving: Serving,
): { entry: Entry; call: IncomingCall } {
  const entry = serving.enter(call);
  if (serving.tellsRequestId) call.sendMetadata(requestIdOf(entry.carrier.requestId));
  return { entry, call: incomingCall(binding, entry, serving.stopping) };
}

function requestIdOf(requestId: string): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set(metadataKeys.requestId, requestId);
  return metadata;
}

const tellingOf = ({ publicly, tellsRequestId }: Serving, { carrier }: Entry): Telling =>
  tellsRequestId ? { publicly, requestId: carrier.requestId } : {};

async function serveUnary(
  binding: MethodBinding,
  call: grpc.ServerUnaryCall<unknown, unknown>,
  done: grpc.sendUnaryData<unknown>,
  serving: Serving,
): Promise<void> {
  const { entry, call: incoming } = begin(binding, call, serving);
  try {
    if (call.request instanceof Refused) throw call.request.error;
    done(null, await serving.pipeline.unary(incoming, call.request));
  } catch (error) {
    done(statusOf(error, tellingOf(serving, entry)));
  } finally {
    entry.end.release();
  }
}

async function serveStream(
  binding: MethodBinding,
  call: grpc.ServerWritableStream<unknown, unknown>,
  serving: Serving,
): Promise<void> {
  const { entry, call: incoming } = begin(binding, call, serving);
  const { signal } = entry.end;
  let messages: AsyncGenerator<unknown> | undefined;
  try {
    if (call.request instanceof Refused) throw call.request.error;
    messages = serving.pipeline.stream(incoming, call.request);
    for (;;) {
      const next = await raceAbort(messages.next(), signal);
      if (next.done) break;
      if (!call.write(next.value)) await drained(call, signal);
    }
    call.end();
  } catch (error) {
    if (entry.end.hasReader) call.emit("error", statusOf(error, tellingOf(serving, entry)));
  } finally {
    entry.end.release();
    void messages?.return(undefined).catch(() => {});
  }
}

async function drained(
  call: grpc.ServerWritableStream<unknown, unknown>,
  signal: AbortSignal,
): Promise<void> {
  let onDrain = (): void => {};
  const drain = new Promise<void>((resolve) => {
    onDrain = resolve;
    call.once("drain", onDrain);
  });
  try {
    await raceAbort(drain, signal);
  } finally {
    call.off("drain", onDrain);
  }
}
