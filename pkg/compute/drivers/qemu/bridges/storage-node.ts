import { dirname } from "node:path";
import type { VolumeAddress } from "../../../driver.js";
import type { Room } from "../../host/cage.js";
import { RECONNECT_S } from "../volume-device.js";

/** How a storage daemon reaches a volume. */
export interface StorageNode {
  /** The block node, without its name and whether it is read-only. */
  readonly node: Readonly<Record<string, unknown>>;
  /** What it has to see and to reach for that. */
  readonly room: Required<Pick<Room, "reaches">> & Pick<Room, "readable" | "writable">;
  /** A file or socket whose group opens it. */
  readonly opens?: string;
}

/** The block node of a volume. Nothing in it is secret: what is comes as an object of its own. */
export function storageNode(at: VolumeAddress): StorageNode {
  const nbd = (server: Readonly<Record<string, unknown>>): StorageNode["node"] => ({
    driver: "nbd",
    server,
    export: at.exportName,
    "reconnect-delay": RECONNECT_S,
  });
  if ("unix" in at)
    return {
      node: nbd({ type: "unix", path: at.unix }),
      // The folder, because a server that was started anew has another socket in it.
      room: { reaches: "sockets", readable: [dirname(at.unix)] },
      opens: at.unix,
    };
  return {
    node: nbd({ type: "inet", host: at.host, port: String(at.port) }),
    room: { reaches: "network" },
  };
}
