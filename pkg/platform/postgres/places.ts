import { createHash } from "node:crypto";
import { chown, lstat, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ifThere, writeFileAtomic } from "../files/index.js";
import type { Account } from "./account.js";
import { PostgresErrors } from "./errors.js";
import { readPidFile, stopPostmaster } from "./postmaster.js";

/** Where one embedded server keeps things. */
export interface Places {
  /** Owned by the server's account, closed to all others. */
  readonly base: string;
  readonly data: string;
  /** Directory of the unix socket; at most 92 bytes, as the socket's full path must stay within 107. */
  readonly socketDir: string;
  readonly log: string;
}

const recordShape = z.object({ base: z.string(), socketDir: z.string() });
type Record = z.infer<typeof recordShape>;

const SOCKET_DIR_BYTES = 107 - "/.s.PGSQL.5432".length - 1;

/**
 * Chooses the server's directories, creates them and remembers the choice in `<stateDir>/postgres.json`, so
 * that a later start finds the same data whatever has changed around it.
 * @throws UNSAFE_DIRECTORY when another user has put something in our place
 */
export async function choosePlaces(stateDir: string, account: Account): Promise<Places> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const file = join(stateDir, "postgres.json");
  const hash = createHash("sha256").update(stateDir).digest("hex").slice(0, 12);
  const known = await readRecord(file);
  const base = known?.base ?? (await freshBase(stateDir, hash, account));
  await privateDir(base, account);
  const socketDir = await socketDirectory(known?.socketDir, base, hash, account);
  if (known?.base !== base || known.socketDir !== socketDir)
    await writeFileAtomic(file, `${JSON.stringify({ base, socketDir }, null, 2)}\n`);
  return { base, data: join(base, "data"), socketDir, log: join(stateDir, "postgres.log") };
}

/** Where the server of this state directory keeps things, if it ever had one. */
export const knownBase = async (stateDir: string): Promise<string | undefined> =>
  (await readRecord(join(stateDir, "postgres.json")))?.base;

/**
 * A place without history: whoever deletes the state directory wants a new cloud, not yesterday's database
 * with other passwords. What it left elsewhere is set aside, one such remainder at most, in case it was a
 * mistake.
 */
async function freshBase(stateDir: string, hash: string, account: Account): Promise<string> {
  if (await canReach(stateDir, account)) return join(stateDir, "postgres");
  const base = join((await isDirectory("/var/lib")) ? "/var/lib" : "/var/tmp", `kilonova-${hash}`);
  if (await isDirectory(base)) {
    const survivor = await readPidFile(join(base, "data"));
    if (survivor !== undefined) await stopPostmaster(survivor.pid, join(base, "data"));
    await rm(`${base}.orphan`, { recursive: true, force: true });
    await rename(base, `${base}.orphan`);
  }
  return base;
}

/**
 * Beside the data when that is short and reachable; the system's directories for sockets otherwise. /run is
 * empty after a boot.
 */
async function socketDirectory(
  known: string | undefined,
  base: string,
  hash: string,
  account: Account,
): Promise<string> {
  const inside = join(base, "run");
  const runtime = process.getuid?.() === 0 ? "/run" : (process.env["XDG_RUNTIME_DIR"] ?? "");
  const candidates = [
    known,
    inside,
    ...((await isDirectory(runtime)) ? [join(runtime, `kilonova-${hash}`)] : []),
    `/tmp/kilonova-${hash}`,
  ];
  let refused: unknown;
  for (const path of candidates) {
    if (path === undefined || Buffer.byteLength(path) > SOCKET_DIR_BYTES) continue;
    try {
      await privateDir(path, account);
      return path;
    } catch (error) {
      refused = error;
    }
  }
  throw refused;
}

/**
 * Makes sure of a directory that only the account (and root) may enter; never follows a link that another
 * user left there.
 */
async function privateDir(path: string, account: Account): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  let found = await lstat(path);
  if (found.isDirectory() && found.uid !== account.uid && found.uid === process.getuid?.()) {
    // Made just now, or by an earlier start of ours that was killed before it could give it away.
    await chown(path, account.uid, account.gid);
    found = await lstat(path);
  }
  if (!found.isDirectory() || found.uid !== account.uid || (found.mode & 0o077) !== 0)
    throw PostgresErrors.UNSAFE_DIRECTORY({ path });
}

/** Whether the account may pass through a directory and all above it, as far as mode bits tell. */
export async function canReach(path: string, account: Account): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

const isDirectory = async (path: string): Promise<boolean> =>
  path !== "" && (await ifThere(stat(path)))?.isDirectory() === true;

/**
 * @returns undefined when there is none: only then may a new database be made
 * @throws RECORD_UNREADABLE
 */
async function readRecord(file: string): Promise<Record | undefined> {
  try {
    const text = await ifThere(readFile(file, "utf8"));
    return text === undefined ? undefined : recordShape.parse(JSON.parse(text));
  } catch (cause) {
    throw PostgresErrors.RECORD_UNREADABLE({ file, problem: (cause as Error).message }, { cause });
  }
}
