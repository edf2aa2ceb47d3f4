import type { Definition, Rescue } from "./definition.js";
import { ephemeralPath } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";

/** One disk of a guest, in the order in which the guest sees them. */
export interface PlannedDisk {
  /** Name of its block node, and of its device with `-disk` behind. */
  readonly node: "root" | `ephemeral${number}` | "swap" | "config" | "rescue";
  readonly path: string;
  readonly format: "qcow2" | "raw";
  /** Of the whole disk; 0 for the config drive, whose size follows from its files. */
  readonly sizeBytes: number;
  /** Read-only raw file below the overlay. */
  readonly base?: string;
  readonly readOnly: boolean;
  readonly bootIndex?: number;
  /** When it is another one than that of the guest's disks. */
  readonly bus?: string;
  /** File system that an ephemeral disk is made with. */
  readonly fileSystem?: string;
  readonly isCdrom?: true;
}

/** A disk that is the guest's own, also when it is rescued. */
export type OwnDisk = PlannedDisk & { readonly node: Exclude<PlannedDisk["node"], "rescue"> };

const GIB = 1024 ** 3;

/**
 * Which disks the next start of a defined guest gets. A rescued one boots from its rescue disk: with its root
 * disk as second one, or behind all of its disks.
 */
export function planDisks(definition: Definition, paths: GuestPaths): readonly PlannedDisk[] {
  const own = ownDisks(definition, paths);
  const { rescue } = definition;
  if (rescue === null) return own;
  const disk = rescueDisk(rescue, paths);
  return rescue.stable === null
    ? [disk, ...own.filter(({ node }) => node === "root" || node === "config")]
    : [...own, disk];
}

/** The disk that a rescue makes. */
export const rescueDisk = ({ image, stable }: Rescue, paths: GuestPaths): PlannedDisk => ({
  node: "rescue",
  path: paths.rescueDisk,
  format: "qcow2",
  sizeBytes: roundUp(image.virtualSizeBytes, 512),
  base: image.path,
  readOnly: stable?.device === "cdrom",
  bootIndex: 1,
  ...(stable === null ? {} : { bus: stable.bus }),
  ...(stable?.device === "cdrom" ? { isCdrom: true } : {}),
});

export function ownDisks({ spec, configDriveDigest, rescue }: Definition, paths: GuestPaths): OwnDisk[] {
  const disks: OwnDisk[] = [];
  const rootBytes =
    spec.rootGib > 0 ? spec.rootGib * GIB : roundUp(spec.rootImage?.virtualSizeBytes ?? 0, 512);
  if (rootBytes > 0) {
    disks.push({
      node: "root",
      path: paths.rootDisk,
      format: "qcow2",
      sizeBytes: rootBytes,
      readOnly: false,
      ...(rescue === null ? { bootIndex: 1 } : {}),
      ...(spec.rootImage === null ? {} : { base: spec.rootImage.path }),
    });
  }
  for (const [index, { gib, bus, format = "ext4" }] of spec.ephemerals.entries())
    disks.push({
      node: `ephemeral${index}`,
      path: ephemeralPath(paths, index),
      format: "raw",
      sizeBytes: gib * GIB,
      readOnly: false,
      fileSystem: format,
      ...(bus === undefined ? {} : { bus }),
    });
  if (spec.swapMib > 0)
    disks.push({
      node: "swap",
      path: paths.swapDisk,
      format: "raw",
      sizeBytes: spec.swapMib * 1024 ** 2,
      readOnly: false,
    });
  const [digest, path] =
    rescue === null
      ? [configDriveDigest, paths.configDrive]
      : [rescue.configDriveDigest, paths.rescueConfigDrive];
  if (digest !== null) disks.push({ node: "config", path, format: "raw", sizeBytes: 0, readOnly: true });
  return disks;
}

const roundUp = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;
