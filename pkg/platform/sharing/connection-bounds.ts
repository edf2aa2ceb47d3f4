import type { Socket } from "node:net";
import { addressKey } from "./address-key.js";

/** How many connections one port takes. */
export interface ConnectionNumbers {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Where callers are known. */
  readonly maxConnectionsPerProject?: number;
}

/** One connection, from its arrival to its end. */
interface Connection {
  readonly socket: Socket;
  readonly bounds: ConnectionBounds;
  /** Whose share it takes: its address, then the project of the first valid token too. */
  readonly sharers: string[];
  /** Whether its address stands for many clients. */
  readonly shared: boolean;
  /** Whether a valid token came. */
  known: boolean;
  underWay: number;
  idleSinceMs: number;
}

const connections = new WeakMap<Socket, Connection>();

/**
 * A request with a valid token came on this connection, of this project. From now on it goes only when it is
 * idle.
 */
export function welcome(socket: Socket, project: string | undefined): void {
  const connection = connections.get(socket);
  if (connection && !connection.known) connection.bounds.know(connection, project);
}

/** A request begins on this connection. @returns tells of its end; more than once is no more than once */
export function begin(socket: Socket): () => void {
  const connection = connections.get(socket);
  if (!connection) return () => {};
  connection.underWay++;
  let over = false;
  return () => {
    if (over) return;
    over = true;
    connection.underWay--;
    connection.idleSinceMs = performance.now();
  };
}

/**
 * Keeps the connections of one port to their number, in all, per address and per project. For a new one that
 * is too many, the oldest one goes on which no valid token ever came, whatever it does; else the one that has
 * been idle for longest; else the new one itself.
 * @cost for one that is too many, a look at all that share the number
 */
export class ConnectionBounds {
  readonly #numbers: ConnectionNumbers;
  readonly #isProxy: (address: string) => boolean;
  /** By arrival. */
  readonly #all = new Set<Connection>();
  readonly #bySharer = new Map<string, Set<Connection>>();

  /** @param isProxy  whether an address stands for many clients, so that only the number in all counts */
  constructor(numbers: ConnectionNumbers, isProxy: (address: string) => boolean = () => false) {
    this.#numbers = numbers;
    this.#isProxy = isProxy;
  }

  /** Takes a connection in until it closes. @returns whether there was room; without room it is cut */
  admit(socket: Socket): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#numbers;
    const shared = this.#isProxy(socket.remoteAddress ?? "");
    const connection: Connection = {
      ...{ socket, shared, bounds: this, sharers: [], known: false },
      ...{ underWay: 0, idleSinceMs: performance.now() },
    };
    const address = `address ${addressKey(socket.remoteAddress)}`;
    if (
      !this.#join(connection, address, shared ? maxConnections : maxConnectionsPerAddress) ||
      !this.#makeRoom(this.#all, maxConnections)
    ) {
      this.#forget(connection);
      socket.destroy();
      return false;
    }
    this.#all.add(connection);
    connections.set(socket, connection);
    socket.once("close", () => this.#forget(connection));
    return true;
  }

  /** A valid token came: the connection is its project's, and may be one too many of it. */
  know(connection: Connection, project: string | undefined): void {
    connection.known = true;
    const most = this.#numbers.maxConnectionsPerProject;
    if (project === undefined || most === undefined || connection.shared) return;
    if (!this.#join(connection, `project ${project}`, most)) this.#end(connection);
  }

  /** Connections with a caller's token on which nothing has been under way for so long. */
  idleFor(ms: number): Socket[] {
    const before = performance.now() - ms;
    return [...this.#all].flatMap(({ socket, known, underWay, idleSinceMs }) =>
      known && underWay === 0 && idleSinceMs < before ? [socket] : [],
    );
  }

  /** @returns whether it fits into this share, after the one that had to go */
  #join(connection: Connection, sharer: string, most: number): boolean {
    if (!this.#makeRoom(this.#bySharer.get(sharer) ?? new Set(), most)) return false;
    const near = this.#bySharer.get(sharer) ?? new Set();
    this.#bySharer.set(sharer, near.add(connection));
    connection.sharers.push(sharer);
    return true;
  }

  /** @returns whether one more fits, after the one that had to go */
  #makeRoom(among: ReadonlySet<Connection>, most: number): boolean {
    if (among.size < most) return true;
    let idlest: Connection | undefined;
    for (const one of among) {
      if (!one.known) return this.#end(one);
      if (one.underWay === 0 && one.idleSinceMs < (idlest?.idleSinceMs ?? Infinity)) idlest = one;
    }
    return idlest !== undefined && this.#end(idlest);
  }

  #end(connection: Connection): true {
    // Its "close" comes later; it does not count from now on.
    this.#forget(connection);
    connection.socket.destroy();
    return true;
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    for (const sharer of connection.sharers) {
      const near = this.#bySharer.get(sharer);
      near?.delete(connection);
      if (near?.size === 0) this.#bySharer.delete(sharer);
    }
  }
}
