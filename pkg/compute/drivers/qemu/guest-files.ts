import { chmod, chown, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isCanonicalUuid } from "../../../kernel/index.js";
import type { Logger } from "../../../kernel/index.js";
import { syncPath, writeFileAtomic } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "../host/run-as.js";
import { parseDefinition } from "./definition.js";
import type { Definition } from "./definition.js";
import { guestPaths } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";

const REMOVED = ".removed-";

/**
 * The folders of all guests of one agent. Definitions are the commit points: a folder without one never was a
 * guest.
 */
export class GuestFiles {
  readonly #stateDir: string;
  readonly #runDir: string;
  readonly #runAs: RunAs | undefined;

  constructor(stateDir: string, runDir: string, runAs: RunAs | undefined) {
    this.#stateDir = stateDir;
    this.#runDir = runDir;
    this.#runAs = runAs;
  }

  /** @throws when the uuid is not in canonical form: it becomes a folder's name */
  paths(instanceUuid: string): GuestPaths {
    if (!isCanonicalUuid(instanceUuid)) throw DriverErrors.GUEST_NOT_DEFINED({ instanceUuid });
    return guestPaths(this.#stateDir, this.#runDir, instanceUuid);
  }

  /** All definitions; finishes removals that were cut short. Unreadable ones are logged and left alone. */
  async load(log: Logger): Promise<readonly Definition[]> {
    const found: Definition[] = [];
    for (const name of await readdir(this.#stateDir)) {
      if (name.startsWith(REMOVED)) await rm(join(this.#stateDir, name), { recursive: true, force: true });
      if (!isCanonicalUuid(name)) continue;
      try {
        const text = await readFile(this.paths(name).definition, "utf8").catch(() => undefined);
        if (text !== undefined) found.push(parseDefinition(text));
      } catch (error) {
        log.error("compute.qemu.definition.unreadable", { instanceUuid: name, error });
      }
    }
    return found;
  }

  /** The guest's folder: its owner is the agent, QEMU's user may only pass through to its disks. */
  async makeFolder(paths: GuestPaths): Promise<void> {
    await mkdir(paths.dir, { recursive: true });
    await chmod(paths.dir, 0o710);
    if (this.#runAs) await chown(paths.dir, 0, this.#runAs.gid);
  }

  commit(paths: GuestPaths, definition: Definition): Promise<void> {
    return writeFileAtomic(paths.definition, JSON.stringify(definition, null, 1));
  }

  /**
   * What must be there, and belong to QEMU's user, right before a start: an empty socket folder and the
   * console's file.
   */
  async makeStartable(paths: GuestPaths): Promise<void> {
    await rm(paths.socketDir, { recursive: true, force: true });
    await mkdir(paths.socketDir, { mode: 0o700 });
    await writeFile(paths.consoleLog, "", { flag: "a", mode: 0o600 });
    await this.give(paths.socketDir);
    await this.give(paths.consoleLog);
  }

  /** Makes QEMU's user the owner. */
  async give(path: string): Promise<void> {
    if (this.#runAs) await chown(path, this.#runAs.uid, this.#runAs.gid);
  }

  /** Removes every trace. The rename comes first: a guest is either wholly there or no more. */
  async discard(paths: GuestPaths, instanceUuid: string): Promise<void> {
    await rm(paths.socketDir, { recursive: true, force: true });
    const aside = join(this.#stateDir, `${REMOVED}${instanceUuid}`);
    await rm(aside, { recursive: true, force: true });
    try {
      await rename(paths.dir, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    await syncPath(this.#stateDir);
    await rm(aside, { recursive: true, force: true });
  }
}
