import {
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  rmdir,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isCanonicalUuid } from "../../../kernel/index.js";
import type { Logger } from "../../../kernel/index.js";
import { ifThere, makeFolder, syncPath, writeFileAtomic } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "../host/run-as.js";
import { parseDefinition } from "./definition.js";
import type { Definition } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import { guestPaths } from "./guest-paths.js";
import type { GuestPaths } from "./guest-paths.js";

const REMOVED = ".removed-";
/** How often a socket is looked for that QEMU makes, and how long between. */
const SOCKET_LOOKS = 1_000;
const SOCKET_LOOK_MS = 5;

/** The guests whose definitions lie in the folder. */
export interface FoundGuests {
  readonly definitions: readonly Definition[];
  /** Uuids of guests whose definition is there and cannot be understood. */
  readonly spoiled: readonly string[];
}

/**
 * The folders of all guests of one agent. Definitions are the commit points: a folder without one never was a
 * guest.
 */
export class GuestFiles {
  readonly #stateDir: string;
  readonly #runDir: string;

  constructor(stateDir: string, runDir: string) {
    this.#stateDir = stateDir;
    this.#runDir = runDir;
  }

  /** @throws when the uuid is not in canonical form: it becomes a folder's name */
  paths(instanceUuid: string): GuestPaths {
    if (!isCanonicalUuid(instanceUuid)) throw DriverErrors.GUEST_NOT_DEFINED({ instanceUuid });
    return guestPaths(this.#stateDir, this.#runDir, instanceUuid);
  }

  /**
   * All definitions; finishes removals that were cut short. One whose content is spoiled is logged and told
   * apart: its guest may run, and its files are not touched.
   * @throws DEFINITIONS_UNREADABLE when one cannot be read: nobody knows then which guests there are
   */
  async load(log: Logger): Promise<FoundGuests> {
    const definitions: Definition[] = [];
    const spoiled: string[] = [];
    for (const name of await readdir(this.#stateDir)) {
      if (name.startsWith(REMOVED)) await rm(join(this.#stateDir, name), { recursive: true, force: true });
      if (!isCanonicalUuid(name)) continue;
      const path = this.paths(name).definition;
      const text = await ifThere(readFile(path, "utf8")).catch((cause: unknown) => {
        throw DriverErrors.DEFINITIONS_UNREADABLE({ path, problem: (cause as Error).message }, { cause });
      });
      if (text === undefined) continue;
      try {
        definitions.push(parseDefinition(text));
      } catch (error) {
        spoiled.push(name);
        log.error("compute.qemu.definition.spoiled", { instanceUuid: name, path, error });
      }
    }
    return { definitions, spoiled };
  }

  /** Uuids of the folders that never became a guest: half made, or filled from another host. */
  async unfinished(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await readdir(this.#stateDir)) {
      if (!isCanonicalUuid(name)) continue;
      if ((await ifThere(lstat(this.paths(name).definition))) === undefined) found.push(name);
    }
    return found;
  }

  /**
   * The guest's folder. It is the agent's: the guest's user owns files in it, but can neither make, rename
   * nor replace any, so what the agent opens there is what it put there. Others cannot even pass.
   */
  async makeFolder(paths: GuestPaths, user: RunAs | undefined): Promise<void> {
    makeFolder(paths.dir, 0o700);
    await close(paths.dir, user);
  }

  commit(paths: GuestPaths, definition: Definition): Promise<void> {
    return writeFileAtomic(paths.definition, JSON.stringify(definition, null, 1));
  }

  /**
   * What must be there, and belong to the guest's user, right before a start: its disks, an empty socket
   * folder, the console's file; and the agent's folder for copies of its disk.
   */
  async makeStartable(paths: GuestPaths, definition: Definition, user: RunAs | undefined): Promise<void> {
    await rm(paths.socketDir, { recursive: true, force: true });
    await mkdir(paths.socketDir, { mode: 0o700 });
    await writeFile(paths.consoleLog, "", { flag: "a", mode: 0o600 });
    await this.makeSnapshotsFolder(paths, user);
    await this.give(paths, definition, user);
    if (user) await chown(paths.socketDir, user.uid, user.gid);
  }

  /** The folder for copies of its disk: as the guest's own folder, the agent's. */
  async makeSnapshotsFolder({ snapshotsDir }: GuestPaths, user: RunAs | undefined): Promise<void> {
    makeFolder(snapshotsDir, 0o700);
    await close(snapshotsDir, user);
  }

  /** Makes the guest's user the owner of its files, those that are there. */
  async give(paths: GuestPaths, definition: Definition, user: RunAs | undefined): Promise<void> {
    if (user === undefined) return;
    await close(paths.dir, user);
    if ((await ifThere(lstat(paths.snapshotsDir))) !== undefined) await close(paths.snapshotsDir, user);
    for (const path of [...planDisks(definition, paths).map((disk) => disk.path), paths.consoleLog])
      await ifThere(lchown(path, user.uid, user.gid));
  }

  /**
   * Takes the socket folder from the guest once its sockets are made, before its first instruction: from now
   * on nobody can put something else in their place.
   * @throws when something else is there already
   */
  async sealSockets(paths: GuestPaths, user: RunAs | undefined): Promise<void> {
    if (user === undefined) return;
    await close(paths.socketDir, user);
    for (const name of await readdir(paths.socketDir)) {
      if (!(await lstat(join(paths.socketDir, name))).isSocket())
        throw new Error(`${name} in the guest's socket folder is no socket`);
    }
  }

  /**
   * Lets a running guest make one more socket: in a folder of its own, which is then taken from it like the
   * others. Only what is a socket comes into its place.
   * @param make  has QEMU make a socket under this path
   * @throws when it made something else
   */
  async addSocket(
    paths: GuestPaths,
    place: string,
    user: RunAs | undefined,
    make: (path: string) => Promise<void>,
  ): Promise<void> {
    const folder = await mkdtemp(join(paths.socketDir, "new-"));
    const made = join(folder, "s");
    if (user) await chown(folder, user.uid, user.gid);
    await make(made);
    // QEMU answers before it listens.
    for (let look = 1; (await ifThere(lstat(made))) === undefined && look <= SOCKET_LOOKS; look++)
      await delay(SOCKET_LOOK_MS);
    await close(folder, user);
    const names = await readdir(folder);
    // What else is in there stays until the guest has ended: it belongs to somebody who may be at work in it.
    if (names.length !== 1 || !(await lstat(made)).isSocket())
      throw new Error("the guest made something else than a socket");
    await rename(made, place);
    await rmdir(folder);
  }

  /** Removes every trace. The rename comes first: a guest is either wholly there or no more. */
  async discard(paths: GuestPaths, instanceUuid: string): Promise<void> {
    await rm(paths.socketDir, { recursive: true, force: true });
    const aside = join(this.#stateDir, `${REMOVED}${instanceUuid}`);
    await rm(aside, { recursive: true, force: true });
    const moved = await ifThere(rename(paths.dir, aside).then(() => true));
    if (!moved) return;
    await syncPath(this.#stateDir);
    await rm(aside, { recursive: true, force: true });
  }
}

/** The agent's folder, through which only this user may pass. */
async function close(dir: string, user: RunAs | undefined): Promise<void> {
  if (user === undefined) return;
  await chown(dir, 0, user.gid);
  await chmod(dir, 0o710);
}
