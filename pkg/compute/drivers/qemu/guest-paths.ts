import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { DriverErrors } from "../errors.js";

/** Where everything of one guest lies. */
export interface GuestPaths {
  readonly dir: string;
  /** The commit point of `define`; a folder without it is a leftover. */
  readonly definition: string;
  /** Which process runs the guest, or how the last one ended. */
  readonly runRecord: string;
  readonly rootDisk: string;
  /** The first one; see `ephemeralPath`. */
  readonly ephemeralDisk: string;
  readonly swapDisk: string;
  readonly configDrive: string;
  /** The image below its root disk, of a guest that came with one of its own. */
  readonly baseDisk: string;
  /** What it boots with, of such a guest. */
  readonly ownKernel: string;
  readonly ownRamdisk: string;
  /** There while its disks are offered to another host: the guest stays off. */
  readonly leavingMark: string;
  /** The machine as the guest saw it, while its disks are offered. */
  readonly layout: string;
  /** How far disks have come that are on their way here. */
  readonly arriving: string;
  /** Copies of the root disk on their way to the Image service. The guest's process sees what comes here. */
  readonly snapshotsDir: string;
  /** How its volumes are reached, secrets included: the agent's alone. Its processes do not see it. */
  readonly volumesDir: string;
  /** There while the guest's file systems may be frozen. */
  readonly frozenMark: string;
  /** Of a rescued guest; leftovers of a rescue that came to nothing when the definition names none. */
  readonly rescueDisk: string;
  readonly rescueConfigDrive: string;
  readonly consoleLog: string;
  readonly consoleLogBefore: string;
  readonly qemuLog: string;
  /** Memory of a suspended guest; counts only beside `savedRecord`. */
  readonly memory: string;
  /** The same while it is being written: the guest has not been suspended yet. */
  readonly memoryBeingSaved: string;
  /** The commit point of a suspension. */
  readonly savedRecord: string;
  /** Short-lived and short-named: unix socket paths may have 107 bytes only. */
  readonly socketDir: string;
  readonly qmpSocket: string;
  /** A second monitor for operators; the first one is the agent's and serves one client. */
  readonly operatorSocket: string;
  readonly serialSocket: string;
  /** The screen, as RFB without a password: whoever may pass the folder may see it. */
  readonly vncSocket: string;
  /** Channel to the agent inside the guest, of guests whose image asks for one. */
  readonly agentSocket: string;
  /** Over which memory leaves a guest that is suspended, and comes back. */
  readonly memorySocket: string;
  /** Folders of the processes that reach its volumes; the guest does not see it. */
  readonly bridgesDir: string;
}

/** Where what belongs to one volume of a guest lies. */
export interface VolumePaths {
  /** How it is reached. */
  readonly connection: string;
  readonly log: string;
  /** The folder of the process that reaches it, and that process's monitor. */
  readonly dir: string;
  readonly qmpSocket: string;
  /** Where that process serves the volume, before the socket is put into its place. */
  readonly served: string;
  /** Where the guest finds it. */
  readonly socket: string;
}

/** Linux's `sun_path` without its final zero. */
const SOCKET_PATH_LIMIT = 107;

export function guestPaths(stateDir: string, runDir: string, instanceUuid: string): GuestPaths {
  const dir = join(stateDir, instanceUuid);
  const socketDir = join(runDir, shortHash(instanceUuid));
  return {
    dir,
    definition: join(dir, "instance.json"),
    runRecord: join(dir, "run.json"),
    rootDisk: join(dir, "disk"),
    ephemeralDisk: join(dir, "disk.eph0"),
    swapDisk: join(dir, "disk.swap"),
    configDrive: join(dir, "disk.config"),
    baseDisk: join(dir, "disk.base"),
    ownKernel: join(dir, "kernel"),
    ownRamdisk: join(dir, "ramdisk"),
    leavingMark: join(dir, "leaving.json"),
    layout: join(dir, "layout.json"),
    arriving: join(dir, "arriving.json"),
    snapshotsDir: join(dir, "snapshots"),
    volumesDir: join(dir, "volumes"),
    frozenMark: join(dir, "frozen"),
    rescueDisk: join(dir, "disk.rescue"),
    rescueConfigDrive: join(dir, "disk.config.rescue"),
    consoleLog: join(dir, "console.log"),
    consoleLogBefore: join(dir, "console.log.1"),
    qemuLog: join(dir, "qemu.log"),
    memory: join(dir, "memory"),
    memoryBeingSaved: join(dir, "memory.saving"),
    savedRecord: join(dir, "saved.json"),
    socketDir,
    qmpSocket: join(socketDir, "qmp.sock"),
    operatorSocket: join(socketDir, "qmp2.sock"),
    serialSocket: join(socketDir, "serial.sock"),
    vncSocket: join(socketDir, "vnc.sock"),
    agentSocket: join(socketDir, "qga.sock"),
    memorySocket: join(socketDir, "memory.sock"),
    bridgesDir: `${socketDir}.v`,
  };
}

/** A volume's short name in paths and in QEMU, whose names end at 31 characters. */
export const volumeName = (volumeId: string): string => `vol-${shortHash(volumeId)}`;

export function volumePaths(paths: GuestPaths, volumeId: string): VolumePaths {
  const name = volumeName(volumeId);
  const dir = join(paths.bridgesDir, name);
  return {
    connection: join(paths.volumesDir, `${name}.json`),
    log: join(paths.volumesDir, `${name}.log`),
    dir,
    qmpSocket: join(dir, "qmp.sock"),
    served: join(dir, "nbd.sock"),
    socket: join(paths.socketDir, name),
  };
}

/** Where an ephemeral disk lies. @param index  from 0 */
export const ephemeralPath = ({ ephemeralDisk }: Pick<GuestPaths, "ephemeralDisk">, index: number): string =>
  join(dirname(ephemeralDisk), basename(ephemeralDisk).replace("eph0", `eph${index}`));

/** Where a disk that is on its way here lies until it is whole. */
export const arrivingPath = (path: string): string => `${path}.arriving`;

const NEXT = ".next";

/** Whether a file of a guest's folder is an ephemeral disk that shall take another one's place. */
export const isNextEphemeral = (name: string): boolean => /^disk\.eph\d+\.next$/.test(name);

/** Where what shall take a guest's place lies until then. */
export const nextPaths = (paths: GuestPaths): GuestPaths => ({
  ...paths,
  definition: join(paths.dir, "instance.next.json"),
  rootDisk: `${paths.rootDisk}${NEXT}`,
  ephemeralDisk: `${paths.ephemeralDisk}${NEXT}`,
  swapDisk: `${paths.swapDisk}${NEXT}`,
  configDrive: `${paths.configDrive}${NEXT}`,
});

/** @throws SOCKET_PATH_UNUSABLE when the runtime folder's name is too long for a socket inside */
export function interfaceSocketPath(runDir: string, instanceUuid: string, portId: string): string {
  return checkSocketPath(join(runDir, shortHash(instanceUuid), `port-${portId}`));
}

export function checkSocketPath(path: string): string {
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_LIMIT || !path.startsWith("/")) throw DriverErrors.SOCKET_PATH_UNUSABLE({ bytes });
  return path;
}

/**
 * The folder of all sockets of one agent; it follows from the state folder, so that the next agent finds it.
 * @param base  undefined: /run for root, /tmp for others
 */
export const runDirFor = (base: string | undefined, realStateDir: string): string =>
  join(base ?? (process.getuid?.() === 0 ? "/run" : "/tmp"), `kilonova-${shortHash(realStateDir)}`);

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
