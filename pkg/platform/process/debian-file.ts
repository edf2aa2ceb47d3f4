import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * Where a file of a Debian package lies: on the machine, or in the tree that `npm start` unpacked for a user
 * who may install nothing (`KILONOVA_DEBIAN` names the folder around it). Programs need no such help: they
 * are found through `PATH`.
 */
export function debianFile(path: string): string {
  const base = process.env["KILONOVA_DEBIAN"];
  return base === undefined || existsSync(path) ? path : join(base, "tree", path);
}

/**
 * Where a program lies that a package keeps outside `PATH`, by the same rule: what was unpacked is started
 * through a script with its libraries' places.
 */
export function debianProgram(path: string): string {
  const base = process.env["KILONOVA_DEBIAN"];
  return base === undefined || existsSync(path) ? path : join(base, "bin", path.split("/").at(-1) ?? "");
}
