import type { Http2Session } from "node:http2";
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { createServer as createTls } from "node:tls";
import { ConnectionBounds, begin, welcome } from "../sharing/connection-bounds.js";
import type { PublicLimits } from "./config.js";

const LOOK_MS = 100;
/** How often idle connections are looked for, at most. */
const IDLE_LOOK_MS = 30_000;

/** What every connection of HTTP/2 begins with. */
const PREFACE = Buffer.from("PRI * HTTP/2.0");

/** A certificate for clients and its private key, as PEM. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface PublicListenerOptions {
  readonly limits: PublicLimits;
  /** Without it the port speaks plain text. */
  readonly tls?: TlsFiles | undefined;
  /** Get a connection that speaks this version, from its first byte on. */
  http1(socket: Socket): void;
  http2(socket: Socket): void;
}

/** One connection, while it is open. */
interface Open {
  readonly socket: Socket;
  readonly sinceMs: number;
  /** Once it speaks HTTP/2. */
  session?: Http2Session;
  /** Whether it was asked to go. */
  asked?: true;
}

/**
 * Accepts the connections of a public port, and tells HTTP/2 from HTTP/1.1 by the first bytes. Until a call
 * with a valid token came on it, a connection is a stranger's: it lives for a while and may send some bytes,
 * then it is cut. One with a caller's token is asked to go when no call was under way on it for a while.
 */
export class PublicListener {
  readonly #limits: PublicLimits;
  readonly #server: Server;
  readonly #bounds: ConnectionBounds;
  /** By `address:port`. */
  readonly #open = new Map<string, Open>();
  /** Those of strangers, in order of arrival. */
  readonly #strangers = new Set<Open>();
  #timer: NodeJS.Timeout | undefined;
  readonly #idleTimer: NodeJS.Timeout;

  constructor(options: PublicListenerOptions) {
    const { limits, tls } = options;
    this.#limits = limits;
    this.#bounds = new ConnectionBounds(limits);
    const tell = (socket: Socket): void => tellApart(socket, options);
    const secure = tls
      ? createTls({ ...tls, ALPNProtocols: ["h2", "http/1.1"] }, tell).on("tlsClientError", cut)
      : undefined;
    const keepAlive = { keepAlive: true, keepAliveInitialDelay: limits.pingMs };
    this.#server = createServer({ noDelay: true, ...keepAlive }, (socket) => {
      socket.on("error", () => {}); // cut while nobody has it yet
      if (!this.#add(socket)) return;
      if (secure) secure.emit("connection", socket);
      else tell(socket);
    });
    const { idleMs } = limits;
    this.#idleTimer = setInterval(() => this.#sendHome(), Math.min(idleMs / 4, IDLE_LOOK_MS)).unref();
  }

  /** @param address  `host:port`; IPv6 in brackets @returns the port */
  listen(address: string): Promise<number> {
    const at = address.lastIndexOf(":");
    const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(Number(address.slice(at + 1)), host, () => {
        this.#server.off("error", reject);
        const bound = this.#server.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
      });
    });
  }

  /** The connection of this peer (`address:port`) speaks HTTP/2. */
  speaksHttp2(peer: string, session: Http2Session): void {
    const open = this.#open.get(peer);
    if (open) open.session = session;
  }

  /**
   * A call with a valid token begins on the connection of this peer (`address:port`).
   * @param project  whose connection it is
   * @returns tells of its end; more than once is no more than once
   */
  begin(peer: string, project: string | undefined): () => void {
    const open = this.#open.get(peer);
    if (!open) return () => {};
    this.#strangers.delete(open);
    welcome(open.socket, project);
    return begin(open.socket);
  }

  /** Accepts nothing more. */
  stop(): void {
    this.#server.close();
    clearInterval(this.#timer);
    clearInterval(this.#idleTimer);
  }

  #add(socket: Socket): boolean {
    if (!this.#bounds.admit(socket)) return false;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const open: Open = { socket, sinceMs: performance.now() };
    this.#open.set(peer, open);
    this.#strangers.add(open);
    socket.once("close", () => {
      if (this.#open.get(peer) === open) this.#open.delete(peer);
      this.#strangers.delete(open);
    });
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return true;
  }

  #look(): void {
    const { strangerMs, strangerBytes } = this.#limits;
    const bornBefore = performance.now() - strangerMs;
    for (const { socket, sinceMs } of this.#strangers)
      if (sinceMs < bornBefore || socket.bytesRead > strangerBytes) socket.destroy();
    if (this.#strangers.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** Over HTTP/2 the client is told before, so that it repeats on another connection what it just sent. */
  #sendHome(): void {
    const idle = new Set(this.#bounds.idleFor(this.#limits.idleMs));
    if (idle.size === 0) return;
    for (const open of this.#open.values()) {
      if (!idle.has(open.socket)) continue;
      if (open.session === undefined || open.asked) open.socket.destroy();
      else open.session.close();
      open.asked = true;
    }
  }
}

const cut = (_error: Error, socket: TLSSocket): void => {
  socket.destroy();
};

/** Looks at the first bytes, and puts them back. */
function tellApart(socket: Socket, { http1, http2 }: PublicListenerOptions): void {
  socket.on("error", () => {});
  let seen = Buffer.alloc(0);
  const look = (): void => {
    for (let part: Buffer | null; (part = socket.read() as Buffer | null) !== null;)
      seen = Buffer.concat([seen, part]);
    const length = Math.min(seen.length, PREFACE.length);
    const isHttp2 = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
    if (isHttp2 && length < PREFACE.length) return; // not told yet
    socket.off("readable", look);
    socket.unshift(seen);
    if (isHttp2) http2(socket);
    else http1(socket);
  };
  socket.on("readable", look);
}
