import * as grpc from "@grpc/grpc-js";
import { randomUUID } from "node:crypto";
import type { ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Actor, Authenticated, Ctx, Logger, Peer } from "../../kernel/index.js";
import { rootCtx, whenAborted } from "../../kernel/index.js";
import { CallEnd } from "./call-end.js";
import type { Carrier } from "./carrier.js";
import { metadataKeys } from "./carrier.js";
import { RpcErrors } from "./errors.js";
import type { IncomingCall } from "./pipeline.js";
import type { PublicErrors, Telling } from "./status.js";
import { toWireStatus } from "./status.js";
import type { MethodBinding } from "./types.js";

export const DETAILS_KEY = "grpc-status-details-bin";
const REQUEST_ID = /^req-[0-9a-f-]{36}$/;

/** Of health and reflection: their requests are names. */
const NAME_BYTES = 4 << 10;

/** A call that was let in by its headers alone. */
export interface Entry {
  readonly carrier: Carrier;
  readonly peer: Peer;
  readonly known?: Authenticated;
  readonly end: CallEnd;
  /** Gives back what the call was let in with, once its answer has left or nobody waits for it. */
  leave(): void;
}

/** One call at the door, its caller known. */
export interface Caller {
  readonly actor: Actor;
  readonly token: string;
  readonly method: Pick<MethodBinding, "waits" | "streaming">;
}

/** @returns gives the turn back; may be called again @throws when the caller has too much under way */
export type Admit = (ctx: Ctx, caller: Caller) => (() => void) | Promise<() => void>;

/** What a call says before its message, on whichever protocol. */
export interface CallHeaders {
  /** A header's value; "" when there is none. */
  get(name: string): string;
  /** Epoch milliseconds. */
  readonly deadlineMs: number | undefined;
  /** `address:port` of the connection. */
  readonly peer: string;
}

export interface PublicDoorOptions {
  readonly log: Logger;
  authenticate(ctx: Ctx, token: string): Promise<Authenticated>;
  /**
   * Told that a call with a valid token begins on the connection of this peer (`address:port`).
   * @returns is told of its end; may be called again
   */
  begin(peer: string, actor: Actor): () => void;
  /**
   * Asked once the caller is known, before anything of the message is read.
   */
  readonly admit?: Admit;
  /** How errors are told here. */
  readonly publicly?: PublicErrors | undefined;
}

/**
 * Keeps to each method's own limit. The message is refused by the length in front of it, before a byte of it
 * is kept; what the library refuses by itself is told as every other error is.
 */
export const limitMessages =
  (bindings: ReadonlyMap<string, MethodBinding>, publicly?: PublicErrors): grpc.ServerInterceptor =>
  (method, call) => {
    const binding = bindings.get(method.path);
    const limitBytes = binding?.maxRequestBytes ?? NAME_BYTES;
    setLimit(call, limitBytes);
    const send = call.sendStatus.bind(call);
    const name = binding?.method ?? method.path.slice(1);
    call.sendStatus = (status) => {
      const tooLarge =
        status.code === grpc.status.RESOURCE_EXHAUSTED && !status.metadata?.get(DETAILS_KEY).length
          ? TOO_LARGE.exec(status.details ?? "")
          : null;
      send(
        tooLarge
          ? statusOf(
              RpcErrors.REQUEST_TOO_LARGE({ method: name, bytes: tooLarge[1] ?? "more", limitBytes }),
              { publicly },
            )
          : status,
      );
    };
    return call as grpc.ServerInterceptingCall;
  };

/** What the library says of a message that is too long, as sent or decompressed. */
const TOO_LARGE = /^Received message (?:larger than max \((\d+) vs|that decompresses to a size larger)/;

/**
 * The library has one limit for a whole server, and keeps it in each call: here it becomes the method's.
 * These fields are not in its contract; its version is pinned, and a test sends too long messages.
 */
function setLimit(call: object, bytes: number): void {
  const inner = call as { maxReceiveMessageSize?: number; decoder?: { maxReadMessageLength?: number } };
  inner.maxReceiveMessageSize = bytes;
  if (inner.decoder) inner.decoder.maxReadMessageLength = bytes;
}

/** How long a reader who takes nothing may take for the last words of a call that has ended. */
export const FAREWELL_MS = 5_000;

/** A call's own stream: not in the library's contract either. */
function streamOf(call: object): ServerHttp2Stream {
  const { stream } = call as { stream?: ServerHttp2Stream };
  if (!stream) throw new Error("grpc-js has changed: a call's stream was not found");
  return stream;
}

/** What is still unread then goes, and with it the stream of a client that does not end its request. */
function cutLater(stream: ServerHttp2Stream): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), FAREWELL_MS).unref();
  stream.once("close", () => clearTimeout(timer));
}

/** Where a call's headers carry what the door found out; a WeakMap would keep it for too long. */
const ENTRY = Symbol("entry");
type Entered = grpc.Metadata & { [ENTRY]?: Entry };

/**
 * The door of a public port: the token is checked on the headers, and only then is the message received.
 * Nothing of a stranger's message is decoded or kept; the library reads it no further than the window of flow
 * control. Methods that are not ours (health, reflection) are open.
 */
export class PublicDoor {
  readonly #options: PublicDoorOptions;
  readonly #bindings: ReadonlyMap<string, MethodBinding>;

  constructor(options: PublicDoorOptions, bindings: ReadonlyMap<string, MethodBinding>) {
    this.#options = options;
    this.#bindings = bindings;
  }

