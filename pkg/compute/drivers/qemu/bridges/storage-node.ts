import { readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ifThere } from "../../../../platform/files/index.js";
import type { IscsiAddress, RbdAddress, VolumeAddress, VolumeConnection } from "../../../driver.js";
import { VolumeErrors, keyOf } from "../../../volumes/index.js";
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
  /** What the node refers to by `SECRET`, and how it is written. */
  readonly secret?: { readonly data: string; readonly format: "raw" | "base64" };
}

export interface StorageOptions {
  /** Name by which this host is known to iSCSI targets. */
  readonly initiator: string;
  /** Folders below which volumes may be files. */
  readonly volumeFolders: readonly string[];
}

/** Id of the one secret that a daemon may have. */
export const SECRET = "secret";

/**
 * The block node of a volume. Nothing in it is secret: what is comes as an object of its own.
 * @throws CONNECTION_NOT_SUPPORTED for files outside of the folders
 */
export async function storageNode(
  { at, shared }: VolumeConnection,
  options: StorageOptions,
): Promise<StorageNode> {
  switch (at.type) {
    case "nbd":
      return nbdNode(at);
    case "iscsi":
      return iscsiNode(at, options);
    case "rbd":
      return rbdNode(at);
    case "file":
      return fileNode(at.path, shared, options);
  }
}

function nbdNode(at: Extract<VolumeAddress, { type: "nbd" }>): StorageNode {
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
  return { node: nbd({ type: "inet", host: at.host, port: String(at.port) }), room: { reaches: "network" } };
}

const iscsiNode = (
  { portal, target, lun, chap }: IscsiAddress,
  { initiator }: StorageOptions,
): StorageNode => ({
  node: {
    driver: "iscsi",
    transport: "tcp",
    portal,
    target,
    lun,
    "initiator-name": initiator,
    ...(chap === undefined ? {} : { user: chap.user, "password-secret": SECRET }),
  },
  room: { reaches: "network" },
  ...(chap === undefined ? {} : { secret: { data: chap.password, format: "raw" } }),
});

async function rbdNode({ pool, image, monitors, user, key, cluster }: RbdAddress): Promise<StorageNode> {
  const keyring = `/etc/ceph/${cluster}.client.${user}.keyring`;
  const data =
    user === undefined ? undefined : (key ?? keyOf((await ifThere(readFile(keyring, "utf8"))) ?? ""));
  return {
    node: {
      driver: "rbd",
      pool,
      image,
      server: monitors.map((monitor) => ({ ...monitor })),
      ...(user === undefined
        ? { "auth-client-required": ["none"] }
        : { user, "auth-client-required": ["cephx"] }),
      ...(data === undefined ? {} : { "key-secret": SECRET }),
    },
    room: { reaches: "network" },
    // Keys are written in base64, and QEMU writes what is secret in base64 once more unless it knows.
    ...(data === undefined ? {} : { secret: { data, format: "base64" } }),
  };
}

async function fileNode(
  path: string,
  shared: boolean,
  { volumeFolders }: StorageOptions,
): Promise<StorageNode> {
  const real = await realpath(path);
  const folders = await Promise.all(volumeFolders.map((folder) => ifThere(realpath(folder))));
  if (!folders.some((folder) => folder !== undefined && real.startsWith(`${folder}/`)))
    throw VolumeErrors.CONNECTION_NOT_SUPPORTED({ protocol: "file" });
  const isDevice = (await stat(real)).isBlockDevice();
  return {
    node: {
      driver: isDevice ? "host_device" : "file",
      filename: real,
      // Others write to it from hosts of their own: nothing may be kept here.
      ...(shared ? { cache: { direct: true } } : {}),
      ...(shared && !isDevice ? { locking: "off" } : {}),
    },
    room: { reaches: "sockets", writable: [real] },
    opens: real,
  };
}
