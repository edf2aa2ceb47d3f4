import type {
  CpuDiagnostics,
  DiskDiagnostics,
  GetServerDiagnosticsResponse,
  NicDiagnostics,
} from "../../../../gen/kilonova/api/v1/server_details.js";
import { powerStateWord } from "../../../model/instance-states.js";
import type { JsonObject } from "../../http/json.js";
import { diskLetters } from "../../../model/disk-letters.js";

type Count = bigint | number | undefined;

const orNull = (count: Count): number | null => (count === undefined ? null : Number(count));

/** The form that all drivers have from 2.48 on; null is what the hypervisor does not know. */
export const diagnosticsOf = (d: GetServerDiagnosticsResponse): JsonObject => ({
  state: powerStateWord(d.powerState),
  driver: d.driver,
  hypervisor: d.hypervisor ?? null,
  hypervisor_os: d.hypervisorOs ?? null,
  uptime: orNull(d.uptimeSeconds),
  config_drive: d.configDrive,
  num_cpus: d.cpus.length,
  num_nics: d.nics.length,
  num_disks: d.disks.length,
  cpu_details: d.cpus.map(cpuOf),
  nic_details: d.nics.map(nicOf),
  disk_details: d.disks.map(diskOf),
  memory_details: { maximum: orNull(d.memoryMaximumMib), used: orNull(d.memoryUsedMib) },
});

/** Times in ns. */
const cpuOf = (cpu: CpuDiagnostics): JsonObject => ({
  id: orNull(cpu.id),
  time: orNull(cpu.timeNs),
  utilisation: orNull(cpu.utilisationPercent),
});

const nicOf = (nic: NicDiagnostics): JsonObject => ({
  mac_address: nic.macAddress,
  rx_octets: orNull(nic.rxBytes),
  rx_errors: orNull(nic.rxErrors),
  rx_drop: orNull(nic.rxDropped),
  rx_packets: orNull(nic.rxPackets),
  rx_rate: orNull(nic.rxBytesPerSecond),
  tx_octets: orNull(nic.txBytes),
  tx_errors: orNull(nic.txErrors),
  tx_drop: orNull(nic.txDropped),
  tx_packets: orNull(nic.txPackets),
  tx_rate: orNull(nic.txBytesPerSecond),
});

const diskOf = (disk: DiskDiagnostics): JsonObject => ({
  read_bytes: orNull(disk.readBytes),
  read_requests: orNull(disk.readRequests),
  write_bytes: orNull(disk.writeBytes),
  write_requests: orNull(disk.writeRequests),
  errors_count: orNull(disk.errors),
});

/**
 * The older form: what the libvirt driver calls its counters, those that are known. Memory is in KiB.
 * @source nova.virt.libvirt.driver get_diagnostics
 */
export function countersOf(d: GetServerDiagnosticsResponse): JsonObject {
  const counters = new Map<string, Count>();
  for (const [at, cpu] of d.cpus.entries()) counters.set(`cpu${cpu.id ?? at}_time`, cpu.timeNs);
  for (const [at, disk] of d.disks.entries()) {
    const name = diskName(at);
    counters
      .set(`${name}_read_req`, disk.readRequests)
      .set(`${name}_read`, disk.readBytes)
      .set(`${name}_write_req`, disk.writeRequests)
      .set(`${name}_write`, disk.writeBytes)
      .set(`${name}_errors`, disk.errors);
  }
  for (const [at, nic] of d.nics.entries()) {
    const name = `vnet${at}`;
    counters
      .set(`${name}_rx`, nic.rxBytes)
      .set(`${name}_rx_packets`, nic.rxPackets)
      .set(`${name}_rx_errors`, nic.rxErrors)
      .set(`${name}_rx_drop`, nic.rxDropped)
      .set(`${name}_tx`, nic.txBytes)
      .set(`${name}_tx_packets`, nic.txPackets)
      .set(`${name}_tx_errors`, nic.txErrors)
      .set(`${name}_tx_drop`, nic.txDropped);
  }
  const { memoryMaximumMib: memory } = d;
  counters.set("memory", memory === undefined ? undefined : memory * 1024n);
  return Object.fromEntries(
    [...counters].flatMap(([name, count]) => (count === undefined ? [] : [[name, Number(count)]])),
  );
}

/** vda, vdb … vdz, vdaa … */
const diskName = (index: number): string => `vd${diskLetters(index)}`;
