import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/**
 * One answer: a status with headers and a body (objects become JSON), or whatever a test wants to do to the
 * connection.
 */
export type HandmadeAnswer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  | ((req: IncomingMessage, res: ServerResponse) => void);

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP server on this machine whose answers are written by hand. */
export class HandmadeServer {
  /** Every request, in order of arrival. */
  readonly seen: SeenRequest[] = [];
  readonly #server: Server;
  readonly #answers = new Map<string, HandmadeAnswer[]>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<HandmadeServer> {
    const server = createServer((req, res) => {
      void handmade.#serve(req, res);
    });
    const handmade = new HandmadeServer(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return handmade;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * What to answer to `"GET /path"`, one after the other; the last again and again. Forgets what was said of
   * it before.
   */
  on(request: string, ...answers: readonly HandmadeAnswer[]): this {
    this.#answers.set(request, [...answers]);
    return this;
  }

  /** The requests to one path. */
  to(request: string): SeenRequest[] {
    return this.seen.filter((one) => `${one.method} ${one.path}` === request);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? "/", this.url);
    const method = req.method ?? "";
    const answers = this.#answers.get(`${method} ${url.pathname}`) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    try {
      this.seen.push({
        method,
        path: url.pathname,
        query: url.searchParams,
        headers: req.headers,
        body: await text(req),
      });
    } catch {
      return; // The client left in the middle of its request.
    }
    if (answer === undefined)
      return void res.writeHead(404).end(`nothing is said of ${method} ${url.pathname}`);
    if (typeof answer === "function") return answer(req, res);
    const { body } = answer;
    const json = typeof body === "object" && body !== null;
    res.writeHead(answer.status, {
      ...(json ? { "Content-Type": "application/json" } : {}),
      ...answer.headers,
    });
    res.end(json ? JSON.stringify(body) : body);
  }
}

/** What proxies and older services answer with. */
export const htmlError = (
  status: number,
  title: string,
  headers: Readonly<Record<string, string>> = {},
): HandmadeAnswer => ({
  status,
  headers: { "Content-Type": "text/html; charset=UTF-8", ...headers },
  body: `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body><h1>${status} ${title}</h1></body>\n</html>`,
});

/** Sends the beginning of a body that was announced as longer, then cuts the connection. */
export const cutShort =
  (
    status: number,
    begin: string,
    announced: number,
    headers: Readonly<Record<string, string>> = {},
  ): HandmadeAnswer =>
  (_req, res) => {
    res.writeHead(status, { "Content-Length": String(announced), ...headers });
    res.write(begin, () => res.socket?.destroy());
  };

/** Never answers. */
export const silence: HandmadeAnswer = () => {};
