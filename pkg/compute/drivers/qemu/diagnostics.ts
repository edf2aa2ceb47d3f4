import { readFileSync, readdirSync } from "node:fs";
import type { CpuDiagnostics, DiskDiagnostics, GuestDiagnostics } from "../../guest-diagnostics.js";
import type { Definition } from "./definition.js";
import { asArray, asObject } from "./qmp-client.js";
import type { RunningGuest } from "./running-guest.js";

const TICKS_PER_SECOND = 100;

/**
 * What a guest did so far. A NIC's counters are at the switch. `driver` is a closed set that clients check;
 * `libvirt` is its member that fits QEMU, `hypervisor` says the truth.
 */
export async function readDiagnostics(
  guest: RunningGuest,
  { spec, configDriveDigest }: Definition,
  virtType: "tcg" | "kvm",
): Promise<GuestDiagnostics> {
  const [cpus, blocks, balloon] = await Promise.all([
    guest.execute("query-cpus-fast"),
    guest.execute("query-blockstats", { "query-nodes": false }),
    guest.execute("query-balloon").catch(() => undefined),
  ]);
  const ticks = ticksByThread(guest.identity.pid);
  const usedBytes = asObject(balloon)["actual"];
  return {
    driver: "libvirt",
    hypervisor: virtType === "kvm" ? "kvm" : "qemu",
    hypervisorOs: "linux",
    uptimeSeconds: uptimeSeconds(guest.identity.startTicks),
    configDrive: configDriveDigest !== null,
    cpus: asArray(cpus)
      .map(asObject)
      .map((cpu) => cpuDiagnostics(ticks.get(Number(cpu["thread-id"])), cpu)),
    nics: spec.interfaces.map(({ portId, macAddress }) => ({ portId, macAddress })),
    disks: asArray(blocks).map((block) => diskDiagnostics(asObject(asObject(block)["stats"]))),
    memoryMaximumMib: spec.memoryMib,
    memoryUsedMib: typeof usedBytes === "number" ? Math.floor(usedBytes / 1024 ** 2) : spec.memoryMib,
  };
}

/** Utilisation is not known: it would take two looks. */
const cpuDiagnostics = (
  ticks: number | undefined,
  cpu: Readonly<Record<string, unknown>>,
): CpuDiagnostics => ({
  id: Number(cpu["cpu-index"]),
  ...(ticks === undefined ? {} : { timeNs: ticks * (1_000_000_000 / TICKS_PER_SECOND) }),
});

/**
 * Ticks that each thread of a process has run, by the number that the process itself knows the thread by:
 * inside a namespace of its own that is another one than ours.
 */
function ticksByThread(pid: number): ReadonlyMap<number, number> {
  const threads = readOr([], () => readdirSync(`/proc/${pid}/task`));
  return new Map(
    threads.flatMap((thread) =>
      readOr<readonly (readonly [number, number])[]>([], () => {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8");
        const known = /^NSpid:.*?(\d+)$/m.exec(status)?.[1] ?? thread;
        const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [[Number(known), Number(fields[11]) + Number(fields[12])] as const];
      }),
    ),
  );
}

/** A thread may end between two reads. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function diskDiagnostics(stats: Readonly<Record<string, unknown>>): DiskDiagnostics {
  const n = (key: string): number => Number(stats[key] ?? 0);
  return {
    readBytes: n("rd_bytes"),
    readRequests: n("rd_operations"),
    writeBytes: n("wr_bytes"),
    writeRequests: n("wr_operations"),
    errors: n("failed_rd_operations") + n("failed_wr_operations") + n("failed_flush_operations"),
  };
}

function uptimeSeconds(startTicks: string): number {
  const sinceBoot = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Math.max(0, Math.floor(sinceBoot - Number(startTicks) / TICKS_PER_SECOND));
}
