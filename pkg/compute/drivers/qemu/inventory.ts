import { readFile, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import type { Ctx } from "../../../kernel/index.js";
import type { HostInventory, HostTelemetry } from "../../driver.js";
import { uptimeNow } from "../host/uptime.js";
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
  };
}

/** What this machine measures of itself now; of its disk, its share. */
export async function readTelemetry(_ctx: Ctx, config: QemuConfig): Promise<HostTelemetry> {
  const disk = await statfs(config.stateDir);
  return {
    uptime: uptimeNow(),
    diskFreeGib: Math.floor(((disk.bavail * disk.bsize) / GIB) * config.share),
  };
}
