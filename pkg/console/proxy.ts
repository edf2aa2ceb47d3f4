import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { Ctx, Ids, Logger } from "../kernel/index.js";
import { rootCtx, serviceActor } from "../kernel/index.js";
import { keepUpgraded } from "../platform/http/index.js";
import type { ConsoleConfig } from "./config.js";
import { mayOpen } from "./domain/origin.js";
import { Places } from "./domain/places.js";
import type { ConsolesPort, FoundConsole } from "./ports.js";
import { tunnel } from "./tunnel.js";

/** Longest that looking a token up may take. */
const FIND_MS = 10_000;
/** Most that a browser may send at once: what is pasted, say. */
const MESSAGE_BYTES = 1 << 20;
/** How long a browser may take to answer the end of its console. */
const PARTING_MS = 2_000;
const PING_MS = 30_000;
const SUBPROTOCOL = "binary";

export interface ProxyDeps {
  readonly config: ConsoleConfig;
  readonly consoles: ConsolesPort;
  readonly ids: Ids;
  readonly log: Logger;
  /** So often a browser is asked whether it is still there; default 30 s. */
  readonly pingMs?: number;
}

const refusals = {
  403: "Forbidden",
  429: "Too Many Requests",
  503: "Service Unavailable",
} as const;

/**
 * Opens consoles for whoever brings a token in the web socket's address: `?token=…`. It remembers nothing of
 * them but how many are open.
 */
export class ConsoleProxy {
  readonly #deps: ProxyDeps;
  readonly #places: Places;
  readonly #stop = new AbortController();
  readonly #tunnels = new Set<Promise<void>>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES,
    // Screens come compressed already.
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  constructor(deps: ProxyDeps) {
    this.#deps = deps;
    this.#places = new Places(deps.config);
  }

  /** Consoles that are open. */
  get open(): number {
    return this.#places.open;
  }

  /** Connections that are being let in, refused or carried. */
  get busy(): number {
    return this.#tunnels.size;
  }

  /** Takes a connection that asks to be a web socket. */
  upgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    const { ids, log } = this.#deps;
    const requestId = `req-${ids.uuid()}`;
    const ctx = rootCtx({
      requestId,
      signal: this.#stop.signal,
      actor: serviceActor("console"),
      log: log.child({ requestId }),
    });
    // A client may hang up at any time.
    socket.on("error", () => socket.destroy());
    const work = this.#admit(ctx, req, socket, head).catch((error: unknown) => {
      log.warn("console.unanswered", { requestId, error });
      refuse(socket, 503);
    });
    this.#tunnels.add(work);
    void work.finally(() => this.#tunnels.delete(work));
  }

  /** Ends all consoles. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#tunnels);
  }

  async #admit(ctx: Ctx, req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { config, consoles } = this.#deps;
    if (this.#stop.signal.aborted) return refuse(socket, 503);
    const { origin, host } = req.headers;
    if (!mayOpen(origin, host, config.allowedOrigins)) return refuse(socket, 403);
    const token = tokenIn(req.url ?? "");
    const timed = { ...ctx, deadlineMs: Date.now() + FIND_MS };
    const found = token === "" ? undefined : await consoles.find(timed, token);
    if (found === undefined) return refuse(socket, 403);
    const leave = this.#places.take(found.projectId, found.serverId);
    if (leave === undefined) return refuse(socket, 429);
    const over = keepUpgraded(socket, found.projectId);
    try {
      await this.#carry(ctx, found, { req, socket, head });
    } finally {
      leave();
      over();
    }
  }

  async #carry(
    ctx: Ctx,
    found: FoundConsole,
    { req, socket, head }: { readonly req: IncomingMessage; readonly socket: Socket; readonly head: Buffer },
  ): Promise<void> {
    const { config, consoles, pingMs = PING_MS } = this.#deps;
    const { serverId, projectId, kind, expiresAtMs } = found;
    const web = await new Promise<WebSocketOf | undefined>((resolve) => {
      // One that is gone already says so no more.
      if (socket.destroyed) return resolve(undefined);
      // It refuses by itself what is no web socket, and then the connection ends.
      socket.once("close", () => resolve(undefined));
      this.#sockets.handleUpgrade(req, socket, head, resolve);
    });
    if (web === undefined) return;
    const startedMs = performance.now();
    ctx.log.info("console.open", { serverId, projectId, kind });
    await tunnel(ctx, web, (c) => consoles.open(c, found), {
      kind,
      idleMs: config.idleMs,
      pingMs,
      endsAtMs: config.enforceTokenEnd ? expiresAtMs : undefined,
    });
    partWith(web);
    const durationMs = Math.round(performance.now() - startedMs);
    ctx.log.info("console.closed", { serverId, projectId, kind, durationMs });
  }
}

type WebSocketOf = Parameters<Parameters<WebSocketServer["handleUpgrade"]>[3]>[0];

/** Whoever does not answer the end is cut. */
function partWith(web: WebSocketOf): void {
  const cut = setTimeout(() => web.terminate(), PARTING_MS);
  web.once("close", () => clearTimeout(cut));
}

/** The token in a web socket's address; "" when there is none. */
function tokenIn(url: string): string {
  const query = url.includes("?") ? url.slice(url.indexOf("?")) : "";
  const token = new URLSearchParams(query).get("token") ?? "";
  return token.length <= 255 ? token : "";
}

function refuse(socket: Socket, status: keyof typeof refusals): void {
  if (!socket.writable) return void socket.destroy();
  socket.end(`HTTP/1.1 ${status} ${refusals[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
