import { createHash } from "node:crypto";
import { readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ifThereSync, makeFolder } from "../../../platform/files/index.js";
import { DriverErrors } from "../errors.js";
import type { RunAs } from "./run-as.js";

/** Numbers of users that belong to guests. None needs a name in /etc/passwd. */
export interface UidRange {
  /** 0 chooses. */
  readonly first: number;
  readonly count: number;
}

/** Far from people, services and the usual sub-ids; the later ones are for user namespaces with few ids. */
const usualFirst = [1_900_000_000, 400_000, 40_000];

/**
 * The users of all guests of this machine, of whichever agent: a number is taken by making a symbolic link of
 * that name, which points to what it was taken for. Links are made whole or not at all, so no two can take
 * the same. They lie in /run: after a reboot each agent takes again what its guests' definitions name.
 */
export class GuestUids {
  readonly #dir: string;
  readonly #range: UidRange;

  /** @param uidMap  content of /proc/self/uid_map. @throws UIDS_UNUSABLE */
  static open(dir: string, range: UidRange, uidMap = readFileSync("/proc/self/uid_map", "utf8")): GuestUids {
    const candidates = range.first === 0 ? usualFirst : [range.first];
    const first = candidates.find((candidate) => isMapped(uidMap, candidate, range.count));
    if (first === undefined) throw DriverErrors.UIDS_UNUSABLE({ first: range.first, count: range.count });
    makeFolder(dir, 0o700);
    return new GuestUids(dir, { first, count: range.count });
  }

  /** The lowest of them. */
  get first(): number {
    return this.#range.first;
  }

  private constructor(dir: string, range: UidRange) {
    this.#dir = dir;
    this.#range = range;
  }

  /**
   * Takes a user for a guest, or finds the one that it has.
   * @param owner  absolute path of the guest's folder: its name among all agents
   * @param wanted the user that it had before; another one is given when somebody else has that now
   * @throws UIDS_EXHAUSTED
   */
  take(owner: string, wanted?: number): RunAs {
    const { first, count } = this.#range;
    if (wanted !== undefined && wanted >= first && wanted < first + count && this.#hold(owner, wanted))
      return { uid: wanted, gid: wanted };
    // Where to begin follows from the name, so that numbers are spread and seldom given again soon.
    const begin = createHash("sha256").update(owner).digest().readUInt32BE(0) % count;
    for (let i = 0; i < count; i++) {
      const uid = first + ((begin + i) % count);
      if (this.#hold(owner, uid)) return { uid, gid: uid };
    }
    throw DriverErrors.UIDS_EXHAUSTED({ first, count });
  }

  /** Gives it back. Only for an owner that has no process and no file any more. */
  release(owner: string, uid: number): void {
    if (this.#ownerOf(uid) === owner) rmSync(join(this.#dir, String(uid)), { force: true });
  }

  /**
   * Gives back whatever an owner has, as `release`: of one that never came to be, nobody knows what that is.
   * @cost a look at all users that are taken on this machine
   */
  releaseAll(owner: string): void {
    for (const name of readdirSync(this.#dir)) this.release(owner, Number(name));
  }

  /** Gives back what was taken for owners below `folder` that are none any more. */
  forget(folder: string, isOwner: (owner: string) => boolean): void {
    for (const name of readdirSync(this.#dir)) {
      const owner = this.#ownerOf(Number(name));
      if (owner?.startsWith(`${folder}/`) && !isOwner(owner)) this.release(owner, Number(name));
    }
  }

  #hold(owner: string, uid: number): boolean {
    try {
      symlinkSync(owner, join(this.#dir, String(uid)));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return this.#ownerOf(uid) === owner;
    }
  }

  #ownerOf(uid: number): string | undefined {
    return ifThereSync(() => readlinkSync(join(this.#dir, String(uid)))); // absent: given back meanwhile
  }
}

/** Whether the kernel knows these numbers in our user namespace. */
function isMapped(uidMap: string, first: number, count: number): boolean {
  return uidMap.split("\n").some((line) => {
    const [inside = NaN, , length = 0] = line.trim().split(/\s+/).map(Number);
    return first > 0 && first >= inside && first + count <= inside + length;
  });
}
