import type { Ctx } from "../../kernel/index.js";
import type { MessageType } from "./message-type.js";
import type { EncodedAnswer } from "./raw-field.js";

/** One method of a ts-proto `generic-definitions` service. */
export interface MethodDefinition {
  readonly name: string;
  readonly requestType: MessageType;
  readonly requestStream: boolean;
  readonly responseType: MessageType;
  readonly responseStream: boolean;
  readonly options: { readonly _unknownFields?: Readonly<Record<number, readonly Uint8Array[]>> };
}

/** A service as ts-proto generates it. */
export interface ServiceDefinition {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, MethodDefinition>>;
}

export type RequestOf<M> = M extends { requestType: { decode(...a: never[]): infer R } } ? R : never;
export type ResponseOf<M> = M extends { responseType: { decode(...a: never[]): infer R } } ? R : never;
type PartialRequestOf<M> = M extends { requestType: { fromPartial(partial: infer P): unknown } } ? P : never;

/**
 * What a server implements for a method. Client streaming does not exist here: agents use repeatable unary
 * reports.
 */
export type Handler<M> = M extends { responseStream: true }
  ? (ctx: Ctx, request: RequestOf<M>) => AsyncIterable<ResponseOf<M>>
  : (ctx: Ctx, request: RequestOf<M>) => Promise<ResponseOf<M> | EncodedAnswer<ResponseOf<M>>>;

/** All methods of a service: one that nobody serves is a compile error. */
export type Handlers<D extends ServiceDefinition> = {
  readonly [K in keyof D["methods"]]: Handler<D["methods"][K]>;
};

/** What a caller sees. Requests may be partial, answers are complete. */
export type Client<D extends ServiceDefinition> = {
  readonly [K in keyof D["methods"]]: D["methods"][K] extends { responseStream: true }
    ? (ctx: Ctx, request: PartialRequestOf<D["methods"][K]>) => AsyncIterable<ResponseOf<D["methods"][K]>>
    : (ctx: Ctx, request: PartialRequestOf<D["methods"][K]>) => Promise<ResponseOf<D["methods"][K]>>;
};

/** A way to a server: over TCP, or inside this process. */
export interface Channel {
  client<D extends ServiceDefinition>(definition: D): Client<D>;
  close(): Promise<void>;
}

/** A handler without its types, as the transports run it. */
export type UntypedHandler = (ctx: Ctx, request: unknown) => Promise<unknown> | AsyncIterable<unknown>;

/** One method, ready to be served. */
export interface MethodBinding {
  /** `/kilonova.api.v1.ServersService/GetServer` */
  readonly path: string;
  readonly service: string;
  readonly method: string;
  /** Whether something implements it; otherwise it answers NOT_SERVED. */
  readonly served: boolean;
  readonly streaming: boolean;
  /** Whether a call stays open until something happens: every stream, and what the proto says. */
  readonly waits: boolean;
  /** Most bytes of an encoded request. */
  readonly maxRequestBytes: number;
  readonly allowedCallers: ReadonlySet<string>;
  readonly handler: UntypedHandler;
  /** @throws REQUEST_TOO_LARGE, REQUEST_MALFORMED */
  decodeRequest(bytes: Uint8Array): unknown;
  encodeResponse(message: unknown): Uint8Array;
}

export interface ServiceBinding {
  readonly definition: ServiceDefinition;
  readonly methods: readonly MethodBinding[];
}
