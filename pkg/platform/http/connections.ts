import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ConnectionBounds, begin } from "../sharing/connection-bounds.js";
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
