import type { Duplex } from "node:stream";
import type { Ctx } from "../kernel/index.js";
import type { GuestDiagnostics } from "./guest-diagnostics.js";

/** How far a piece of work is. */
export interface WorkProgress<P extends string = string> {
  readonly phase: P;
  /** In the unit of `total`: bytes, where there is a choice. */
  readonly done: number;
  /** 0 when it is not known. */
  readonly total: number;
}

/** Told how far work is, as often as it likes: it only takes note, never waits and never fails. */
export type Tell<P extends string = string> = (progress: WorkProgress<P>) => void;

/** For who does not care. */
export const untold: Tell = () => {};

/** What bringing an image to the host tells, in bytes. */
export type ImagePhase = "image_download" | "image_conversion";

/** What making a guest's disks tells, in bytes. */
export type DiskPhase = "disks";

/** What writing a guest's memory to a file tells, and reading it back, in bytes. */
export type MemoryPhase = "memory";
/** What copying a guest's disk tells, in bytes. */
export type SnapshotPhase = "disk_copy";

/** What copying a volume tells, in bytes. */
export type VolumePhase = "volume_copy";

/** What giving an image its data tells, in bytes. */
export type UploadPhase = "image_upload";

/** What bringing a guest's disks from another host tells, in bytes of data. */
export type MovePhase = "disk_move";

/**
 * What is asked of the agent inside a guest while its disk is copied: nothing; to freeze file systems if it
 * answers; to freeze them, or there is no copy.
 */
export type Quiesce = "no" | "if-possible" | "required";

/** How a guest's root disk is copied. */
export interface SnapshotRequest {
  /** UUID under which the copy is kept. */
  readonly snapshotId: string;
  readonly quiesce: Quiesce;
}

/** A copy of a guest's root disk as it was at one moment; whole by itself, without any base. */
export interface DiskSnapshot {
  /** Glance's `disk_format`. */
  readonly diskFormat: "qcow2" | "raw";
  readonly sizeBytes: number;
  /** Of the disk that it holds. */
  readonly virtualSizeBytes: number;
}

/** The copy's data, from its beginning. */
export interface SnapshotData {
  readonly sizeBytes: number;
  readonly data: AsyncIterable<Uint8Array>;
}

/** Which host a guest's disks go to. */
export interface DiskTransfer {
  /** Names it; another one is another move. */
  readonly transferId: string;
  /** The only host that may read them. */
  readonly toHost: string;
}

/** A disk of a guest that leaves its host, as the file that it is. */
export interface LeavingDisk {
  /**
   * Such as `root`, `ephemeral0` or `config`; `base` is the image below the root disk, `kernel` and `ramdisk`
   * what the guest boots with. What a driver needs beside disks, it offers as one of a name of its own.
   */
  readonly name: string;
  readonly format: "qcow2" | "raw";
  /** Length of the file. */
  readonly sizeBytes: number;
  /** About how much of it is data, for telling how far a transfer is. */
  readonly dataBytes: number;
}

/** A piece of such a file, at most a MiB. What is between two pieces is a hole. */
export interface DiskPiece {
  readonly offset: number;
  readonly data: Uint8Array;
  /** SHA-256 of the data. */
  readonly digest: Uint8Array;
}

/** Such a file's data from some byte on. */
export interface LeavingDiskData {
  /** Length of the file. */
  readonly sizeBytes: number;
  /** In the order of their offsets. Leave the loop to let go of the file. */
  readonly pieces: AsyncIterable<DiskPiece>;
}

/** Disks on their way to this host. */
export interface Arrival {
  /** As the host that has them was told. */
  readonly transferId: string;
  /**
   * What is offered. The image below the root disk is only fetched where the spec's is another one, such as
   * none that is here; then it becomes the guest's own. So do the kernel and the RAM disk where the spec's
   * path is "".
   */
  readonly disks: readonly LeavingDisk[];
  /**
   * A disk's pieces from a byte on, to the end of the file: it fails when they end before that.
   * @throws TRANSFER_UNKNOWN, TRANSFER_BROKEN
   */
  open(ctx: Ctx, disk: LeavingDisk, fromByte: number): AsyncIterable<DiskPiece>;
}

