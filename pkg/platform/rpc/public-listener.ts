import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import type { PublicLimits } from "./config.js";

const LOOK_MS = 100;

/**
 * Accepts the connections of a public port. Until a call with a valid token came on it, a connection is a
 * stranger's: it lives for a while and may send some bytes, then it is cut.
 */
export class PublicListener {
  readonly #limits: PublicLimits;
  readonly #server: Server;
  readonly #all = new Map<string, Socket>();
  /** By arrival. */
  readonly #strangers = new Map<string, { readonly socket: Socket; readonly sinceMs: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: PublicLimits, serve: (socket: Socket) => void) {
    this.#limits = limits;
    this.#server = createServer({ noDelay: true }, (socket) => {
      if (this.#add(socket)) serve(socket);
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
    this.#strangers.delete(peer);
  }

  /** Accepts nothing more. */
  stop(): void {
    this.#server.close();
    clearInterval(this.#timer);
  }

  #add(socket: Socket): boolean {
    if (this.#all.size >= this.#limits.maxConnections) {
      const oldest = this.#strangers.values().next().value;
      if (oldest === undefined) {
        socket.destroy();
        return false;
      }
      oldest.socket.destroy();
    }
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#all.set(peer, socket);
    this.#strangers.set(peer, { socket, sinceMs: performance.now() });
    socket.once("close", () => {
      this.#all.delete(peer);
      this.#strangers.delete(peer);
    });
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
