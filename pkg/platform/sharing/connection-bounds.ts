import type { Socket } from "node:net";

/** How many connections one port takes. */
export interface ConnectionNumbers {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** Connections on which a valid token came. */
const known = new WeakSet<Socket>();

/** A request with a valid token came on this connection. */
export const welcome = (socket: Socket): void => {
  known.add(socket);
};

export interface ConnectionBoundsOptions {
  readonly numbers: ConnectionNumbers;
  /** Whether an address stands for many clients, so that only the number in all counts. */
  isProxy(address: string): boolean;
  /** Whether a connection with a caller's token may go for a new one, because nothing is under way on it. */
  isIdle(socket: Socket): boolean;
}

/**
 * Keeps the connections of one port to their number, in all and per address. For a new one that is too many,
 * the oldest one goes on which no valid token ever came, whatever it does; else the oldest idle one; else the
 * new one itself. The oldest is found in time that grows with the connections that are neither.
 */
export class ConnectionBounds {
  readonly #options: ConnectionBoundsOptions;
  /** By arrival. */
  readonly #all = new Set<Socket>();
  readonly #byAddress = new Map<string, Set<Socket>>();

  constructor(options: ConnectionBoundsOptions) {
    this.#options = options;
  }

  /** Takes a connection in until it closes. @returns whether there was room; without room it is cut */
  admit(socket: Socket): boolean {
    const { numbers, isProxy } = this.#options;
    const address = socket.remoteAddress ?? "";
    const near = this.#byAddress.get(address) ?? new Set();
    const most = isProxy(address) ? numbers.maxConnections : numbers.maxConnectionsPerAddress;
    if (!this.#makeRoom(near, most) || !this.#makeRoom(this.#all, numbers.maxConnections)) {
      socket.destroy();
      return false;
    }
    this.#byAddress.set(address, near.add(socket));
    this.#all.add(socket);
    socket.once("close", () => this.#forget(socket, address));
    return true;
  }

  /** @returns whether one more fits, after the one that had to go */
  #makeRoom(among: ReadonlySet<Socket>, most: number): boolean {
    if (among.size < most) return true;
    let idle: Socket | undefined;
    for (const socket of among) {
      if (!known.has(socket)) return this.#end(socket);
      if (idle === undefined && this.#options.isIdle(socket)) idle = socket;
    }
    return idle !== undefined && this.#end(idle);
  }

  #end(socket: Socket): true {
    // Its "close" comes later; it does not count from now on.
    this.#forget(socket, socket.remoteAddress ?? "");
    socket.destroy();
    return true;
  }

  #forget(socket: Socket, address: string): void {
    this.#all.delete(socket);
    const near = this.#byAddress.get(address);
    near?.delete(socket);
    if (near?.size === 0) this.#byAddress.delete(address);
  }
}