/**
 * What a hypervisor driver must do. The required core is small, and every method is safe to repeat: the agent
 * calls it again after a crash without knowing how far it came. Everything optional is a property whose
 * presence *is* the capability.
 */
export interface Driver {
  readonly name: string;
  /**
   * Connects to the hypervisor and re-attaches to guests that survived an agent restart. Failing here stops
   * the agent.
   */
  start(ctx: Ctx): Promise<void>;
  /** Lets go of everything but the guests themselves. */
  close(): Promise<void>;
  /** How guests are shut in on this host, in a sentence for its operator; capability of real hypervisors. */
  readonly guestIsolation?: () => string;
  /** What this host can offer; asked at start and at each audit. Every difference is stored and told. */
  inventory(ctx: Ctx): Promise<HostInventory>;
  /** What changes all the time; asked as often. Nobody is told of it, it only answers who asks. */
  telemetry(ctx: Ctx): Promise<HostTelemetry>;
  /** Every guest this driver knows, running or not. */
  list(ctx: Ctx): Promise<readonly GuestState[]>;
  /**
   * Guests of which something lies here and which are none, or none yet: half made, or on their way here.
   * `remove` takes it away. Absent: there never is any.
   */
  readonly listUnfinished?: (ctx: Ctx) => Promise<readonly string[]>;
  /** @returns undefined when the guest is not defined here */
  inspect(ctx: Ctx, instanceUuid: string): Promise<GuestState | undefined>;
  /**
   * Makes disks, config drive and definition, without starting. A repeated call with the same spec changes
   * nothing. With another spec it redefines: disks are kept (the root disk may grow, never shrink or change
   * its image), the rest counts from the next start.
   * @param tell  of disks that take their time
   */
  define(ctx: Ctx, spec: GuestSpec, tell?: Tell<DiskPhase>): Promise<void>;
  /**
   * Starts a defined guest; already running (or paused) is success. @throws GUEST_NOT_DEFINED, as all methods
   * below
   */
  powerOn(ctx: Ctx, instanceUuid: string): Promise<void>;
  /**
   * Soft: ACPI power button, then pulls the plug after `softTimeoutMs`. 0 pulls at once. Not running is
   * success.
   */
  powerOff(ctx: Ctx, instanceUuid: string, softTimeoutMs: number): Promise<void>;
  /**
   * soft: asks the guest to restart and falls back to hard when it has not done so within `softTimeoutMs`;
   * hard: ends the process and starts a new one from the definition. Repeating a finished reboot must not be
   * asked for.
   */
  reboot(ctx: Ctx, instanceUuid: string, type: "soft" | "hard", softTimeoutMs: number): Promise<void>;
  /** Ends the guest and removes every trace: process, disks, sockets, folder. Absent is success. */
  remove(ctx: Ctx, instanceUuid: string): Promise<void>;
  /**
   * Tells what happens to guests without a method having asked for it (also what happened while the agent was
   * away, during `start`). One listener; set it before `start`. It must not throw.
   */
  onEvent(listener: (event: GuestEvent) => void): void;
  /**
   * Paths of the images that defined guests rely on, and those whose disks are on their way here, so that the
   * image cache keeps them; capability of drivers with disks.
   */
  readonly imagesInUse?: () => ReadonlySet<string>;
  /** Of these, the ones without which the guest's next start would fail; nothing where all are there. */
  readonly missingImages?: (ctx: Ctx, instanceUuid: string) => Promise<readonly string[]>;
  /**
   * Where the guest's interface will listen for the agent's switch; capability of drivers with packet
   * sockets. Stable for the pair and at most 107 bytes long; the agent puts it into
   * `GuestInterface.socketPath`.
   */
  readonly interfaceSocketPath?: (instanceUuid: string, portId: string) => string;
  /** The last bytes of the serial console; capability. @param maxBytes at most 102,400 */
  readonly consoleLog?: (ctx: Ctx, instanceUuid: string, maxBytes: number) => Promise<Uint8Array>;
  /**
   * A console that somebody may use, as it is now; capability. Whoever connects hears what it says from then
   * on; the log of the serial line goes on beside it.
   */
  readonly guestConsole?: (ctx: Ctx, instanceUuid: string, kind: ConsoleKind) => Promise<GuestConsole>;
  /**
   * Has a guest boot from a rescue disk until `unrescue`. What it needs is made first; then the guest is
   * ended (asked for `softTimeoutMs`, then without asking) and left off: `powerOn` starts it from the rescue
   * disk, as does every `reboot`, also after a restart of the agent or of the machine. Its own disks keep
   * what they hold. Repeated with the same rescue it changes nothing, whether the guest runs or not; another
   * rescue takes the place of the one before. `define` and `remove` end a rescue, too. Capability, with
   * `unrescue`.
   * @throws UNSUPPORTED_HARDWARE; the guest runs on then
   */
  readonly rescue?: (
    ctx: Ctx,
    instanceUuid: string,
    rescue: RescueSpec,
    softTimeoutMs: number,
  ) => Promise<void>;
  /**
   * Ends a rescued guest, asked for `softTimeoutMs` as above, so that what it wrote to its own disk is there,
   * and removes the rescue's files. It is off then. A guest that is not rescued is left alone, running or
   * not.
   */
  readonly unrescue?: (ctx: Ctx, instanceUuid: string, softTimeoutMs: number) => Promise<void>;
  readonly pause?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  readonly unpause?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  /**
   * Has the agent inside the guest set its administrator's password. @throws GUEST_AGENT_MISSING when there
   * is none or it does not answer, GUEST_AGENT_REFUSED when it cannot
   */
  readonly setAdminPassword?: (ctx: Ctx, instanceUuid: string, password: string) => Promise<void>;
  /**
   * Writes a running guest's memory to a file on its host and ends it: its power state is SUSPENDED then,
   * also after a reboot of the machine. Suspended already is success. Until the file is whole the guest can
   * go on, and does so when this fails, is stopped by `ctx.signal`, or the agent dies. `powerOn`, `powerOff`
   * and a hard `reboot` of a suspended guest throw its memory away.
   * @throws GUEST_NOT_RUNNING, NO_ROOM_FOR_MEMORY (before the guest is stopped), GUEST_NOT_SUSPENDABLE
   * @cost memory's size written once; the guest stands still meanwhile
   */
  readonly suspend?: (ctx: Ctx, instanceUuid: string, tell?: Tell<MemoryPhase>) => Promise<void>;
  /**
   * Starts a suspended guest where it stood; its clock is late by the time in between unless its own agent
   * sets it. One that runs is left alone. The memory is kept when this fails before the guest has gone on.
   * @throws SAVED_MEMORY_LOST when there is nothing whole to go on from
   */
  readonly resume?: (ctx: Ctx, instanceUuid: string, tell?: Tell<MemoryPhase>) => Promise<void>;
  /**
   * A non-maskable interrupt, by which kernels that are set up so dump their memory. @throws
   * GUEST_NOT_RUNNING, NMI_UNSUPPORTED
   */
  readonly injectNmi?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  /** What a running guest did so far. @throws GUEST_NOT_RUNNING */
  readonly diagnostics?: (ctx: Ctx, instanceUuid: string) => Promise<GuestDiagnostics>;
  /**
   * Makes everything of a guest anew, beside what it has: disks, config drive, definition. The guest goes on
   * as it is, defined here or not. What was prepared before is thrown away.
   * @throws what `define` throws of new guests; then nothing is prepared
   */
  readonly prepareRebuild?: (
    ctx: Ctx,
    spec: GuestSpec,
    options: RebuildOptions,
    tell?: Tell<DiskPhase>,
  ) => Promise<void>;
  /**
   * Ends the guest, softly first as `powerOff`, and puts what was prepared under this key in its place, all
   * of it or nothing, without starting it. Its interfaces are those that it has by then. Done already is
   * success. @throws REBUILD_NOT_PREPARED
   */
  readonly rebuild?: (ctx: Ctx, instanceUuid: string, key: string, softTimeoutMs: number) => Promise<void>;
  /** Throws away what was prepared and not put in place; nothing is success. */
  readonly discardRebuild?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  /**
   * Copies the root disk as it is at one moment, in whatever state the guest is; one that runs goes on
   * running. A guest has one copy at a time: what an earlier call has left is replaced. Nobody is left
   * frozen.
   * @param tell  how much is copied
   * @throws NO_ROOT_DISK, QUIESCE_FAILED, HOST_DISK_FULL, GUEST_NOT_REACHABLE
   */
  readonly takeSnapshot?: (
    ctx: Ctx,
    instanceUuid: string,
    request: SnapshotRequest,
    tell?: Tell<SnapshotPhase>,
  ) => Promise<DiskSnapshot>;
  /**
   * Has the agent inside a running guest freeze file systems, until `unquiesce` or for so long at most: then
   * they are thawed unasked, and so they are by an agent of this host that starts meanwhile. Frozen already
   * is success. Capability, with `unquiesce`.
   * @throws QUIESCE_FAILED when nobody answers inside; then nothing is frozen
   */
  readonly quiesce?: (ctx: Ctx, instanceUuid: string, mostMs: number) => Promise<void>;
  /**
   * Thaws it. @returns whether file systems have stood still until now; false of a guest that is not there
   */
  readonly unquiesce?: (ctx: Ctx, instanceUuid: string) => Promise<boolean>;
  /** A copy's data. Leave the loop to let go of it. @throws SNAPSHOT_LOST when there is no such copy */
  readonly openSnapshot?: (ctx: Ctx, instanceUuid: string, snapshotId: string) => Promise<SnapshotData>;
  /** Ends what is still being copied and removes it. Neither copy nor guest being there is success. */
  readonly dropSnapshot?: (ctx: Ctx, instanceUuid: string, snapshotId: string) => Promise<void>;
  /**
   * Puts an interface into the guest: at once where it runs, and into what it is started with. One that is
   * there is left alone. @throws UNSUPPORTED_HARDWARE, DEVICE_SLOTS_EXHAUSTED
   */
  readonly attachInterface?: (ctx: Ctx, instanceUuid: string, nic: GuestInterface) => Promise<void>;
  /**
   * Takes an interface out again; one that is not there is success. A running guest has to let go of it.
   * @throws DEVICE_DETACH_FAILED when it does not in time: then the guest keeps it
   */
  readonly detachInterface?: (ctx: Ctx, instanceUuid: string, portId: string) => Promise<void>;
  /** Who connects to volumes, as the Block Storage service wants it: names and addresses of this host. */
  readonly volumeConnector?: (ctx: Ctx) => Promise<VolumeConnector>;
  /**
   * Connects a volume and puts it into the guest: at once where it runs, and into what it is started with.
   * One that is there is left alone; with another connection it is what counts from the next start.
   * @throws UNSUPPORTED_HARDWARE, DEVICE_SLOTS_EXHAUSTED, VOLUME_NOT_REACHABLE
   */
  readonly attachVolume?: (ctx: Ctx, instanceUuid: string, volume: GuestVolume) => Promise<void>;
  /**
   * Takes a volume out again and lets go of the connection; one that is not there is success. A running guest
   * has to let go of it. @throws DEVICE_DETACH_FAILED when it does not in time: then the guest keeps it
   */
  readonly detachVolume?: (ctx: Ctx, instanceUuid: string, volumeId: string) => Promise<void>;
  /** Volumes that carry a tag, of a guest that there is or not. */
  readonly taggedVolumes?: (ctx: Ctx, instanceUuid: string) => Promise<readonly TaggedVolume[]>;
  /**
   * Copies what is on one of a running guest's volumes to another one, which is as large or larger, and lets
   * the guest go on with that. Done already is success. The guest keeps the old one when this fails.
   * @throws GUEST_NOT_RUNNING, VOLUME_NOT_ATTACHED, VOLUME_TOO_SMALL, VOLUME_NOT_REACHABLE
   * @cost the volume's size read and written once
   */
  readonly swapVolume?: (
    ctx: Ctx,
    instanceUuid: string,
    oldVolumeId: string,
    volume: GuestVolume,
    tell?: Tell<VolumePhase>,
  ) => Promise<void>;
  /**
   * From here on a volume that a guest has is known under another id: a migrated volume keeps the one that it
   * had before. The guest sees it as its serial number from its next start on. Done already is success.
   * @throws VOLUME_NOT_ATTACHED
   */
  readonly renameVolume?: (
    ctx: Ctx,
    instanceUuid: string,
    volumeId: string,
    newVolumeId: string,
  ) => Promise<void>;
  /**
   * Has a running guest see that a volume has grown; one that is off, or does not have it, sees it at its
   * next start. Grown already is success. The guest's reads and writes wait for a moment meanwhile.
   * @throws VOLUME_TOO_SMALL when it is not that large where it is served, VOLUME_NOT_REACHABLE
   */
  readonly extendVolume?: (
    ctx: Ctx,
    instanceUuid: string,
    volumeId: string,
    sizeBytes: number,
  ) => Promise<void>;
  /**
   * Ends the guest, softly first as `powerOff`, and offers its disks to another host. From then on it stays
   * defined and off, also over restarts of the agent: `powerOn`, `reboot`, `rescue`, `resume`, `rebuild` and
   * `define` are refused with GUEST_LEAVING until `keepDisks`. Repeated it offers the same again; another
   * transfer takes the place of the one before. Capability, with `openLeavingDisk`, `keepDisks` and
   * `importDisks`.
   * @returns its disks, in the order in which they are to be fetched: an image below a disk before the disk.
   *   Swap is made anew where the guest goes
   * @throws DISK_LOST; the guest is off then, and may be started
   */
  readonly exportDisks?: (
    ctx: Ctx,
    instanceUuid: string,
    transfer: DiskTransfer,
    softTimeoutMs: number,
  ) => Promise<readonly LeavingDisk[]>;
  /**
   * A disk's data from a byte on. Reading ends with TRANSFER_UNKNOWN once the guest leaves no more.
   * @throws TRANSFER_UNKNOWN for every other transfer, host or guest; INVALID_ARGUMENT for an unknown disk
   * @cost the file is read from there to its end, holes included: they are only not handed out
   */
  readonly openLeavingDisk?: (
    ctx: Ctx,
    instanceUuid: string,
    transfer: DiskTransfer,
    disk: string,
    fromByte: number,
  ) => Promise<LeavingDiskData>;
  /** The guest stays: its disks are offered to nobody, and it may be started. Absent is success. */
  readonly keepDisks?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  /**
   * Fetches the disks of a guest that comes from another host and defines it here, as `define` does: disks
   * that came are kept and grown, others are made; it is not started. Each is checked piece by piece and
   * counts only when it is whole. Called again for the same transfer it goes on where it broke off, also
   * after a crash, and is success when all is there. `remove` throws away what has come.
   * @throws TRANSFER_BROKEN, HOST_DISK_FULL, GUEST_HERE_ALREADY for a guest that did not come so, and what
   *   `define` throws
   * @cost the disks' data written once
   */
  readonly importDisks?: (
    ctx: Ctx,
    spec: GuestSpec,
    arrival: Arrival,
    tell?: Tell<MovePhase>,
  ) => Promise<void>;
}

