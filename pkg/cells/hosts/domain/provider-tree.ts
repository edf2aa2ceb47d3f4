import type { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  Inventory,
  SyncProviderTreeRequest,
} from "../../../../gen/kilonova/placement/v1/placement_service.js";

const DISABLED = "COMPUTE_STATUS_DISABLED";

const inventory = (
  resourceClass: string,
  total: bigint,
  reserved: number,
  allocationRatio: number,
): Inventory => ({
  resourceClass,
  total,
  reserved: BigInt(reserved),
  minUnit: 1n,
  maxUnit: total,
  stepSize: 1n,
  allocationRatio: allocationRatio > 0 ? allocationRatio : 1,
  used: 0n,
});

/**
 * A host as placement shall know it. A disabled one carries COMPUTE_STATUS_DISABLED, so that candidates leave
 * it out.
 * @param before  as it was: traits that it had and lost are taken away
 */
export function providerTree(
  node: ComputeNode,
  disabled: boolean,
  before: ComputeNode | undefined,
): SyncProviderTreeRequest {
  const inventories = [
    inventory("VCPU", BigInt(node.vcpus), node.reservedVcpus, node.cpuAllocationRatio),
    inventory("MEMORY_MB", node.memoryMib, node.reservedMemoryMib, node.memoryAllocationRatio),
    inventory("DISK_GB", node.diskGib, node.reservedDiskGib, node.diskAllocationRatio),
  ].filter(({ total }) => total > 0n);
  const traits = [...new Set([...node.traits, ...(disabled ? [DISABLED] : [])])].sort();
  return {
    root: {
      id: node.id,
      updatedAt: undefined,
      name: node.hypervisorHostname,
      generation: 0n,
      parentId: "",
      rootId: node.id,
      inventories,
      traits,
      aggregates: [],
    },
    managedTraits: [...new Set([...(before?.traits ?? []), ...node.traits, DISABLED])].sort(),
    managedClasses: ["VCPU", "MEMORY_MB", "DISK_GB"],
  };
}
