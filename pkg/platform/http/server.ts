import { IncomingMessage, ServerResponse, createServer } from "node:http";
import type { ServerOptions } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import express from "express";
import type { Express } from "express";
import type { Logger } from "../../kernel/index.js";
import { withoutFloods } from "../sharing/pipelining.js";
import { defaultRest } from "./config.js";
import type { ConnectionLimits } from "./config.js";
import { limitConnections } from "./connections.js";
import { requestContext } from "./context.js";
import type { HttpEnv } from "./context.js";

/**
 * An Express app with the common settings and the request context installed; routes and the failure handler
 * are the caller's.
 */
export function httpApp(service: string, env: HttpEnv): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  app.set("trust proxy", [...(env.trustedProxies ?? [])]);
  app.locals["service"] = service;
  app.use(requestContext(env));
  return app;
}

/**
 * Makes requests and responses with Express' prototypes from the start. Express would set them on each, and
 * V8 lets no object so changed go before the old generation is collected, with all that it had touched.
 */
function messagesOf(app: Express): Required<Pick<ServerOptions, "IncomingMessage" | "ServerResponse">> {
  class Incoming extends IncomingMessage {}
  class Outgoing<R extends IncomingMessage> extends ServerResponse<R> {}
  app.request = Object.setPrototypeOf(Incoming.prototype, app.request) as Express["request"];
  app.response = Object.setPrototypeOf(Outgoing.prototype, app.response) as Express["response"];
  return { IncomingMessage: Incoming, ServerResponse: Outgoing };
}

/** Until TCP asks a silent client whether it is still there. */
const KEEP_ALIVE_MS = 60_000;

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly log: Logger;
  /**
   * Milliseconds for a whole request to arrive; 0 for services that take uploads of any length. Default
   * 30,000.
   */
  readonly receiveTimeoutMs?: number;
  /** Default: as in the documentation of the configuration. */
  readonly limits?: ConnectionLimits;
  /** Takes connections that ask for another protocol; `close` leaves them to it. Default: they are cut. */
  readonly onUpgrade?: (req: IncomingMessage, socket: Socket, head: Buffer) => void;
}

/** A listening HTTP server. */
export interface HttpServer {
  readonly port: number;
  /** `http://host:port` */
  readonly url: string;
  /** Refuses new connections, lets running requests end within `graceMs`, then cuts the rest. Repeatable. */
  close(graceMs?: number): Promise<void>;
}

/** Starts serving. @throws when the address is taken */
export async function listen(app: Express, options: ListenOptions): Promise<HttpServer> {
  let closing: Promise<void> | undefined;
  const limits = options.limits ?? defaultRest;
  const requestTimeout = options.receiveTimeoutMs ?? 30_000;
  const server = createServer(
    {
      ...messagesOf(app),
      requestTimeout,
      // A client that is gone without a word is noticed between two requests, and while it is answered.
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      // Headers are part of the request.
      headersTimeout: requestTimeout === 0 ? limits.headersMs : Math.min(limits.headersMs, requestTimeout),
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(5_000, limits.headersMs),
    },
    withoutFloods((req: IncomingMessage, res: ServerResponse) => void app(req, res)),
  );
  const isTrusted = app.get("trust proxy fn") as (address: string, hop: number) => boolean;
  limitConnections(server, limits, (address) => isTrusted(address, 0));
  const { onUpgrade } = options;
  if (onUpgrade)
    server.on("upgrade", (req, socket, head) => {
      // A TCP server's connections are sockets.
      onUpgrade(req, socket as Socket, head);
    });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.on("error", (error) => options.log.error("http.server.failed", { error }));
  const { port } = server.address() as AddressInfo;
  const close = async (graceMs: number): Promise<void> => {
    // Whoever gave the time waits no longer than that: what is still there is cut before.
    const cut = setTimeout(() => server.closeAllConnections(), graceMs * 0.9);
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    clearTimeout(cut);
  };
  return {
    port,
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`,
    close: (graceMs = 5_000) => (closing ??= close(graceMs)),
  };
}