/** A volume that carries a tag, where its guest finds it. */
export interface TaggedVolume {
  readonly volumeId: string;
  readonly deviceName: string;
  readonly tag: string;
  readonly bus: "pci" | "usb" | "scsi" | "ide" | "none";
  /** On the bus, such as `0000:02:00.0`; undefined where nobody knows. */
  readonly address: string | undefined;
}

/** Who connects to a volume. Other members are the Block Storage service's own affair. */
export interface VolumeConnector {
  /** The host's name, as the server's record has it. */
  readonly host: string;
  readonly ip: string;
  /** Name of the iSCSI initiator; undefined on hosts that cannot. */
  readonly initiator: string | undefined;
}

/** A volume as a guest has it. */
export interface GuestVolume {
  readonly volumeId: string;
  /** Such as /dev/vdb. Where the guest chooses the names itself, only the order follows it. */
  readonly deviceName: string;
  /** `disk`, `cdrom` or `lun`. */
  readonly deviceType: string;
  /** Undefined: the driver's choice. */
  readonly bus: string | undefined;
  /** Order in which the firmware tries it; 0 is the root disk, undefined: never. */
  readonly bootIndex: number | undefined;
  readonly tag: string | undefined;
  readonly connection: VolumeConnection;
}

/** How a volume is reached. What is in it may be secret: it is never logged. */
export interface VolumeConnection {
  readonly readOnly: boolean;
  /** Whether others write to it at the same time. */
  readonly shared: boolean;
  readonly at: VolumeAddress;
}

