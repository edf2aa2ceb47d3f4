import * as grpc from "@grpc/grpc-js";
import type { Ctx } from "../../kernel/index.js";
import { isRetryable, whenAborted } from "../../kernel/index.js";
import { carrierOf, metadataKeys } from "./carrier.js";
import { methodPath } from "./bind.js";
import { encodeRequest } from "./encode.js";
import { makeClient } from "./local.js";
import { RpcErrors } from "./errors.js";
import { RetryBudget } from "./retry-budget.js";
import { DETAILS_KEY } from "./door.js";
import { fromWireStatus } from "./status.js";
import type { Channel, MethodDefinition, ServiceDefinition } from "./types.js";

export interface ConnectOptions {
  readonly credentials?: grpc.ChannelCredentials;
  /** A user's token, for public ports. */
  readonly token?: () => Promise<string>;
  /**
   * Attempts of a call that fails as `unavailable`, the first included. Default 3. Every method here is
   * repeatable.
   */
  readonly attempts?: number;
  /**
   * Name sent to the server in the TLS handshake; needed for targets that are addresses and credentials that
   * check identities.
   */
  readonly serverName?: string;
}

/** Opens a channel to a server over HTTP/2; connects when first used and again after breaks. */
export function connectRpc(target: string, options: ConnectOptions = {}): Channel {
  const raw = new grpc.Client(target, options.credentials ?? grpc.credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.max_receive_message_length": 64 << 20,
    "grpc.enable_retries": 0,
    ...(options.serverName ? { "grpc.ssl_target_name_override": options.serverName } : {}),
  });
  const budget = new RetryBudget();
  return {
    client: (definition) =>
      makeClient(definition, (method) => ({
        unary: (ctx, request) =>
          budget.run(ctx, options.attempts ?? 3, isRetryable, () =>
            unary(raw, definition, method, ctx, request, options),
          ),
        stream: (ctx, request) => stream(raw, definition, method, ctx, request, options),
      })),
    close: async () => {
      raw.close();
    },
  };
}

async function unary(
  raw: grpc.Client,
  definition: ServiceDefinition,
  method: MethodDefinition,
  ctx: Ctx,
  request: unknown,
  options: ConnectOptions,
): Promise<unknown> {
  const span = ctx.span.child(method.name, { "rpc.service": definition.fullName });
  const metadata = await metadataOf({ ...ctx, span }, definition, options);
  return new Promise((resolve, reject) => {
    const call = raw.makeUnaryRequest(
      methodPath(definition, method),
      serializer(method),
      deserializer(method),
      request,
      metadata,
      callOptions(ctx),
      (error, answer) => {
        leave();
        if (error) {
          const failure = errorOf(error, ctx);
          span.end(failure);
          reject(failure);
        } else {
          span.end();
          resolve(answer);
        }
      },
    );
    const leave = whenAborted(ctx.signal, () => call.cancel());
  });
}

async function* stream(
  raw: grpc.Client,
  definition: ServiceDefinition,
  method: MethodDefinition,
  ctx: Ctx,
  request: unknown,
  options: ConnectOptions,
): AsyncGenerator<unknown> {
  const span = ctx.span.child(method.name, { "rpc.service": definition.fullName });
  const metadata = await metadataOf({ ...ctx, span }, definition, options);
  const call = raw.makeServerStreamRequest(
    methodPath(definition, method),
    serializer(method),
    deserializer(method),
    request,
    metadata,
    callOptions(ctx),
  );
  const leave = whenAborted(ctx.signal, () => call.cancel());
  let failure: unknown;
  try {
    yield* call as AsyncIterable<unknown>;
  } catch (error) {
    failure = errorOf(error as grpc.ServiceError, ctx);
    throw failure;
  } finally {
    leave();
    call.cancel();
    span.end(failure);
  }
}

const serializer =
  (method: MethodDefinition) =>
  (value: unknown): Buffer => {
    const bytes = encodeRequest(method.requestType, value);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
const deserializer =
  (method: MethodDefinition) =>
  (bytes: Buffer): unknown =>
    method.responseType.decode(bytes);

const callOptions = (ctx: Ctx): grpc.CallOptions =>
  ctx.deadlineMs === undefined ? {} : { deadline: ctx.deadlineMs };

async function metadataOf(
  ctx: Ctx,
  { fullName }: ServiceDefinition,
  options: ConnectOptions,
): Promise<grpc.Metadata> {
  const metadata = new grpc.Metadata();
  const carrier = carrierOf(ctx, fullName);
  metadata.set(metadataKeys.requestId, carrier.requestId);
  if (carrier.globalRequestId) metadata.set(metadataKeys.globalRequestId, carrier.globalRequestId);
  const { traceparent } = ctx.span;
  if (traceparent) metadata.set(metadataKeys.traceparent, traceparent);
  if (options.token) metadata.set("x-auth-token", await options.token());
  else {
    metadata.set(metadataKeys.actor, Buffer.from(carrier.actor));
    if (carrier.userToken) metadata.set(metadataKeys.userToken, carrier.userToken);
  }
  return metadata;
}

function errorOf(error: grpc.ServiceError, ctx: Ctx): unknown {
  if (typeof error.code !== "number") return error;
  const details = error.metadata?.get(DETAILS_KEY)[0];
  if (Buffer.isBuffer(details)) return fromWireStatus(error.code, error.details, details, error);
  return isBreak(error, ctx)
    ? RpcErrors.CONNECTION_BROKEN({}, { cause: error })
    : fromWireStatus(error.code, error.details, undefined, error);
}

/**
 * Whether a call ended because its server went away in the midst of it. Our servers send details with every
 * error; without them it is the library that speaks, and it has other codes than UNAVAILABLE for a stream
 * that was reset.
 */
const isBreak = ({ code, details }: grpc.ServiceError, ctx: Ctx): boolean =>
  (code === grpc.status.CANCELLED && !ctx.signal.aborted) ||
  code === grpc.status.UNKNOWN ||
  (code === grpc.status.INTERNAL && details.startsWith("Received RST_STREAM")) ||
  (code === grpc.status.RESOURCE_EXHAUSTED && details.startsWith("Bandwidth exhausted"));
