import { isolationDefaults } from "../host/isolation.js";
import type { IsolationOptions } from "../host/isolation.js";
import type { ConfigDriveFormat } from "./config-drive.js";

/** Versioned names of the two PC machines. */
export interface PinnedMachines {
  readonly q35: string;
  readonly pc: string;
}

/**
 * What this host's QEMU can build, as it says itself. Values that it does not list fail only when a guest
 * starts.
 */
export interface HardwareOffer {
  /** What `q35` and `pc` mean to guests that are defined now. */
  readonly pinned: PinnedMachines;
  /** The most CPUs of each machine type. */
  readonly machines: ReadonlyMap<string, number>;
  readonly cpuModels: ReadonlySet<string>;
}

/** Options of the QEMU driver. Times in milliseconds, sizes in bytes. */
export interface QemuConfig {
  /** Folder of this agent's guests (definitions, disks, consoles). Two agents must not share it. */
  readonly stateDir: string;
  /**
   * Parent of the sockets' folder; `/run` for root and `/tmp` otherwise when unset. Short: socket paths end
   * at 107 bytes.
   */
  readonly runtimeBase?: string;
  /** `tcg` emulates; `kvm` needs a /dev/kvm that really works and is never chosen by itself. */
  readonly virtType: "tcg" | "kvm";
  readonly hypervisorHostname: string;
  readonly hostIp: string;
  /** Part of the machine that this agent offers, 0..1; less than 1 when several agents share it. */
  readonly share: number;
  readonly isolation: Omit<IsolationOptions, "runtimeBase">;
  /** Folders of base images, kernels and ramdisks; guests see the files that they use. */
  readonly imageDirs: readonly string[];
  readonly qemu: string;
  readonly qemuImg: string;
  readonly storageDaemon: string;
  readonly xorriso: string;
  /** `vfat` needs mkfs.fat and mcopy. */
  readonly configDriveFormat: ConfigDriveFormat;
  /**
   * What the unpinned machine names mean to new guests, e.g. `pc-q35-7.2`; QEMU's newest when unset. A guest
   * keeps the machine that it was defined with, so that its saved state still loads after an upgrade of QEMU.
   */
  readonly pinnedMachines?: Partial<PinnedMachines>;
  /** At least this much of each console is kept, at most about three times as much. */
  readonly consoleBytes: number;
  /** From spawn to a greeting monitor. */
  readonly launchTimeoutMs: number;
  /** From `quit` to a process that is gone, before it is killed. */
  readonly quitTimeoutMs: number;
  /** The power button is pressed again each time this has passed. */
  readonly powerButtonIntervalMs: number;
  readonly toolTimeoutMs: number;
  /** Of images that are made of guests' disks. */
  readonly snapshotFormat: "qcow2" | "raw";
  /** Disks that are copied at once; others wait. */
  readonly snapshotsAtOnce: number;
  /** How fast a guest's process copies its disk, at most; 0 for as fast as it can. */
  readonly snapshotBytesPerSecond: number;
  /** The longest that copying a disk may take. */
  readonly snapshotTimeoutMs: number;
  /** Name by which this host is known to iSCSI targets. */
  readonly iscsiInitiator: string;
  /** Folders below which volumes may be files of this host. */
  readonly volumeFolders: readonly string[];
  /** How often a guest is asked to let go of a device. */
  readonly detachAttempts: number;
  /** How long it may take each time. */
  readonly detachTimeoutMs: number;
}

export const qemuDefaults = {
  virtType: "tcg",
  share: 1,
  isolation: isolationDefaults,
  qemu: "qemu-system-x86_64",
  qemuImg: "qemu-img",
  storageDaemon: "qemu-storage-daemon",
  xorriso: "xorriso",
  configDriveFormat: "iso9660",
  consoleBytes: 1024 * 1024,
  launchTimeoutMs: 60_000,
  quitTimeoutMs: 10_000,
  powerButtonIntervalMs: 10_000,
  toolTimeoutMs: 120_000,
  snapshotFormat: "qcow2",
  snapshotsAtOnce: 5,
  snapshotBytesPerSecond: 0,
  snapshotTimeoutMs: 4 * 3_600_000,
  iscsiInitiator: "iqn.2010-10.org.openstack:kilonova",
  volumeFolders: [],
  detachAttempts: 8,
  detachTimeoutMs: 20_000,
} as const satisfies Partial<QemuConfig>;