/** One member per protocol; `pkg/compute/volumes` makes it of what the Block Storage service says. */
export type VolumeAddress =
  | { readonly type: "nbd"; readonly unix: string; readonly exportName: string }
  | { readonly type: "nbd"; readonly host: string; readonly port: number; readonly exportName: string }
  | IscsiAddress
  | RbdAddress
  /** A file or block device of the host, with nothing but the volume's data in it. */
  | { readonly type: "file"; readonly path: string };

/** One LUN at one portal. */
export interface IscsiAddress {
  readonly type: "iscsi";
  /** Such as `192.0.2.1:3260`. */
  readonly portal: string;
  /** Name of the target, such as `iqn.2010-10.org.openstack:volume-…`. */
  readonly target: string;
  readonly lun: number;
  readonly chap?: { readonly user: string; readonly password: string } | undefined;
}

/** An image of a Ceph cluster. */
export interface RbdAddress {
  readonly type: "rbd";
  readonly pool: string;
  readonly image: string;
  readonly monitors: readonly { readonly host: string; readonly port: string }[];
  /** Undefined: the cluster asks for none. */
  readonly user: string | undefined;
  /** The user's key; undefined: the host's keyring has it. */
  readonly key: string | undefined;
  /** Name of the cluster, by which the host's files are found. */
  readonly cluster: string;
}

