import * as grpc from "@grpc/grpc-js";
import { randomUUID } from "node:crypto";
import type { Authenticated, Ctx, Peer } from "../../kernel/index.js";
import { followToken, rootCtx } from "../../kernel/index.js";
import type { Carrier } from "./carrier.js";
import { metadataKeys } from "./carrier.js";
import type { PipelineOptions } from "./pipeline.js";
import { Pipeline } from "./pipeline.js";
import { toWireStatus } from "./status.js";
import type { MethodBinding, ServiceBinding } from "./types.js";
import { addHealth, addReflection } from "./standard-services.js";
import { peerOfCertificate } from "./identity.js";

export const DETAILS_KEY = "grpc-status-details-bin";
const REQUEST_ID = /^req-[0-9a-f-]{36}$/;

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
  /**
   * Without TLS and without `authenticate`: who the callers are taken for (unix sockets with their own
   * protection, tests).
   */
  readonly trustedPeer?: Peer;
  /** FileDescriptorSet for server reflection. */
  readonly descriptors?: Uint8Array;
}

export interface RpcServer {
  readonly port: number;
  /** Stops accepting, lets calls finish for at most `budgetMs`, then ends them. */
  drain(budgetMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Serves bindings over HTTP/2. Health is always on; reflection when descriptors are given. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": 16 << 20,
    "grpc.keepalive_timeout_ms": 20_000,
  });
  const pipeline = new Pipeline(options);
  for (const binding of options.bindings)
    server.addService(serviceDefinition(binding), implementation(binding, pipeline, options));
  const health = addHealth(
    server,
    options.bindings.map((b) => b.definition.fullName),
  );
  if (options.descriptors)
    addReflection(
      server,
      options.descriptors,
      options.bindings.map((b) => b.definition.fullName),
    );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(
      options.address,
      options.credentials ?? grpc.ServerCredentials.createInsecure(),
      (error, bound) => (error ? reject(error) : resolve(bound)),
    );
  });
  const close = async (): Promise<void> => {
    server.forceShutdown();
  };
  return {
    port,
    close,
    drain: async (budgetMs) => {
      health.stop();
      await Promise.race([
        new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
        new Promise<void>((resolve) => setTimeout(resolve, budgetMs).unref()),
      ]);
      await close();
    },
  };
}

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
        requestDeserialize: (b: Buffer) => m.decodeRequest(b),
        responseSerialize: (v: unknown) => passBytes(m.encodeResponse(v)),
        responseDeserialize: (b: Buffer) => b,
      },
    ]),
  );
}

const passBytes = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function implementation(
  binding: ServiceBinding,
  pipeline: Pipeline,
  options: RpcServerOptions,
): grpc.UntypedServiceImplementation {
  return Object.fromEntries(
    binding.methods.map((m) => [
      m.method,
      m.streaming
        ? (call: grpc.ServerWritableStream<unknown, unknown>) => {
            void serveStream(m, call, pipeline, options);
          }
        : (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
            void serveUnary(m, call, done, pipeline, options);
          },
    ]),
  );
}

async function serveUnary(
  binding: MethodBinding,
  call: grpc.ServerUnaryCall<unknown, unknown>,
  done: grpc.sendUnaryData<unknown>,
  pipeline: Pipeline,
  options: RpcServerOptions,
): Promise<void> {
  const end = endOf(call);
  try {
    const { carrier, peer, known } = await admit(call, options, end.signal);
    end.linkToken(known?.ended);
    done(
      null,
      await pipeline.unary({ binding, carrier, peer, signal: end.signal, ...actorOf(known) }, call.request),
    );
  } catch (error) {
    done(statusOf(error));
  } finally {
    end.release();
  }
}

