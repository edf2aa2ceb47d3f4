import { Agent, request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";

/** The REST services of a cloud. */
export type Place = "compute" | "placement" | "identity" | "image" | "network" | "metadata";

export interface Ask {
  readonly method: string;
  /** Sent as it is. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** undefined when the body is no JSON. */
  readonly json: unknown;
  readonly durationMs: number;
}

const PATIENCE_MS = 60_000;

/**
 * One service over connections that are kept. Plain node:http: `fetch` would tidy up what is malformed on
 * purpose.
 */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly port: number;

  constructor(port: number) {
    this.port = port;
  }

  close(): void {
    this.#agent.destroy();
  }

  ask({ method, path, headers = {}, body }: Ask): Promise<Answer> {
    const startedMs = performance.now();
    const all = {
      ...headers,
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    };
    return new Promise((resolve, reject) => {
      const req = request(
        {
          host: "127.0.0.1",
          port: this.port,
          path,
          method,
          headers: all as Record<string, string>,
          agent: this.#agent,
          timeout: PATIENCE_MS,
        },
        (res) => {
          const parts: Buffer[] = [];
          res.on("data", (part: Buffer) => parts.push(part));
          res.on("error", reject);
          res.on("end", () => {
            const text = Buffer.concat(parts).toString();
            resolve({
              status: res.statusCode ?? 0,
              headers: res.headers,
              text,
              json: parsed(text),
              durationMs: performance.now() - startedMs,
            });
          });
        },
      );
      req.on("timeout", () =>
        req.destroy(new Error(`${method} ${path}: no answer within ${PATIENCE_MS} ms`)),
      );
      req.on("error", reject);
      req.end(body);
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Some answers are not JSON; whoever expects JSON finds out.
  }
}
