import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { TLSSocket } from "node:tls";
import { createServer as createTls } from "node:tls";
import { ConnectionBounds, welcome } from "../sharing/connection-bounds.js";
import type { PublicLimits } from "./config.js";

const LOOK_MS = 100;

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

/**
 * Accepts the connections of a public port, and tells HTTP/2 from HTTP/1.1 by the first bytes. Until a call
 * with a valid token came on it, a connection is a stranger's: it lives for a while and may send some bytes,
 * then it is cut.
 */
export class PublicListener {
  readonly #limits: PublicLimits;
  readonly #server: Server;
  readonly #bounds: ConnectionBounds;
  /** By `address:port`, in order of arrival. */
  readonly #strangers = new Map<string, { readonly socket: Socket; readonly sinceMs: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PublicListenerOptions) {
    const { limits, tls } = options;
    this.#limits = limits;
    // A known caller's connection stays: what is under way on it is not seen from here.
    this.#bounds = new ConnectionBounds({ numbers: limits, isProxy: () => false, isIdle: () => false });
    const begin = (socket: Socket): void => tellApart(socket, options);
    const secure = tls
      ? createTls({ ...tls, ALPNProtocols: ["h2", "http/1.1"] }, begin).on("tlsClientError", cut)
      : undefined;
    this.#server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => {}); // cut while nobody has it yet
      if (!this.#add(socket)) return;
      if (secure) secure.emit("connection", socket);
      else begin(socket);
    });
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

  /** A call on the connection of this peer (`address:port`) came with a valid token. */
  welcome(peer: string): void {
    const stranger = this.#strangers.get(peer);
    if (stranger) welcome(stranger.socket);
    this.#strangers.delete(peer);
  }

  /** Accepts nothing more. */
  stop(): void {
    this.#server.close();
    clearInterval(this.#timer);
  }

  #add(socket: Socket): boolean {
    if (!this.#bounds.admit(socket)) return false;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#strangers.set(peer, { socket, sinceMs: performance.now() });
    socket.once("close", () => this.#strangers.delete(peer));
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return true;
  }

  #look(): void {
    const { strangerMs, strangerBytes } = this.#limits;
    const bornBefore = performance.now() - strangerMs;
    for (const { socket, sinceMs } of this.#strangers.values())
      if (sinceMs < bornBefore || socket.bytesRead > strangerBytes) socket.destroy();
    if (this.#strangers.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
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
