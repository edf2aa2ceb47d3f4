import type { Room } from "../host/cage.js";
import type { Cgroups, GuestLimits } from "../host/cgroups.js";
import { kvmGroups } from "../host/run-as.js";
import type { Definition } from "./definition.js";
import { asStarted, userOf } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import type { GuestPaths } from "./guest-paths.js";

const MIB = 1024 ** 2;
/** QEMU itself, its device models and buffers. */
const OVERHEAD_MIB = 512;
/** What emulation keeps of translated code, at most; by default. */
const TRANSLATED_MIB = 1024;
/** The machine's own threads beside those of its CPUs: block jobs, the monitor. */
const THREADS = 256;

/** What a guest's process sees and may take. Makes its control groups. */
export function guestRoom(
  definition: Definition,
  paths: GuestPaths,
  { virtType, cgroups }: { readonly virtType: "tcg" | "kvm"; readonly cgroups: Cgroups | undefined },
): Room {
  const { kernel, instanceUuid } = asStarted(definition).spec;
  const disks = planDisks(definition, paths);
  const bases = disks.map(({ base }) => base);
  const readOnly = disks.filter((disk) => disk.readOnly).map(({ path }) => path);
  return {
    user: userOf(definition),
    memberOf: virtType === "kvm" ? kvmGroups() : [],
    readable: [...bases, ...readOnly, kernel?.kernelPath, kernel?.ramdiskPath].filter(
      (path) => typeof path === "string",
    ),
    writable: [
      ...disks.filter((disk) => !disk.readOnly).map(({ path }) => path),
      paths.consoleLog,
      paths.socketDir,
      paths.snapshotsDir,
    ],
    devices: virtType === "kvm" ? ["/dev/kvm"] : [],
    groups: cgroups?.make(instanceUuid, guestLimits(definition, virtType)) ?? [],
    dies: false,
  };
}

/** Room for what the flavor says and for QEMU itself: only a guest that breaks out comes to feel them. */
function guestLimits({ spec }: Definition, virtType: "tcg" | "kvm"): GuestLimits {
  const overheadMib = OVERHEAD_MIB + (virtType === "tcg" ? TRANSLATED_MIB : 0);
  return {
    cpus: spec.vcpus + 1,
    shares: spec.vcpus,
    memoryBytes: (spec.memoryMib + overheadMib) * MIB,
    threads: THREADS + spec.vcpus,
  };
}
