import { readFileSync, readdirSync } from "node:fs";
import type { Definition } from "./definition.js";
import { planDisks } from "./disk-plan.js";
import type { GuestPaths } from "./guest-paths.js";
import { asArray, asObject } from "./qmp-client.js";
import type { RunningGuest } from "./running-guest.js";

const TICKS_PER_SECOND = 100;

/**
 * Diagnostics in the shape of REST 2.48. Null stands for what QEMU cannot tell: a NIC's counters are at the
 * switch. `driver` is a closed set that clients validate; `libvirt` is its member that fits QEMU,
 * `hypervisor` says the truth.
 */
export async function readDiagnostics(
  guest: RunningGuest,
  definition: Definition,
  paths: GuestPaths,
  virtType: "tcg" | "kvm",
): Promise<Readonly<Record<string, unknown>>> {
  const [cpus, blocks, balloon] = await Promise.all([
    guest.execute("query-cpus-fast"),
    guest.execute("query-blockstats", { "query-nodes": false }),
    guest.execute("query-balloon").catch(() => undefined),
  ]);
  const { spec, configDriveDigest } = definition;
  const ticks = ticksByThread(guest.identity.pid);
  const unknown = {
    rx_octets: null,
    rx_errors: null,
    rx_drop: null,
    rx_packets: null,
    rx_rate: null,
    tx_octets: null,
    tx_errors: null,
    tx_drop: null,
    tx_packets: null,
    tx_rate: null,
  };
  const usedBytes = asObject(balloon)["actual"];
  return {
    state: guest.powerState === "RUNNING" ? "running" : guest.powerState === "PAUSED" ? "paused" : "shutdown",
    driver: "libvirt",
    hypervisor: virtType === "kvm" ? "kvm" : "qemu",
    hypervisor_os: "linux",
    uptime: uptimeSeconds(guest.identity.startTicks),
    config_drive: configDriveDigest !== null,
    num_cpus: spec.vcpus,
    num_nics: spec.interfaces.length,
    num_disks: planDisks(definition, paths).length,
    cpu_details: asArray(cpus)
      .map(asObject)
      .map((cpu) => cpuDetails(ticks.get(Number(cpu["thread-id"])), cpu)),
    nic_details: spec.interfaces.map((nic) => ({ mac_address: nic.macAddress, ...unknown })),
    disk_details: asArray(blocks).map((block) => diskDetails(asObject(asObject(block)["stats"]))),
    memory_details: {
      maximum: spec.memoryMib,
      used: typeof usedBytes === "number" ? Math.floor(usedBytes / 1024 ** 2) : spec.memoryMib,
    },
  };
}

/** @units time in nanoseconds, utilisation unknown (it would take two looks) */
function cpuDetails(ticks: number | undefined, cpu: Readonly<Record<string, unknown>>): unknown {
  return {
    id: Number(cpu["cpu-index"]),
    time: ticks === undefined ? null : ticks * (1_000_000_000 / TICKS_PER_SECOND),
    utilisation: null,
  };
}

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

function diskDetails(stats: Readonly<Record<string, unknown>>): unknown {
  const n = (key: string): number => Number(stats[key] ?? 0);
  return {
    read_bytes: n("rd_bytes"),
    read_requests: n("rd_operations"),
    write_bytes: n("wr_bytes"),
    write_requests: n("wr_operations"),
    errors_count: n("failed_rd_operations") + n("failed_wr_operations") + n("failed_flush_operations"),
  };
}

function uptimeSeconds(startTicks: string): number {
  const sinceBoot = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Math.max(0, Math.floor(sinceBoot - Number(startTicks) / TICKS_PER_SECOND));
}
