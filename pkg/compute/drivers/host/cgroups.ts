import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

const controllers = ["cpu", "memory", "pids"] as const;
type Controller = (typeof controllers)[number];

/** What a guest may take of the machine. */
export interface GuestLimits {
  /** Whole CPUs, its helpers' threads included. */
  readonly cpus: number;
  /** Its part among guests when CPUs are short. */
  readonly shares: number;
  readonly memoryBytes: number;
  readonly threads: number;
}

/** A controller that works here, and below which folder our groups are made. */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly parent: string;
  readonly controllers: readonly Controller[];
}

/** Where the kernel tells about control groups; replaced by tests. */
export interface CgroupSources {
  readonly mounts: string;
  readonly own: string;
}

const kernelSources = (): CgroupSources => ({
  mounts: readFileSync("/proc/self/mounts", "utf8"),
  own: readFileSync("/proc/self/cgroup", "utf8"),
});

const PERIOD_US = 100_000;
const FOLDER = "kilonova";
const USUAL_OVERCOMMIT = 4;

/**
 * Control groups of guests, of either version, each controller where this machine has it. Made by hand: the
 * agent may run without systemd.
 */
export class Cgroups {
  readonly #hierarchies: readonly Hierarchy[];
  /** Controllers that cannot be used here, and why. */
  readonly missing: ReadonlyMap<Controller, string>;

  /** Tries out what can be used; leaves nothing but an empty folder. */
  static probe(sources: CgroupSources = kernelSources()): Cgroups {
    const found: Hierarchy[] = [];
    const missing = new Map<Controller, string>();
    for (const controller of controllers) {
      const candidate = find(controller, sources);
      if (candidate === undefined) {
        missing.set(controller, "no control group has it");
        continue;
      }
      try {
        prepare(candidate);
        const groups = new Cgroups([candidate], new Map());
        groups.make(`probe-${process.pid}`, { cpus: 1, shares: 1, memoryBytes: 1 << 30, threads: 64 });
        groups.remove(`probe-${process.pid}`);
        found.push(candidate);
      } catch (error) {
        missing.set(controller, (error as Error).message);
      }
    }
    return new Cgroups(merged(found), missing);
  }

  private constructor(hierarchies: readonly Hierarchy[], missing: ReadonlyMap<Controller, string>) {
    this.#hierarchies = hierarchies;
    this.missing = missing;
  }

  /** For people: `v1 cpu memory pids`; empty when there is nothing. */
  get summary(): string {
    const names = (version: 1 | 2): string =>
      this.#hierarchies
        .filter((h) => h.version === version)
        .flatMap((h) => h.controllers)
        .join(" ");
    return ([1, 2] as const)
      .filter((version) => names(version) !== "")
      .map((version) => `v${version} ${names(version)}`)
      .join(", ");
  }

  /**
   * Makes (or finds) a guest's groups and sets their limits.
   * @returns the folders which its first process has to enter
   */
  make(name: string, limits: GuestLimits): readonly string[] {
    return this.#hierarchies.map((hierarchy) => {
      const dir = join(hierarchy.parent, FOLDER, name);
      mkdirSync(dir, { recursive: true });
      for (const [file, value] of hierarchy.controllers.flatMap((c) =>
        settings[hierarchy.version][c](limits),
      ))
        writeFileSync(join(dir, file), value);
      return dir;
    });
  }

  /** @returns false when a process is still in them */
  remove(name: string): boolean {
    let all = true;
    for (const { parent } of this.#hierarchies) {
      try {
        rmdirSync(join(parent, FOLDER, name));
      } catch (error) {
        all &&= (error as NodeJS.ErrnoException).code === "ENOENT";
      }
    }
    return all;
  }
}

type Setting = (limits: GuestLimits) => readonly (readonly [file: string, value: string])[];

const settings: Readonly<Record<1 | 2, Readonly<Record<Controller, Setting>>>> = {
  1: {
    cpu: ({ cpus, shares }) => [
      ["cpu.cfs_period_us", String(PERIOD_US)],
      ["cpu.cfs_quota_us", String(cpus * PERIOD_US)],
      ["cpu.shares", String(1024 * shares)],
    ],
    memory: ({ memoryBytes }) => [["memory.limit_in_bytes", String(memoryBytes)]],
    pids: ({ threads }) => [["pids.max", String(threads)]],
  },
  2: {
    cpu: ({ cpus, shares }) => [
      ["cpu.max", `${cpus * PERIOD_US} ${PERIOD_US}`],
      ["cpu.weight", String(Math.min(10_000, 100 * shares))],
    ],
    memory: ({ memoryBytes }) => [["memory.max", String(memoryBytes)]],
    pids: ({ threads }) => [["pids.max", String(threads)]],
  },
};

/** Version 1 where the controller is mounted so; else version 2 where its root offers it. */
function find(controller: Controller, { mounts, own }: CgroupSources): Hierarchy | undefined {
  const rows = mounts.split("\n").map((line) => line.split(" "));
  const v1 = rows.find(
    ([, , type, options]) => type === "cgroup" && options?.split(",").includes(controller),
  );
  if (v1?.[1] !== undefined)
    return { version: 1, parent: ownGroup(v1[1], controller, own), controllers: [controller] };
  const v2 = rows.find(
    ([, dir = "", type]) => type === "cgroup2" && offers(dir, "cgroup.controllers", controller),
  );
  return v2?.[1] === undefined ? undefined : { version: 2, parent: v2[1], controllers: [controller] };
}

/** Our own group, so that its limits hold for guests too; in a container its mount may begin there. */
function ownGroup(mount: string, controller: Controller, own: string): string {
  const path = own
    .split("\n")
    .map((line) => line.split(":"))
    .find(([, names]) => names?.split(",").includes(controller))?.[2];
  const dir = join(mount, path ?? "");
  return existsSync(dir) ? dir : mount;
}

const offers = (dir: string, file: string, controller: Controller): boolean =>
  existsSync(join(dir, file)) && readFileSync(join(dir, file), "utf8").split(/\s+/).includes(controller);

/**
 * Makes the folder of all guests. In version 2 each level must hand a controller down to the next. Beside the
 * host's own work all guests together weigh as much as the threads of as many CPUs as a host is usually
 * overcommitted to; a new group would weigh no more than one thread.
 */
function prepare({ version, parent, controllers: [controller] }: Hierarchy): void {
  const folder = join(parent, FOLDER);
  mkdirSync(folder, { recursive: true });
  if (controller === undefined) return;
  if (version === 2)
    for (const dir of [parent, folder])
      if (!offers(dir, "cgroup.subtree_control", controller))
        writeFileSync(join(dir, "cgroup.subtree_control"), `+${controller}`);
  if (controller !== "cpu") return;
  if (version === 2) writeFileSync(join(folder, "cpu.weight"), String(100 * USUAL_OVERCOMMIT));
  else writeFileSync(join(folder, "cpu.shares"), String(1024 * USUAL_OVERCOMMIT * availableParallelism()));
}

/** In version 2 all controllers share one folder. */
function merged(found: readonly Hierarchy[]): readonly Hierarchy[] {
  const v2 = found.filter(({ version }) => version === 2);
  const [first] = v2;
  return [
    ...found.filter(({ version }) => version === 1),
    ...(first === undefined ? [] : [{ ...first, controllers: v2.flatMap((h) => h.controllers) }]),
  ];
}
