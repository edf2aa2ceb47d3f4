import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ConnectionBounds } from "../sharing/connection-bounds.js";
import type { ConnectionNumbers } from "../sharing/connection-bounds.js";

/**
 * Keeps a server's connections to their number, in all and per address; idle are those that have no request
 * under way.
 * @param isProxy  whether an address stands for many clients, so that only the number in all counts
 */
export function limitConnections(
  server: Server,
  numbers: ConnectionNumbers,
  isProxy: (address: string) => boolean,
): void {
  const busy = new WeakMap<Socket, number>();
  const bounds = new ConnectionBounds({
    numbers,
    isProxy,
    isIdle: (socket) => (busy.get(socket) ?? 0) === 0,
  });
  server.prependListener("connection", (socket: Socket) => void bounds.admit(socket));
  server.prependListener("request", ({ socket }: IncomingMessage, res: ServerResponse) => {
    busy.set(socket, (busy.get(socket) ?? 0) + 1);
    res.once("close", () => busy.set(socket, (busy.get(socket) ?? 1) - 1));
  });
}
