import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, loadavg, totalmem, uptime } from "node:os";
import type { Ctx } from "../../../kernel/index.js";
import type { HostInventory } from "../../driver.js";
import type { QemuConfig } from "./config.js";
import { cpuInfo } from "./cpu-info.js";
import type { HypervisorFacts } from "./host-probe.js";
import { driverTraits } from "./traits.js";

const GIB = 1024 ** 3;

/**
 * What this machine has: its CPUs, which hosts that share it take turns on, and its share of the rest,
 * rounded down.
 */
export async function readInventory(
  _ctx: Ctx,
  config: QemuConfig,
  facts: HypervisorFacts,
): Promise<HostInventory> {
  const [disk, cpus] = await Promise.all([statfs(config.stateDir), readFile("/proc/cpuinfo", "utf8")]);
  const part = (amount: number): number => Math.floor(amount * config.share);
  return {
    hypervisorType: "QEMU",
    hypervisorVersion: facts.version,
    hypervisorHostname: config.hypervisorHostname,
    hostIp: config.hostIp,
    vcpus: availableParallelism(),
    memoryMib: part(totalmem() / 1024 ** 2),
    diskGib: part((disk.blocks * disk.bsize) / GIB),
    diskFreeGib: part((disk.bavail * disk.bsize) / GIB),
    cpuInfo: JSON.stringify(cpuInfo(cpus)),
    supportedInstances: [
      ["i686", "qemu", "hvm"],
      ["x86_64", "qemu", "hvm"],
      ...(config.virtType === "kvm"
        ? ([
            ["i686", "kvm", "hvm"],
            ["x86_64", "kvm", "hvm"],
          ] as const)
        : []),
    ],
    traits: driverTraits(facts.cpuFeatures),
    uptime: uptimeLine(new Date(), uptime(), loadavg()),
  };
}

/** In the form of uptime(1), which clients take apart. */
export function uptimeLine(now: Date, upSeconds: number, load: readonly number[]): string {
  const minutes = Math.floor(upSeconds / 60);
  const days = Math.floor(minutes / 1440);
  const clock = `${Math.floor(minutes / 60) % 24}:${String(minutes % 60).padStart(2, "0")}`.padStart(5);
  const up = `${days > 0 ? `${days} day${days === 1 ? "" : "s"}, ` : ""}${clock}`;
  return ` ${now.toISOString().slice(11, 19)} up ${up},  0 users,  load average: ${load.map((l) => l.toFixed(2)).join(", ")}`;
}
