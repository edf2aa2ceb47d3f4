import type { Ctx } from "../kernel/index.js";

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
   * Paths of the images that defined guests rely on, so that the image cache keeps them; capability of
   * drivers with disks.
   */
  readonly imagesInUse?: () => ReadonlySet<string>;
  /**
   * Where the guest's interface will listen for the agent's switch; capability of drivers with packet
   * sockets. Stable for the pair and at most 107 bytes long; the agent puts it into
   * `GuestInterface.socketPath`.
   */
  readonly interfaceSocketPath?: (instanceUuid: string, portId: string) => string;
  /** The last bytes of the serial console; capability. @param maxBytes at most 102,400 */
  readonly consoleLog?: (ctx: Ctx, instanceUuid: string, maxBytes: number) => Promise<Uint8Array>;
  readonly pause?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  readonly unpause?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  /**
   * Has the agent inside the guest set its administrator's password. @throws GUEST_AGENT_MISSING when there
   * is none or it does not answer, GUEST_AGENT_REFUSED when it cannot
   */
  readonly setAdminPassword?: (ctx: Ctx, instanceUuid: string, password: string) => Promise<void>;
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
   * of it or nothing, without starting it. Done already is success. @throws REBUILD_NOT_PREPARED
   */
  readonly rebuild?: (ctx: Ctx, instanceUuid: string, key: string, softTimeoutMs: number) => Promise<void>;
  /** Throws away what was prepared and not put in place; nothing is success. */
  readonly discardRebuild?: (ctx: Ctx, instanceUuid: string) => Promise<void>;
  /** Diagnostics in the shape of REST 2.48; capability. */
  readonly diagnostics?: (ctx: Ctx, instanceUuid: string) => Promise<Readonly<Record<string, unknown>>>;
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
  readonly ephemeralGib: number;
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
