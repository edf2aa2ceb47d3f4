import type { IncomingMessage, RequestListener } from "node:http";
import type { Socket } from "node:net";

/** Requests under way on one connection of HTTP/1.1. */
const MOST_AT_ONCE = 16;

/**
 * Serves requests, and cuts the connection of whoever sends many before the first is answered. Clients wait
 * for answers; but thousands of requests fit into what Node reads of one connection at once, and would stop
 * everything else for as long as they take.
 */
export function withoutFloods<Q extends IncomingMessage, A extends Parameters<RequestListener>[1]>(
  serve: (request: Q, response: A) => void,
): (request: Q, response: A) => void {
  const underWay = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    const count = (underWay.get(socket) ?? 0) + 1;
    if (count > MOST_AT_ONCE) {
      socket.destroy();
      return;
    }
    underWay.set(socket, count);
    response.once("close", () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    serve(request, response);
  };
}
