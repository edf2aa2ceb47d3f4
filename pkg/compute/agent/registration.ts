import type { RegisterHostResponse } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import { version } from "../../platform/service/index.js";
import { capabilitiesOf } from "../capabilities.js";
import type { Driver, HostInventory } from "../driver.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

export interface RegistrationDeps {
  readonly host: string;
  readonly cell: string;
  readonly zone: string;
  /** Where conductors reach this agent. */
  readonly address: string;
  readonly driver: Driver;
  readonly cells: Client<typeof HostsServiceDefinition>;
  readonly reserved: { readonly vcpus: number; readonly memoryMib: number; readonly diskGib: number };
  readonly ratios: { readonly cpu: number; readonly memory: number; readonly disk: number };
}

/**
 * Announces the host to its cell, at start and at each audit; remembers the epoch that was minted for this
 * process.
 */
export class Registration {
  readonly #deps: RegistrationDeps;
  #answer: RegisterHostResponse | undefined;

  constructor(deps: RegistrationDeps) {
    this.#deps = deps;
  }

  get epoch(): bigint {
    return this.#answer?.epoch ?? 0n;
  }

  /** @throws STALE_EPOCH when another process speaks for this host now: the agent must end */
  async register(ctx: Ctx): Promise<RegisterHostResponse> {
    const { host, cell, zone, address, driver, cells } = this.#deps;
    const inventory = await driver.inventory(ctx);
    this.#answer = await cells.registerHost(ctx, {
      cell,
      epoch: this.epoch,
      service: HostService.fromPartial({ binary: COMPUTE_BINARY, host, availabilityZone: zone, address }),
      node: this.#node(inventory),
    });
    return this.#answer;
  }

  #node(inventory: HostInventory): ComputeNode {
    const { host, driver, reserved, ratios } = this.#deps;
    return ComputeNode.fromPartial({
      host,
      driver: driver.name,
      capabilities: capabilitiesOf(driver),
      agentVersion: version(),
      guestIsolation: driver.guestIsolation?.() ?? "",
      hypervisorHostname: inventory.hypervisorHostname,
      hypervisorType: inventory.hypervisorType,
      hypervisorVersion: inventory.hypervisorVersion,
      hostIp: inventory.hostIp,
      cpuInfoJson: inventory.cpuInfo,
      uptime: inventory.uptime,
      vcpus: inventory.vcpus,
      memoryMib: BigInt(inventory.memoryMib),
      diskGib: BigInt(inventory.diskGib),
      diskAvailableLeastGib: BigInt(inventory.diskFreeGib),
      reservedVcpus: reserved.vcpus,
      reservedMemoryMib: Math.min(reserved.memoryMib, inventory.memoryMib),
      reservedDiskGib: reserved.diskGib,
      cpuAllocationRatio: ratios.cpu,
      memoryAllocationRatio: ratios.memory,
      diskAllocationRatio: ratios.disk,
      traits: [...inventory.traits, "COMPUTE_NODE", "OWNER_NOVA"],
      supportedInstancesJson: JSON.stringify(inventory.supportedInstances),
    });
  }
}