/** How a guest is made anew. */
export interface RebuildOptions {
  /** Names what is prepared. */
  readonly key: string;
  /** Whether an ephemeral disk that is there stays, with what is on it. */
  readonly keepsEphemeral: boolean;
}

/** What not every driver can. */
export type OptionalMethod = {
  [K in keyof Driver]-?: object extends Pick<Driver, K> ? K : never;
}[keyof Driver];

/** A driver that has these. */
export type DriverWith<M extends OptionalMethod> = Driver & Required<Pick<Driver, M>>;

/** The screen with keyboard and mouse, as RFB without a password; or the bytes of the first serial line. */
export type ConsoleKind = "vnc" | "serial";

/** One console of a guest as it is now. */
export interface GuestConsole {
  /** Names the guest's present run: another one after each start. Undefined while it does not run. */
  readonly run: string | undefined;
  /**
   * Connects; the stream ends when the guest does. A serial line may serve one at a time: who comes later is
   * heard when the earlier one has gone. Undefined when the guest has no such console.
   */
  readonly connect: (() => Promise<Duplex>) | undefined;
}

export type PowerState = "NOSTATE" | "RUNNING" | "PAUSED" | "SHUTDOWN" | "CRASHED" | "SUSPENDED";

/** What the hypervisor says about one guest now. */
export interface GuestState {
  readonly instanceUuid: string;
  readonly powerState: PowerState;
  /** Hypervisor's process id, 0 when not running. */
  readonly pid: number;
}

