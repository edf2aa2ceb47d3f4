import { chmod, chown, lchown, lstat, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Ctx } from "../../../../kernel/index.js";
import { KilonovaError, asKilonovaError } from "../../../../kernel/index.js";
import { ifThere, makeFolder } from "../../../../platform/files/index.js";
import type { VolumeConnection } from "../../../driver.js";
import { VolumeErrors } from "../../../volumes/index.js";
import { DriverErrors } from "../../errors.js";
import type { Room } from "../../host/cage.js";
import type { Isolation } from "../../host/isolation.js";
import { endChild, isSameProcess, signalProcess, spawnDetached } from "../../host/linux-process.js";
import type { ProcessIdentity, SpawnedProcess } from "../../host/linux-process.js";
import type { RunAs } from "../../host/run-as.js";
import { fileTail } from "../console-log.js";
import type { VolumePaths } from "../guest-paths.js";
import { monitorOf } from "../launch.js";
import { hasNode, nodeSize } from "../block-nodes.js";
import { QmpClient, asArray } from "../qmp-client.js";
import { EXPORT } from "../volume-device.js";
import { SECRET, storageNode } from "./storage-node.js";
import type { StorageNode, StorageOptions } from "./storage-node.js";

/** From a command to the storage daemon to its answer: it may connect to somebody far away meanwhile. */
const CONNECT_MS = 30_000;
/** The volume, and what is served of it when that is not all. */
const WHOLE = "volume";
const PART = "part";
const GREETING_MS = 5_000;
const QUIT_MS = 5_000;
const GONE_MS = 30_000;
const POLL_MS = 20;

export interface BridgeTools extends StorageOptions {
  readonly storageDaemon: string;
  readonly launchTimeoutMs: number;
  readonly isolation: Pick<Isolation, "enter" | "assertHolds">;
  /** Whose the daemon is, and whose the guest. Undefined: as the agent. */
  readonly user: RunAs | undefined;
  readonly guest: RunAs | undefined;
  /** Control groups of a guest's daemons. */
  readonly groups: readonly string[];
  /** Serves no more than so much of the volume. */
  readonly cutBytes?: number | undefined;
}

/**
 * The process that reaches one volume and serves it to one guest. It is a QEMU storage daemon in a cage of
 * its own, so that neither the volume's server nor any secret is the guest's. It outlives the agent, as the
 * guest does.
 */
export class Bridge {
  readonly #identity: ProcessIdentity;
  readonly #paths: VolumePaths;
  readonly #qmp: QmpClient;
  /** Resolves when the process hangs up; never after `detach`. */
  readonly lost: Promise<void>;
  #detached = false;

  /**
   * Starts a daemon and puts its socket where the guest finds it. What a former one has left is removed.
   * @throws VOLUME_NOT_REACHABLE, CONNECTION_NOT_SUPPORTED, VOLUME_TOO_SMALL; no process is left then
   */
  static async start(
    ctx: Ctx,
    volumeId: string,
    connection: VolumeConnection,
    paths: VolumePaths,
    tools: BridgeTools,
  ): Promise<Bridge> {
    const storage = await reachable(volumeId, storageNode(connection, tools));
    const { user, guest, isolation, groups } = tools;
    const { opens } = storage;
    await makeRoom(paths, user);
    const group = user && opens !== undefined ? await groupOf(opens) : undefined;
    const room: Room = {
      ...storage.room,
      user,
      memberOf: group === undefined ? [] : [group],
      writable: [...(storage.room.writable ?? []), paths.dir],
      groups,
      dies: false,
    };
    let spawned: SpawnedProcess | undefined;
    try {
      const argv = [tools.storageDaemon, ...monitorArgs(paths)];
      spawned = await spawnDetached(isolation.enter(argv, room), paths.log);
      const qmp = await monitorOf(ctx, paths.qmpSocket, spawned, tools.launchTimeoutMs);
      isolation.assertHolds(spawned.identity.pid, room);
      await open(qmp, storage, connection.readOnly);
      if (tools.cutBytes !== undefined) await cut(qmp, volumeId, tools.cutBytes);
      await serve(qmp, connection.readOnly, paths);
      await putInPlace(paths, guest);
      return new Bridge(spawned.identity, paths, qmp);
    } catch (error) {
      if (spawned) {
        endChild(spawned);
        await spawned.exited;
        // Not before: what it has made in the socket's place could change below whoever removes it.
        await rm(paths.socket, { recursive: true, force: true });
      }
      ctx.signal.throwIfAborted();
      if (["GUEST_NOT_ISOLATED", "VOLUME_TOO_SMALL"].includes(asKilonovaError(error).reason)) throw error;
      if (isUnknownDriver(error))
        throw VolumeErrors.CONNECTION_NOT_SUPPORTED({ protocol: connection.at.type }, { cause: error });
      const output = (await ifThere(stat(paths.log))) ? fileTail(paths.log, 2_000).toString("utf8") : "";
      throw DriverErrors.VOLUME_NOT_REACHABLE(
        { volume: volumeId },
        { cause: new AggregateError([error], output) },
      );
    }
  }

