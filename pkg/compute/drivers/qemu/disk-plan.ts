import type { Definition } from "./definition.js";
import type { GuestPaths } from "./guest-paths.js";

/** One disk of a guest, in the order in which the guest sees them. */
export interface PlannedDisk {
  /** Name of its block node, and of its device with `-disk` behind. */
  readonly node: "root" | "ephemeral0" | "swap" | "config";
  readonly path: string;
  readonly format: "qcow2" | "raw";
  /** Of the whole disk; 0 for the config drive, whose size follows from its files. */
  readonly sizeBytes: number;
  /** Read-only raw file below the overlay. */
  readonly base?: string;
  readonly readOnly: boolean;
  readonly bootIndex?: number;
}

const GIB = 1024 ** 3;

/** Which disks a definition means. */
export function planDisks(
  { spec, configDriveDigest }: Definition,
  paths: GuestPaths,
): readonly PlannedDisk[] {
  const disks: PlannedDisk[] = [];
  const rootBytes =
    spec.rootGib > 0 ? spec.rootGib * GIB : roundUp(spec.rootImage?.virtualSizeBytes ?? 0, 512);
  if (rootBytes > 0) {
    disks.push({
      node: "root",
      path: paths.rootDisk,
      format: "qcow2",
      sizeBytes: rootBytes,
      readOnly: false,
      bootIndex: 1,
      ...(spec.rootImage === null ? {} : { base: spec.rootImage.path }),
    });
  }
  if (spec.ephemeralGib > 0)
    disks.push({
      node: "ephemeral0",
      path: paths.ephemeralDisk,
      format: "raw",
      sizeBytes: spec.ephemeralGib * GIB,
      readOnly: false,
    });
  if (spec.swapMib > 0)
    disks.push({
      node: "swap",
      path: paths.swapDisk,
      format: "raw",
      sizeBytes: spec.swapMib * 1024 ** 2,
      readOnly: false,
    });
  if (configDriveDigest !== null)
    disks.push({ node: "config", path: paths.configDrive, format: "raw", sizeBytes: 0, readOnly: true });
  return disks;
}

const roundUp = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;