export interface GuestEvent {
  readonly instanceUuid: string;
  readonly type: "STARTED" | "STOPPED" | "PAUSED" | "RESUMED" | "CRASHED" | "REBOOTED";
  /** Guest asked for it itself (e.g. `poweroff` inside). */
  readonly byGuest: boolean;
}

/** What a host offers, before overcommit and reservations. Nothing in it changes while nobody works on it. */
export interface HostInventory {
  readonly hypervisorType: string; // "QEMU", "fake"
  readonly hypervisorVersion: number; // QEMU 7.2.22 is 7002022
  readonly hypervisorHostname: string;
  readonly hostIp: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  /** JSON of `cpu_info` as Nova shows it: arch, model, vendor, topology, features. */
  readonly cpuInfo: string;
  readonly supportedInstances: readonly (readonly [arch: string, hvType: string, vmMode: string])[];
  /** Standard trait names that the driver can prove, e.g. COMPUTE_IMAGE_TYPE_QCOW2. */
  readonly traits: readonly string[];
}

/** What a host measures of itself now. */
export interface HostTelemetry {
  /** In the form of uptime(1); empty when the driver cannot tell. */
  readonly uptime: string;
  /** For `disk_available_least`. */
  readonly diskFreeGib: number;
}

/**
 * All a driver needs to make a guest. Units are in the names; secrets are wiped by the agent after `define`.
 * A root disk is made when there is a `rootImage`, or blank when there is none and `rootGib` > 0.
 */