async function serveStream(
  binding: MethodBinding,
  call: grpc.ServerWritableStream<unknown, unknown>,
  pipeline: Pipeline,
  options: RpcServerOptions,
): Promise<void> {
  const end = endOf(call);
  const cancelled = new Promise<"cancelled">((resolve) => {
    if (end.signal.aborted) resolve("cancelled");
    else end.signal.addEventListener("abort", () => resolve("cancelled"), { once: true });
  });
  let messages: AsyncGenerator<unknown> | undefined;
  try {
    const { carrier, peer, known } = await admit(call, options, end.signal);
    end.linkToken(known?.ended);
    messages = pipeline.stream(
      { binding, carrier, peer, signal: end.signal, ...actorOf(known) },
      call.request,
    );
    for (;;) {
      const next = await Promise.race([messages.next(), cancelled]);
      if (next === "cancelled") break;
      if (next.done) break;
      if (!call.write(next.value))
        await Promise.race([new Promise((resolve) => call.once("drain", resolve)), cancelled]);
    }
    if (end.tokenEnded) throw end.signal.reason;
    call.end();
  } catch (error) {
    if (!end.signal.aborted || end.tokenEnded) call.emit("error", statusOf(error));
  } finally {
    end.release();
    void messages?.return(undefined).catch(() => {});
  }
}

const actorOf = (known: Authenticated | undefined): { authenticatedActor?: Authenticated["actor"] } =>
  known ? { authenticatedActor: known.actor } : {};

/** What ends a call before its time: the client went away, or its token ended. */
interface CallEnd {
  readonly signal: AbortSignal;
  /** Whether the client is still there, to be told that its token ended. */
  readonly tokenEnded: boolean;
  linkToken(ended: AbortSignal | undefined): void;
  release(): void;
}

function endOf(call: AnyCall): CallEnd {
  const controller = new AbortController();
  let clientLeft = false;
  let release = (): void => {};
  const onLeft = (): void => {
    clientLeft = !controller.signal.aborted;
    controller.abort();
  };
  call.on("cancelled", onLeft);
  call.on("error", onLeft);
  return {
    signal: controller.signal,
    get tokenEnded() {
      return controller.signal.aborted && !clientLeft;
    },
    linkToken: (ended) => {
      if (ended === undefined) return;
      release = followToken(controller, ended);
    },
    release: () => release(),
  };
}

type AnyCall = grpc.ServerUnaryCall<unknown, unknown> | grpc.ServerWritableStream<unknown, unknown>;

async function admit(
  call: AnyCall,
  options: RpcServerOptions,
  signal: AbortSignal,
): Promise<{ carrier: Carrier; peer: Peer; known?: Authenticated }> {
  const text = (key: string): string => String(call.metadata.get(key)[0] ?? "");
  const deadline = call.getDeadline();
  const given = text(metadataKeys.requestId);
  const actorBytes = call.metadata.get(metadataKeys.actor)[0];
  const carrier: Carrier = {
    requestId: !options.authenticate && REQUEST_ID.test(given) ? given : `req-${randomUUID()}`,
    // A user's own id; anything else than an id would end up in logs and headers.
    globalRequestId: !options.authenticate
      ? text(metadataKeys.globalRequestId)
      : REQUEST_ID.test(given)
        ? given
        : "",
    traceparent: text(metadataKeys.traceparent),
    actor: Buffer.isBuffer(actorBytes) && !options.authenticate ? actorBytes : new Uint8Array(),
    deadlineMs: deadline === Infinity ? undefined : Number(deadline),
  };
  if (!options.authenticate) return { carrier, peer: options.trustedPeer ?? peerOfCertificate(call) };
  const token = text("x-auth-token") || text("authorization").replace(/^bearer\s+/i, "");
  const ctx = rootCtx({
    requestId: carrier.requestId,
    globalRequestId: carrier.globalRequestId,
    log: options.log,
    signal,
    deadlineMs: carrier.deadlineMs,
  });
  return {
    carrier,
    peer: { service: "user", host: "" },
    known: await options.authenticate(ctx, token),
  };
}

function statusOf(error: unknown): Partial<grpc.StatusObject> {
  const status = toWireStatus(error);
  const metadata = new grpc.Metadata();
  metadata.set(DETAILS_KEY, Buffer.from(status.details));
  return { code: status.code, details: status.message, metadata };
}
