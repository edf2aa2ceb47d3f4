import { chmod, lstat, mkdir, readFile, readdir, realpath, rm, statfs } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { endGuestsBelow, endVolumeDaemonsBelow } from "../../../pkg/compute/index.js";
import { KilonovaError, defineErrors } from "../../../pkg/kernel/index.js";
import { writeFileAtomic } from "../../../pkg/platform/files/index.js";
import { stopLeftBehind } from "../../../pkg/platform/postgres/index.js";
import { lockFile } from "../../../pkg/platform/process/index.js";
import type { LockFile } from "../../../pkg/platform/process/index.js";

const LOCK = "kilonova.lock";
const MARKER = "kilonova.state";
/**
 * Grows when this version can no longer read what an older one left. The database has migrations of its own.
 */
const STATE_VERSION = 1;

/**
 * What a first start writes, with room to run: the database and its log, the guest image, a console or two.
 */
const ROOM_BYTES = 256 << 20;

const HomeErrors = defineErrors("up", {
  NOT_OURS: [
    "refused",
    (p: { home: string }) =>
      `${p.home} holds files that are not Kilonova's; nothing in it was touched. Choose another folder with KILONOVA_HOME.`,
  ],
  HOME_UNUSABLE: [
    "refused",
    (p: { home: string; problem: string }) => `The state directory ${p.home} cannot be used: ${p.problem}.`,
  ],
  NO_ROOM: [
    "refused",
    (p: { home: string; freeMib: number; neededMib: number }) =>
      `The disk of ${p.home} has ${p.freeMib} MiB left; Kilonova needs ${p.neededMib}.`,
  ],
  ALREADY_RUNNING: [
    "unavailable",
    (p: { home: string; pid: string }) =>
      `Kilonova is running already on ${p.home} (process ${p.pid}). Use another folder: KILONOVA_HOME=/somewhere npm start -- --port-offset 1000`,
  ],
  OTHER_STATE: [
    "refused",
    (p: { home: string; found: string; needed: number }) =>
      `${p.home} holds state of version ${p.found}; this Kilonova reads version ${p.needed}. Nothing was touched. Start the Kilonova that made it, or forget it all: npm start -- --fresh`,
  ],
});

/** The marker's content. `forgetting` stays there while `--fresh` deletes. */
const markerShape = z.object({ version: z.int(), forgetting: z.boolean().optional() });
type Marker = z.infer<typeof markerShape>;

/**
 * Makes or finds the state directory, takes its lock, and makes sure that it holds what this version reads. A
 * folder with other people's files is refused before anything is written, so that `--fresh` can never delete
 * them. A kill at any moment leaves what the next call goes on from.
 * @param fresh  forget what an earlier cloud left there
 * @throws NOT_OURS, HOME_UNUSABLE, ALREADY_RUNNING, OTHER_STATE, NO_ROOM
 */
export async function openHome(home: string, fresh: boolean): Promise<LockFile> {
  await usable(home, () => makeHome(home));
  const lock = await lockHome(home);
  try {
    await usable(home, () => settle(home, fresh));
    await assertRoom(home);
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function makeHome(home: string): Promise<void> {
  const root = process.getuid?.() === 0;
  // Guests run as another user when we are root: it must be able to pass through, but not to look around.
  const mode = root ? 0o711 : 0o700;
  await mkdir(home, { recursive: true, mode });
  const names = await readdir(home);
  if (!names.includes(MARKER) && !names.every(mayComeBeforeMarker)) throw HomeErrors.NOT_OURS({ home });
  if (root) await chmod(home, mode);
}

const mayComeBeforeMarker = (name: string): boolean =>
  [LOCK, `.${LOCK}`, MARKER].some((prefix) => name.startsWith(`${prefix}.`));

async function lockHome(home: string): Promise<LockFile> {
  try {
    return await lockFile(join(home, LOCK));
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "ALREADY_RUNNING")
      throw HomeErrors.ALREADY_RUNNING({ home, pid: error.facts["pid"] ?? "?" });
    throw error;
  }
}

/**
 * Brings the folder to this version's marker. A forgetting that was killed midway is ended first: half of a
 * state is none.
 */
async function settle(home: string, fresh: boolean): Promise<void> {
  if (!(await readdir(home)).includes(MARKER)) return mark(home, { version: STATE_VERSION });
  const marker = parseMarker(await readFile(join(home, MARKER), "utf8"));
  if (fresh || marker?.forgetting) return forget(home);
  if (marker?.version !== STATE_VERSION)
    throw HomeErrors.OTHER_STATE({
      home,
      found: String(marker?.version ?? "unknown"),
      needed: STATE_VERSION,
    });
}

/**
 * Ends the guests, what serves volumes, and the database that an earlier cloud left running here, then
 * deletes what is in the folder, never what links in it point to. Only for who holds the folder's lock.
 */
async function forget(home: string): Promise<void> {
  await mark(home, { version: STATE_VERSION, forgetting: true });
  await endGuestsBelow(await realpath(home));
  await endVolumeDaemonsBelow(await realpath(home));
  await stopLeftBehind(home);
  for (const name of await readdir(home)) {
    if (name.startsWith(`${LOCK}.`) || name === MARKER) continue;
    const path = join(home, name);
    await rm(path, { recursive: (await lstat(path)).isDirectory(), force: true });
  }
  await mark(home, { version: STATE_VERSION });
}

const mark = (home: string, marker: Marker): Promise<void> =>
  writeFileAtomic(join(home, MARKER), `${JSON.stringify(marker)}\n`);

function parseMarker(text: string): Marker | undefined {
  try {
    return markerShape.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

async function assertRoom(home: string): Promise<void> {
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  if (free < ROOM_BYTES)
    throw HomeErrors.NO_ROOM({
      home,
      freeMib: Math.floor(free / (1 << 20)),
      neededMib: ROOM_BYTES / (1 << 20),
    });
}

/** Puts an error of the file system into our words. */
async function usable(home: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw HomeErrors.HOME_UNUSABLE({ home, problem: (error as Error).message }, { cause: error });
  }
}
