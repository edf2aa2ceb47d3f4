import { once } from "node:events";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { closeInherited } from "../../../platform/process/index.js";
import { DriverErrors } from "../errors.js";
import { caged, uncaged, usualDevices } from "./cage.js";
import type { Room } from "./cage.js";
import { Cgroups } from "./cgroups.js";
import { start } from "./command.js";
import type { Command } from "./command.js";
import { GuestUids } from "./guest-uids.js";
import type { UidRange } from "./guest-uids.js";
import { unreachable } from "./run-as.js";
import { cagedNamespaces, standingOf, shortcomings } from "./process-standing.js";

/** How much isolation there must be: `auto` is `strict` for root and `best-effort` for others. */
export const isolationModes = ["auto", "strict", "best-effort"] as const;
export type IsolationMode = (typeof isolationModes)[number];

export interface IsolationOptions {
  readonly mode: IsolationMode;
  readonly uids: UidRange;
  /** Parent of the folder that says which user belongs to which guest; `/run` when unset. */
  readonly runtimeBase?: string | undefined;
}

export const isolationDefaults = { mode: "auto", uids: { first: 0, count: 10_000 } } as const;

/** What keeps guests from the host and from each other, and what does not, in words. */
interface Findings {
  readonly has: readonly string[];
  readonly lacks: readonly string[];
}

/** What this machine lets us try. */
interface Ground {
  readonly isRoot: boolean;
  /** Why there are no namespaces; undefined: there are. */
  readonly noNamespaces: string | undefined;
  /** It is a reason to refuse under `strict` only when it is ours to mend. */
  readonly bubblewrapMissing: boolean;
  readonly cgroups: Cgroups | undefined;
  readonly uids: GuestUids | undefined;
}

/**
 * How guests, and the tools that work on their files, are shut in on this host. Decided once, at start; every
 * guest is looked at again when it runs (`assertHolds`).
 */
export class Isolation {
  readonly #ground: Ground;
  readonly #strict: boolean;

  /**
   * Finds out what the kernel allows.
   * @param namespacesOf  tries them; replaced by tests
   * @throws ISOLATION_INCOMPLETE when the mode asks for more
   */
  static async open(options: IsolationOptions, namespacesOf = tryNamespaces): Promise<Isolation> {
    closeInherited();
    const isRoot = process.getuid?.() === 0;
    const strict = options.mode === "strict" || (options.mode === "auto" && isRoot);
    const namespaces = await namespacesOf();
    const ground: Ground = {
      isRoot,
      ...namespaces,
      cgroups: isRoot ? Cgroups.probe() : undefined,
      uids: isRoot
        ? GuestUids.open(join(options.runtimeBase ?? "/run", "kilonova-uids"), options.uids)
        : undefined,
    };
    const isolation = new Isolation(ground, strict);
    if (strict && !isRoot)
      throw DriverErrors.ISOLATION_INCOMPLETE({ missing: "users of their own (the agent is not root)" });
    if (strict && ground.bubblewrapMissing)
      throw DriverErrors.ISOLATION_INCOMPLETE({
        missing: "namespaces of their own (the package bubblewrap is not installed)",
      });
    return isolation;
  }

  private constructor(ground: Ground, strict: boolean) {
    this.#ground = ground;
    this.#strict = strict;
  }

  /** Whether guests are users of their own, so that files must be given to them. */
  get separatesUsers(): boolean {
    return this.#ground.uids !== undefined;
  }

  get hasNamespaces(): boolean {
    return this.#ground.noNamespaces === undefined;
  }

  get uids(): GuestUids | undefined {
    return this.#ground.uids;
  }

  get cgroups(): Cgroups | undefined {
    return this.#ground.cgroups;
  }

