import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Socket } from "node:net";
import type { UniversalServerRequest, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { createContextValues } from "@connectrpc/connect";
import { FAREWELL_MS } from "../door.js";
import type { ConnectCall } from "./handlers.js";
import { callKey } from "./handlers.js";
import { whenAborted } from "../../../kernel/signals.js";

/** One request and its answer, of HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = (ServerResponse | Http2ServerResponse) & {
  writeContinue(): void;
};

/** `address:port` of the connection. */
export const peerOf = (socket: Pick<Socket, "remoteAddress" | "remotePort"> | undefined): string =>
  `${socket?.remoteAddress}:${socket?.remotePort}`;

/** `address:port` of the connection that a request came on. */
export const peerOfRequest = (request: HttpRequest): string =>
  peerOf("stream" in request ? request.stream.session?.socket : request.socket);

/** A request as the Connect library takes it. @param body  read only once the call was let in */
export function toUniversal(
  request: HttpRequest,
  call: ConnectCall,
  body: AsyncIterable<Uint8Array>,
): UniversalServerRequest {
  const header = new Headers();
  for (const [name, value] of Object.entries(request.headers))
    if (!name.startsWith(":") && value !== undefined)
      for (const one of Array.isArray(value) ? value : [value]) header.append(name, one);
  return {
    httpVersion: request.httpVersion,
    method: request.method ?? "",
    // Only its query is looked at.
    url: new URL(request.url ?? "/", "http://unnamed").href,
    header,
    body,
    signal: call.end.signal,
    contextValues: createContextValues().set(callKey, call),
  };
}

/**
 * Writes an answer as fast as its reader takes it: the next message is asked for when there is room again.
 * When the call ends before its time, what remains to be said is said without waiting, and a reader who does
 * not take it is cut off.
 */
export async function send(
  answer: UniversalServerResponse,
  response: HttpResponse,
  { end }: ConnectCall,
): Promise<void> {
  response.statusCode = answer.status;
  answer.header?.forEach((value, name) => response.setHeader(name, value));
  const parts = answer.body?.[Symbol.asyncIterator]();
  try {
    while (parts) {
      const next = await parts.next();
      if (next.done || !end.hasReader) break;
      if (!write(response, next.value)) await roomFor(response, end.signal);
    }
    response.end();
  } finally {
    void parts?.return?.(undefined)?.catch(() => {});
    if (end.signal.aborted && end.hasReader) cutLater(response);
  }
}

export function cutLater(response: HttpResponse): void {
  const timer = setTimeout(() => response.destroy(), FAREWELL_MS).unref();
  response.once("close", () => clearTimeout(timer));
}

/** Both have it, with signatures that only differ in what nobody uses here. */
const write = (response: HttpResponse, bytes: Uint8Array): boolean =>
  (response as ServerResponse).write(bytes);

/** Waits until the reader has taken what is on its way, or the call ends. */
function roomFor(response: HttpResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let leave = (): void => {};
    const go = (): void => {
      response.off("drain", go);
      leave();
      resolve();
    };
    response.once("drain", go);
    leave = whenAborted(signal, go);
  });
}