export interface GuestSpec {
  readonly instanceUuid: string;
  /** `instance-00000001` */
  readonly instanceName: string;
  readonly hostname: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly rootGib: number;
  /** Blank disks besides the root disk, in the order in which the guest sees them. */
  readonly ephemerals: readonly EphemeralDisk[];
  readonly swapMib: number;
  /** Absolute path of the prepared, inspected base image (raw, 0444); undefined for no root image. */
  readonly rootImage: PreparedImage | undefined;
  /** Direct kernel boot when the image names kernel_id/ramdisk_id. */
  readonly kernel:
    | { readonly kernelPath: string; readonly ramdiskPath: string | undefined; readonly commandLine: string }
    | undefined;
  readonly interfaces: readonly GuestInterface[];
  /** Files of the config drive (path below the drive's root → bytes); undefined means no config drive. */
  readonly configDrive: ReadonlyMap<string, Uint8Array> | undefined;
  readonly hardware: GuestHardware;
}

/** A blank disk on the host. */
export interface EphemeralDisk {
  readonly gib: number;
  /** Undefined: that of the guest's other disks. */
  readonly bus?: string;
  /** File system that it is made with: `ext4` unless told. */
  readonly format?: string;
}

/** What a rescued guest boots from, and what it finds there. */
export interface RescueSpec {
  /** The rescue disk is an overlay of it, as large as the image. */
  readonly image: PreparedImage;
  /** As in `GuestSpec`. */
  readonly kernel: GuestSpec["kernel"];
  /** In the place of the guest's own config drive; undefined means that there is none. */
  readonly configDrive: GuestSpec["configDrive"];
  /**
   * What the rescue image asks for: the whole machine, in which the rescue disk is the first, the guest's
   * root disk the second, and others are not there. With `stable` only its disk bus counts, as a default.
   */
  readonly hardware: GuestHardware;
  /** All of the guest's disks stay where they are, and the rescue disk is the last one. */
  readonly stable: StableRescue | undefined;
}

/** How the rescue disk is added to a machine that stays what it is. */
export interface StableRescue {
  /** `disk` or `cdrom`; others are UNSUPPORTED_HARDWARE. */
  readonly device: string;
  /** As `hw_rescue_bus` says; undefined for what is usual for the device. */
  readonly bus: string | undefined;
}

export interface PreparedImage {
  readonly imageId: string;
  readonly path: string;
  readonly virtualSizeBytes: number;
}

export interface GuestInterface {
  readonly portId: string;
  readonly macAddress: string;
  readonly mtu: number;
  /** `virtio` unless image property hw_vif_model says otherwise. */
  readonly model: string;
  /**
   * Unix socket on which QEMU listens and to which the agent's switch connects: `Driver.interfaceSocketPath`.
   * It is made anew at each start of the guest, so the switch reconnects.
   */
  readonly socketPath: string;
}

/** Image and flavor properties that shape the machine; unset means the driver's default. */
export interface GuestHardware {
  readonly machineType?: string;
  readonly diskBus?: string;
  readonly cpuModel?: string;
  readonly architecture?: string;
  /** Whether the guest gets a channel to an agent inside it. */
  readonly guestAgent?: boolean;
}
