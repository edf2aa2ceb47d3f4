import type { Hypervisor } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import type { Json, JsonObject } from "../../http/json.js";
import { never, since, until } from "../../microversion/version.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { byUuid, stateWord, statusWord } from "../compute-services/view.js";

/** `brief` in lists, `full` in details and of one, `uptime` of the call of that name. */
type HypervisorForm = "brief" | "full" | "uptime";
/** Whether servers were asked for. */
export interface HypervisorEnv {
  readonly withServers: boolean;
}

const fullOnly = { brief: never, uptime: never } as const;
/** The numbers left when Placement became the place to ask. */
const numbers = until("2.87");

const servers = (h: Hypervisor): JsonObject[] => h.servers.map((s) => ({ name: s.instanceName, uuid: s.id }));
const parsedCpuInfo = (h: Hypervisor): Json =>
  h.cpuInfoJson === "" ? {} : (JSON.parse(h.cpuInfoJson) as Json);
const uptime = (h: Hypervisor): string | null => h.uptime ?? null;
const service = (h: Hypervisor, id: string | number): Json => ({
  id,
  host: h.service?.host ?? "",
  disabled_reason: h.service?.disabledReason ? h.service.disabledReason : null,
});
const number = (
  name: string,
  value: (h: Hypervisor) => number,
): Field<Hypervisor, HypervisorEnv, HypervisorForm> => ({ name, span: numbers, forms: fullOnly, value });

const fields: readonly Field<Hypervisor, HypervisorEnv, HypervisorForm>[] = [
  { name: "id", span: until("2.52"), value: (h) => Number(h.number) },
  { name: "id", span: byUuid, value: (h) => h.id },
  { name: "hypervisor_hostname", value: (h) => h.hypervisorHostname },
  { name: "state", value: (h) => (h.service ? stateWord(h.service) : "down") },
  { name: "status", value: (h) => (h.service ? statusWord(h.service) : "disabled") },
  {
    name: "servers",
    span: until("2.74"),
    value: (h, { withServers }) => (withServers && h.servers.length > 0 ? servers(h) : undefined),
  },
  {
    name: "servers",
    span: since("2.75"),
    value: (h, { withServers }) => (withServers ? servers(h) : undefined),
  },
  { name: "host_ip", forms: fullOnly, value: (h) => (h.hostIp === "" ? null : h.hostIp) },
  { name: "hypervisor_type", forms: fullOnly, value: (h) => h.hypervisorType },
  { name: "hypervisor_version", forms: fullOnly, value: (h) => h.hypervisorVersion },
  {
    name: "service",
    span: until("2.52"),
    forms: fullOnly,
    value: (h) => service(h, Number(h.service?.number ?? 0n)),
  },
  { name: "service", span: byUuid, forms: fullOnly, value: (h) => service(h, h.service?.id ?? "") },
  { name: "cpu_info", span: until("2.27"), forms: fullOnly, value: (h) => h.cpuInfoJson },
  {
    name: "cpu_info",
    span: { min: since("2.28").min, max: numbers.max },
    forms: fullOnly,
    value: parsedCpuInfo,
  },
  number("vcpus", (h) => h.vcpus),
  number("vcpus_used", (h) => h.vcpusUsed),
  number("memory_mb", (h) => Number(h.memoryMib)),
  number("memory_mb_used", (h) => Number(h.memoryMibUsed)),
  number("free_ram_mb", (h) => Number(h.memoryMib) - Number(h.memoryMibUsed)),
  number("local_gb", (h) => Number(h.diskGib)),
  number("local_gb_used", (h) => Number(h.diskGibUsed)),
  number("free_disk_gb", (h) => Number(h.diskGib) - Number(h.diskGibUsed)),
  number("disk_available_least", (h) => Number(h.diskAvailableLeastGib)),
  number("running_vms", (h) => h.runningServers),
  number("current_workload", (h) => h.currentWorkload),
  { name: "uptime", forms: { brief: never, full: since("2.88"), uptime: numbers }, value: uptime },
];

export const hypervisorView = (form: HypervisorForm): View<Hypervisor, HypervisorEnv> =>
  new View(form, fields);

/** Everything added up. */
export function statistics(hypervisors: readonly Hypervisor[]): JsonObject {
  const sum = (value: (h: Hypervisor) => number | bigint): number =>
    hypervisors.reduce((total, h) => total + Number(value(h)), 0);
  return {
    count: hypervisors.length,
    vcpus: sum((h) => h.vcpus),
    vcpus_used: sum((h) => h.vcpusUsed),
    memory_mb: sum((h) => h.memoryMib),
    memory_mb_used: sum((h) => h.memoryMibUsed),
    free_ram_mb: sum((h) => h.memoryMib - h.memoryMibUsed),
    local_gb: sum((h) => h.diskGib),
    local_gb_used: sum((h) => h.diskGibUsed),
    free_disk_gb: sum((h) => h.diskGib - h.diskGibUsed),
    disk_available_least: sum((h) => h.diskAvailableLeastGib),
    running_vms: sum((h) => h.runningServers),
    current_workload: sum((h) => h.currentWorkload),
  };
}
