import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import type { ConsoleKind, GuestConsole } from "../../driver.js";
import type { Entry } from "./entry.js";

/** A guest's console at the socket on which its process listens. */
export function guestConsole({ paths, running }: Entry, kind: ConsoleKind): GuestConsole {
  const socket = kind === "vnc" ? paths.vncSocket : paths.serialSocket;
  if (running === undefined || running.powerState === "SHUTDOWN")
    return { run: undefined, connect: () => connected(socket) };
  const { pid, startTicks } = running.identity;
  return {
    run: `${pid}-${startTicks}`,
    // A guest that an older build has started has no screen until it is started again.
    connect: existsSync(socket) ? () => connected(socket) : undefined,
  };
}

const connected = (path: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
