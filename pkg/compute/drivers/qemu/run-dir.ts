import { chmod, lstat, mkdir, realpath } from "node:fs/promises";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "../host/run-as.js";
import { runDirFor } from "./guest-paths.js";

/**
 * Makes (or finds again) the folder of the sockets. In /tmp anybody could have been there first, so it must
 * be a real folder of our own that nobody else can write to.
 */
export async function openRunDir(
  stateDir: string,
  base: string | undefined,
  runAs: RunAs | undefined,
): Promise<string> {
  const path = runDirFor(base ?? (process.getuid?.() === 0 ? "/run" : "/tmp"), await realpath(stateDir));
  // The guests' user must pass through to its own folders below, but may not list.
  const mode = runAs === undefined ? 0o700 : 0o711;
  try {
    await mkdir(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw DriverErrors.HYPERVISOR_FAILED(
      { step: "open its runtime folder" },
      { cause: new Error(`${path} is not ours`) },
    );
  }
  await chmod(path, mode);
  return path;
}
