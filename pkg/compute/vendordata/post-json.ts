import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Until the connection stands, TLS included. */
  readonly connectTimeoutMs: number;
  /** Longest silence after that. */
  readonly readTimeoutMs: number;
  /** PEM, instead of the built-in certificates. */
  readonly ca?: string;
  readonly signal: AbortSignal;
}

const MAX_ANSWER_BYTES = 1 << 20;

/**
 * POSTs JSON. Apart from the common HTTP client because that one has neither a time-out for connecting alone
 * nor certificates of its own.
 * @throws Error when there is no complete answer in time
 */
export function postJson(
  url: string,
  body: unknown,
  options: PostOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const bytes = Buffer.from(JSON.stringify(body));
  const secure = new URL(url).protocol === "https:";
  const settings: RequestOptions = {
    method: "POST",
    agent: false,
    signal: options.signal,
    headers: { ...options.headers, "content-type": "application/json", "content-length": bytes.length },
  };
  return new Promise((resolve, reject) => {
    const request = secure
      ? httpsRequest(url, options.ca === undefined ? settings : { ...settings, ca: options.ca })
      : httpRequest(url, settings);
    request.once("error", reject);
    limitTimes(request, options, secure ? "secureConnect" : "connect");
    request.once("response", (response) => {
      readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    request.end(bytes);
  });
}

function limitTimes(
  request: ClientRequest,
  { connectTimeoutMs, readTimeoutMs }: PostOptions,
  connected: string,
): void {
  const connecting = setTimeout(() => request.destroy(new Error("no connection in time")), connectTimeoutMs);
  request.once("close", () => clearTimeout(connecting));
  request.once("socket", (socket) =>
    socket.once(connected, () => {
      clearTimeout(connecting);
      request.setTimeout(readTimeoutMs, () => request.destroy(new Error("no answer in time")));
    }),
  );
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_ANSWER_BYTES) throw new Error("the answer is too long");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