  readonly interceptor: grpc.ServerInterceptor = (method, call) => {
    const binding = this.#bindings.get(method.path);
    if (!binding) return call as grpc.ServerInterceptingCall;
    const end = new CallEnd();
    whenAborted(end.signal, () => cutLater(streamOf(call)));
    const requestId = newRequestId();
    let entry: Entry | undefined;
    return new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            this.enter(binding, requestId, headersOf(metadata, call), end).then(
              (entered) => {
                entry = entered;
                // The client left meanwhile: no handler will run that gives the turn back.
                if (!end.hasReader) return entered.leave();
                (metadata as Entered)[ENTRY] = entered;
                pass(metadata);
              },
              (error: unknown) => {
                end.release();
                call.sendStatus(statusOf(error, { publicly: this.#options.publicly, requestId }));
              },
            );
          },
          onReceiveMessage: (message, pass) => pass(message),
          onReceiveHalfClose: (pass) => pass(),
          // Also when the answer has left. Not before: one that nobody takes is memory of ours.
          onCancel: () => {
            end.leave();
            entry?.leave();
          },
        }),
    });
  };

  /** The entry of a call whose handler runs. */
  entryOf(metadata: grpc.Metadata): Entry {
    const entry = (metadata as Entered)[ENTRY];
    if (!entry) throw new Error("a call came past the door");
    return entry;
  }

  /**
   * Lets a call in by its headers alone.
   * @throws what `authenticate` and `admit` throw; why the call ended when it ended meanwhile
   */
  async enter(binding: MethodBinding, requestId: string, headers: CallHeaders, end: CallEnd): Promise<Entry> {
    const { authenticate, admit, log, begin } = this.#options;
    const globalRequestId = headers.get(metadataKeys.globalRequestId);
    const unnamed: Carrier = {
      requestId,
      // A user's own id; anything else than an id would end up in logs and headers.
      globalRequestId: REQUEST_ID.test(globalRequestId) ? globalRequestId : "",
      parent: "",
      actor: new Uint8Array(),
      deadlineMs: headers.deadlineMs,
    };
    const ctx = rootCtx({
      requestId,
      globalRequestId: unnamed.globalRequestId,
      log,
      signal: end.signal,
      deadlineMs: unnamed.deadlineMs,
    });
    const token = headers.get("x-auth-token") || headers.get("authorization").replace(/^bearer\s+/i, "");
    const known = await authenticate(ctx, token);
    const rest = begin(headers.peer, known.actor);
    try {
      end.endWithToken(known.ended);
      if (end.signal.aborted && end.hasReader) throw end.signal.reason;
      const leave = await admit?.(ctx, { actor: known.actor, token, method: binding });
      return {
        carrier: { ...unnamed, parent: headers.get(metadataKeys.traceparent), userToken: token },
        peer: { service: "user", host: "" },
        known,
        end,
        leave: () => {
          leave?.();
          rest();
        },
      };
    } catch (error) {
      rest();
      throw error;
    }
  }
}

/** A call that was let in, as the pipeline takes it. @param stopping  ends calls that wait */
export function incomingCall(binding: MethodBinding, entry: Entry, stopping: AbortSignal): IncomingCall {
  const { carrier, peer, known, end } = entry;
  if (binding.waits) end.endWithServer(stopping);
  return {
    binding,
    carrier,
    peer,
    signal: end.signal,
    ...(known ? { authenticatedActor: known.actor } : {}),
  };
}

export const newRequestId = (): string => `req-${randomUUID()}`;

/** The entry of a caller inside the cluster: its channel says who it is, and its headers are believed. */
export function trustedEntry(
  call: grpc.ServerUnaryCall<unknown, unknown> | grpc.ServerWritableStream<unknown, unknown>,
  peer: Peer,
): Entry {
  const end = new CallEnd();
  call.on("cancelled", () => end.leave());
  const { metadata } = call;
  const requestId = textOf(metadata, metadataKeys.requestId);
  const actor = metadata.get(metadataKeys.actor)[0];
  const userToken = textOf(metadata, metadataKeys.userToken);
  return {
    carrier: {
      requestId: REQUEST_ID.test(requestId) ? requestId : newRequestId(),
      globalRequestId: textOf(metadata, metadataKeys.globalRequestId),
      parent: textOf(metadata, metadataKeys.traceparent),
      actor: Buffer.isBuffer(actor) ? actor : new Uint8Array(),
      deadlineMs: deadlineOf(call.getDeadline()),
      ...(userToken === "" ? {} : { userToken }),
    },
    peer,
    end,
    leave: () => {},
  };
}

const textOf = (metadata: grpc.Metadata, key: string): string => String(metadata.get(key)[0] ?? "");

const headersOf = (metadata: grpc.Metadata, call: grpc.ServerInterceptingCallInterface): CallHeaders => ({
  get: (name) => textOf(metadata, name),
  deadlineMs: deadlineOf(call.getDeadline()),
  peer: call.getPeer(),
});

const deadlineOf = (deadline: grpc.Deadline): number | undefined =>
  deadline === Infinity ? undefined : Number(deadline);

/** An error as grpc-js sends it. */
export function statusOf(error: unknown, telling: Telling = {}): grpc.StatusObject {
  const status = toWireStatus(error, telling);
  const metadata = new grpc.Metadata();
  if (telling.requestId !== undefined) metadata.set(metadataKeys.requestId, telling.requestId);
  metadata.set(DETAILS_KEY, Buffer.from(status.details));
  return { code: status.code, details: status.message, metadata };
}
