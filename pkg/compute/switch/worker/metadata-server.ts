import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { MetadataRequest, MetadataResponse } from "../protocol.js";
import type { PortConfig } from "../port-config.js";
import type { TcpStream } from "../tcp/stream.js";

const maxBodyBytes = 64 << 10;
const requestTimeoutMs = 20_000;

/** Asks the agent; never rejects. */
export type AskAgent = (request: MetadataRequest) => Promise<MetadataResponse>;

/** Who is behind a connection: noted when it is made, looked up for each of its requests. */
type Callers = WeakMap<object, Pick<PortConfig, "portId" | "instanceUuid">>;

/**
 * Speaks HTTP on the guests' connections to the metadata address. One request per connection: Node's
 * keep-alive timer needs a real socket, and guests ask seldom.
 */
export function metadataServer(ask: AskAgent): {
  accept(port: PortConfig, stream: TcpStream): void;
  close(): void;
} {
  const callers: Callers = new WeakMap();
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      response.shouldKeepAlive = false;
      answer(callers, ask, request, response).catch(() => response.destroy());
    },
  );
  // Node's own reaction cuts the connection, and the guest would see a reset instead of the reason.
  server.on("clientError", (_error, stream) => {
    if (stream.writable) stream.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
  });
  return {
    accept: (port, stream) => {
      callers.set(stream, { portId: port.portId, instanceUuid: port.instanceUuid });
      server.emit("connection", stream);
    },
    close: () => server.close(),
  };
}

async function answer(
  callers: Callers,
  ask: AskAgent,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const caller = callers.get(request.socket);
  if (caller === undefined) {
    response.destroy();
    return;
  }
  const body = await readBody(request);
  const {
    status,
    headers,
    body: bytes,
  } = body === undefined
    ? { status: 413, headers: {}, body: new Uint8Array() }
    : await ask({
        ...caller,
        method: request.method ?? "GET",
        path: request.url ?? "/",
        headers: flat(request),
        body,
      });
  response.writeHead(status, { ...headers, "content-length": String(bytes.length) });
  response.end(request.method === "HEAD" ? undefined : bytes);
}

/** @returns undefined when it is too long */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    length += (part as Buffer).length;
    if (length > maxBodyBytes) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

const flat = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
