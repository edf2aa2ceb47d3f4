import { realpath } from "node:fs/promises";
import { makeFolder } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import { runDirFor } from "./guest-paths.js";

/**
 * Makes (or finds again) the folder of the sockets. In /tmp anybody could have been there first, so it must
 * be a real folder of our own that nobody else can write to.
 * @param passable  whether guests are users of their own, who pass through to their own folders below
 */
export async function openRunDir(
  stateDir: string,
  base: string | undefined,
  passable: boolean,
): Promise<string> {
  const path = runDirFor(base, await realpath(stateDir));
  try {
    makeFolder(path, passable ? 0o711 : 0o700);
  } catch (cause) {
    throw DriverErrors.HYPERVISOR_FAILED({ step: "open its runtime folder" }, { cause });
  }
  return path;
}
