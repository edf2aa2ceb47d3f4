import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionLimits } from "./config.js";

/** Connections on which a valid token came. */
const known = new WeakSet<Socket>();

/** A request with a valid token came on this connection. */
export const welcome = (socket: Socket): void => {
  known.add(socket);
};

/**
 * Keeps a server's connections to their number, in all and per address. For a new one that is too many, the
 * oldest one goes on which no valid token ever came, whatever it does; else the oldest that has no request
 * under way; else the new one itself.
 * @param isProxy  whether an address stands for many clients, so that only the number in all counts
 */
export function limitConnections(
  server: Server,
  limits: Pick<ConnectionLimits, "maxConnections" | "maxConnectionsPerAddress">,
  isProxy: (address: string) => boolean,
): void {
  /** By arrival. */
  const all = new Set<Socket>();
  const byAddress = new Map<string, Set<Socket>>();
  const busy = new WeakMap<Socket, number>();

  server.prependListener("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    const near = byAddress.get(address) ?? new Set();
    const most = isProxy(address) ? limits.maxConnections : limits.maxConnectionsPerAddress;
    if (!makeRoom(near, most) || !makeRoom(all, limits.maxConnections)) {
      socket.destroy();
      return;
    }
    byAddress.set(address, near.add(socket));
    all.add(socket);
    socket.once("close", () => forget(socket, address));
  });
  server.prependListener("request", ({ socket }: IncomingMessage, res: ServerResponse) => {
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    res.once("close", () => busy.set(socket, (busy.get(socket) ?? 1) - 1));
  });

  /** @returns whether one more fits, after the one that had to go */
  function makeRoom(among: ReadonlySet<Socket>, most: number): boolean {
    if (among.size < most) return true;
    let idle: Socket | undefined;
    for (const socket of among) {
      if (!known.has(socket)) return end(socket);
      if (idle === undefined && (busy.get(socket) ?? 0) === 0) idle = socket;
    }
    return idle !== undefined && end(idle);
  }

  function end(socket: Socket): true {
    // Its "close" comes later; it does not count from now on.
    forget(socket, socket.remoteAddress ?? "");
    socket.destroy();
    return true;
  }

  function forget(socket: Socket, address: string): void {
    all.delete(socket);
    const near = byAddress.get(address);
    near?.delete(socket);
    if (near?.size === 0) byAddress.delete(address);
  }
}
