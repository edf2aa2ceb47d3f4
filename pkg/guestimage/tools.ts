import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { debianFile } from "../platform/process/index.js";
import { toolPath } from "./run.js";

/** A program (or data file) that the build needs and the Debian package that brings it. */
interface Tool {
  readonly name: string;
  readonly debianPackage: string;
}

const programs: readonly Tool[] = [
  { name: "dpkg", debianPackage: "dpkg" },
  { name: "apt-get", debianPackage: "apt" },
  { name: "apt-cache", debianPackage: "apt" },
  { name: "cpio", debianPackage: "cpio" },
  { name: "mcopy", debianPackage: "mtools" },
  { name: "mkfs.fat", debianPackage: "dosfstools" },
  { name: "syslinux", debianPackage: "syslinux" },
  { name: "sfdisk", debianPackage: "fdisk" },
  { name: "mke2fs", debianPackage: "e2fsprogs" },
  { name: "qemu-img", debianPackage: "qemu-utils" },
];

/** Boot code of the disk's first sector, from Debian's syslinux-common. */
export const mbrPath = debianFile("/usr/lib/syslinux/mbr/mbr.bin");

/** @returns what `buildGuestImage` needs and this machine lacks; empty when it can build */
export function missingTools(): readonly { name: string; debianPackage: string }[] {
  const folders = toolPath()
    .split(":")
    .filter((dir) => dir !== "");
  const missing = programs.filter(
    (tool) => !folders.some((dir) => usable(join(dir, tool.name), constants.X_OK)),
  );
  return usable(mbrPath, constants.R_OK)
    ? missing
    : [...missing, { name: mbrPath, debianPackage: "syslinux-common" }];
}

function usable(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false; // absent or not permitted: both mean that the tool cannot be used
  }
}