  /** Takes over the daemon of a former agent. @returns undefined when it serves nothing */
  static async adopt(identity: ProcessIdentity, paths: VolumePaths): Promise<Bridge | undefined> {
    try {
      const qmp = await QmpClient.connect(paths.qmpSocket, { greetingTimeoutMs: GREETING_MS });
      const serves = asArray(await qmp.execute("query-block-exports")).length > 0;
      if (serves && (await ifThere(lstat(paths.socket))) !== undefined)
        return new Bridge(identity, paths, qmp);
      qmp.close();
    } catch {
      // Neither does one whose monitor does not answer.
    }
    return undefined;
  }

  private constructor(identity: ProcessIdentity, paths: VolumePaths, qmp: QmpClient) {
    this.#identity = identity;
    this.#paths = paths;
    this.#qmp = qmp;
    this.lost = new Promise((resolve) => {
      void qmp.closed.then(() => {
        if (!this.#detached) resolve();
      });
    });
  }

  /** What the volume holds, in bytes, as it was when the daemon was started. */
  async sizeBytes(): Promise<number> {
    return nodeSize(this.#qmp, WHOLE);
  }

  get alive(): boolean {
    return isBridge(this.#identity, this.#paths);
  }

  /** Ends the process, once what the guest has written is with the volume. */
  async end(): Promise<void> {
    this.#detached = true;
    this.#qmp.execute("quit").catch(() => undefined);
    await endBridge(this.#identity, this.#paths, QUIT_MS);
    this.#qmp.close();
  }

  /** Hangs up and lets the process live. */
  detach(): void {
    this.#detached = true;
    this.#qmp.close();
  }
}

/**
 * Where the daemon listens for its agent, which is also the argument it is known by. It waits for the agent
 * before it does anything: one that is connected to while its monitor's thread starts now and then reads what
 * it is told in two threads at once, and loses parts of it (QEMU 7.2, one start of 2,000 on a busy host).
 */
export const monitorAt = ({ qmpSocket }: Pick<VolumePaths, "qmpSocket">, wait: "on" | "off" = "on"): string =>
  `socket,id=qmp0,path=${qmpSocket.replaceAll(",", ",,")},server=on,wait=${wait}`;

/** Whether the process runs and is the volume's daemon, also one that an earlier release has started. */
export const isBridge = (identity: ProcessIdentity, paths: Pick<VolumePaths, "qmpSocket">): boolean =>
  (["on", "off"] as const).some((wait) => isSameProcess(identity, [monitorAt(paths, wait)]));

/** @returns the monitor's socket of the daemon that has this argument; undefined for any other argument */
export const bridgeSocket = (arg: string): string | undefined =>
  /^socket,id=qmp0,path=(.+),server=on,wait=(?:on|off)$/.exec(arg)?.[1]?.replaceAll(",,", ",");

/**
 * Ends a daemon, without asking after `patienceMs`, and removes what it has left. @throws HYPERVISOR_SILENT
 */
export async function endBridge(
  identity: ProcessIdentity,
  paths: VolumePaths,
  patienceMs = 0,
): Promise<void> {
  const gone = async (ms: number): Promise<boolean> => {
    for (const deadline = performance.now() + ms; isBridge(identity, paths); await delay(POLL_MS))
      if (performance.now() >= deadline) return false;
    return true;
  };
  if (!(await gone(patienceMs))) {
    if (isBridge(identity, paths)) signalProcess(identity, [], "SIGKILL");
    if (!(await gone(GONE_MS))) throw DriverErrors.HYPERVISOR_SILENT({ step: "let go of the volume" });
  }
  await rm(paths.dir, { recursive: true, force: true });
  await rm(paths.socket, { force: true });
}

const monitorArgs = (paths: VolumePaths): readonly string[] => [
  "--chardev",
  monitorAt(paths),
  "--monitor",
  "chardev=qmp0,mode=control",
];

/** The daemon's own folder; others pass through the one above only. */
async function makeRoom(paths: VolumePaths, user: RunAs | undefined): Promise<void> {
  makeFolder(dirname(paths.dir), user ? 0o711 : 0o700);
  await rm(paths.dir, { recursive: true, force: true });
  await mkdir(paths.dir, { mode: 0o700 });
  if (user) await chown(paths.dir, user.uid, user.gid);
}

/** Whose group a file is, or the folder in which it will be. */
const groupOf = async (path: string): Promise<number | undefined> =>
  ((await ifThere(stat(path))) ?? (await ifThere(stat(dirname(path)))))?.gid;

/** @throws VOLUME_NOT_REACHABLE for what is not there, so that no path is told */
async function reachable(volumeId: string, storage: Promise<StorageNode>): Promise<StorageNode> {
  try {
    return await storage;
  } catch (cause) {
    if (cause instanceof KilonovaError) throw cause;
    throw DriverErrors.VOLUME_NOT_REACHABLE({ volume: volumeId }, { cause });
  }
}

/** This host's QEMU lacks the module for the protocol. */
const isUnknownDriver = (error: unknown): boolean =>
  error instanceof Error && error.cause instanceof Error && error.cause.message.startsWith("Unknown driver");

async function open(qmp: QmpClient, { node, secret }: StorageNode, readOnly: boolean): Promise<void> {
  const how = readOnly ? { "read-only": true } : { discard: "unmap" };
  if (secret !== undefined) await qmp.execute("object-add", { "qom-type": "secret", id: SECRET, ...secret });
  await qmp.execute("blockdev-add", { ...node, ...how, "node-name": WHOLE }, CONNECT_MS);
}

/** From now on the first bytes of the volume are what is served. */
async function cut(qmp: QmpClient, volume: string, bytes: number): Promise<void> {
  const haveBytes = await nodeSize(qmp, WHOLE);
  if (haveBytes < bytes) throw DriverErrors.VOLUME_TOO_SMALL({ volume, haveBytes, wantBytes: bytes });
  await qmp.execute("blockdev-add", { driver: "raw", file: WHOLE, size: bytes, "node-name": PART });
}

async function serve(qmp: QmpClient, readOnly: boolean, paths: VolumePaths): Promise<void> {
  const node = (await hasNode(qmp, PART)) ? PART : WHOLE;
  const addr = { type: "unix", data: { path: paths.served } };
  await qmp.execute("nbd-server-start", { addr });
  await qmp.execute("block-export-add", {
    type: "nbd",
    id: EXPORT,
    name: EXPORT,
    "node-name": node,
    writable: !readOnly,
  });
}

/**
 * Only the guest may connect, and only to a socket. Its folder is the agent's by now, or not yet in use: the
 * daemon cannot put something else there any more.
 * @throws when it made something else than a socket, which is then there: to be removed once it has ended
 */
export async function putInPlace(
  { served, socket }: Pick<VolumePaths, "served" | "socket">,
  guest: RunAs | undefined,
): Promise<void> {
  await rename(served, socket);
  const found = await lstat(socket);
  if (!found.isSocket()) throw new Error("the storage daemon made something else than a socket");
  if (guest === undefined) return;
  await lchown(socket, guest.uid, guest.gid);
  await chmod(socket, 0o600);
}
