import type { ComputeService, Hypervisor } from "../../../gen/kilonova/api/v1/hosts_service.js";
import type { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { CellHosts } from "../cells/host-directory.js";
import { orNone } from "../../model/presence.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

export const INTERNAL_ZONE = "internal";

/** A service record as operators see it. */
export const presentService = (cell: string, service: HostService): ComputeService => ({
  id: service.id,
  number: service.number,
  binary: service.binary,
  host: service.host,
  zone: service.binary === COMPUTE_BINARY ? service.availabilityZone : INTERNAL_ZONE,
  disabled: service.disabled,
  disabledReason: orNone(service.disabledReason),
  forcedDown: service.forcedDown,
  up: service.up,
  updatedAt: service.lastSeenAt ?? service.updatedAt,
  cell,
});

/** A compute node as operators see it, without servers. */
export function presentHypervisor(hosts: CellHosts, node: ComputeNode): Hypervisor {
  const service = hosts.byHost.get(node.host);
  return {
    id: node.id,
    number: node.number,
    hypervisorHostname: node.hypervisorHostname,
    hypervisorType: node.hypervisorType,
    hypervisorVersion: node.hypervisorVersion,
    hostIp: node.hostIp,
    cpuInfoJson: node.cpuInfoJson,
    vcpus: node.vcpus,
    vcpusUsed: node.vcpusUsed,
    memoryMib: node.memoryMib,
    memoryMibUsed: node.memoryMibUsed,
    diskGib: node.diskGib,
    diskGibUsed: node.diskGibUsed,
    diskAvailableLeastGib: node.diskAvailableLeastGib,
    runningServers: node.runningServers,
    currentWorkload: node.currentWorkload,
    service: service && presentService(hosts.cell, service),
    // Of a host that is down nobody knows how long it has been up.
    uptime: service?.up === true ? orNone(node.uptime) : undefined,
    servers: [],
  };
}
