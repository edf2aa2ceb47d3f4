import type {
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  FileRegistry,
  Message,
  Registry,
} from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { createConnectRouter, createContextKey } from "@connectrpc/connect";
import type { UniversalHandlerFn, UniversalServerRequest } from "@connectrpc/connect/protocol";
import type { Logger } from "../../../kernel/index.js";
import { raceAbort } from "../../../kernel/index.js";
import type { CallEnd } from "../call-end.js";
import type { Entry, PublicDoor } from "../door.js";
import { incomingCall } from "../door.js";
import type { Pipeline } from "../pipeline.js";
import { RpcErrors } from "../errors.js";
import type { MethodBinding, ServiceBinding } from "../types.js";
import type { PublicErrors, Telling } from "../status.js";
import { connectErrorOf, tellingOf } from "./errors.js";
import { explained } from "./explain.js";

/** One call over Connect, from its headers to its end. */
export interface ConnectCall {
  readonly requestId: string;
  /** `address:port` of the connection. */
  readonly peer: string;
  readonly end: CallEnd;
  /** Set by the gate once the caller is known. */
  entry: Entry | undefined;
}

export const callKey = createContextKey<ConnectCall | undefined>(undefined);

/** What the handlers share with those of gRPC. */
export interface ConnectServing {
  readonly log: Logger;
  readonly door: PublicDoor;
  readonly pipeline: Pipeline;
  /** Fires when the server stops. */
  readonly stopping: AbortSignal;
  /** How errors are told. */
  readonly publicly: PublicErrors | undefined;
}

/** One method as it is served over Connect. */
export interface ConnectHandler {
  readonly binding: MethodBinding;
  readonly serve: UniversalHandlerFn;
}

export interface ConnectMethods {
  readonly byPath: ReadonlyMap<string, ConnectHandler>;
  readonly registry: Registry;
}

/**
 * The bindings that gRPC serves, for Connect, by path. The library speaks the protocol and maps JSON by the
 * descriptors; door, pipeline and handlers are those of gRPC, and so are the messages that these see: what
 * comes in is decoded as if it had come over gRPC.
 *
 * @param descriptors  an encoded FileDescriptorSet with all imports
 * @throws when a method is not among the descriptors
 * @cost reads all descriptors: 0.15 s and 10 MB, so at the start and never in a call
 */
export function connectHandlers(
  bindings: readonly ServiceBinding[],
  descriptors: Uint8Array,
  serving: ConnectServing,
): ConnectMethods {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  // A misspelt filter would mean "all", and a misspelt word the default: nothing is passed over.
  const jsonOptions = { registry, ignoreUnknownFields: false };
  const router = createConnectRouter({ grpc: false, grpcWeb: false, jsonOptions });
  const methods = bindings.flatMap(({ methods: all }) => all);
  for (const binding of methods) addMethod(router, binding, registry, serving);
  const tellingIn = ({ contextValues }: UniversalServerRequest): Telling => {
    const call = contextValues?.get(callKey);
    return call === undefined ? {} : tellingOf(serving, call);
  };
  const handlers = methods.map((binding, index): [string, ConnectHandler] => {
    const handler = router.handlers[index];
    if (handler?.requestPath !== binding.path) throw new Error(`${binding.path} is out of order`);
    return [
      binding.path,
      {
        binding,
        serve: async (request) => explained(await handler(request), binding, registry, tellingIn(request)),
      },
    ];
  });
  return { byPath: new Map(handlers), registry };
}

/** Whether the message in a query can be decoded; the library calls it a fault of ours when it cannot. */
function isBase64({ requestMethod, url }: Pick<HandlerContext, "requestMethod" | "url">): boolean {
  if (requestMethod !== "GET") return true;
  const { searchParams: query } = new URL(url);
  const digits = (query.get("message") ?? "").replace(/={1,2}$/, "");
  return query.get("base64") !== "1" || (/^[\w+/-]*$/.test(digits) && digits.length % 4 !== 1);
}