  /** One sentence for the operator, or two. */
  get summary(): string {
    const { has, lacks } = findings(this.#ground);
    const first = `Guests have ${has.join(", ")}.`;
    return lacks.length === 0 ? first : `${first} They lack ${lacks.join("; ")}.`;
  }

  /** The command that runs `argv` in a room, or as near to it as this host comes. */
  enter(argv: readonly string[], room: Room): Command {
    return this.hasNamespaces ? caged(argv, room, unpackedPrograms()) : uncaged(argv, room);
  }

  /** How a tool runs in a room; for `ToolOptions.within`. */
  tool(room: Omit<Room, "dies">): (argv: readonly string[]) => Command {
    return (argv) => this.enter(argv, { ...room, dies: true });
  }

  /**
   * Without namespaces guests must pass through the host's own folders.
   * @throws ISOLATION_INCOMPLETE under `strict`, naming the first that would not let them
   */
  assertReachable(folders: readonly string[]): void {
    const { uids } = this.#ground;
    if (uids === undefined || this.hasNamespaces || !this.#strict) return;
    const anybody = { uid: uids.first, gid: uids.first };
    for (const folder of folders) {
      const obstacle = unreachable(resolve(folder), anybody);
      if (obstacle !== undefined)
        throw DriverErrors.ISOLATION_INCOMPLETE({
          missing: `a way to their files (${obstacle} is closed to them)`,
        });
    }
  }

  /**
   * Looks whether a process that we started is what it should be.
   * @throws GUEST_NOT_ISOLATED under `strict`, naming what does not hold
   */
  assertHolds(pid: number, room: Omit<Room, "dies">): void {
    const { user, memberOf = [], readable = [], writable = [], devices = [], reaches } = room;
    const missing = shortcomings(standingOf(pid, [...usualDevices, ...readable, ...writable, ...devices]), {
      user,
      memberOf,
      namespaces: !this.hasNamespaces
        ? []
        : cagedNamespaces.filter((kind) => reaches !== "network" || kind !== "net"),
      // Its filter comes with its cage; QEMU has one in any case.
      filtered: this.hasNamespaces || reaches === undefined,
      bounded: this.#ground.isRoot,
    });
    if (missing.length > 0 && this.#strict)
      throw DriverErrors.GUEST_NOT_ISOLATED({ missing: missing.join(", ") });
  }
}

function findings({ isRoot, noNamespaces, cgroups }: Ground): Findings {
  const has = ["no capabilities", "a system call filter"];
  const lacks: string[] = [];
  if (isRoot) has.unshift("a user each");
  else lacks.push(`users of their own: the agent is not root, so they run as ${userInfo().username}`);
  if (noNamespaces === undefined)
    has.push(
      isRoot ? "namespaces of their own" : "namespaces of their own, which hide the agent's files from them",
    );
  else lacks.push(`namespaces of their own (${noNamespaces})`);
  if (cgroups === undefined) lacks.push("limits of CPU and memory (the agent is not root)");
  else {
    if (cgroups.summary !== "") has.push(`limits by control groups (${cgroups.summary})`);
    for (const [controller, why] of cgroups.missing)
      lacks.push(`a limit by the control group ${controller} (${why})`);
  }
  return { has, lacks };
}

/** Runs a program in a room as guests get it; that it ends well proves all that the room needs. */
async function tryNamespaces(): Promise<Pick<Ground, "noNamespaces" | "bubblewrapMissing">> {
  const child = start(caged(["true"], { user: undefined, dies: true }, unpackedPrograms()), {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    complaint += bytes.toString("utf8");
  });
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return {
      noNamespaces: status === 0 ? undefined : complaint.trim().split("\n")[0] || "trying them failed",
      bubblewrapMissing: false,
    };
  } catch {
    return { noNamespaces: "the package bubblewrap is not installed", bubblewrapMissing: true };
  }
}

/** Programs that were unpacked instead of installed (ADR 0005). */
const unpackedPrograms = (): readonly string[] => {
  const folder = process.env["KILONOVA_DEBIAN"];
  return folder === undefined ? [] : [folder];
};
