import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { makeFolder } from "../../../../platform/files/index.js";

/** Where everything of the service's data lies. */
export interface Places {
  readonly root: string;
  /** All that a volume's daemon may write: the volume, and copies of it on their way elsewhere. */
  volume(id: string): string;
  readonly volumes: string;
  disk(id: string): string;
  snapshot(id: string): string;
  readonly snapshots: string;
  /** Data of images on its way into volumes. */
  incoming(id: string): string;
  readonly incomingFolder: string;
  /** Which process serves a volume. */
  record(id: string): string;
  readonly records: string;
  log(id: string): string;
  /** The folder that hosts are shown: it holds the socket and nothing else. */
  socketFolder(id: string): string;
  socket(id: string): string;
  monitorFolder(id: string): string;
  monitor(id: string): string;
}

/** Paths of unix sockets have 107 bytes; ours need so many behind the folder of sockets. */
const SOCKET_PATH_LIMIT = 107;
const LONGEST_TAIL = "/s/0123456789abcdef/nbd.sock".length;

/**
 * Makes the folders, or finds them again.
 * @param hidden  whether whoever we serve is shown our sockets by mounts; else they pass through the folders
 */
export function openPlaces(directory: string, hidden: boolean): Places {
  const root = resolve(directory);
  const run = runFolder(root);
  const mode = hidden || process.getuid?.() !== 0 ? 0o700 : 0o711;
  makeFolder(root, mode);
  makeFolder(run, mode);
  const below = (parent: string, name: string): string => {
    const path = join(parent, name);
    makeFolder(path, mode);
    return path;
  };
  const [volumes, snapshots, incomingFolder, records] = ["volumes", "snapshots", "incoming", "daemons"].map(
    (name) => below(root, name),
  ) as [string, string, string, string];
  const [sockets, monitors] = ["s", "m"].map((name) => below(run, name)) as [string, string];
  const places: Places = {
    root,
    volumes,
    snapshots,
    incomingFolder,
    records,
    volume: (id) => join(volumes, id),
    disk: (id) => join(volumes, id, "disk"),
    snapshot: (id) => join(snapshots, id),
    incoming: (id) => join(incomingFolder, id),
    record: (id) => join(records, `${id}.json`),
    log: (id) => join(records, `${id}.log`),
    socketFolder: (id) => join(sockets, shortHash(id)),
    socket: (id) => join(sockets, shortHash(id), "nbd.sock"),
    monitorFolder: (id) => join(monitors, shortHash(id)),
    monitor: (id) => join(monitors, shortHash(id), "qmp.sock"),
  };
  return places;
}

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Beside the data, unless the path is too long for a socket's. */
function runFolder(root: string): string {
  const near = join(root, "run");
  if (Buffer.byteLength(near) + LONGEST_TAIL <= SOCKET_PATH_LIMIT) return near;
  return join(process.getuid?.() === 0 ? "/run" : "/tmp", `kilonova-volumes-${shortHash(root)}`);
}

/** Folders of a volume that its daemon's user owns: the place of its data, and of its two sockets. */
export const foldersOf = (places: Places, id: string): readonly (readonly [string, number])[] => [
  [places.volume(id), 0o700],
  [places.monitorFolder(id), 0o700],
  // Whoever is shown it may pass to the socket; what is above it is closed.
  [places.socketFolder(id), 0o711],
];
