import { createConnection } from "node:net";
import { join } from "node:path";

/** Protocol 3.0. */
const PROTOCOL = 196_608;

/**
 * Whether a server on the socket lets the role in: sends a startup packet and looks at the first byte of the
 * answer, which is `R` for authentication and `E` while the server starts up, shuts down or refuses. Under a
 * millisecond.
 */
export function answers(
  socketDir: string,
  port: number,
  user = "kilonova",
  timeoutMs = 1_000,
): Promise<boolean> {
  return new Promise((resolve) => {
    const body = Buffer.from(`user\0${user}\0database\0postgres\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + body.length, 0);
    head.writeInt32BE(PROTOCOL, 4);
    const socket = createConnection(join(socketDir, `.s.PGSQL.${port}`), () =>
      socket.write(Buffer.concat([head, body])),
    );
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.once("data", (data) => settle(data[0] === "R".charCodeAt(0)));
    socket.once("error", () => settle(false));
    socket.once("close", () => settle(false));
  });
}