function addMethod(
  router: ConnectRouter,
  binding: MethodBinding,
  registry: FileRegistry,
  serving: ConnectServing,
): void {
  const desc = descOf(registry, binding);
  const options = {
    grpc: false,
    grpcWeb: false,
    requestGate: (context: HandlerContext): Promise<void> => enter(binding, context, registry, serving),
  };
  // Our answers are encoded already; the library wants messages, of which it makes JSON or the same bytes.
  const answer = (value: unknown): Message => fromBinary(desc.output, binding.encodeResponse(value));
  const decode = (request: Message): unknown => binding.decodeRequest(toBinary(desc.input, request));
  if (desc.methodKind === "unary") router.rpc(desc as DescMethodUnary, unary, options);
  else router.rpc(desc as DescMethodServerStreaming, stream, options);

  async function unary(request: Message, context: HandlerContext): Promise<Message> {
    try {
      const call = incomingCall(binding, entryOf(context), serving.stopping);
      return answer(await serving.pipeline.unary(call, decode(request)));
    } catch (error) {
      throw connectErrorOf(error, registry, tellingOf(serving, callOf(context)));
    }
  }

  async function* stream(request: Message, context: HandlerContext): AsyncGenerator<Message> {
    let messages: AsyncGenerator<unknown> | undefined;
    try {
      const call = incomingCall(binding, entryOf(context), serving.stopping);
      messages = serving.pipeline.stream(call, decode(request));
      for (;;) {
        const next = await raceAbort(messages.next(), call.signal);
        if (next.done) return;
        yield answer(next.value);
      }
    } catch (error) {
      throw connectErrorOf(error, registry, tellingOf(serving, callOf(context)));
    } finally {
      void messages?.return(undefined).catch(() => {});
    }
  }
}

function descOf(registry: FileRegistry, { service, method, path, streaming }: MethodBinding): DescMethod {
  const desc = registry.getService(service)?.methods.find(({ name }) => name === method);
  if (desc?.methodKind !== (streaming ? "server_streaming" : "unary"))
    throw new Error(`${path} is not among the descriptors`);
  return desc;
}

/** Runs on the headers, before anything of the message is read. */
async function enter(
  binding: MethodBinding,
  context: HandlerContext,
  registry: FileRegistry,
  serving: ConnectServing,
): Promise<void> {
  const call = callOf(context);
  const { requestHeader: headers } = context;
  const timeoutMs = context.timeoutMs();
  try {
    call.entry = await serving.door.enter(
      binding,
      call.requestId,
      {
        get: (name) => headers.get(name) ?? "",
        deadlineMs: timeoutMs === undefined ? undefined : Date.now() + timeoutMs,
        peer: call.peer,
      },
      call.end,
    );
    const encoding = headers.get(binding.streaming ? "connect-content-encoding" : "content-encoding");
    if (encoding && encoding !== "identity") throw RpcErrors.COMPRESSED({ encoding });
    assertSize(binding, Number(headers.get("content-length") ?? 0));
    if (!isBase64(context))
      throw RpcErrors.REQUEST_MALFORMED({ method: binding.method, problem: "message is no base64" });
  } catch (error) {
    throw connectErrorOf(error, registry, tellingOf(serving, call));
  }
}

/** Of a stream's request: what stands in front of the message. */
const ENVELOPE_BYTES = 5;

/** @throws REQUEST_TOO_LARGE @param bytes  of the body, as announced or as read until now */
export function assertSize(binding: MethodBinding, bytes: number): void {
  const { method, maxRequestBytes, streaming } = binding;
  const limitBytes = maxRequestBytes + (streaming ? ENVELOPE_BYTES : 0);
  if (bytes > limitBytes) throw RpcErrors.REQUEST_TOO_LARGE({ method, bytes, limitBytes: maxRequestBytes });
}

function callOf(context: HandlerContext): ConnectCall {
  const call = context.values.get(callKey);
  if (!call) throw new Error("a call without its state");
  return call;
}

function entryOf(context: HandlerContext): Entry {
  const { entry } = callOf(context);
  if (!entry) throw new Error("a call came past the door");
  return entry;
}
