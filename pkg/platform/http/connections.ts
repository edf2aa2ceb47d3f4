import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ConnectionBounds, begin, welcome } from "../sharing/connection-bounds.js";
import type { ConnectionNumbers } from "../sharing/connection-bounds.js";

/**
 * Keeps a server's connections to their number, in all, per address and per project; idle are those that have
 * no request under way.
 * @param isProxy  whether an address stands for many clients, so that only the number in all counts
 */
export function limitConnections(
  server: Server,
  numbers: ConnectionNumbers,
  isProxy: (address: string) => boolean,
): void {
  const bounds = new ConnectionBounds(numbers, isProxy);
  server.prependListener("connection", (socket: Socket) => void bounds.admit(socket));
  server.prependListener("request", ({ socket }: IncomingMessage, res: ServerResponse) => {
    res.once("close", begin(socket));
  });
}

/**
 * Keeps a connection that is no longer one of requests: it counts to a project, and is never taken for idle.
 * @returns tells of its end
 */
export function keepUpgraded(socket: Socket, project: string): () => void {
  welcome(socket, project);
  return begin(socket);
}
