import { chmod, lstat, mkdir, readFile, readdir, realpath, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { endGuestsBelow } from "../../../pkg/compute/index.js";
import { defineErrors } from "../../../pkg/kernel/index.js";
import { stopLeftBehind } from "../../../pkg/platform/postgres/index.js";

const MARKER = "kilonova.state";
/** Grows when this version can no longer read what an older one left. The database has migrations of its own. */
const STATE_VERSION = 1;

/** What a first start writes, with room to run: the database and its log, the guest image, a console or two. */
const ROOM_BYTES = 256 << 20;

const HomeErrors = defineErrors("up", {
  NOT_OURS: ["refused", (p: { home: string }) => `${p.home} holds files that are not Kilonova's; nothing in it was touched. Choose another folder with KILONOVA_HOME.`],
  HOME_UNUSABLE: ["refused", (p: { home: string; problem: string }) => `The state directory ${p.home} cannot be used: ${p.problem}.`],
  NO_ROOM: ["refused", (p: { home: string; freeMib: number; neededMib: number }) => `The disk of ${p.home} has ${p.freeMib} MiB left; Kilonova needs ${p.neededMib}.`],
  OTHER_STATE: ["refused", (p: { home: string; found: string; needed: number }) =>
    `${p.home} holds state of version ${p.found}; this Kilonova reads version ${p.needed}. Nothing was touched. Start the Kilonova that made it, or forget it all: npm start -- --fresh`],
});

/**
 * Makes or finds the state directory. A folder with other people's files is refused, so that `--fresh` can never delete them.
 * Others may pass through (guests' processes run as another user) when we are root, but not look into it.
 * @throws NOT_OURS, HOME_UNUSABLE
 */
export async function openHome(home: string): Promise<void> {
  await usable(home, async () => {
    const created = await mkdir(home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
    const entries = await readdir(home);
    if (!entries.includes(MARKER) && entries.length > 0) throw HomeErrors.NOT_OURS({ home });
    // Guests run as another user when we are root: it must be able to pass through.
    if (process.getuid?.() === 0) await chmod(home, 0o711);
    if (created !== undefined || entries.length === 0) await mark(home);
  });
}

/** @throws NO_ROOM when the disk is so full that the database could not go on */
export async function assertRoom(home: string): Promise<void> {
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  if (free < ROOM_BYTES) throw HomeErrors.NO_ROOM({ home, freeMib: Math.floor(free / (1 << 20)), neededMib: ROOM_BYTES / (1 << 20) });
}

/** @throws OTHER_STATE when another version's files lie there */
export async function assertReadable(home: string): Promise<void> {
  const text = await readFile(join(home, MARKER), "utf8");
  const found = versionOf(text);
  if (found !== STATE_VERSION) throw HomeErrors.OTHER_STATE({ home, found: String(found ?? "unknown"), needed: STATE_VERSION });
}

/**
 * Ends the guests and the database that an earlier cloud left running here, then deletes what is in the folder, never what links in it point to.
 * Only for who holds the folder's lock.
 * @param keep  prefix of names that stay: the lock's
 */
export async function forgetHome(home: string, keep: string): Promise<void> {
  await usable(home, async () => {
    await endGuestsBelow(await realpath(home));
    await stopLeftBehind(home);
    for (const name of await readdir(home)) {
      if (name.startsWith(keep) || name === MARKER) continue;
      const path = join(home, name);
      await rm(path, { recursive: (await lstat(path)).isDirectory(), force: true });
    }
    await mark(home);
  });
}

const mark = (home: string): Promise<void> => writeFile(join(home, MARKER), `${JSON.stringify({ version: STATE_VERSION })}\n`, { mode: 0o600 });

function versionOf(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "version" in value && typeof value.version === "number" ? value.version : undefined;
  } catch {
    return undefined;
  }
}

async function usable(home: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw HomeErrors.HOME_UNUSABLE({ home, problem: (error as Error).message }, { cause: error });
  }
}
