import { randomUUID } from "node:crypto";
import { link, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ifAlive } from "../files/index.js";
import { ProcessErrors } from "./errors.js";

export interface LockFile {
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  readonly started: string;
}

/** Content of a lock that was given back. */
const FREE: Owner = { pid: 0, started: "" };

/**
 * Takes a lock named by a path; the lock of a process that died (also by kill -9, also when its number was
 * given to another) is taken over. It is the file `<path>.<n>` of the highest number: whoever finds its owner
 * dead creates the next one, which only one can. Files are never reused, so nobody can remove the lock of a
 * quicker process by mistake.
 * @throws ALREADY_RUNNING with the pid of the living owner
 */
export async function lockFile(path: string): Promise<LockFile> {
  const owner: Owner = { pid: process.pid, started: (await startOf(process.pid)) ?? "" };
  for (let attempt = 0; attempt < 20; attempt++) {
    const before = await highest(path);
    const holder = before === 0 ? FREE : await ownerOf(`${path}.${before}`);
    if (holder === undefined) continue;
    if (holder.pid !== 0 && (await startOf(holder.pid)) === holder.started)
      throw ProcessErrors.ALREADY_RUNNING({ path, pid: holder.pid });
    const mine = `${path}.${before + 1}`;
    if (!(await create(mine, owner))) continue;
    // A number may come free again when its successor's owner clears up: only the highest counts.
    if ((await highest(path)) !== before + 1) {
      await rm(mine, { force: true });
      continue;
    }
    await removeBelow(path, before + 1);
    return { release: () => replace(mine, FREE) };
  }
  throw ProcessErrors.ALREADY_RUNNING({ path, pid: 0 });
}

async function numbers(path: string): Promise<readonly number[]> {
  const prefix = `${basename(path)}.`;
  return (await readdir(dirname(path)))
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
}

const highest = async (path: string): Promise<number> => Math.max(0, ...(await numbers(path)));

async function removeBelow(path: string, number: number): Promise<void> {
  for (const old of await numbers(path)) if (old < number) await rm(`${path}.${old}`, { force: true });
}

/** Creates the file with its content in one step, or says that it exists. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  await writeFile(draft, JSON.stringify(owner), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function replace(path: string, owner: Owner): Promise<void> {
  await writeFile(path, JSON.stringify(owner), { mode: 0o600 });
}

/** @returns undefined when the file went away meanwhile; an unreadable one belongs to nobody */
async function ownerOf(path: string): Promise<Owner | undefined> {
  const text = await readText(path);
  return text === undefined ? undefined : (parseOwner(text) ?? FREE);
}

/** @throws when it cannot be read: whose lock it is must not be guessed */
const readText = (path: string): Promise<string | undefined> => ifAlive(readFile(path, "utf8"));

function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || !("started" in value))
      return undefined;
    const { pid, started } = value;
    return typeof pid === "number" && typeof started === "string" ? { pid, started } : undefined;
  } catch {
    // Half written while it was given back.
    return undefined;
  }
}

/**
 * When a process started, in ticks since boot: together with its number unique until the next boot.
 * @returns undefined when there is no such process, or only its zombie
 * @throws when nobody can know, as without a free descriptor
 */
export async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  });
  if (stat === undefined) return undefined;
  // The name in parentheses may itself hold spaces and parentheses; state and start time are the 1st and 20th
  // field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}
