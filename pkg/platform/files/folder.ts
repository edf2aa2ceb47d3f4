import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Who may do what in a folder: its owner all; others nothing, or pass through to what they know the name of.
 */
export type FolderMode = 0o700 | 0o711;

/**
 * Makes a folder with what is missing above it, or finds it and corrects its mode. The only place that
 * decides the modes of state folders: what is missing above is closed to others too, except that they may
 * pass when we are root, since guests then run as users of their own.
 * @throws when it is no folder (a symbolic link is none) or somebody else's
 */
export function makeFolder(path: string, mode: FolderMode): void {
  makeAbove(dirname(path));
  makeOne(path, mode);
  const { uid, mode: found } = check(path);
  if (uid !== process.getuid?.()) throw new Error(`${path} belongs to user ${uid}`);
  if ((found & 0o7777) !== mode) chmodSync(path, mode);
}

function makeAbove(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  makeAbove(dirname(path));
  makeOne(path, process.getuid?.() === 0 ? 0o711 : 0o700);
}

function makeOne(path: string, mode: FolderMode): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function check(path: string): { readonly uid: number; readonly mode: number } {
  const found = lstatSync(path);
  if (!found.isDirectory()) throw new Error(`${path} is no folder`);
  return found;
}
